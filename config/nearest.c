// SPDX-License-Identifier: BSD-3-Clause
#include "config/nearest.h"

#include <string.h>

#include "base/util.h"
#include "config/schema.h"

#define WORD_MAX 64

static char folded(char c)
{
	if (c == '_')
		return '-';
	return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

// Optimal string alignment distance: three rows of the table are alive at a time.
unsigned nearest_distance(const char *a, const char *b)
{
	unsigned row[3][WORD_MAX + 1];
	size_t len_a = strlen(a), len_b = strlen(b);
	unsigned far;

	if (len_a > WORD_MAX || len_b > WORD_MAX)
		return NEAREST_FAR;
	for (size_t j = 0; j <= len_b; j++)
		row[0][j] = j;
	for (size_t i = 1; i <= len_a; i++) {
		unsigned *now = row[i % 3], *last = row[(i + 2) % 3], *before = row[(i + 1) % 3];

		now[0] = i;
		for (size_t j = 1; j <= len_b; j++) {
			char ca = folded(a[i - 1]), cb = folded(b[j - 1]);
			unsigned best = last[j - 1] + (ca != cb);

			best = MIN_OF(best, MIN_OF(last[j], now[j - 1]) + 1);
			if (i > 1 && j > 1 && ca == folded(b[j - 2]) && folded(a[i - 2]) == cb)
				best = MIN_OF(best, before[j - 2] + 1);
			now[j] = best;
		}
	}
	far = MAX_OF(len_a, len_b) / 3;
	return row[len_a % 3][len_b] <= far ? row[len_a % 3][len_b] : NEAREST_FAR;
}

const char *nearest_renamed(const char *word)
{
	static const struct {
		const char *was, *is;
	} renamed[] = {
		// keys
		{"tunnel-endpoints", "vteps"},
		{"endpoint", "vtep"},
		// methods
		{"endpoint.add", "vtep.add"},
		{"endpoint.del", "vtep.del"},
		{"endpoint.set", "vtep.set"},
		{"endpoint.list", "vtep.list"},
		{"endpoint.show", "vtep.show"},
		// verbs
		{"fdb show", "fdb ls"},
		{"fdb del", "fdb rm"},
		{"neigh show", "neigh ls"},
		{"neigh del", "neigh rm"},
		{"vni list", "vni ls"},
		{"vni del", "vni rm"},
		{"vni add-remote", "remote add"},
		{"vni del-remote", "remote rm"},
		{"tunnel-status", "remote ls"},
		{"workers", "worker ls"},
		{"keygen", "key create"},
		{"network monitor", "agent monitor"},
		{"add-tunnel-endpoint", "add-vtep"},
		{"del-tunnel-endpoint", "del-vtep"},
		{"set-tunnel-endpoint", "set-vtep"},
		{"list-tunnel-endpoints", "list-vteps"},
		{"show-tunnel-endpoint", "show-vtep"},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(renamed); i++) {
		if (!strcmp(renamed[i].was, word))
			return renamed[i].is;
	}
	return NULL;
}

const char *schema_meant(const struct schema_table *table, const char *key)
{
	static const struct {
		const char *said, *meant;
	} words[] = {
		{"vlan", "tag"},
		{"vid", "tag"},
		{"pvid", "tag"},
		{"vlans", "trunks"},
		{"namespace", "netns"},
		{"container", "netns"},
		{"ns", "netns"},
		{"interface", "ifname"},
		{"iface", "ifname"},
		{"device", "ifname"},
		{"dev", "ifname"},
		{"address", "ip"},
		{"addr", "ip"},
		{"ip", "address"},
		{"local", "address"},
		{"local-ip", "address"},
		{"hwaddr", "mac"},
		{"lladdr", "mac"},
		{"mac-address", "mac"},
		{"remote-ip", "remote"},
		{"dst", "remote"},
		{"dstport", "udp-port"},
		{"pci", "devargs"},
		{"tos", "dscp"},
		{"hop-limit", "ttl"},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(words); i++) {
		if (!nearest_distance(words[i].said, key) && schema_find(table, words[i].meant))
			return words[i].meant;
	}
	return NULL;
}

const char *schema_nearest(const struct schema_table *table, const char *key)
{
	const char *renamed = nearest_renamed(key), *found = schema_meant(table, key);
	unsigned best = NEAREST_FAR;

	if (renamed && schema_find(table, renamed))
		return renamed;
	if (found)
		return found;
	for (unsigned i = 0; i < table->count; i++) {
		unsigned distance = nearest_distance(key, table->fields[i].key);

		if (distance < best) {
			best = distance;
			found = table->fields[i].key;
		}
	}
	return found;
}

const char *schema_nearest_name(const char *const *names, const char *word)
{
	unsigned best = NEAREST_FAR;
	const char *found = NULL;

	for (; *names; names++) {
		unsigned distance = nearest_distance(word, *names);

		if (distance < best) {
			best = distance;
			found = *names;
		}
	}
	return found;
}
