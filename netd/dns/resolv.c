// SPDX-License-Identifier: BSD-3-Clause
#include "netd/dns/resolv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

#define BLANKS	   " \t\r\v\f"
#define NDOTS_MAX  15 // as glibc has it (RES_MAXNDOTS)
#define WORD_BYTES 256

// The next word of the line at `*at`, cut to what a name may have; false at the end. Too long to
// be anything: empty.
static bool next_word(const char **at, const char *end, char word[WORD_BYTES])
{
	size_t len = 0;

	while (*at < end && strchr(BLANKS, **at))
		(*at)++;
	if (*at >= end)
		return false;
	while (*at + len < end && !strchr(BLANKS, (*at)[len]))
		len++;
	snprintf(word, WORD_BYTES, "%.*s", len < WORD_BYTES ? (int)len : 0, *at);
	*at += len;
	return true;
}

static void take_server(const char *at, const char *end, struct resolv *resolv)
{
	char word[WORD_BYTES];
	struct ip_addr ip;

	if (resolv->nb_servers == DNS_SERVERS_MAX || !next_word(&at, end, word))
		return;
	if (ip_parse(word, &ip) < 0)
		return;
	resolv->servers[resolv->nb_servers++] = (struct dns_server){.ip = ip};
}

// Domains without the last dot; "." alone is none.
static void take_search(const char *at, const char *end, unsigned max, struct resolv *resolv)
{
	char word[WORD_BYTES];

	resolv->nb_search = 0;
	while (resolv->nb_search < max && next_word(&at, end, word)) {
		size_t len = strlen(word);

		while (len > 0 && word[len - 1] == '.')
			word[--len] = '\0';
		if (len > 0)
			memcpy(resolv->search[resolv->nb_search++], word, len + 1);
	}
}

static void take_options(const char *at, const char *end, struct resolv *resolv)
{
	char word[WORD_BYTES];

	while (next_word(&at, end, word)) {
		unsigned long ndots;

		if (strncmp(word, "ndots:", 6) != 0)
			continue;
		ndots = strtoul(word + 6, NULL, 10);
		resolv->ndots = MIN_OF(ndots, NDOTS_MAX);
	}
}

// A keyword is at the beginning of its line, and something follows (resolv.conf(5)).
static void take_line(const char *line, const char *end, struct resolv *resolv)
{
	char word[WORD_BYTES];
	const char *at = line;

	if (line == end || strchr(BLANKS "#;", *line) || !next_word(&at, end, word))
		return;
	if (!strcmp(word, "nameserver"))
		take_server(at, end, resolv);
	else if (!strcmp(word, "search"))
		take_search(at, end, DNS_SEARCH_MAX, resolv);
	else if (!strcmp(word, "domain"))
		take_search(at, end, 1, resolv);
	else if (!strcmp(word, "options"))
		take_options(at, end, resolv);
}

void resolv_parse(const char *text, size_t len_bytes, struct resolv *ret_resolv)
{
	const char *end = text + len_bytes;

	memset(ret_resolv, 0, sizeof(*ret_resolv));
	ret_resolv->ndots = 1;
	while (text < end) {
		const char *stop = memchr(text, '\n', end - text);

		if (!stop)
			stop = end;
		take_line(text, stop, ret_resolv);
		text = stop + 1;
	}
}

char *resolv_print(const struct resolv *resolv)
{
	char ip[IP_TEXT_BYTES], *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return NULL;
	for (unsigned i = 0; i < resolv->nb_servers; i++)
		fprintf(f, "nameserver %s\n", ip_format(&resolv->servers[i].ip, ip));
	for (unsigned i = 0; i < resolv->nb_search; i++)
		fprintf(f, "%s%s", i == 0 ? "search " : " ", resolv->search[i]);
	if (resolv->nb_search > 0)
		fputc('\n', f);
	fprintf(f, "options ndots:%u\n", resolv->ndots);
	if (fclose(f) == 0)
		return text;
	free(text);
	return NULL;
}
