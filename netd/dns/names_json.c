// SPDX-License-Identifier: BSD-3-Clause
// All of it, in the order of networks and names. Of the thread that writes: it takes no lock.
#include <stdlib.h>

#include "netd/dns/names_priv.h"

static int compare_nets(const struct names_net *a, const struct names_net *b)
{
	int rc;

	if (!a || !b)
		return !a - !b; // hosts come last
	rc = strcmp(a->name, b->name);
	return rc ? rc : strcmp(a->id, b->id);
}

static int compare_rows(const void *a, const void *b)
{
	const struct names_claim *x = *(const struct names_claim *const *)a;
	const struct names_claim *y = *(const struct names_claim *const *)b;
	int rc = compare_nets(x->entry->net, y->entry->net);

	if (rc == 0)
		rc = strcmp(x->key->data, y->key->data);
	return rc ? rc : strcmp(names_entry_name(x->entry), names_entry_name(y->entry));
}

static json_t *addresses(const struct names_entry *entry)
{
	json_t *list = json_array();
	char text[IP_TEXT_BYTES];

	for (unsigned i = 0; i < entry->nb_ips; i++) {
		const struct names_key *key = entry->claims[i].key;

		if (key)
			json_array_append_new(
				list, json_string(ip_format(names_key_ip(key), text)));
	}
	return list;
}

static bool is_suspended(struct names *names, const struct names_entry *entry)
{
	struct names_entry *host;

	HASH_FIND_STR(names->hosts, entry->host, host);
	return host && host->suspended;
}

static json_t *row_json(struct names *names, const struct names_claim *claim)
{
	const struct names_entry *entry = claim->entry;
	bool is_alias = claim != names_claim_name(entry);

	return json_pack("{s:s?, s:s, s:s?, s:o, s:s, s:b}", "network",
		entry->net ? entry->net->name : NULL, "name", claim->key->data, "alias_of",
		is_alias ? names_entry_name(entry) : NULL, "addresses", addresses(entry), "host",
		entry->host, "suspended", is_suspended(names, entry));
}

struct rows {
	const struct names_claim **claims;
	size_t count;
};

// Its name, when it has that, and its aliases.
static void add_rows(struct rows *rows, const struct names_entry *entry)
{
	if (names_is_loser(entry))
		return;
	for (unsigned i = entry->nb_ips; i < entry->nb_claims; i++) {
		const struct names_claim *claim = &entry->claims[i];

		if (!claim->key || (i == entry->nb_ips && names_winner(claim->key) != entry))
			continue;
		rows->claims[rows->count++] = claim;
	}
}

static bool is_asked(const struct names_entry *entry, const char *net_name)
{
	return !net_name || (entry->net && strcmp(entry->net->name, net_name) == 0);
}

static size_t count_claims(struct names *names)
{
	const struct names_entry *entry;
	size_t count = 0;

	for (entry = names->endpoints; entry; entry = entry->hh.next)
		count += entry->nb_claims - entry->nb_ips;
	return count + HASH_COUNT(names->hosts);
}

json_t *names_json(struct names *names, const char *net_name)
{
	struct rows rows = {calloc(count_claims(names) + 1, sizeof(*rows.claims)), 0};
	const struct names_entry *entry;
	json_t *list = json_array();

	if (!rows.claims || !list) {
		free(rows.claims);
		json_decref(list);
		return NULL;
	}
	for (entry = names->endpoints; entry; entry = entry->hh.next) {
		if (is_asked(entry, net_name))
			add_rows(&rows, entry);
	}
	for (entry = names->hosts; entry; entry = entry->hh.next) {
		if (is_asked(entry, net_name))
			add_rows(&rows, entry);
	}
	qsort(rows.claims, rows.count, sizeof(*rows.claims), compare_rows);
	for (size_t i = 0; i < rows.count; i++)
		json_array_append_new(list, row_json(names, rows.claims[i]));
	free(rows.claims);
	return list;
}
