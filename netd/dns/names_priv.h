// SPDX-License-Identifier: BSD-3-Clause
// Shared by the files of names.
//
//	names.c		changes by the agent
//	names_find.c	lookups
//	names_json.c	all of it, for people
//	names_table.c	keys: names and addresses, and their claims
//
// The lock is for what a question walks over: keys, claims, networks by id. The rest is of the
// thread that writes, which also reads without it.
#pragma once

#include <pthread.h>
#include <sys/queue.h>

#include <uthash.h>

#include "netd/dns/names.h"

struct names_entry;

struct names_net {
	char id[ID_BYTES];
	char name[NAME_BYTES];
	LIST_HEAD(, names_entry) entries;
	UT_hash_handle hh; // by id
};

enum names_kind {
	NAMES_KEY_NAME, // without case; also an alias
	NAMES_KEY_IP,
};

// An address or a name in a network. It exists as long as it has a claim.
struct names_key {
	struct names_key *next;	     // of its bucket
	const struct names_net *net; // NULL: of hosts
	LIST_HEAD(, names_claim) claims;
	LIST_HEAD(, names_claim) aliases; // claims of endpoints by an alias
	uint32_t hash;
	uint8_t kind, len_bytes;
	char data[]; // a text, which ends with a zero, or a struct ip_addr
};

struct names_claim {
	struct names_key *key;
	struct names_entry *entry;
	LIST_ENTRY(names_claim) of_key;
};

// An endpoint or a host.
struct names_entry {
	const void *owner;
	struct names_net *net; // NULL: a host
	LIST_ENTRY(names_entry) of_net;
	UT_hash_handle hh; // by owner; a host by its name
	struct endpoint_rank rank;
	bool suspended; // a host
	uint8_t nb_ips;
	uint8_t nb_claims;	     // of addresses, then of the name, then of aliases
	char *host;		     // behind the claims; of a host its name
	struct names_claim claims[]; // those that are not used are zero
};

// Grows by one bucket at a time: no change takes longer than another.
struct names_table {
	struct names_key **buckets;
	size_t nb_buckets, room; // room: a power of two
	size_t nb_keys;
};

struct names {
	pthread_mutex_t lock;
	struct names_table table;
	struct names_net *nets;
	struct names_entry *endpoints, *hosts;
};

int names_table_init(struct names_table *table);
void names_table_fini(struct names_table *table); // empty
struct names_key *names_table_find(const struct names_table *table, const struct names_net *net,
	enum names_kind kind, const void *data, size_t len_bytes);
// The key is made when it is not there. Returns NULL when out of memory.
struct names_key *names_table_get(struct names_table *table, const struct names_net *net,
	enum names_kind kind, const void *data, size_t len_bytes);
void names_table_drop(struct names_table *table, struct names_key *key); // it has no claim

static inline const struct names_claim *names_claim_name(const struct names_entry *entry)
{
	return &entry->claims[entry->nb_ips];
}

static inline const char *names_entry_name(const struct names_entry *entry)
{
	return names_claim_name(entry)->key->data;
}

static inline const struct ip_addr *names_key_ip(const struct names_key *key)
{
	return (const struct ip_addr *)key->data;
}

// Another endpoint has one of its addresses.
bool names_is_loser(const struct names_entry *entry);
// The owner of the name or address, without aliases; NULL: none.
const struct names_entry *names_winner(const struct names_key *key);
