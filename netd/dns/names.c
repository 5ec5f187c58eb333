// SPDX-License-Identifier: BSD-3-Clause
#include "netd/dns/names.h"

#include <errno.h>
#include <stdlib.h>

#include "base/util.h"
#include "netd/dns/names_priv.h"

struct names *names_new(void)
{
	struct names *names = calloc(1, sizeof(*names));

	if (!names)
		return NULL;
	if (names_table_init(&names->table) < 0) {
		free(names);
		return NULL;
	}
	pthread_mutex_init(&names->lock, NULL);
	return names;
}

// ---- entries ----

// The names and addresses to claim, for endpoints and hosts alike.
struct saying {
	struct names_net *net;
	const char *host, *name;
	struct ip_addr ips[NAMES_IPS_MAX];
	unsigned nb_ips;
	const char (*aliases)[NAME_BYTES];
	unsigned nb_aliases;
	struct endpoint_rank rank;
};

static struct names_entry *entry_new(const struct saying *says)
{
	unsigned nb_claims = says->nb_ips + 1 + says->nb_aliases;
	size_t claims_bytes = nb_claims * sizeof(struct names_claim);
	size_t host_bytes = strlen(says->host) + 1;
	struct names_entry *entry = calloc(1, sizeof(*entry) + claims_bytes + host_bytes);

	if (!entry)
		return NULL;
	entry->net = says->net;
	entry->rank = says->rank;
	entry->nb_ips = says->nb_ips;
	entry->nb_claims = nb_claims;
	entry->host = (char *)&entry->claims[nb_claims];
	memcpy(entry->host, says->host, host_bytes);
	return entry;
}

static bool has_claim(const struct names_entry *entry, const struct names_key *key)
{
	for (unsigned i = 0; i < entry->nb_claims; i++) {
		if (entry->claims[i].key == key)
			return true;
	}
	return false;
}

static int claim(struct names *names, struct names_entry *entry, unsigned at, enum names_kind kind,
	const void *data, size_t len_bytes)
{
	struct names_key *key = names_table_get(&names->table, entry->net, kind, data, len_bytes);
	struct names_claim *c = &entry->claims[at];

	if (!key)
		return -ENOMEM;
	if (has_claim(entry, key)) // an alias that is its name, or said twice
		return 0;
	c->key = key;
	c->entry = entry;
	if (at > entry->nb_ips)
		LIST_INSERT_HEAD(&key->aliases, c, of_key);
	else
		LIST_INSERT_HEAD(&key->claims, c, of_key);
	return 0;
}

static void unclaim_all(struct names *names, struct names_entry *entry)
{
	for (unsigned i = 0; i < entry->nb_claims; i++) {
		struct names_claim *c = &entry->claims[i];

		if (!c->key)
			continue;
		LIST_REMOVE(c, of_key);
		if (LIST_EMPTY(&c->key->claims) && LIST_EMPTY(&c->key->aliases))
			names_table_drop(&names->table, c->key);
	}
}

static int claim_all(struct names *names, struct names_entry *entry, const struct saying *says)
{
	unsigned at = 0;
	int rc = 0;

	for (unsigned i = 0; i < says->nb_ips && rc == 0; i++)
		rc = claim(names, entry, at++, NAMES_KEY_IP, &says->ips[i], sizeof(says->ips[i]));
	if (rc == 0)
		rc = claim(names, entry, at++, NAMES_KEY_NAME, says->name, strlen(says->name));
	for (unsigned i = 0; i < says->nb_aliases && rc == 0; i++) {
		const char *alias = says->aliases[i];

		rc = claim(names, entry, at++, NAMES_KEY_NAME, alias, strlen(alias));
	}
	if (rc < 0)
		unclaim_all(names, entry);
	return rc;
}

// In place of `old`, which may be NULL, and is freed: no question sees none or both of them.
static int entry_replace(struct names *names, struct names_entry *entry, const struct saying *says,
	struct names_entry *old)
{
	int rc;

	pthread_mutex_lock(&names->lock);
	rc = claim_all(names, entry, says);
	if (rc == 0 && old)
		unclaim_all(names, old);
	pthread_mutex_unlock(&names->lock);
	return rc;
}

static void entry_remove(struct names *names, struct names_entry *entry)
{
	pthread_mutex_lock(&names->lock);
	unclaim_all(names, entry);
	pthread_mutex_unlock(&names->lock);
	free(entry);
}

// ---- networks ----

