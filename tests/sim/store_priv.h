// SPDX-License-Identifier: BSD-3-Clause
// What the files of the simulated store share.
//
//	store_data.c	what is in it
//	store.c		the store and its faults
//	store_request.c	what is on its way between a client and the store
//	store_kv.c	a client: its connection, watches and leases
#pragma once

#include <sys/queue.h>

#include "base/util.h"
#include "kv/kv_driver.h"
#include "tests/sim/random.h"
#include "tests/sim/store.h"

struct sim_store {
	struct sim_store_opts opts;
	struct timeline *tl;
	struct sim_random random;
	struct store_data data, backup;
	bool up, has_backup;
	uint64_t boots; // connections of an earlier one are broken
	uint64_t last_lease, last_incarnation;
	struct timeline_event expire;
	LIST_HEAD(, client) clients;
	LIST_HEAD(, request) requests;
};

struct client {
	struct kv kv;
	struct sim_store *st;
	bool cut;
	bool linked; // as far as it knows
	uint64_t boot;
	struct timeline_event link; // it connects, or finds out that it is not connected
	LIST_HEAD(, watch) watches;
	LIST_HEAD(, lease) leases;
	LIST_ENTRY(client) entry;
};

struct watch {
	struct kv_watch base;
	struct client *c;
	char *prefix;
	kv_watch_fn *fn;
	void *arg;
	struct timeline_event deliver;
	uint64_t incarnation, position; // up to which all was told
	bool full;			// it begins anew
	bool resumed;			// SYNCED is due, even if there is nothing to tell
	bool repeat;			// what was told last is told once more
	struct store_pair *pairs;	// of which a part was told
	size_t nb_pairs, next_pair;
	uint64_t pairs_revision;
	bool scattered;		  // it is told key by key, in any order (tell_scattered())
	struct store_key **dirty; // those that were changed and not told since
	size_t nb_dirty, room_dirty;
	uint64_t collected; // up to which changes are in `dirty`
	bool busy, gone;    // its callback runs; it is not wanted any more
	LIST_ENTRY(watch) entry;
};

struct lease {
	struct kv_lease base;
	struct client *c;
	uint64_t ttl_us, id;
	kv_lease_fn *fn;
	void *arg;
	bool held, asking;
	struct timeline_event renew, lost;
	LIST_ENTRY(lease) entry;
};

enum request_kind { REQ_READ, REQ_TXN, REQ_GRANT, REQ_RENEW, REQ_REVOKE };

struct request {
	struct sim_store *st;
	struct client *c; // NULL: nobody waits for it any more
	enum request_kind kind;
	struct timeline_event arrive, answer, give_up;
	// what is asked
	char *key;
	bool is_prefix;
	struct store_op *ops;
	unsigned nb_ops;
	uint64_t id, ttl_us; // of a lease
	// who waits
	kv_read_fn *read;
	kv_write_fn *write;
	void *arg;
	struct lease *lease;
	uint64_t sent_us, boot;
	// the answer
	int rc;
	uint64_t revision;
	struct store_pair *pairs;
	size_t nb_pairs;
	LIST_ENTRY(request) entry;
};

extern const struct kv_driver sim_driver;

bool client_reaches(const struct client *c);
uint64_t store_delay(struct sim_store *st);
// Something was changed: watches are told, leases are looked at.
void store_changed(struct sim_store *st);
void store_look_at_leases(struct sim_store *st);

// It is sent when it was filled in.
struct request *request_new(struct client *c, enum request_kind kind);
void request_send(struct request *req);
void request_free(struct request *req);
// What the client asked is not waited for any more; some of it arrives nevertheless.
void requests_forget(struct client *c);
void requests_forget_lease(struct lease *lease);

void client_changed(struct client *c); // whether it reaches the store
void client_told(struct client *c);    // there is news
void lease_answered(struct lease *lease, const struct request *req);
