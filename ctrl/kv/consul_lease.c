// SPDX-License-Identifier: BSD-3-Clause
// A lease is a session whose end deletes what it has locked.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/util.h"
#include "ctrl/kv/consul_priv.h"

#define TTL_MIN_S 10
#define TTL_MAX_S 86400

struct consul_lease {
	struct kv_lease lease;
	TAILQ_ENTRY(consul_lease) entry;
	struct consul *consul;
	struct consul_call *call; // that creates or renews
	struct loop_handle *timer;
	char id[CONSUL_ID_BYTES]; // empty: none
	bool held;
	uint64_t sent_us, ttl_us, expires_us;
	kv_lease_fn *fn;
	void *arg;
};

static void create(struct consul_lease *l);

static void ignore(void *arg, int rc, const struct http_reply *reply)
{
}

static struct consul_call *put(
	struct consul_lease *l, const char *verb, consul_reply_fn *fn, void *arg)
{
	struct http_call call = {.method = "PUT", .body = "", .is_repeatable = true};
	struct text path = {0};

	text_addf(&path, "/v1/session/%s/%s", verb, l->id);
	return consul_send(l->consul, &call, &path, fn, arg);
}

static void destroy(struct consul_lease *l)
{
	if (l->id[0])
		put(l, "destroy", ignore, NULL);
	l->id[0] = '\0';
}

// Its keys are gone or will be: Consul may wait for up to twice the time, so it is destroyed.
static void lose(struct consul_lease *l)
{
	bool was_held = l->held;

	consul_cancel(l->call);
	l->call = NULL;
	loop_timer_set(l->timer, 0);
	l->held = false;
	destroy(l);
	create(l);
	// The last thing: it may free the lease.
	if (was_held)
		l->fn(l->arg, KV_LEASE_LOST);
}

// Consul counts from when it hears of us, which is later than when we asked.
static void set_timer(struct consul_lease *l)
{
	uint64_t now_us = monotonic_us();
	uint64_t left_us = l->expires_us > now_us ? l->expires_us - now_us : 0;

	loop_timer_once(l->timer, MIN_OF(l->ttl_us / 3, left_us));
}

static void on_renewed(void *arg, int rc, const struct http_reply *reply)
{
	struct consul_lease *l = arg;

	l->call = NULL;
	if (rc == 0)
		l->expires_us = l->sent_us + l->ttl_us;
	else if (rc == -ENOENT)
		lose(l);
}

static void on_timer(void *arg)
{
	struct consul_lease *l = arg;

	if (monotonic_us() >= l->expires_us) {
		lose(l);
		return;
	}
	set_timer(l);
	if (l->call)
		return;
	l->sent_us = monotonic_us();
	l->call = put(l, "renew", on_renewed, l);
}

static void on_created(void *arg, int rc, const struct http_reply *reply)
{
	struct consul_lease *l = arg;

	l->call = NULL;
	if (rc == 0)
		rc = consul_parse_session(reply->body, reply->len_bytes, l->id);
	if (rc < 0) {
		consul_pulse_soon(l->consul);
		return;
	}
	l->held = true;
	l->expires_us = l->sent_us + l->ttl_us;
	set_timer(l);
	l->fn(l->arg, KV_LEASE_HELD);
}

// Without checks of its node: only who asks for it keeps it alive, by any agent.
static void create(struct consul_lease *l)
{
	struct http_call call = {.method = "PUT", .is_repeatable = true};
	struct text path = {0};
	char body[200];

	if (l->held || l->call || !l->consul->kv.up)
		return;
	call.len_bytes = snprintf(body, sizeof(body),
		"{\"Name\":\"causeway\",\"LockDelay\":\"0s\",\"Behavior\":\"delete\",\"Checks\":[],"
		"\"NodeChecks\":[],\"TTL\":\"%us\"}",
		(unsigned)(l->ttl_us / 1000000));
	call.body = body;
	text_addf(&path, "/v1/session/create");
	l->sent_us = monotonic_us();
	l->call = consul_send(l->consul, &call, &path, on_created, l);
}

void consul_leases_go(struct consul *consul)
{
	struct consul_lease *l;

	TAILQ_FOREACH (l, &consul->leases, entry)
		create(l);
}

void consul_leases_lose(struct consul *consul)
{
	struct consul_lease *l;

	// Whoever is told may free any of them.
	do {
		TAILQ_FOREACH (l, &consul->leases, entry) {
			if (l->held)
				break;
		}
		if (l)
			lose(l);
	} while (l);
}

struct kv_lease *consul_lease_new(struct kv *kv, unsigned ttl_ms, kv_lease_fn *fn, void *arg)
{
	struct consul *consul = (struct consul *)kv;
	struct consul_lease *l = calloc(1, sizeof(*l));
	unsigned ttl_s = (ttl_ms + 999) / 1000;

	if (!l)
		return NULL;
	l->timer = loop_add_timer(consul->loop, 0, on_timer, l);
	if (!l->timer) {
		free(l);
		return NULL;
	}
	l->lease.kv = kv;
	l->consul = consul;
	l->ttl_us = MIN_OF(MAX_OF(ttl_s, TTL_MIN_S), TTL_MAX_S) * 1000000ull;
	l->fn = fn;
	l->arg = arg;
	TAILQ_INSERT_TAIL(&consul->leases, l, entry);
	create(l);
	return &l->lease;
}

bool consul_lease_is_held(const struct kv_lease *lease)
{
	const struct consul_lease *l = (const struct consul_lease *)lease;

	return l->held;
}

const char *consul_lease_id(const struct kv_lease *lease)
{
	const struct consul_lease *l = (const struct consul_lease *)lease;

	return l->id;
}

void consul_lease_free(struct kv_lease *lease, bool with_keys)
{
	struct consul_lease *l = (struct consul_lease *)lease;

	if (with_keys)
		destroy(l);
	consul_cancel(l->call);
	loop_del(l->consul->loop, l->timer);
	TAILQ_REMOVE(&l->consul->leases, l, entry);
	free(l);
}
