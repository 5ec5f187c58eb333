// SPDX-License-Identifier: BSD-3-Clause
#include "config/check.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <limits.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "base/ip.h"
#include "base/mac.h"
#include "config/conf.h"

static bool is_dots(const char *text)
{
	return !strcmp(text, ".") || !strcmp(text, "..");
}

const char *check_ifname(const void *value)
{
	const char *text = value;
	size_t len = strlen(text);

	// The kernel refuses ':' as well: it stands before the number of an alias.
	if (len < 1 || len >= IFNAMSIZ || is_dots(text) || strpbrk(text, "/: \t\n\v\f\r"))
		return "the name of a network interface is 1 to 15 bytes without '/', ':' or "
		       "blanks";
	return NULL;
}

const char *check_netns(const void *value)
{
	const char *text = value;

	if (text[0] == '\0' || is_dots(text) || (text[0] != '/' && strchr(text, '/')))
		return "a network namespace is a name under /run/netns, an absolute path or a pid";
	if (strspn(text, "0123456789") == strlen(text) &&
		(strlen(text) > 10 || text[0] == '0' || strtoul(text, NULL, 10) > INT_MAX))
		return "a pid is 1 to 2147483647";
	return NULL;
}

const char *check_ip(const void *value)
{
	static const char *const allowed = "an address is given with its prefix length, such as "
					   "10.0.0.1/24 or fd00::1/64";
	const char *text = value, *slash = strchr(text, '/');
	char addr[INET6_ADDRSTRLEN];
	unsigned char bytes[16];
	unsigned long prefix;
	int family;

	if (!slash || slash - text >= (long)sizeof(addr))
		return allowed;
	memcpy(addr, text, slash - text);
	addr[slash - text] = '\0';
	family = strchr(addr, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(family, addr, bytes) != 1)
		return allowed;
	slash++;
	if (!*slash || strspn(slash, "0123456789") != strlen(slash) || strlen(slash) > 3 ||
		(slash[0] == '0' && slash[1]))
		return allowed;
	prefix = strtoul(slash, NULL, 10);
	if (family == AF_INET && prefix > 32)
		return "the prefix length of an IPv4 address is 0 to 32";
	if (prefix > 128)
		return "the prefix length of an IPv6 address is 0 to 128";
	return NULL;
}

const char *check_source(const void *value)
{
	struct ip_addr ip;
	unsigned prefix;

	if (ip_parse_range(value, &ip, &prefix) < 0)
		return "a source is an address such as 10.0.0.5 or fd00::5, or a prefix such as "
		       "10.0.0.0/24 with no bits set after it";
	if (ip_is_multicast(&ip) || (ip_is_any(&ip) && !strchr(value, '/')))
		return "group addresses and 0.0.0.0 are not sources";
	return NULL;
}

const char *check_name(const void *value)
{
	static const char marks[] = "._-@";
	const char *text = value;
	size_t len = strlen(text);

	if (len < 1 || len >= CONF_NAME_BYTES || text[0] == '-' || text[0] == '.')
		goto refuse;
	for (; *text; text++) {
		unsigned char c = *text;

		// Not isalnum(): it depends on the locale.
		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
			!strchr(marks, c))
			goto refuse;
	}
	return NULL;

refuse:
	return "a name is 1 to 63 letters, digits, '.', '_', '-' or '@', and does not begin with "
	       "'-' or '.'";
}

const char *check_devargs(const void *value)
{
	const char *text = value;

	return text[0] ? NULL : "devargs is a PCI address or a virtual device such as net_null0";
}

const char *check_unicast(const void *value)
{
	if (mac_is_zero(value) || mac_is_multicast(value))
		return "it must be a unicast address (first byte even, not all zero)";
	return NULL;
}

const char *check_no_group(const void *value)
{
	return mac_is_multicast(value) ? "a unicast address is needed (the first byte even)" : NULL;
}

const char *check_host_or_any(const void *value)
{
	static const uint8_t broadcast[4] = {255, 255, 255, 255};
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	const struct ip_addr *ip = value;

	if (ip_is_multicast(ip) || (ip->family == 4 && !memcmp(ip->byte, broadcast, 4)))
		return "it must be the address of one host, not of a group";
	if (ip->family == 6 && !memcmp(ip->byte, mapped, sizeof(mapped)))
		return "write an IPv4 address as 10.0.0.1";
	return NULL;
}

const char *check_host(const void *value)
{
	if (ip_is_any(value))
		return "it must be the address of one host";
	return check_host_or_any(value);
}
