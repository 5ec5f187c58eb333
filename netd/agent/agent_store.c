// SPDX-License-Identifier: BSD-3-Clause
// From the store into the replica, and onto the disk: this host starts from there when the store is
// away.
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "netd/agent/agent_priv.h"

#define LOCAL_STORE	"store/"
#define LOCAL_KEY_BYTES (RECORD_KEY_BYTES + sizeof(LOCAL_STORE))
#define FILLING		"filling" // a store that was lost is being filled again

static_assert(RECORD_KEY_BYTES - 1 <= KV_KEY_MAX_BYTES, "stores take the keys of records");
static_assert(RECORD_VALUE_MAX_BYTES <= KV_VALUE_MAX_BYTES, "stores take records");
static_assert(LOCAL_KEY_BYTES - 1 <= LOCAL_KEY_MAX_BYTES, "the copy on disk takes their keys");

// ---- the copy on disk ----

// A value is the revision in decimal, a space, and the record. Revision 0: the store lost it, and
// nobody has put it back.
static void load_one(void *arg, const char *key, const char *value, size_t len_bytes)
{
	struct agent *a = arg;
	char *end;
	uint64_t revision = strtoull(value, &end, 10);

	if (*end == ' ')
		replica_apply(&a->replica, key + strlen(LOCAL_STORE), end + 1,
			len_bytes - (end + 1 - value), revision, agent_now(a));
}

static void load_cluster(void *arg, const char *key, const char *value, size_t len_bytes)
{
	struct agent *a = arg;
	char id[ID_BYTES], state[sizeof(FILLING)] = "";
	uint64_t revision;

	if (sscanf(value, "%32[0-9a-f] %" SCNu64 " %7s", id, &revision, state) < 2)
		return;
	snprintf(a->replica.cluster.id, ID_BYTES, "%s", id);
	a->replica.revision = revision;
	// When it ends is known once the store can be read.
	a->purge_at_us = !strcmp(state, FILLING) ? UINT64_MAX : 0;
}

int agent_store_load(struct agent *a, struct err *err)
{
	struct local *local = a->opts.local;
	int rc;

	rc = local->ops->each(local, LOCAL_STORE, load_one, a);
	a->allocation_before = a->replica.allocation_revision;
	// Nothing of it is confirmed: hosts count as suspended until the store says otherwise.
	replica_begin(&a->replica);
	replica_end(&a->replica, REPLICA_KEEP_LOADED, agent_now(a));
	if (rc == 0)
		rc = local->ops->each(local, "cluster", load_cluster, a);
	a->fresh = !a->replica.cluster.id[0];
	return rc < 0 ? err_set_errno(err, rc, "state", "cannot be read") : 0;
}

static void batch_begin(struct agent *a)
{
	if (!a->in_batch)
		a->in_batch = a->opts.local->ops->begin(a->opts.local) == 0;
}

static void batch_commit(struct agent *a)
{
	if (!a->in_batch)
		return;
	a->copy_is_old = a->opts.local->ops->commit(a->opts.local) < 0;
	if (a->copy_is_old)
		log_error("state: the copy of the store cannot be written");
	a->in_batch = false;
}

// The copy of the store is half there then; it counts only with its cluster and revision.
int agent_state_put(struct agent *a, const char *key, const char *value, size_t len_bytes)
{
	batch_commit(a);
	return a->opts.local->ops->put(a->opts.local, key, value, len_bytes);
}

int agent_state_del(struct agent *a, const char *key)
{
	batch_commit(a);
	return a->opts.local->ops->del(a->opts.local, key);
}

// The record of a host that is gone says where its endpoints are as long as there are any.
static bool is_needed(struct agent *a, const char *key)
{
	struct record_key parts;

	record_key_parse(key, &parts);
	return parts.kind == RECORD_HOST && replica_host(&a->replica, parts.name);
}

static void put_record(
	struct agent *a, const char *key, uint64_t revision, const char *record, size_t len_bytes)
{
	char *value;
	int len = asprintf(&value, "%" PRIu64 " %.*s", revision, (int)len_bytes, record);

	if (len < 0)
		return;
	a->opts.local->ops->put(a->opts.local, key, value, len);
	free(value);
}

static void save_one(struct agent *a, const struct kv_pair *pair, bool gone)
{
	char key[LOCAL_KEY_BYTES];

	if (snprintf(key, sizeof(key), LOCAL_STORE "%s", pair->key) >= (int)sizeof(key))
		return;
	batch_begin(a);
	if (gone && is_needed(a, pair->key))
		return;
	if (gone)
		a->opts.local->ops->del(a->opts.local, key);
	else
		put_record(a, key, pair->revision, pair->value, pair->len_bytes);
}

static void save_cluster(struct agent *a)
{
	char value[ID_BYTES + 24 + sizeof(FILLING)];
	int len = snprintf(value, sizeof(value), "%s %" PRIu64 "%s", a->replica.cluster.id,
		a->replica.revision, a->purge_at_us ? " " FILLING : "");

	if (!a->replica.cluster.id[0])
		return;
	batch_begin(a);
	a->opts.local->ops->put(a->opts.local, "cluster", value, len);
}

