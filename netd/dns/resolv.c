// SPDX-License-Identifier: BSD-3-Clause
#include "netd/dns/resolv.h"

#include <ctype.h>
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

// The file that is being read.
struct reader {
	struct resolv *resolv;
	unsigned line;
};

static void add_problem(struct reader *r, int kind, const char *word)
{
	struct resolv *resolv = r->resolv;
	struct resolv_problem *problem = &resolv->problems[resolv->nb_problems];

	if (resolv->nb_problems == RESOLV_PROBLEMS_MAX)
		return;
	resolv->nb_problems++;
	problem->line = r->line;
	problem->kind = kind;
	snprintf(
		problem->word, sizeof(problem->word), "%.*s", (int)sizeof(problem->word) - 1, word);
	for (char *c = problem->word; *c; c++)
		if (!isascii(*c) || !isprint(*c))
			*c = '?';
}

// As glibc does, the zone of an address that needs none is ignored, and 0.0.0.0 is this host.
static int parse_server(char *word, struct dns_server *ret_server)
{
	char *percent = strchr(word, '%');
	struct ip_addr ip;

	if (dns_server_parse(word, ret_server) == 0 && ret_server->port == 0 && word[0] != '[')
		return 0;
	if (percent)
		*percent = '\0';
	if (ip_parse(word, &ip) < 0 || ip_is_multicast(&ip))
		return RESOLV_NO_ADDRESS;
	if (ip_is_link_local6(&ip))
		return RESOLV_NO_ZONE;
	*ret_server = (struct dns_server){.ip = ip};
	return 0;
}

static void take_server(struct reader *r, const char *at, const char *end)
{
	struct resolv *resolv = r->resolv;
	char word[WORD_BYTES] = "", parsed[WORD_BYTES];
	struct dns_server server;
	int problem;

	next_word(&at, end, word);
	memcpy(parsed, word, sizeof(word));
	problem = parse_server(parsed, &server);
	if (problem || resolv->nb_servers == DNS_SERVERS_MAX) {
		add_problem(r, problem ? problem : RESOLV_MANY_SERVERS, word);
		return;
	}
	resolv->lines[resolv->nb_servers] = r->line;
	resolv->servers[resolv->nb_servers++] = server;
}

// The last line counts: forgets the domains of earlier ones, and their problems.
static void forget_search(struct resolv *resolv)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < resolv->nb_problems; i++)
		if (resolv_is_of_server(&resolv->problems[i]))
			resolv->problems[kept++] = resolv->problems[i];
	resolv->nb_problems = kept;
	resolv->nb_search = 0;
}

// Domains without the last dot; "." alone is none.
static void take_search(struct reader *r, const char *at, const char *end, unsigned max)
{
	struct resolv *resolv = r->resolv;
	char word[WORD_BYTES];

	forget_search(resolv);
	while (next_word(&at, end, word)) {
		size_t len = strlen(word);

		if (len == 0)
			add_problem(r, RESOLV_NO_DOMAIN, "");
		while (len > 0 && word[len - 1] == '.')
			word[--len] = '\0';
		if (len == 0)
			continue;
		if (resolv->nb_search < max)
			memcpy(resolv->search[resolv->nb_search++], word, len + 1);
		else if (max > 1)
			add_problem(r, RESOLV_MANY_DOMAINS, word);
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
static void take_line(struct reader *r, const char *line, const char *end)
{
	char word[WORD_BYTES];
	const char *at = line;

	if (line == end || strchr(BLANKS "#;", *line) || !next_word(&at, end, word))
		return;
	if (!strcmp(word, "nameserver"))
		take_server(r, at, end);
	else if (!strcmp(word, "search"))
		take_search(r, at, end, DNS_SEARCH_MAX);
	else if (!strcmp(word, "domain"))
		take_search(r, at, end, 1);
	else if (!strcmp(word, "options"))
		take_options(at, end, r->resolv);
}

void resolv_parse(const char *text, size_t len_bytes, struct resolv *ret_resolv)
{
	struct reader r = {.resolv = ret_resolv};
	const char *end = text + len_bytes;

	memset(ret_resolv, 0, sizeof(*ret_resolv));
	ret_resolv->ndots = 1;
	while (text < end) {
		const char *stop = memchr(text, '\n', end - text);

		if (!stop)
			stop = end;
		r.line++;
		take_line(&r, text, stop);
		text = stop + 1;
	}
}

// ---- problems ----

bool resolv_is_of_server(const struct resolv_problem *problem)
{
	return problem->kind <= RESOLV_MANY_SERVERS;
}

const char *resolv_problem_text(const struct resolv_problem *problem, char *buf, size_t len_bytes)
{
	const char *word = problem->word;

	switch (problem->kind) {
	case RESOLV_NO_ADDRESS:
		snprintf(buf, len_bytes,
			"nameserver '%s' is not used: it is not the IP address of a server", word);
		break;
	case RESOLV_NO_ZONE:
		snprintf(buf, len_bytes,
			"nameserver '%s' is not used: a link-local address needs its interface; "
			"write for example '%.46s%%eth0'",
			word, word);
		break;
	case RESOLV_MANY_SERVERS:
		snprintf(buf, len_bytes, "nameserver '%s' is not used: the first %u servers are",
			word, DNS_SERVERS_MAX);
		break;
	case RESOLV_NO_DOMAIN:
		snprintf(
			buf, len_bytes, "a search domain is not used: it is longer than 255 bytes");
		break;
	case RESOLV_MANY_DOMAINS:
		snprintf(buf, len_bytes, "search domain '%s' is not used: the first %u domains are",
			word, DNS_SEARCH_MAX);
		break;
	}
	return buf;
}

// ---- as text ----

char *resolv_print(const struct resolv *resolv)
{
	char server[DNS_SERVER_TEXT_BYTES], *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return NULL;
	for (unsigned i = 0; i < resolv->nb_servers; i++)
		fprintf(f, "nameserver %s\n", dns_server_format(&resolv->servers[i], server));
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
