// SPDX-License-Identifier: BSD-3-Clause
// A client of the simulated store: its connection, its watches, its leases.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/store_priv.h"

#define LINK_MAX_US S_US // until a connection is made again
#define RETRY_US    (500 * MS_US)
#define REPEAT_MAX  4  // changes
#define CHUNK_MAX   16 // keys told at once, with duplicates and interruptions in between

bool client_reaches(const struct client *c)
{
	return c->st->up && !c->cut;
}

static bool is_connected(const struct client *c)
{
	return c->linked && client_reaches(c) && c->boot == c->st->boots;
}

// ---- watches ----

static void watch_drop_pairs(struct watch *w)
{
	store_pairs_free(w->pairs, w->nb_pairs);
	w->pairs = NULL;
	w->nb_pairs = w->next_pair = 0;
}

static void watch_drop_dirty(struct watch *w)
{
	w->scattered = false;
	w->nb_dirty = 0;
}

static void watch_free(struct watch *w)
{
	timeline_cancel(w->c->st->tl, &w->deliver);
	watch_drop_pairs(w);
	free(w->dirty);
	LIST_REMOVE(w, entry);
	free(w->prefix);
	free(w);
}

static void watch_kick(struct watch *w)
{
	const struct store_data *d = &w->c->st->data;

	if (!w->gone && is_connected(w->c) && !timeline_is_set(&w->deliver) &&
		(w->full || w->scattered || w->repeat || w->resumed || w->position != d->revision))
		timeline_after(w->c->st->tl, &w->deliver, store_delay(w->c->st));
}

static void say(struct watch *w, enum kv_event_kind kind, const char *key,
	const struct store_value *value, uint64_t revision)
{
	const struct kv_event ev = {.kind = kind,
		.pair = {.key = key,
			.value = value ? value->data : "",
			.len_bytes = value ? value->len_bytes : 0,
			.revision = key ? revision : 0},
		.revision = revision};

	if (!w->gone)
		w->fn(w->arg, &ev);
}

static void tell_all(struct watch *w)
{
	struct sim_store *st = w->c->st;
	size_t count = sim_between(&st->random, 1, CHUNK_MAX);

	if (!w->pairs) {
		w->nb_pairs = store_data_list(&st->data, w->prefix, true, &w->pairs);
		w->pairs_revision = st->data.revision;
		w->incarnation = st->data.incarnation;
		say(w, KV_EVENT_BEGIN, NULL, NULL, w->pairs_revision);
	}
	for (; count && w->next_pair < w->nb_pairs && !w->gone; count--) {
		const struct store_pair *pair = &w->pairs[w->next_pair++];

		say(w, KV_EVENT_SET, pair->key, pair->value, pair->revision);
	}
	if (w->next_pair < w->nb_pairs)
		return;
	w->position = w->pairs_revision;
	w->full = false;
	watch_drop_pairs(w);
	say(w, KV_EVENT_SYNCED, NULL, NULL, w->position);
}

