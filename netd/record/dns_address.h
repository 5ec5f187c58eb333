// SPDX-License-Identifier: BSD-3-Clause
// A server of names, as text and as an address. Pure functions; any thread.
#pragma once

#include "base/ip.h"

#define DNS_SERVERS_MAX 8
#define DNS_ZONE_BYTES	16 // IFNAMSIZ

// A server above: port 53 when 0. A link-local address needs the interface that it is behind, by
// its name on the host that asks (or its number); elsewhere `zone` is empty. All bytes behind the
// name are zero, so that equal servers are equal in memory.
struct dns_server {
	struct ip_addr ip;
	uint16_t port;
	char zone[DNS_ZONE_BYTES];
};

#define DNS_SERVER_SYNTAX                                                                          \
	"ADDRESS, ADDRESS:PORT or [IPV6-ADDRESS]:PORT; a link-local address has its interface "    \
	"behind it (fe80::1%eth0)"
#define DNS_SERVER_TEXT_BYTES (IP_TEXT_BYTES + DNS_ZONE_BYTES + 9)

// Takes DNS_SERVER_SYNTAX; neither "any" nor a multicast address. 0 or -EINVAL.
int dns_server_parse(const char *text, struct dns_server *ret_server);
// Writes it into `buf` (DNS_SERVER_TEXT_BYTES) and returns it; port 53 is not written.
const char *dns_server_format(const struct dns_server *server, char *buf);
// The index of the interface in `zone`, as the host has it now; 0: it has none, or no zone is
// given.
unsigned dns_server_zone(const struct dns_server *server);
bool dns_server_equal(const struct dns_server *a, const struct dns_server *b); // 53 and 0 alike
