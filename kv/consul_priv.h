// SPDX-License-Identifier: BSD-3-Clause
// Between the files of the Consul driver:
//   consul.c        the driver, requests, the pulse that tells whether the store is there
//   consul_watch.c  blocking queries, compared with what was there before
//   consul_lease.c  sessions
//   consul_json.c   what Consul answers
//
// Revisions are Consul's indexes. Each change has one, but a read tells the last one of the keys it
// reads only. A key that hangs on a lease goes on doing so when it is changed without one.
#pragma once

#include <sys/queue.h>

#include "base/text.h"
#include "kv/consul_json.h"
#include "kv/http.h"
#include "kv/kv_driver.h"
#include "kv/timed_lease.h"

struct consul_call;
struct consul_watch;

struct consul {
	struct kv kv;
	struct http *http;
	struct loop *loop;
	char prefix[256]; // of all keys: "" or with its '/'
	char *token;	  // "X-Consul-Token: …", or NULL
	TAILQ_HEAD(, consul_call) calls;
	TAILQ_HEAD(, consul_watch) watches;
	struct timed_leases leases;

	struct loop_handle *pulse_timer;
	struct consul_call *pulse;
	uint64_t index; // of the last pulse; 0: none
};

// `reply` is there in any case; its status is 200 when rc is 0. -ENOENT: 404.
typedef void consul_reply_fn(void *arg, int rc, const struct http_reply *reply);

// `call` without on_done and arg; `path` is freed. NULL: no memory. An owner forgets its call when
// its function is called, and not before.
struct consul_call *consul_send(struct consul *consul, struct http_call *call, struct text *path,
	consul_reply_fn *fn, void *arg);
void consul_cancel(struct consul_call *call); // NULL is fine
void consul_add_kv_path(struct text *path, const struct consul *consul, const char *key);
void consul_pulse_soon(struct consul *consul, int rc); // `rc`: of what failed

struct kv_watch *consul_watch(
	struct kv *kv, const char *prefix, uint64_t from_revision, kv_watch_fn *fn, void *arg);
void consul_unwatch(struct kv_watch *watch);
void consul_watches_go(struct consul *consul);
void consul_watches_restart(struct consul *consul);

struct kv_lease *consul_lease_new(struct kv *kv, unsigned ttl_ms, kv_lease_fn *fn, void *arg);
bool consul_lease_is_held(const struct kv_lease *lease);
void consul_lease_free(struct kv_lease *lease, bool destroy);
const char *consul_lease_id(const struct kv_lease *lease);
