// SPDX-License-Identifier: BSD-3-Clause
// A server of names, as text and as an address. Pure functions; any thread.
#pragma once

#include "base/ip.h"

#define DNS_SERVERS_MAX 8

// A server above: port 53 when 0.
struct dns_server {
	struct ip_addr ip;
	uint16_t port;
};

#define DNS_SERVER_SYNTAX     "ADDRESS, ADDRESS:PORT or [IPV6-ADDRESS]:PORT"
#define DNS_SERVER_TEXT_BYTES (IP_TEXT_BYTES + 8)

// Takes DNS_SERVER_SYNTAX; neither "any" nor a multicast address. 0 or -EINVAL.
int dns_server_parse(const char *text, struct dns_server *ret_server);
// Writes it into `buf` (DNS_SERVER_TEXT_BYTES) and returns it; port 53 is not written.
const char *dns_server_format(const struct dns_server *server, char *buf);
