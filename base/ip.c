// SPDX-License-Identifier: BSD-3-Clause
#include "base/ip.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int family_of(const struct ip_addr *ip)
{
	return ip->family == 6 ? AF_INET6 : AF_INET;
}

int ip_parse(const char *text, struct ip_addr *ret_ip)
{
	struct ip_addr ip = {.family = strchr(text, ':') ? 6 : 4};

	if (inet_pton(family_of(&ip), text, ip.byte) != 1)
		return -EINVAL;
	*ret_ip = ip;
	return 0;
}

int ip_parse_prefix(const char *text, struct ip_addr *ret_ip, unsigned *ret_prefix)
{
	const char *slash = strchr(text, '/');
	char address[IP_TEXT_BYTES];
	unsigned long prefix;
	struct ip_addr ip;

	if (!slash || slash - text >= (long)sizeof(address))
		return -EINVAL;
	memcpy(address, text, slash - text);
	address[slash - text] = '\0';
	slash++;
	if (!*slash || strlen(slash) > 3 || strspn(slash, "0123456789") != strlen(slash) ||
		ip_parse(address, &ip) < 0)
		return -EINVAL;
	prefix = strtoul(slash, NULL, 10);
	if (prefix > (ip.family == 6 ? 128 : 32))
		return -EINVAL;
	*ret_ip = ip;
	*ret_prefix = prefix;
	return 0;
}

int ip_parse_range(const char *text, struct ip_addr *ret_ip, unsigned *ret_prefix)
{
	struct ip_addr ip;
	unsigned prefix;
	int rc = strchr(text, '/') ? ip_parse_prefix(text, &ip, &prefix) : ip_parse(text, &ip);

	if (rc < 0)
		return rc;
	if (!strchr(text, '/'))
		prefix = ip.family == 6 ? 128 : 32;
	for (unsigned bit = prefix; bit < (ip.family == 6 ? 128u : 32u); bit++) {
		if (ip.byte[bit / 8] & 0x80 >> bit % 8)
			return -EINVAL;
	}
	*ret_ip = ip;
	*ret_prefix = prefix;
	return 0;
}

const char *ip_format(const struct ip_addr *ip, char *buf)
{
	buf[0] = '\0';
	if (ip->family)
		inet_ntop(family_of(ip), ip->byte, buf, IP_TEXT_BYTES);
	return buf;
}
