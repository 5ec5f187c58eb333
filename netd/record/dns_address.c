// SPDX-License-Identifier: BSD-3-Clause
#include "netd/record/dns_address.h"

#include <ctype.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>

#define PORT_DEFAULT 53
#define HOST_BYTES   (IP_TEXT_BYTES + DNS_ZONE_BYTES)

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

// The address in `text` with its zone, and where its port begins; NULL: there is none.
static int split(const char *text, char host[HOST_BYTES], const char **ret_port)
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
	if (end - text >= HOST_BYTES)
		return -EINVAL;
	snprintf(host, HOST_BYTES, "%.*s", (int)(end - text), text);
	return is_bracketed && !strchr(host, ':') ? -EINVAL : 0;
}

static bool is_zone(const char *zone)
{
	size_t len = strlen(zone);

	for (size_t i = 0; i < len; i++)
		if (!isgraph((unsigned char)zone[i]) || strchr("%/]:", zone[i]))
			return false;
	return len >= 1 && len < DNS_ZONE_BYTES;
}

// Takes ADDRESS or, when it is link-local, ADDRESS%ZONE.
static int parse_host(char *host, struct dns_server *server)
{
	char *zone = strchr(host, '%');

	if (zone)
		*zone++ = '\0';
	if (ip_parse(host, &server->ip) < 0 || ip_is_any(&server->ip) ||
		ip_is_multicast(&server->ip) || ip_is_link_local6(&server->ip) != (zone != NULL))
		return -EINVAL;
	if (!zone)
		return 0;
	if (!is_zone(zone))
		return -EINVAL;
	memcpy(server->zone, zone, strlen(zone));
	return 0;
}

int dns_server_parse(const char *text, struct dns_server *ret_server)
{
	struct dns_server server = {0};
	char host[HOST_BYTES];
	const char *port;

	if (split(text, host, &port) < 0 || parse_host(host, &server) < 0 ||
		(port && parse_port(port, &server.port) < 0))
		return -EINVAL;
	*ret_server = server;
	return 0;
}

const char *dns_server_format(const struct dns_server *server, char *buf)
{
	const char *percent = server->zone[0] ? "%" : "";
	char ip[IP_TEXT_BYTES];
	bool is_ip6 = server->ip.family == 6;

	ip_format(&server->ip, ip);
	if (!server->port || server->port == PORT_DEFAULT)
		snprintf(buf, DNS_SERVER_TEXT_BYTES, "%s%s%s", ip, percent, server->zone);
	else
		snprintf(buf, DNS_SERVER_TEXT_BYTES, "%s%s%s%s%s:%u", is_ip6 ? "[" : "", ip,
			percent, server->zone, is_ip6 ? "]" : "", server->port);
	return buf;
}

unsigned dns_server_zone(const struct dns_server *server)
{
	const char *zone = server->zone;
	size_t digits = strspn(zone, "0123456789");
	char name[IF_NAMESIZE];
	unsigned index;

	if (!*zone)
		return 0;
	index = if_nametoindex(zone);
	if (index || zone[digits] || digits > 9)
		return index;
	index = strtoul(zone, NULL, 10);
	return if_indextoname(index, name) ? index : 0;
}

static uint16_t port_of(const struct dns_server *server)
{
	return server->port ? server->port : PORT_DEFAULT;
}

bool dns_server_equal(const struct dns_server *a, const struct dns_server *b)
{
	return ip_equal(&a->ip, &b->ip) && port_of(a) == port_of(b) && !strcmp(a->zone, b->zone);
}
