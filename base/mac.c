// SPDX-License-Identifier: BSD-3-Clause
#include "base/mac.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static int hex_digit(char c)
{
	if (!isxdigit((unsigned char)c))
		return -1;
	return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

int mac_parse(const char *text, struct mac *ret_mac)
{
	struct mac mac;

	if (strlen(text) != MAC_TEXT_BYTES - 1)
		return -EINVAL;
	for (int i = 0; i < 6; i++) {
		int hi = hex_digit(text[3 * i]);
		int lo = hex_digit(text[3 * i + 1]);
		char sep = text[3 * i + 2];

		if (hi < 0 || lo < 0 || (i < 5 && sep != ':' && sep != '-'))
			return -EINVAL;
		mac.byte[i] = hi << 4 | lo;
	}
	*ret_mac = mac;
	return 0;
}

const char *mac_format(const struct mac *mac, char *buf)
{
	const uint8_t *b = mac->byte;

	snprintf(buf, MAC_TEXT_BYTES, "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3], b[4],
		b[5]);
	return buf;
}

bool mac_is_multicast(const struct mac *mac)
{
	return mac->byte[0] & 1;
}
