// SPDX-License-Identifier: BSD-3-Clause
// What a simulated store holds: keys, their history, leases. Changes happen at once; who may reach
// it, and when, is store.c's. One thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uthash.h>

#include "kv/kv.h"

struct store_value { // shared by the key, its history, backups and readers
	unsigned refs;
	size_t len_bytes;
	char data[]; // and a zero
};

// Stays when it is deleted, because the history tells of it.
struct store_key {
	struct store_value *value; // NULL: deleted
	uint64_t revision;	   // of its last change
	uint64_t lease;		   // 0: none
	UT_hash_handle hh;
	char key[];
};

struct store_change {
	uint64_t revision;
	struct store_key *key;
	struct store_value *value; // NULL: it was deleted
};

struct store_lease {
	uint64_t id, ttl_us;
	uint64_t expires_us; // not before
	UT_hash_handle hh;
};

struct store_data {
	uint64_t incarnation; // another one after a loss or a restored backup
	uint64_t revision;
	uint64_t compacted; // history begins after this
	struct store_key *keys;
	struct store_change *history;
	size_t nb_history, room_history;
	struct store_lease *leases;
};

struct store_pair { // as it was when it was read
	const char *key;
	struct store_value *value;
	uint64_t revision;
};

struct store_op {
	enum kv_action action;
	enum kv_guard guard;
	char *key;
	struct store_value *value;
	uint64_t revision, lease;
	bool bad_lease; // the caller did not hold it
};

struct store_value *store_value_new(const char *data, size_t len_bytes);
struct store_value *store_value_ref(struct store_value *value); // NULL is fine
void store_value_unref(struct store_value *value);		// NULL is fine

void store_data_fini(struct store_data *d);
// 0, or -ESTALE and nothing is changed.
int store_data_txn(
	struct store_data *d, const struct store_op *ops, unsigned count, uint64_t *ret_revision);
void store_data_compact(struct store_data *d, uint64_t revision);
// The same keys and leases, without history.
void store_data_copy(const struct store_data *from, struct store_data *ret);

const struct store_key *store_data_get(const struct store_data *d, const char *key); // NULL
// Those that begin with `prefix`, sorted; to be freed with store_pairs_free().
size_t store_data_list(
	const struct store_data *d, const char *prefix, bool is_prefix, struct store_pair **ret);
void store_pairs_free(struct store_pair *pairs, size_t count);

void store_data_grant(struct store_data *d, uint64_t id, uint64_t ttl_us, uint64_t expires_us);
struct store_lease *store_data_lease(struct store_data *d, uint64_t id); // NULL
// Its keys go with it.
void store_data_revoke(struct store_data *d, struct store_lease *lease);
