// SPDX-License-Identifier: BSD-3-Clause
// Consul tells that something below a prefix has changed, and all that is there now. What was there
// before tells the rest.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kv/consul_priv.h"

#define WAIT_S	    60
#define WAIT_MAX_MS ((WAIT_S + WAIT_S / 16 + 10) * 1000) // Consul adds a sixteenth

struct consul_watch {
	struct kv_watch watch;
	TAILQ_ENTRY(consul_watch) entry;
	struct consul *consul;
	struct consul_call *call; // NULL: it waits for the store
	uint64_t index;		  // of the last answer; 0: it is to be asked for at once
	bool is_anew;		  // BEGIN is to be told
	bool was_interrupted;	  // SYNCED is, although there may be nothing else
	struct pairs known;	  // told; without values
	bool *gone;		  // set when it is freed while its function runs
	kv_watch_fn *fn;
	void *arg;
	char prefix[KV_KEY_MAX_BYTES + 1];
};

static void on_answer(void *arg, int rc, const struct http_reply *reply);

void consul_unwatch(struct kv_watch *watch)
{
	struct consul_watch *w = (struct consul_watch *)watch;

	if (w->gone)
		*w->gone = true;
	consul_cancel(w->call);
	pairs_free(&w->known);
	TAILQ_REMOVE(&w->consul->watches, w, entry);
	free(w);
}

// False when the watch is gone by now.
static bool tell(struct consul_watch *w, enum kv_event_kind kind, const struct kv_pair *pair,
	uint64_t revision)
{
	struct kv_event event = {.kind = kind, .revision = revision};
	bool gone = false;

	if (pair)
		event.pair = *pair;
	w->gone = &gone;
	w->fn(w->arg, &event);
	if (gone)
		return false;
	w->gone = NULL;
	return true;
}

static void go(struct consul_watch *w)
{
	struct http_call call = {.method = "GET",
		.is_long = w->index > 0,
		.is_repeatable = true,
		.long_ms = WAIT_MAX_MS};
	struct text path = {0};

	if (w->call)
		return;
	consul_add_kv_path(&path, w->consul, w->prefix);
	text_addf(&path, "?recurse");
	if (w->index > 0)
		text_addf(&path, "&index=%llu&wait=%ds", (unsigned long long)w->index, WAIT_S);
	else
		text_addf(&path, "&consistent");
	w->call = consul_send(w->consul, &call, &path, on_answer, w);
	if (!w->call)
		consul_pulse_soon(w->consul, -ENOMEM);
}

// Both are sorted: one walk. Returns -ECANCELED when the watch is gone.
static int tell_differences(
	struct consul_watch *w, const struct pairs *now, uint64_t index, unsigned *ret_told)
{
	size_t i = 0, j = 0;

	while (i < w->known.count || j < now->count) {
		const struct kv_pair *old = i < w->known.count ? &w->known.list[i] : NULL;
		const struct kv_pair *new = j < now->count ? &now->list[j] : NULL;
		int order = !old ? 1 : !new ? -1 : strcmp(old->key, new->key);
		bool same = order == 0 && old->revision == new->revision;
		struct kv_pair deleted = {
			.key = old ? old->key : NULL, .value = "", .revision = index};

		*ret_told += !same;
		if (order < 0 && !tell(w, KV_EVENT_DELETE, &deleted, index))
			return -ECANCELED;
		if (order >= 0 && !same && !tell(w, KV_EVENT_SET, new, new->revision))
			return -ECANCELED;
		i += order <= 0;
		j += order >= 0;
	}
	return 0;
}

static int keep_known(struct consul_watch *w, const struct pairs *now)
{
	pairs_free(&w->known);
	for (size_t i = 0; i < now->count; i++) {
		int rc = pairs_add(&w->known, now->list[i].key, "", 0, now->list[i].revision);

		if (rc < 0)
			return rc;
	}
	return 0;
}

// -ECANCELED: the watch is gone.
static int take_pairs(struct consul_watch *w, const struct pairs *now, uint64_t index)
{
	bool was_anew = w->is_anew;
	unsigned told = 0;
	int rc;

	if (was_anew) {
		pairs_free(&w->known);
		if (!tell(w, KV_EVENT_BEGIN, NULL, 0))
			return -ECANCELED;
	}
	rc = tell_differences(w, now, index, &told);
	if (rc < 0)
		return rc;
	w->is_anew = false;
	rc = keep_known(w, now);
	if (rc < 0)
		return rc;
	if (!told && !was_anew && !w->was_interrupted)
		return 0;
	w->was_interrupted = false;
	return tell(w, KV_EVENT_SYNCED, NULL, index) ? 0 : -ECANCELED;
}

static void on_answer(void *arg, int rc, const struct http_reply *reply)
{
	struct consul_watch *w = arg;
	struct pairs now = {0};

	w->call = NULL;
	// The indexes of another store: what is known came from one that is gone.
	if ((rc == 0 || rc == -ENOENT) && reply->index < w->index) {
		w->index = 0;
		w->is_anew = true;
		go(w);
		return;
	}
	if (rc == 0)
		rc = consul_parse_pairs(reply->body, reply->len_bytes, w->consul->prefix, &now);
	else if (rc == -ENOENT)
		rc = 0;
	if (rc == 0 && reply->index == 0)
		rc = -EIO;
	if (rc == 0)
		rc = take_pairs(w, &now, reply->index);
	pairs_free(&now);
	if (rc == -ECANCELED)
		return;
	if (rc == 0) {
		w->index = reply->index;
		go(w);
		return;
	}
	// What is known now may be less than what was told.
	w->is_anew |= rc == -ENOMEM;
	w->index = 0;
	w->was_interrupted = true;
	consul_pulse_soon(w->consul, rc);
}

void consul_watches_go(struct consul *consul)
{
	struct consul_watch *w;

	TAILQ_FOREACH (w, &consul->watches, entry)
		go(w);
}

void consul_watches_restart(struct consul *consul)
{
	struct consul_watch *w;

	TAILQ_FOREACH (w, &consul->watches, entry) {
		consul_cancel(w->call);
		w->call = NULL;
		w->index = 0;
		w->is_anew = true;
	}
}

// Consul has no history, so that every watch begins anew, whatever the revision.
struct kv_watch *consul_watch(
	struct kv *kv, const char *prefix, uint64_t from_revision, kv_watch_fn *fn, void *arg)
{
	struct consul *consul = (struct consul *)kv;
	struct consul_watch *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->watch.kv = kv;
	w->consul = consul;
	w->is_anew = true;
	w->fn = fn;
	w->arg = arg;
	snprintf(w->prefix, sizeof(w->prefix), "%s", prefix);
	TAILQ_INSERT_TAIL(&consul->watches, w, entry);
	if (kv->up)
		go(w);
	return &w->watch;
}
