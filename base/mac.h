// SPDX-License-Identifier: BSD-3-Clause
// Ethernet addresses as text and bytes.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct mac {
	uint8_t byte[6]; // in wire order
};

#define MAC_TEXT_BYTES 18 // "02:00:00:00:00:01" with its zero

// Takes six pairs of hexadecimal digits with ':' (or '-') between them and nothing else.
// Returns 0 or -EINVAL.
int mac_parse(const char *text, struct mac *ret_mac);

// Writes the address into `buf` (at least MAC_TEXT_BYTES) and returns it.
const char *mac_format(const struct mac *mac, char *buf);

static inline bool mac_is_zero(const struct mac *mac)
{
	static const struct mac zero;

	return !memcmp(mac, &zero, sizeof(zero));
}

bool mac_is_multicast(const struct mac *mac);