int names_net_set(struct names *names, const char *net_id, const char *net_name)
{
	struct names_net *net, *new_net = NULL;

	HASH_FIND_STR(names->nets, net_id, net);
	if (!net) {
		net = new_net = calloc(1, sizeof(*net));
		if (!net)
			return -ENOMEM;
		strcpy(net->id, net_id);
	}
	pthread_mutex_lock(&names->lock);
	strcpy(net->name, net_name);
	if (new_net)
		HASH_ADD_STR(names->nets, id, new_net);
	pthread_mutex_unlock(&names->lock);
	return 0;
}

static void endpoint_remove(struct names *names, struct names_entry *entry)
{
	HASH_DEL(names->endpoints, entry);
	LIST_REMOVE(entry, of_net);
	entry_remove(names, entry);
}

static void net_remove(struct names *names, struct names_net *net)
{
	struct names_entry *entry;

	// From here on no question reads it, so it may be freed in pieces.
	pthread_mutex_lock(&names->lock);
	HASH_DEL(names->nets, net);
	pthread_mutex_unlock(&names->lock);
	while ((entry = LIST_FIRST(&net->entries)))
		endpoint_remove(names, entry);
	free(net);
}

void names_net_del(struct names *names, const char *net_id)
{
	struct names_net *net;

	HASH_FIND_STR(names->nets, net_id, net);
	if (net)
		net_remove(names, net);
}

// ---- endpoints ----

static void say_endpoint(
	struct names_net *net, const struct endpoint_record *rec, struct saying *ret_says)
{
	*ret_says = (struct saying){
		.net = net,
		.host = rec->host,
		.name = rec->name,
		.nb_ips = rec->nb_ips,
		.aliases = rec->aliases,
		.nb_aliases = rec->nb_aliases,
		.rank = endpoint_record_rank(rec),
	};
	for (unsigned i = 0; i < rec->nb_ips; i++)
		ret_says->ips[i] = rec->ips[i].ip;
}

int names_endpoint_set(struct names *names, const void *owner, const char *net_id,
	const struct endpoint_record *rec)
{
	struct names_entry *entry, *old;
	struct names_net *net;
	struct saying says;
	int rc;

	HASH_FIND_STR(names->nets, net_id, net);
	if (!net) {
		names_endpoint_del(names, owner);
		return 0;
	}
	HASH_FIND_PTR(names->endpoints, &owner, old);
	say_endpoint(net, rec, &says);
	entry = entry_new(&says);
	if (!entry)
		return -ENOMEM;
	rc = entry_replace(names, entry, &says, old);
	if (rc < 0) {
		free(entry);
		return rc;
	}
	if (old) {
		HASH_DEL(names->endpoints, old);
		LIST_REMOVE(old, of_net);
		free(old);
	}
	entry->owner = owner;
	HASH_ADD_PTR(names->endpoints, owner, entry);
	LIST_INSERT_HEAD(&net->entries, entry, of_net);
	return 0;
}

void names_endpoint_del(struct names *names, const void *owner)
{
	struct names_entry *entry;

	HASH_FIND_PTR(names->endpoints, &owner, entry);
	if (entry)
		endpoint_remove(names, entry);
}

// ---- hosts ----

static void host_remove(struct names *names, struct names_entry *entry)
{
	HASH_DEL(names->hosts, entry);
	entry_remove(names, entry);
}

int names_host_set(struct names *names, const char *host, const struct ip_addr *ips,
	unsigned nb_ips, bool suspended)
{
	struct saying says = {.host = host, .name = host, .nb_ips = MIN_OF(nb_ips, NAMES_IPS_MAX)};
	struct names_entry *entry, *old;
	int rc;

	HASH_FIND_STR(names->hosts, host, old);
	memcpy(says.ips, ips, says.nb_ips * sizeof(*ips));
	entry = entry_new(&says);
	if (!entry)
		return -ENOMEM;
	entry->suspended = suspended;
	rc = entry_replace(names, entry, &says, old);
	if (rc < 0) {
		free(entry);
		return rc;
	}
	if (old) {
		HASH_DEL(names->hosts, old);
		free(old);
	}
	HASH_ADD_KEYPTR(hh, names->hosts, entry->host, strlen(entry->host), entry);
	return 0;
}

void names_host_del(struct names *names, const char *host)
{
	struct names_entry *entry;

	HASH_FIND_STR(names->hosts, host, entry);
	if (entry)
		host_remove(names, entry);
}

void names_free(struct names *names)
{
	struct names_entry *host, *next_host;
	struct names_net *net, *next_net;

	if (!names)
		return;
	HASH_ITER(hh, names->nets, net, next_net)
	net_remove(names, net);
	HASH_ITER(hh, names->hosts, host, next_host)
	host_remove(names, host);
	names_table_fini(&names->table);
	pthread_mutex_destroy(&names->lock);
	free(names);
}
