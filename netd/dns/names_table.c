// SPDX-License-Identifier: BSD-3-Clause
// Linear hashing: each key that is added beyond one a bucket splits one bucket in two.
#include <errno.h>
#include <stdlib.h>

#include "base/hash.h"
#include "netd/dns/names_priv.h"

#define BUCKETS_MIN 64

static uint32_t hash_key(
	const struct names_net *net, enum names_kind kind, const void *data, size_t len_bytes)
{
	uint64_t hash = hash_add(HASH_INIT, &net, sizeof(net));

	hash = kind == NAMES_KEY_IP ? hash_add(hash, data, len_bytes)
				    : record_name_hash(hash, data, len_bytes);
	return hash ^ hash >> 32;
}

int names_table_init(struct names_table *table)
{
	table->buckets = calloc(BUCKETS_MIN, sizeof(*table->buckets));
	if (!table->buckets)
		return -ENOMEM;
	table->nb_buckets = table->room = BUCKETS_MIN;
	return 0;
}

void names_table_fini(struct names_table *table)
{
	free(table->buckets);
}

static struct names_key **bucket_of(const struct names_table *table, uint32_t hash)
{
	size_t i = hash & (table->room - 1);

	// Not split yet: its keys are still in the bucket that it will come from.
	if (i >= table->nb_buckets)
		i &= table->room / 2 - 1;
	return &table->buckets[i];
}

static bool make_room(struct names_table *table)
{
	struct names_key **buckets;

	if (table->nb_buckets < table->room)
		return true;
	buckets = realloc(table->buckets, 2 * table->room * sizeof(*buckets));
	if (!buckets)
		return false;
	table->buckets = buckets;
	table->room *= 2;
	return true;
}

// Without memory the chains get longer, that is all.
static void split(struct names_table *table)
{
	struct names_key **from, **to, *key;

	if (!make_room(table))
		return;
	to = &table->buckets[table->nb_buckets];
	from = &table->buckets[table->nb_buckets - table->room / 2];
	*to = NULL;
	table->nb_buckets++;
	while ((key = *from)) {
		if (bucket_of(table, key->hash) != to) {
			from = &key->next;
			continue;
		}
		*from = key->next;
		key->next = *to;
		*to = key;
	}
}

static bool key_is(const struct names_key *key, const struct names_net *net, enum names_kind kind,
	const void *data, size_t len_bytes)
{
	if (key->net != net || key->kind != kind || key->len_bytes != len_bytes)
		return false;
	return kind == NAMES_KEY_IP ? memcmp(key->data, data, len_bytes) == 0
				    : record_name_same_bytes(key->data, data, len_bytes);
}

struct names_key *names_table_find(const struct names_table *table, const struct names_net *net,
	enum names_kind kind, const void *data, size_t len_bytes)
{
	uint32_t hash = hash_key(net, kind, data, len_bytes);
	struct names_key *key;

	for (key = *bucket_of(table, hash); key; key = key->next) {
		if (key->hash == hash && key_is(key, net, kind, data, len_bytes))
			break;
	}
	return key;
}

struct names_key *names_table_get(struct names_table *table, const struct names_net *net,
	enum names_kind kind, const void *data, size_t len_bytes)
{
	struct names_key *key = names_table_find(table, net, kind, data, len_bytes), **bucket;

	if (key)
		return key;
	key = calloc(1, sizeof(*key) + len_bytes + 1);
	if (!key)
		return NULL;
	key->net = net;
	key->hash = hash_key(net, kind, data, len_bytes);
	key->kind = kind;
	key->len_bytes = len_bytes;
	memcpy(key->data, data, len_bytes);
	if (++table->nb_keys > table->nb_buckets)
		split(table);
	bucket = bucket_of(table, key->hash);
	key->next = *bucket;
	*bucket = key;
	return key;
}

void names_table_drop(struct names_table *table, struct names_key *key)
{
	struct names_key **link = bucket_of(table, key->hash);

	while (*link != key)
		link = &(*link)->next;
	*link = key->next;
	table->nb_keys--;
	free(key);
}
