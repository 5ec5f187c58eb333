// SPDX-License-Identifier: BSD-3-Clause
// A lease is a session of its own, with the lease's time as its time-out.
#include <stdlib.h>

#include "base/util.h"
#include "kv/zookeeper_priv.h"

static void start_lease(struct zk_lease *lease)
{
	struct zk_kv *self = (struct zk_kv *)lease->base.kv;

	lease->connected = lease->held = lease->probing = false;
	lease->started_us = monotonic_us();
	lease->session = zk_start_session(self, lease->ttl_us / 1000);
}

static void restart_lease(struct zk_lease *lease)
{
	bool was_held = lease->held;

	if (lease->session)
		zk_session_end(lease->session, false);
	start_lease(lease);
	if (was_held)
		lease->fn(lease->arg, KV_LEASE_LOST); // may free it
}

static struct zk_lease *find(struct zk_kv *self, uint64_t session)
{
	struct zk_lease *lease;

	TAILQ_FOREACH (lease, &self->leases, entry) {
		if (lease->session && zk_session_number(lease->session) == session)
			return lease;
	}
	return NULL;
}

// The library keeps the session alive; that servers still have it is known from an answer only.
static void on_probed(struct zk_call *call)
{
	struct zk_lease *lease = find(call->arg, call->session);

	if (!lease)
		return;
	lease->probing = false;
	if (call->rc != ZOK && call->rc != ZNONODE && call->rc != ZNOAUTH)
		return;
	lease->contact_us = lease->probed_us;
	if (lease->held)
		return;
	lease->held = true;
	lease->fn(lease->arg, KV_LEASE_HELD);
}

static void probe(struct zk_lease *lease)
{
	lease->probing = true;
	lease->probed_us = monotonic_us();
	zk_exists(lease->session, zk_call_new(on_probed, lease->base.kv, "/"));
}

void zk_lease_state(struct zk_kv *self, uint64_t session, int state)
{
	struct zk_lease *lease = find(self, session);

	if (!lease)
		return;
	lease->connected = state == ZOO_CONNECTED_STATE;
	if (lease->connected)
		probe(lease);
	else if (state == ZOO_EXPIRED_SESSION_STATE || state == ZOO_AUTH_FAILED_STATE)
		restart_lease(lease);
}

// Servers may have less patience than was asked for.
static uint64_t lasts_us(const struct zk_lease *lease)
{
	uint64_t agreed_us = zk_session_timeout_ms(lease->session) * 1000ull;

	return MIN_OF(agreed_us, lease->ttl_us);
}

static bool is_over(const struct zk_lease *lease, uint64_t now_us)
{
	if (!lease->session)
		return true;
	if (lease->held)
		return now_us >= lease->contact_us + lasts_us(lease);
	// A store that was wiped refuses who knows of later changes than it does.
	return now_us >= lease->started_us + MAX_OF(lease->ttl_us, ZK_SESSION_TIMEOUT_MS * 1000ull);
}

static struct zk_lease *find_over(struct zk_kv *self, uint64_t now_us)
{
	struct zk_lease *lease;

	TAILQ_FOREACH (lease, &self->leases, entry) {
		if (is_over(lease, now_us))
			return lease;
	}
	return NULL;
}

uint64_t zk_keep_leases(struct zk_kv *self)
{
	uint64_t now_us = monotonic_us(), next_us = now_us + ZK_LOOK_PERIOD_US;
	struct zk_lease *lease;

	while ((lease = find_over(self, now_us)))
		restart_lease(lease);
	TAILQ_FOREACH (lease, &self->leases, entry) {
		uint64_t period_us;

		if (!lease->session)
			continue;
		period_us = lasts_us(lease) / 5;
		if (lease->connected && !lease->probing && now_us >= lease->probed_us + period_us)
			probe(lease);
		next_us = MIN_OF(next_us, now_us + period_us);
		if (lease->held)
			next_us = MIN_OF(next_us, lease->contact_us + lasts_us(lease));
	}
	return next_us;
}

struct kv_lease *zk_lease_new(struct kv *kv, unsigned ttl_ms, kv_lease_fn *fn, void *arg)
{
	struct zk_kv *self = (struct zk_kv *)kv;
	struct zk_lease *lease = calloc(1, sizeof(*lease));

	if (!lease)
		abort();
	lease->base.kv = kv;
	lease->fn = fn;
	lease->arg = arg;
	lease->ttl_us = ttl_ms * 1000ull;
	TAILQ_INSERT_TAIL(&self->leases, lease, entry);
	start_lease(lease);
	return &lease->base;
}

bool zk_lease_is_held(const struct kv_lease *base)
{
	return ((const struct zk_lease *)base)->held;
}

void zk_lease_free(struct kv_lease *base, bool revoke)
{
	struct zk_lease *lease = (struct zk_lease *)base;
	struct zk_kv *self = (struct zk_kv *)base->kv;
	struct zk_op *op;

	TAILQ_FOREACH (op, &self->ops, entry) {
		if (op->lease != lease)
			continue;
		op->lease = NULL;
		op->is_stale = true;
	}
	if (lease->session)
		zk_session_end(lease->session, !revoke);
	TAILQ_REMOVE(&self->leases, lease, entry);
	free(lease);
}