struct sweep {
	struct agent *a;
	struct swept {
		char *key, *value; // NULL: it is gone; otherwise the store has lost it
		size_t len_bytes;
	} * items;
	size_t count, room;
};

static void sweep_add(struct sweep *sweep, const char *key, const char *value, size_t len_bytes)
{
	struct swept item = {.key = strdup(key), .len_bytes = len_bytes};
	size_t room = sweep->count < sweep->room ? sweep->room : sweep->room * 2 + 64;
	struct swept *items = realloc(sweep->items, room * sizeof(*items));

	if (items) {
		sweep->items = items;
		sweep->room = room;
	}
	if (value)
		item.value = strndup(value, len_bytes);
	if (items && item.key && (!value || item.value)) {
		sweep->items[sweep->count++] = item;
		return;
	}
	free(item.key);
	free(item.value);
}

static void sweep_one(void *arg, const char *key, const char *value, size_t len_bytes)
{
	struct sweep *sweep = arg;
	struct replica *r = &sweep->a->replica;
	const char *stored = key + strlen(LOCAL_STORE), *record = memchr(value, ' ', len_bytes);

	if (!replica_has_key(r, stored)) {
		if (!is_needed(sweep->a, stored))
			sweep_add(sweep, key, NULL, 0);
	} else if (sweep->a->purge_at_us && record && strtoull(value, NULL, 10) &&
		   replica_lost_key(r, stored)) { // only a store that was lost has such
		record++;
		sweep_add(sweep, key, record, len_bytes - (record - value));
	}
}

// What the store had deleted or lost while nobody looked is still on disk.
static void save_sweep(struct agent *a)
{
	struct sweep sweep = {.a = a};
	struct local *local = a->opts.local;

	batch_commit(a);
	local->ops->each(local, LOCAL_STORE, sweep_one, &sweep);
	batch_begin(a);
	for (size_t i = 0; i < sweep.count; i++) {
		struct swept *item = &sweep.items[i];

		if (item->value)
			put_record(a, item->key, 0, item->value, item->len_bytes);
		else
			local->ops->del(local, item->key);
		free(item->key);
		free(item->value);
	}
	free(sweep.items);
}

// ---- the watch ----

static void on_begin(struct agent *a)
{
	// A listing that was interrupted begins again: what was known before is not forgotten.
	if (!a->beginning) {
		// Nor is the last one that was read, by a store that has none yet.
		if (a->replica.cluster.id[0])
			snprintf(a->cluster_before, ID_BYTES, "%s", a->replica.cluster.id);
		// Since start: as it is on disk.
		if (a->synced)
			a->allocation_before = a->replica.allocation_revision;
	}
	a->replica.cluster.id[0] = '\0';
	a->replica.allocation_revision = 0;
	a->healthy_since_us = 0;
	a->beginning = true;
	a->went_back = false;
	// What was acknowledged may not be in what comes now.
	for (struct local_endpoint *le = a->endpoints; le; le = le->hh.next)
		le->agent->acked = false;
	for (struct replica_endpoint *ep = a->replica.endpoints; ep; ep = ep->hh.next)
		ep->dropping = false;
	replica_begin(&a->replica);
}

// A record that is older than the one that was read before comes from a backup.
static bool is_older(struct agent *a, const struct kv_pair *pair)
{
	struct replica_endpoint *ep = replica_endpoint(&a->replica, pair->key);
	struct replica_block *block = ep ? NULL : replica_block(&a->replica, pair->key);

	return pair->revision < (ep ? ep->revision : block ? block->revision : 0);
}

// A network that this host has endpoints in is gone, and its endpoints with it. Nobody deletes
// both, unless this host was silent for long.
static bool has_lost_endpoint(struct agent *a)
{
	uint64_t grace_us = a->conf->grace_s * SECOND_US;

	if (!a->synced || (a->lease_lost_us && agent_now(a) - a->lease_lost_us >= grace_us))
		return false;
	for (struct local_endpoint *le = a->endpoints; le; le = le->hh.next) {
		struct replica_endpoint *ep = agent_endpoint_record(a, le);

		if (le->stored && le->net->known && !le->net->local && !le->net->seen && ep &&
			!ep->seen)
			return true;
	}
	return false;
}

// Whether what was just read is not the store that this host knew: it is empty, another one, or
// an older state of it. Then what is not in it was not deleted by anybody.
static bool was_lost(struct agent *a, uint64_t revision)
{
	if (!a->cluster_before[0])
		return false;
	return strcmp(a->cluster_before, a->replica.cluster.id) != 0 ||
	       revision < a->replica.revision ||
	       a->replica.allocation_revision < a->allocation_before || a->went_back ||
	       has_lost_endpoint(a);
}

static void on_lost(struct agent *a)
{
	struct request *req;

	// What was written may be lost as well.
	LIST_FOREACH (req, &a->requests, entry)
		req->written = false;
	log_warn("store: it is not the one that was here before, or older: this host puts back "
		 "what is its own");
	agent_event(a, "store.lost", json_object());
	a->purge_at_us = agent_now(a) + a->conf->grace_s * SECOND_US;
	// Hosts that come later see by its name that it is another one; its revisions may be ahead
	// of what they knew by then.
	a->rename_cluster = !strcmp(a->cluster_before, a->replica.cluster.id);
}