static size_t first_after(const struct store_data *d, uint64_t revision)
{
	size_t low = 0, high = d->nb_history;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (d->history[mid].revision > revision)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

// The last of each key, in any order; with what was told before when it is to be repeated.
static void tell_coalesced(struct watch *w)
{
	struct sim_store *st = w->c->st;
	struct store_data *d = &st->data;
	size_t first = first_after(d, w->position), count = 0;
	size_t again = w->repeat ? sim_between(&st->random, 1, REPEAT_MAX) : 0;
	struct store_change *told;

	first -= MIN_OF(first, again);
	w->repeat = false;
	told = calloc(d->nb_history - first + 1, sizeof(*told));
	if (!told)
		abort();
	for (size_t i = first; i < d->nb_history; i++) {
		struct store_change *change = &d->history[i];
		size_t at = sim_below(&st->random, count + 1);

		if (change->revision != change->key->revision ||
			strncmp(change->key->key, w->prefix, strlen(w->prefix)) != 0)
			continue;
		told[count++] = told[at];
		told[at] = *change;
	}
	w->position = d->revision;
	for (size_t i = 0; i < count && !w->gone; i++)
		say(w, told[i].value ? KV_EVENT_SET : KV_EVENT_DELETE, told[i].key->key,
			told[i].value, told[i].revision);
	free(told);
	say(w, KV_EVENT_SYNCED, NULL, NULL, w->position);
}

// Some of what there is, as it was made.
static void tell_some(struct watch *w)
{
	struct sim_store *st = w->c->st;
	struct store_data *d = &st->data;
	size_t i = first_after(d, w->position), count = sim_between(&st->random, 1, CHUNK_MAX);

	for (; i < d->nb_history && !w->gone; i++) {
		const struct store_change change = d->history[i];

		// What was changed together is told together.
		if (change.revision != w->position && !count--)
			break;
		w->position = change.revision;
		if (strncmp(change.key->key, w->prefix, strlen(w->prefix)) != 0)
			continue;
		say(w, change.value ? KV_EVENT_SET : KV_EVENT_DELETE, change.key->key, change.value,
			change.revision);
	}
	if (i == d->nb_history)
		w->position = d->revision;
	say(w, KV_EVENT_SYNCED, NULL, NULL, w->position);
}

// ---- key by key ----
//
// As a client of ZooKeeper learns of changes: it is told that a key has changed, asks, and gets the
// value of that moment. Other keys, also those of the same transaction, come sooner or later, and
// its process does other things in between. SYNCED comes when nothing is left to ask for.

static bool is_watched(const struct watch *w, const struct store_key *key)
{
	return strncmp(key->key, w->prefix, strlen(w->prefix)) == 0;
}

static void add_dirty(struct watch *w, struct store_key *key)
{
	for (size_t i = 0; i < w->nb_dirty; i++) {
		if (w->dirty[i] == key)
			return;
	}
	if (w->nb_dirty == w->room_dirty) {
		w->room_dirty = 2 * w->room_dirty + 16;
		w->dirty = realloc(w->dirty, w->room_dirty * sizeof(*w->dirty));
		if (!w->dirty)
			abort();
	}
	w->dirty[w->nb_dirty++] = key;
}

// Everything anew, or from where all was told.
static void scatter(struct watch *w)
{
	struct store_data *d = &w->c->st->data;

	watch_drop_dirty(w);
	w->scattered = true;
	w->collected = w->full ? d->revision : w->position;
	if (!w->full)
		return;
	w->incarnation = d->incarnation;
	say(w, KV_EVENT_BEGIN, NULL, NULL, d->revision);
	for (struct store_key *key = d->keys; key; key = key->hh.next) {
		if (key->value && is_watched(w, key))
			add_dirty(w, key);
	}
}

static void tell_scattered(struct watch *w)
{
	struct sim_store *st = w->c->st;
	struct store_data *d = &st->data;
	size_t count;

	for (size_t i = first_after(d, w->collected); i < d->nb_history; i++) {
		if (is_watched(w, d->history[i].key))
			add_dirty(w, d->history[i].key);
	}
	w->collected = d->revision;
	count = 1 + sim_below(&st->random, w->nb_dirty + 1);
	for (; count && w->nb_dirty && !w->gone; count--) {
		size_t at = sim_below(&st->random, w->nb_dirty);
		const struct store_key *key = w->dirty[at];

		w->dirty[at] = w->dirty[--w->nb_dirty];
		say(w, key->value ? KV_EVENT_SET : KV_EVENT_DELETE, key->key, key->value,
			key->revision);
	}
	if (w->nb_dirty)
		return;
	w->scattered = w->full = w->repeat = false;
	w->position = d->revision;
	say(w, KV_EVENT_SYNCED, NULL, NULL, w->position);
}

// ---- what is told, and how ----

static void tell(struct watch *w)
{
	struct sim_store *st = w->c->st;
	// What it was to go on after is not in the history any more.
	bool is_late = (w->scattered ? w->collected : w->position) < st->data.compacted;

	if (is_late)
		watch_drop_dirty(w);
	w->full |= is_late;
	if (!w->scattered && !w->pairs && sim_chance(&st->random, st->opts.scatter_percent))
		scatter(w);
	if (w->scattered)
		tell_scattered(w);
	else if (w->full)
		tell_all(w);
	else if (w->repeat || sim_chance(&st->random, 30))
		tell_coalesced(w);
	else
		tell_some(w);
}

static void client_break(struct client *c, const char *reason);

static void deliver(void *arg)
{
	struct watch *w = arg;
	struct client *c = w->c;
	struct sim_store *st = c->st;

	if (!is_connected(c))
		return;
	w->busy = true;
	w->resumed = false;
	tell(w);
	w->busy = false;
	if (w->gone) {
		watch_free(w);
		return;
	}
	watch_kick(w);
	if (sim_chance(&st->random, st->opts.break_percent))
		client_break(c, "the connection has ended");
}

// Where it goes on after an interruption.
static void watch_resume(struct watch *w)
{
	struct sim_store *st = w->c->st;

	if (w->incarnation != st->data.incarnation || w->position < st->data.compacted ||
		w->position > st->data.revision)
		w->full = true;
	w->scattered &= !w->full;
	w->resumed = true;
	w->repeat = !w->full && sim_chance(&st->random, st->opts.duplicate_percent);
	watch_kick(w);
}

static struct kv_watch *sim_watch(
	struct kv *kv, const char *prefix, uint64_t from_revision, kv_watch_fn *fn, void *arg)
{
	struct client *c = (struct client *)kv;
	struct watch *w = calloc(1, sizeof(*w));

	if (!w)
		abort();
	w->base.kv = kv;
	w->c = c;
	w->prefix = strdup(prefix);
	w->fn = fn;
	w->arg = arg;
	w->deliver = (struct timeline_event){.fn = deliver, .arg = w};
	w->position = from_revision;
	w->full = !from_revision;
	w->incarnation = c->st->data.incarnation;
	LIST_INSERT_HEAD(&c->watches, w, entry);
	if (c->linked)
		watch_resume(w);
	return &w->base;
}

static void sim_unwatch(struct kv_watch *watch)
{
	struct watch *w = (struct watch *)watch;

	w->gone = true;
	if (!w->busy)
		watch_free(w);
}

// ---- leases ----

static void lease_ask(struct lease *l)
{
	struct request *req;

	if (!l->c->linked || l->asking)
		return;
	req = request_new(l->c, l->held ? REQ_RENEW : REQ_GRANT);
	req->lease = l;
	req->id = l->id;
	req->ttl_us = l->ttl_us;
	l->asking = true;
	request_send(req);
}

static void lease_renew(void *arg)
{
	lease_ask(arg);
}

static void lease_lost(void *arg)
{
	struct lease *l = arg;

	timeline_cancel(l->c->st->tl, &l->lost);
	l->held = false;
	l->id = 0;
	timeline_after(l->c->st->tl, &l->renew, RETRY_US);
	l->fn(l->arg, KV_LEASE_LOST);
}

void lease_answered(struct lease *l, const struct request *req)
{
	struct timeline *tl = l->c->st->tl;

	l->asking = false;
	if (req->rc == -ENOENT && l->held && req->id == l->id) {
		lease_lost(l);
		return;
	}
	timeline_after(tl, &l->renew, req->rc == 0 ? l->ttl_us / 3 : RETRY_US);
	if (req->rc < 0 || (req->kind == REQ_RENEW && req->id != l->id) ||
		req->sent_us + l->ttl_us <= tl->now_us)
		return;
	timeline_set(tl, &l->lost, req->sent_us + l->ttl_us);
	if (req->kind == REQ_RENEW)
		return;
	l->id = req->id;
	l->held = true;
	l->fn(l->arg, KV_LEASE_HELD);
}

static struct kv_lease *sim_lease_new(struct kv *kv, unsigned ttl_ms, kv_lease_fn *fn, void *arg)
{
	struct lease *l = calloc(1, sizeof(*l));

	if (!l)
		abort();
	l->base.kv = kv;
	l->c = (struct client *)kv;
	l->ttl_us = ttl_ms * MS_US;
	l->fn = fn;
	l->arg = arg;
	l->renew = (struct timeline_event){.fn = lease_renew, .arg = l};
	l->lost = (struct timeline_event){.fn = lease_lost, .arg = l};
	LIST_INSERT_HEAD(&l->c->leases, l, entry);
	lease_ask(l);
	return &l->base;
}

static bool sim_lease_is_held(const struct kv_lease *lease)
{
	return ((const struct lease *)lease)->held;
}

static void sim_lease_free(struct kv_lease *lease, bool revoke)
{
	struct lease *l = (struct lease *)lease;
	struct request *req;

	requests_forget_lease(l);
	timeline_cancel(l->c->st->tl, &l->renew);
	timeline_cancel(l->c->st->tl, &l->lost);
	if (revoke && l->held) {
		req = request_new(l->c, REQ_REVOKE);
		req->id = l->id;
		request_send(req);
	}
	LIST_REMOVE(l, entry);
	free(l);
}

// ---- the connection ----

static void client_unlink(struct client *c, const char *reason)
{
	struct watch *w;

	c->linked = false;
	LIST_FOREACH (w, &c->watches, entry) {
		timeline_cancel(c->st->tl, &w->deliver);
		// A listing that was interrupted begins anew.
		w->full |= w->pairs != NULL;
		watch_drop_pairs(w);
		// It goes on key by key, for some of it was told already: no key is to go back.
		w->nb_dirty = 0;
		w->collected = w->position;
		w->scattered &= !w->full;
	}
	kv_set_state(&c->kv, false, reason);
}

static void client_relink(struct client *c)
{
	struct watch *w;
	struct lease *l;

	c->linked = true;
	c->boot = c->st->boots;
	kv_set_state(&c->kv, true, NULL);
	LIST_FOREACH (w, &c->watches, entry)
		watch_resume(w);
	LIST_FOREACH (l, &c->leases, entry)
		lease_ask(l);
}

static void client_break(struct client *c, const char *reason)
{
	client_unlink(c, reason);
	timeline_after(c->st->tl, &c->link, sim_below(&c->st->random, LINK_MAX_US));
}

static void on_link(void *arg)
{
	struct client *c = arg;

	if (c->linked && (!client_reaches(c) || c->boot != c->st->boots))
		client_break(c, c->cut ? "no answer" : "connection refused");
	else if (!c->linked && client_reaches(c))
		client_relink(c);
	else if (!c->linked)
		timeline_after(c->st->tl, &c->link, sim_below(&c->st->random, LINK_MAX_US));
	else // it did not notice: what it was to be told comes now
		client_told(c);
}

void client_changed(struct client *c)
{
	uint64_t max_us = client_reaches(c) ? LINK_MAX_US : c->kv.opts.timeout_ms * MS_US;

	if (!timeline_is_set(&c->link))
		timeline_after(c->st->tl, &c->link, sim_below(&c->st->random, max_us));
}

void client_told(struct client *c)
{
	struct watch *w;

	LIST_FOREACH (w, &c->watches, entry)
		watch_kick(w);
}

// ---- the driver ----

static void sim_read(struct kv *kv, const char *key, bool is_prefix, kv_read_fn *fn, void *arg)
{
	struct request *req = request_new((struct client *)kv, REQ_READ);

	req->key = strdup(key);
	req->is_prefix = is_prefix;
	req->read = fn;
	req->arg = arg;
	request_send(req);
}

static void sim_txn(
	struct kv *kv, const struct kv_op *ops, unsigned count, kv_write_fn *fn, void *arg)
{
	struct request *req = request_new((struct client *)kv, REQ_TXN);

	req->ops = calloc(count, sizeof(*req->ops));
	if (!req->ops)
		abort();
	req->nb_ops = count;
	for (unsigned i = 0; i < count; i++) {
		const struct lease *l = (const struct lease *)ops[i].lease;

		req->ops[i] = (struct store_op){.action = ops[i].action,
			.guard = ops[i].guard,
			.key = strdup(ops[i].key),
			.revision = ops[i].revision,
			.lease = l ? l->id : 0,
			.bad_lease = l && !l->held};
		if (ops[i].action == KV_PUT)
			req->ops[i].value = store_value_new(ops[i].value, ops[i].len_bytes);
	}
	req->write = fn;
	req->arg = arg;
	request_send(req);
}

static void sim_free(struct kv *kv)
{
	struct client *c = (struct client *)kv;

	requests_forget(c);
	while (!LIST_EMPTY(&c->watches))
		watch_free(LIST_FIRST(&c->watches));
	while (!LIST_EMPTY(&c->leases))
		sim_lease_free(&LIST_FIRST(&c->leases)->base, false);
	timeline_cancel(c->st->tl, &c->link);
	LIST_REMOVE(c, entry);
	free(c);
}

const struct kv_driver sim_driver = {
	.scheme = "sim",
	.example = "sim:",
	.free = sim_free,
	.read = sim_read,
	.txn = sim_txn,
	.watch = sim_watch,
	.unwatch = sim_unwatch,
	.lease_new = sim_lease_new,
	.lease_is_held = sim_lease_is_held,
	.lease_free = sim_lease_free,
};

struct kv *sim_store_open(struct sim_store *st, const struct kv_opts *opts)
{
	struct client *c = calloc(1, sizeof(*c));

	if (!c)
		abort();
	c->kv.driver = &sim_driver;
	c->kv.opts = *opts;
	c->kv.opts.timeout_ms = opts->timeout_ms ? opts->timeout_ms : 3000;
	c->st = st;
	c->link = (struct timeline_event){.fn = on_link, .arg = c};
	LIST_INSERT_HEAD(&st->clients, c, entry);
	timeline_after(st->tl, &c->link, store_delay(st));
	return &c->kv;
}
