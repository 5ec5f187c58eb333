// SPDX-License-Identifier: BSD-3-Clause
// A lease is a session whose end deletes what it has locked.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/util.h"
#include "kv/consul_priv.h"

#define TTL_MIN_S 10
#define TTL_MAX_S 86400

struct consul_lease {
	struct timed_lease timed;
	struct consul_call *call; // that creates or renews
	char id[CONSUL_ID_BYTES]; // empty: none
};

static struct consul *consul_of(const struct consul_lease *l)
{
	return (struct consul *)l->timed.lease.kv;
}

static void ignore(void *arg, int rc, const struct http_reply *reply)
{
}

static struct consul_call *put(
	struct consul_lease *l, const char *verb, consul_reply_fn *fn, void *arg)
{
	struct http_call call = {.method = "PUT", .body = "", .is_repeatable = true};
	struct text path = {0};

	text_addf(&path, "/v1/session/%s/%s", verb, l->id);
	return consul_send(consul_of(l), &call, &path, fn, arg);
}

static void destroy(struct consul_lease *l)
{
	if (l->id[0])
		put(l, "destroy", ignore, NULL);
	l->id[0] = '\0';
}

// Consul may wait for up to twice the time, so it is destroyed.
static void drop(struct timed_lease *timed)
{
	struct consul_lease *l = (struct consul_lease *)timed;

	consul_cancel(l->call);
	l->call = NULL;
	destroy(l);
}

static void on_renewed(void *arg, int rc, const struct http_reply *reply)
{
	struct consul_lease *l = arg;

	l->call = NULL;
	timed_lease_answer(&l->timed, rc == -ENOENT ? -ESTALE : rc);
}

static void on_created(void *arg, int rc, const struct http_reply *reply)
{
	struct consul_lease *l = arg;

	l->call = NULL;
	if (rc == 0)
		rc = consul_parse_session(reply->body, reply->len_bytes, l->id);
	if (rc < 0)
		consul_pulse_soon(consul_of(l), rc);
	timed_lease_answer(&l->timed, rc);
}

// Without checks of its node: only who asks for it keeps it alive, by any agent.
static struct consul_call *create(struct consul_lease *l)
{
	struct http_call call = {.method = "PUT", .is_repeatable = true};
	struct text path = {0};
	char body[200];

	call.len_bytes = snprintf(body, sizeof(body),
		"{\"Name\":\"causeway\",\"LockDelay\":\"0s\",\"Behavior\":\"delete\",\"Checks\":[],"
		"\"NodeChecks\":[],\"TTL\":\"%us\"}",
		(unsigned)(l->timed.ttl_us / 1000000));
	call.body = body;
	text_addf(&path, "/v1/session/create");
	return consul_send(consul_of(l), &call, &path, on_created, l);
}

static bool ask(struct timed_lease *timed)
{
	struct consul_lease *l = (struct consul_lease *)timed;

	l->call = timed->held ? put(l, "renew", on_renewed, l) : create(l);
	return l->call;
}

static const struct timed_lease_ops ops = {.ask = ask, .drop = drop};

struct kv_lease *consul_lease_new(struct kv *kv, unsigned ttl_ms, kv_lease_fn *fn, void *arg)
{
	struct consul *consul = (struct consul *)kv;
	struct consul_lease *l = calloc(1, sizeof(*l));
	unsigned ttl_s = (ttl_ms + 999) / 1000;

	if (!l)
		return NULL;
	l->timed.ops = &ops;
	l->timed.ttl_us = MIN_OF(MAX_OF(ttl_s, TTL_MIN_S), TTL_MAX_S) * 1000000ull;
	if (timed_lease_init(&l->timed, kv, consul->loop, &consul->leases, fn, arg) < 0) {
		free(l);
		return NULL;
	}
	return &l->timed.lease;
}

bool consul_lease_is_held(const struct kv_lease *lease)
{
	return ((const struct timed_lease *)lease)->held;
}

const char *consul_lease_id(const struct kv_lease *lease)
{
	return ((const struct consul_lease *)lease)->id;
}

void consul_lease_free(struct kv_lease *lease, bool with_keys)
{
	struct consul_lease *l = (struct consul_lease *)lease;

	if (with_keys)
		destroy(l);
	consul_cancel(l->call);
	timed_lease_fini(&l->timed, &consul_of(l)->leases);
	free(l);
}