static void on_read(struct agent *a, uint64_t revision)
{
	bool lost = was_lost(a, revision);

	a->beginning = false;
	replica_end(&a->replica,
		lost		 ? REPLICA_KEEP_ALL
		: a->purge_at_us ? REPLICA_KEEP_LOST
				 : REPLICA_KEEP_NONE,
		agent_now(a));
	if (lost)
		on_lost(a);
	if (!a->synced)
		agent_older_look(a);
	if (!a->synced && a->fresh)
		agent_endpoint_adopt(a);
	if (!a->synced)
		reconcile_ready(a->rec);
	a->synced = true;
	a->fresh = false;
	save_sweep(a);
}

static void on_synced(struct agent *a, uint64_t revision)
{
	if (a->beginning)
		on_read(a, revision);
	if (!a->healthy_since_us) {
		a->healthy_since_us = agent_now(a);
		// Nobody could put anything back meanwhile.
		if (a->purge_at_us)
			a->purge_at_us = agent_now(a) + a->conf->grace_s * SECOND_US;
	}
	if (kv_lease_is_held(a->lease))
		a->lease_lost_us = 0;
	a->replica.revision = revision;
	save_cluster(a);
	batch_commit(a);
}

static void on_set(struct agent *a, const struct kv_pair *pair)
{
	if (!strcmp(pair->key, RECORD_PREFIX "cluster"))
		a->cluster_revision = pair->revision;
	agent_generation_read(a, pair);
	if (a->beginning)
		a->went_back |= is_older(a, pair);
}

static void on_watch(void *arg, const struct kv_event *event)
{
	struct agent *a = arg;
	bool gone = event->kind == KV_EVENT_DELETE;

	kv_group_told(&a->networks, event);
	switch (event->kind) {
	case KV_EVENT_BEGIN:
		on_begin(a);
		break;
	case KV_EVENT_SET:
	case KV_EVENT_DELETE:
		if (!gone)
			on_set(a, &event->pair);
		// What cannot be read does not take the place of what could, on disk either.
		if (replica_apply(&a->replica, event->pair.key, gone ? NULL : event->pair.value,
			    event->pair.len_bytes, event->pair.revision, agent_now(a)) == 0)
			save_one(a, &event->pair, gone);
		break;
	case KV_EVENT_SYNCED:
		on_synced(a, event->revision);
		// Requests may wait for what has come.
		a->dirty |= !LIST_EMPTY(&a->requests);
		agent_kick(a);
		break;
	}
}

void agent_store_again(struct agent *a)
{
	kv_unwatch(a->watch);
	a->watch = kv_watch(a->opts.kv, RECORD_PREFIX, 0, on_watch, a);
}

int agent_store_start(struct agent *a, struct err *err)
{
	a->networks = (struct kv_group){.head = RECORD_PREFIX "allocation"};
	a->watch = kv_watch(a->opts.kv, RECORD_PREFIX, 0, on_watch, a);
	if (!a->watch)
		return err_set(err, -ENOMEM, "store", "cannot be watched: out of memory");
	a->lease = kv_lease_new(a->opts.kv, a->conf->ttl_s * 1000, agent_lease_changed, a);
	if (!a->lease)
		return err_set(err, -ENOMEM, "store", "gives no lease: out of memory");
	return 0;
}

static void on_cluster_written(void *arg, int rc, uint64_t revision)
{
	struct agent *a = arg;

	// -ESTALE: another host was first, and the watch tells which it is.
	a->rename_cluster &= rc != 0 && rc != -ESTALE;
	retry_done(&a->cluster_write, rc == 0 ? -EAGAIN : rc, agent_now(a));
}

// The store's own record: who finds none makes one; and another one when this is the store as it
// was once.
static void write_cluster(struct agent *a)
{
	struct cluster_record rec = {0};
	char *text;

	agent_make_id(a, rec.id);
	text = cluster_record_print(&rec);
	if (!text)
		return;
	retry_start(&a->cluster_write);
	if (a->replica.cluster.id[0])
		kv_swap(a->opts.kv, RECORD_PREFIX "cluster", a->cluster_revision, text,
			strlen(text), on_cluster_written, a);
	else
		kv_create(a->opts.kv, RECORD_PREFIX "cluster", text, strlen(text), NULL,
			on_cluster_written, a);
	free(text);
}

void agent_store_run(struct agent *a, uint64_t now_us)
{
	if (!agent_is_current(a))
		return;
	if ((!a->replica.cluster.id[0] || a->rename_cluster) &&
		retry_due(&a->cluster_write, now_us))
		write_cluster(a);
	if (a->purge_at_us && now_us >= a->purge_at_us && a->healthy_since_us &&
		!agent_gone_any_alive(a)) {
		a->purge_at_us = 0;
		replica_end(&a->replica, REPLICA_KEEP_NONE, now_us);
		save_sweep(a);
		save_cluster(a);
		batch_commit(a);
	}
}
