// SPDX-License-Identifier: BSD-3-Clause
#include "netd/record/dns_address.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define PORT_DEFAULT 53

static int parse_port(const char *text, uint16_t *ret_port)
{
	size_t len = strlen(text);
	unsigned long port;

	if (len < 1 || len > 5 || strspn(text, "0123456789") < len)
		return -EINVAL;
	port = strtoul(text, NULL, 10);
	if (port < 1 || port > UINT16_MAX)
		return -EINVAL;
	*ret_port = port == PORT_DEFAULT ? 0 : port;
	return 0;
}

// The address in `text`, and where its port begins; NULL: there is none.
static int split(const char *text, char ip[IP_TEXT_BYTES], const char **ret_port)
{
	const char *colon = strchr(text, ':'), *end = text + strlen(text);
	bool is_bracketed = text[0] == '[';

	*ret_port = NULL;
	if (is_bracketed) {
		end = strchr(++text, ']');
		if (!end || end[1] != ':')
			return -EINVAL;
		*ret_port = end + 2;
	} else if (colon && !strchr(colon + 1, ':')) { // one colon: not of an IPv6 address
		end = colon;
		*ret_port = colon + 1;
	}
	if (end - text >= IP_TEXT_BYTES)
		return -EINVAL;
	snprintf(ip, IP_TEXT_BYTES, "%.*s", (int)(end - text), text);
	return is_bracketed && !strchr(ip, ':') ? -EINVAL : 0;
}

int dns_server_parse(const char *text, struct dns_server *ret_server)
{
	struct dns_server server = {0};
	char ip[IP_TEXT_BYTES];
	const char *port;

	if (split(text, ip, &port) < 0 || ip_parse(ip, &server.ip) < 0 || ip_is_any(&server.ip) ||
		ip_is_multicast(&server.ip) || (port && parse_port(port, &server.port) < 0))
		return -EINVAL;
	*ret_server = server;
	return 0;
}

const char *dns_server_format(const struct dns_server *server, char *buf)
{
	char ip[IP_TEXT_BYTES];
	bool is_ip6 = server->ip.family == 6;

	ip_format(&server->ip, ip);
	if (!server->port || server->port == PORT_DEFAULT)
		snprintf(buf, DNS_SERVER_TEXT_BYTES, "%s", ip);
	else
		snprintf(buf, DNS_SERVER_TEXT_BYTES, "%s%s%s:%u", is_ip6 ? "[" : "", ip,
			is_ip6 ? "]" : "", server->port);
	return buf;
}
