// SPDX-License-Identifier: BSD-3-Clause
// Between the files of the etcd driver:
//   etcd.c        the driver, the pulse that tells whether the store is there and is the same
//   etcd_call.c   requests, the user's token
//   etcd_range.c  reading, in pages of one revision
//   etcd_watch.c  etcd_lease.c
//   etcd_json.c   what etcd answers
#pragma once

#include <sys/queue.h>

#include "base/text.h"
#include "kv/etcd_json.h"
#include "kv/http.h"
#include "kv/kv_driver.h"
#include "kv/timed_lease.h"

#define ETCD_PREFIX_BYTES 256
#define ETCD_TOKEN_BYTES  2048
#define ETCD_KEY_BYTES	  (ETCD_PREFIX_BYTES + KV_KEY_MAX_BYTES + 2)

struct etcd_write;
struct etcd_call;
struct etcd_read;
struct etcd_watch;

struct etcd {
	struct kv kv;
	struct http *http;
	struct loop *loop;
	char prefix[ETCD_PREFIX_BYTES]; // of all keys: "" or with its '/'
	char *user, *password;
	char token[ETCD_TOKEN_BYTES]; // "Authorization: …"; empty: none yet
	uint64_t token_nr;	      // how many there have been
	struct etcd_call *auth;	      // on its way for one
	struct loop_handle *auth_timer;
	uint64_t auth_after_us; // not asked for before this
	uint64_t auth_pause_us; // after the last refusal; 0: the last token was good
	int auth_rc;		// of a refusal that still holds
	TAILQ_HEAD(, etcd_call) calls;
	TAILQ_HEAD(, etcd_read) reads;
	TAILQ_HEAD(, etcd_write) writes; // etcd.c's
	TAILQ_HEAD(, etcd_watch) watches;
	struct timed_leases leases;

	struct loop_handle *pulse_timer;
	struct etcd_call *pulse;
	uint64_t pulse_revision;    // known when it was sent
	uint64_t cluster, revision; // the greatest that was seen; 0: none
};

// ---- etcd_call.c ----

// `reply` has an answer with status 200 when rc is 0.
typedef void etcd_reply_fn(void *arg, int rc, const struct http_reply *reply);

// `body` is taken over. NULL: no memory. The callback is not called from inside this.
struct etcd_call *etcd_post(struct etcd *etcd, const char *path, struct text *body,
	bool is_repeatable, etcd_reply_fn *fn, void *arg);
void etcd_cancel(struct etcd_call *call); // NULL is fine
void etcd_cancel_all(struct etcd *etcd);
bool etcd_needs_token(const struct etcd *etcd);
void etcd_drop_token(struct etcd *etcd, uint64_t token_nr); // it was refused
void etcd_on_auth_timer(void *arg);
void etcd_add_headers(const struct etcd *etcd, struct http_call *call);
void etcd_add_key(struct text *body, const char *name, const char *key, const char *more);

// ---- etcd_range.c ----

struct etcd_read *etcd_read(
	struct etcd *etcd, const char *key, bool is_prefix, kv_read_fn *fn, void *arg);
void etcd_read_cancel(struct etcd_read *read); // NULL is fine
void etcd_add_range(struct text *body, const struct etcd *etcd, const char *key, bool is_prefix);

// ---- etcd.c ----

void etcd_saw(struct etcd *etcd, const struct etcd_header *header);
void etcd_pulse_soon(struct etcd *etcd); // it begins again what had to stop

// ---- etcd_watch.c, etcd_lease.c ----

struct kv_watch *etcd_watch(
	struct kv *kv, const char *prefix, uint64_t from_revision, kv_watch_fn *fn, void *arg);
void etcd_unwatch(struct kv_watch *watch);
void etcd_watches_go(struct etcd *etcd);      // those that wait for the store
void etcd_watches_restart(struct etcd *etcd); // it is another one

struct kv_lease *etcd_lease_new(struct kv *kv, unsigned ttl_ms, kv_lease_fn *fn, void *arg);
bool etcd_lease_is_held(const struct kv_lease *lease);
void etcd_lease_free(struct kv_lease *lease, bool revoke);
uint64_t etcd_lease_id(const struct kv_lease *lease);
