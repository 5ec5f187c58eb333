// SPDX-License-Identifier: BSD-3-Clause
// A value of each option of a port that is not its default, for tests that walk
// the schema.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/util.h"
#include "config/schema.h"

static const char *const port_samples[][2] = {
	{"tag", "10"},
	{"trunks", "[1, 2]"},
	{"vlan-mode", "\"native-tagged\""},
	{"mtu", "1400"},
	{"queues", "2"},
	{"fdb-limit", "5"},
	{"flood-limit", "7"},
	{"isolated", "true"},
	{"managed-by", "\"vsnetd\""},
	{"netns", "\"c2\""},
	{"ifname", "\"eth2\""},
	{"host-ifname", "\"h2\""},
	{"mac", "\"02:00:00:00:00:22\""},
	{"ip", "[\"10.0.0.2/24\"]"},
	{"guard", "true"},
	{"router", "false"},
	{"dhcp-server", "false"},
	{"filter", "\"gateway\""},
	{"guard-ips", "[\"10.0.0.2\"]"},
	{"filter-from", "[\"10.0.0.0/24\"]"},
	{"devargs", "\"net_null1\""},
	{"key", "8"},
	{"remote", "[\"10.0.0.2\"]"},
	{"vtep", "\"w\""},
	{"learning", "false"},
	{"dscp", "46"},
	{"ttl", "\"inherit\""},
};

// A new object with that value; `type` has none, since other keys depend on it.
static inline json_t *port_sample(const struct schema_field *field)
{
	char key[SCHEMA_KEY_BYTES];

	for (unsigned i = 0; i < ARRAY_SIZE(port_samples); i++) {
		if (!strcmp(port_samples[i][0], field->key))
			return json_pack("{s:o}", schema_json_key(field, key),
				json_loads(port_samples[i][1], JSON_DECODE_ANY, NULL));
	}
	fail_msg("give a value of '%s' in port_samples", field->key);
	return NULL;
}
