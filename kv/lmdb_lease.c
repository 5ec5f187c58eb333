// SPDX-License-Identifier: BSD-3-Clause
#include "kv/lmdb_priv.h"

#include <errno.h>
#include <stdlib.h>

#include "base/util.h"

static void ask_lease(struct lmdb_kv *self, struct lmdb_lease *lease)
{
	struct lmdb_request *job = lmdb_new_request(self, lease->id ? JOB_KEEP : JOB_GRANT);

	job->lease = lease;
	job->id = lease->id;
	job->ttl_us = lease->ttl_us;
	lease->job = job;
	lmdb_submit(self, job);
}

static void lose_lease(struct lmdb_kv *self, struct lmdb_lease *lease)
{
	if (lease->job)
		lease->job->lease = NULL;
	lease->id = 0;
	ask_lease(self, lease);
	lease->fn(lease->arg, KV_LEASE_LOST); // may free it
}

void lmdb_answer_lease(struct lmdb_kv *self, struct lmdb_request *job)
{
	struct lmdb_lease *lease = job->lease;

	if (!lease) {
		if (job->kind == JOB_GRANT && job->base.rc == 0)
			lmdb_submit_revoke(self, job->id);
		return;
	}
	lease->job = NULL;
	if (job->base.rc == -ESTALE) {
		lose_lease(self, lease);
	} else if (job->base.rc == 0) {
		lease->id = job->id;
		lease->until_us = job->until_us;
		if (job->kind == JOB_GRANT)
			lease->fn(lease->arg, KV_LEASE_HELD);
	}
}

struct kv_lease *lmdb_lease_new(struct kv *kv, unsigned ttl_ms, kv_lease_fn *fn, void *arg)
{
	struct lmdb_kv *self = (struct lmdb_kv *)kv;
	struct lmdb_lease *lease = calloc(1, sizeof(*lease));

	if (!lease)
		abort();
	lease->base.kv = kv;
	lease->fn = fn;
	lease->arg = arg;
	lease->ttl_us = ttl_ms * 1000ull;
	TAILQ_INSERT_TAIL(&self->leases, lease, entry);
	ask_lease(self, lease);
	return &lease->base;
}

bool lmdb_lease_is_held(const struct kv_lease *base)
{
	return ((const struct lmdb_lease *)base)->id != 0;
}

void lmdb_lease_free(struct kv_lease *base, bool revoke)
{
	struct lmdb_lease *lease = (struct lmdb_lease *)base;
	struct lmdb_kv *self = (struct lmdb_kv *)base->kv;

	if (lease->job)
		lease->job->lease = NULL;
	if (revoke)
		lmdb_submit_revoke(self, lease->id);
	TAILQ_REMOVE(&self->leases, lease, entry);
	free(lease);
}

static struct lmdb_lease *find_expired(struct lmdb_kv *self, uint64_t now_us)
{
	struct lmdb_lease *lease;

	TAILQ_FOREACH (lease, &self->leases, entry) {
		if (lease->id && lease->until_us <= now_us)
			return lease;
	}
	return NULL;
}

static uint64_t keep_at_us(const struct lmdb_lease *lease)
{
	return lease->until_us - lease->ttl_us / 3 * 2;
}

void lmdb_keep_leases(struct lmdb_kv *self)
{
	uint64_t now_us = monotonic_us();
	struct lmdb_lease *lease;

	while ((lease = find_expired(self, now_us))) {
		lmdb_submit_revoke(self, lease->id);
		lose_lease(self, lease);
	}
	TAILQ_FOREACH (lease, &self->leases, entry) {
		if (!lease->job && (!lease->id || keep_at_us(lease) <= now_us))
			ask_lease(self, lease);
	}
}

uint64_t lmdb_next_lease_us(const struct lmdb_kv *self)
{
	uint64_t next_us = UINT64_MAX;
	struct lmdb_lease *lease;

	TAILQ_FOREACH (lease, &self->leases, entry) {
		if (lease->id)
			next_us = MIN_OF(next_us, lease->job ? lease->until_us : keep_at_us(lease));
	}
	return next_us;
}

void lmdb_free_leases(struct lmdb_kv *self)
{
	struct lmdb_lease *lease;

	while ((lease = TAILQ_FIRST(&self->leases))) {
		TAILQ_REMOVE(&self->leases, lease, entry);
		free(lease);
	}
}
