// SPDX-License-Identifier: BSD-3-Clause
// Arithmetic on addresses.
#include <errno.h>
#include <stdio.h>

#include "base/util.h"
#include "netd/record/record.h"

static unsigned family_bits(const struct ip_addr *ip)
{
	return ip->family == 6 ? 128 : 32;
}

static bool same_bits(const struct ip_addr *a, const struct ip_addr *b, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	if (memcmp(a->byte, b->byte, whole) != 0)
		return false;
	return rest == 0 || ((a->byte[whole] ^ b->byte[whole]) >> (8 - rest)) == 0;
}

bool cidr_has(const struct cidr *cidr, const struct ip_addr *ip)
{
	return cidr->ip.family == ip->family && same_bits(&cidr->ip, ip, cidr->prefix);
}

bool cidr_overlap(const struct cidr *a, const struct cidr *b)
{
	return a->ip.family == b->ip.family &&
	       same_bits(&a->ip, &b->ip, MIN_OF(a->prefix, b->prefix));
}

bool cidr_equal(const struct cidr *a, const struct cidr *b)
{
	return a->prefix == b->prefix && ip_equal(&a->ip, &b->ip);
}

int cidr_parse(const char *text, struct cidr *ret)
{
	return ip_parse_prefix(text, &ret->ip, &ret->prefix);
}

const char *cidr_format(const struct cidr *cidr, char *buf)
{
	char ip[IP_TEXT_BYTES];

	snprintf(buf, CIDR_TEXT_BYTES, "%s/%u", ip_format(&cidr->ip, ip), cidr->prefix);
	return buf;
}

void cidr_mask(struct cidr *cidr)
{
	unsigned bytes = family_bits(&cidr->ip) / 8;

	for (unsigned i = 0; i < bytes; i++) {
		unsigned first = 8 * i;
		unsigned kept = cidr->prefix <= first ? 0 : MIN_OF(cidr->prefix - first, 8);

		cidr->ip.byte[i] &= 0xff00 >> kept;
	}
}

struct ip_addr ip_add(const struct ip_addr *ip, uint64_t add)
{
	struct ip_addr sum = *ip;

	for (int i = family_bits(ip) / 8 - 1; i >= 0 && add; i--) {
		uint64_t digit = sum.byte[i] + (add & 0xff);

		sum.byte[i] = digit;
		add = (add >> 8) + (digit >> 8);
	}
	return sum;
}

int ip_compare(const struct ip_addr *a, const struct ip_addr *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->byte, b->byte, sizeof(a->byte));
}
