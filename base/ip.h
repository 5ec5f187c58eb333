// SPDX-License-Identifier: BSD-3-Clause
// IPv4 and IPv6 addresses as text and bytes.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

// All bytes after an IPv4 address are zero, so that equal addresses are equal in memory.
struct ip_addr {
	uint8_t family;	  // 4, 6, or 0: none
	uint8_t byte[16]; // in wire order
};

#define IP_TEXT_BYTES 46 // INET6_ADDRSTRLEN

// Takes one address as inet_pton(3) does, without prefix or zone. Returns 0 or -EINVAL.
int ip_parse(const char *text, struct ip_addr *ret_ip);

// Takes ADDRESS/PREFIX. Returns 0 or -EINVAL.
int ip_parse_prefix(const char *text, struct ip_addr *ret_ip, unsigned *ret_prefix);

// Takes ADDRESS/PREFIX without bits behind the prefix, or an address, whose prefix is all of it.
// Returns 0 or -EINVAL.
int ip_parse_range(const char *text, struct ip_addr *ret_ip, unsigned *ret_prefix);

// Writes the address into `buf` (at least IP_TEXT_BYTES) and returns it; "" of no address.
const char *ip_format(const struct ip_addr *ip, char *buf);

static inline bool ip_equal(const struct ip_addr *a, const struct ip_addr *b)
{
	return !memcmp(a, b, sizeof(*a));
}

static inline bool ip_is_multicast(const struct ip_addr *ip)
{
	return ip->family == 6 ? ip->byte[0] == 0xff : (ip->byte[0] & 0xf0) == 0xe0;
}

// fe80::/10: means something behind one interface only
static inline bool ip_is_link_local6(const struct ip_addr *ip)
{
	return ip->family == 6 && ip->byte[0] == 0xfe && (ip->byte[1] & 0xc0) == 0x80;
}

// 0.0.0.0 or ::
static inline bool ip_is_any(const struct ip_addr *ip)
{
	static const uint8_t zero[sizeof(ip->byte)];

	return ip->family && !memcmp(ip->byte, zero, sizeof(zero));
}
