// SPDX-License-Identifier: BSD-3-Clause
#include "kv/http_priv.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_host_char(char c)
{
	return isalnum((unsigned char)c) || strchr("-._:[]", c);
}

// The position of the ':' before the port, or NULL: the last one that is not inside of [].
static const char *find_port(const char *text, size_t len)
{
	for (size_t i = len; i-- > 0 && text[i] != ']';) {
		if (text[i] == ':')
			return text + i;
	}
	return NULL;
}

static int add_server(struct http *http, const char *text, size_t len, unsigned port, bool tls)
{
	const char *colon = find_port(text, len);
	size_t host_len = colon ? (size_t)(colon - text) : len;
	char base[300];
	char **servers;

	if (host_len == 0 || host_len > 253)
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		if (!is_host_char(text[i]))
			return -EINVAL;
	}
	if (text[0] != '[' && memchr(text, ':', host_len))
		return -EINVAL;
	if (colon) {
		char *end;

		port = strtoul(colon + 1, &end, 10);
		if (!isdigit((unsigned char)colon[1]) || end != text + len || port < 1 ||
			port > 65535)
			return -EINVAL;
	}
	snprintf(base, sizeof(base), "%s://%.*s:%u", tls ? "https" : "http", (int)host_len, text,
		port);
	servers = realloc(http->servers, (http->nb_servers + 1) * sizeof(*servers));
	if (!servers)
		return -ENOMEM;
	http->servers = servers;
	servers[http->nb_servers] = strdup(base);
	if (!servers[http->nb_servers])
		return -ENOMEM;
	http->nb_servers++;
	return 0;
}

static int parse_prefix(const char *text, char *ret_prefix, size_t prefix_bytes)
{
	size_t len;

	while (*text == '/')
		text++;
	len = strlen(text);
	while (len > 0 && text[len - 1] == '/')
		len--;
	if (len + 2 > prefix_bytes || memmem(text, len, "//", 2))
		return -EINVAL;
	snprintf(ret_prefix, prefix_bytes, "%.*s%s", (int)len, text, len ? "/" : "");
	return 0;
}

int http_parse_servers(struct http *http, const char *url, const char *rest, unsigned port,
	bool tls, char *ret_prefix, size_t prefix_bytes, struct err *err)
{
	const char *at, *end;
	int rc = -EINVAL;

	if (strncmp(rest, "//", 2) != 0)
		return err_set(err, -EINVAL, url, "\"//\" and a server must follow the ':'");
	at = rest + 2;
	end = at + strcspn(at, "/");
	while (at <= end) {
		size_t len = strcspn(at, ",/");

		rc = add_server(http, at, len, port, tls);
		if (rc == -EINVAL)
			return err_set(err, rc, url,
				"\"%.*s\" is no server; HOST, HOST:PORT or [IPV6]:PORT is, several "
				"with ',' between them",
				(int)(len < 200 ? len : 200), at);
		if (rc < 0)
			return err_set_errno(err, rc, url, "cannot open the store");
		at += len + 1;
	}
	if (parse_prefix(end, ret_prefix, prefix_bytes) < 0)
		return err_set(err, -EINVAL, url,
			"the folder after the servers is too long, or has an empty one in it");
	return 0;
}

void http_free_servers(struct http *http)
{
	for (unsigned i = 0; i < http->nb_servers; i++)
		free(http->servers[i]);
	free(http->servers);
}

int http_check(const struct kv_opts *opts, const char *rest, size_t prefix_bytes, struct err *err)
{
	struct http http = {0};
	char prefix[512];
	int rc = http_parse_servers(&http, opts->url, rest, 1, false, prefix, prefix_bytes, err);

	http_free_servers(&http);
	return rc;
}
