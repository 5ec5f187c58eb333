// SPDX-License-Identifier: BSD-3-Clause
#include "kv/lmdb_priv.h"

#include <stdlib.h>
#include <string.h>

static int tell(struct lmdb_watch *watch, enum kv_event_kind kind, const struct kv_pair *pair,
	uint64_t revision)
{
	struct kv_event event = {.kind = kind, .revision = revision};

	if (pair) {
		event.pair = *pair;
		if (kind == KV_EVENT_DELETE)
			event.pair.value = "";
	}
	if (!watch->dead)
		watch->fn(watch->arg, &event);
	return watch->dead;
}

static int tell_key(void *arg, const struct kv_pair *pair)
{
	struct lmdb_watch *watch = arg;

	return tell(watch, KV_EVENT_SET, pair, pair->revision);
}

static int tell_change(void *arg, const struct kv_pair *pair)
{
	struct lmdb_watch *watch = arg;

	if (strncmp(pair->key, watch->prefix, strlen(watch->prefix)) != 0)
		return 0;
	return tell(watch, pair->value ? KV_EVENT_SET : KV_EVENT_DELETE, pair, pair->revision);
}

static void tell_news(struct lmdb_watch *watch, const struct lmdb_txn *t)
{
	uint64_t revision = lmdb_revision(t), from = watch->revision;
	int rc;

	if (watch->synced && from == revision)
		return;
	if (from == 0 || from < lmdb_log_start(t) || from > revision) {
		tell(watch, KV_EVENT_BEGIN, NULL, revision);
		rc = lmdb_each(t, watch->prefix, tell_key, watch);
	} else {
		rc = lmdb_each_change(t, from, tell_change, watch);
	}
	if (rc != 0) // also when it was ended; else it is told all of it next time
		return;
	watch->revision = revision;
	watch->synced = true;
	tell(watch, KV_EVENT_SYNCED, NULL, revision);
}

static void reap_watches(struct lmdb_kv *self)
{
	struct lmdb_watch *watch, *next;

	for (watch = TAILQ_FIRST(&self->watches); watch; watch = next) {
		next = TAILQ_NEXT(watch, entry);
		if (!watch->dead)
			continue;
		TAILQ_REMOVE(&self->watches, watch, entry);
		free(watch->prefix);
		free(watch);
	}
}

void lmdb_tell_watches(struct lmdb_kv *self)
{
	struct lmdb_watch *watch;

	self->has_new_watch = false;
	TAILQ_FOREACH (watch, &self->watches, entry) {
		if (!self->ready || watch->dead || lmdb_begin_read(self) < 0)
			continue;
		tell_news(watch, &self->reader);
		lmdb_end_read(self);
	}
	reap_watches(self);
}

struct kv_watch *lmdb_watch(
	struct kv *kv, const char *prefix, uint64_t from_revision, kv_watch_fn *fn, void *arg)
{
	struct lmdb_kv *self = (struct lmdb_kv *)kv;
	struct lmdb_watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		abort();
	watch->base.kv = kv;
	watch->prefix = strdup(prefix);
	watch->revision = from_revision;
	watch->fn = fn;
	watch->arg = arg;
	TAILQ_INSERT_TAIL(&self->watches, watch, entry);
	self->has_new_watch = true;
	loop_timer_once(self->tick, 0); // tells of it, from the loop
	return &watch->base;
}

void lmdb_unwatch(struct kv_watch *base)
{
	struct lmdb_watch *watch = (struct lmdb_watch *)base;

	watch->dead = true; // it may be the one that is being told
}

void lmdb_free_watches(struct lmdb_kv *self)
{
	struct lmdb_watch *watch;

	TAILQ_FOREACH (watch, &self->watches, entry)
		watch->dead = true;
	reap_watches(self);
}
