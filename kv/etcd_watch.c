// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kv/etcd_priv.h"

// A watch from an old revision gets what it missed from a task of etcd that runs ten times a
// second. When nothing has come for this long there was nothing.
#define QUIET_US 1000000

struct etcd_watch {
	struct kv_watch watch;
	TAILQ_ENTRY(etcd_watch) entry;
	struct etcd *etcd;
	struct etcd_read *read;	     // everything anew
	struct http_request *stream; // neither: it waits for the store
	uint64_t token_nr;	     // that the stream was asked for with
	struct loop_handle *quiet_timer;
	uint64_t revision; // told up to this one; 0: everything is to be told anew
	bool is_told;	   // SYNCED of `revision` was told since the stream was asked for
	bool *gone;	   // set when it is freed while its function runs
	kv_watch_fn *fn;
	void *arg;
	char prefix[KV_KEY_MAX_BYTES + 1];
};

static void go(struct etcd_watch *w);

void etcd_unwatch(struct kv_watch *watch)
{
	struct etcd_watch *w = (struct etcd_watch *)watch;

	if (w->gone)
		*w->gone = true;
	etcd_read_cancel(w->read);
	http_cancel(w->etcd->http, w->stream);
	loop_del(w->etcd->loop, w->quiet_timer);
	TAILQ_REMOVE(&w->etcd->watches, w, entry);
	free(w);
}

// False when the watch is gone by now.
static bool tell(struct etcd_watch *w, const struct kv_event *event)
{
	bool gone = false;

	w->gone = &gone;
	w->fn(w->arg, event);
	if (gone)
		return false;
	w->gone = NULL;
	return true;
}

static bool tell_synced(struct etcd_watch *w)
{
	loop_timer_set(w->quiet_timer, 0);
	return tell(w, &(struct kv_event){.kind = KV_EVENT_SYNCED, .revision = w->revision});
}

static bool tell_pair(struct etcd_watch *w, const struct kv_pair *pair, bool deleted)
{
	struct kv_event event = {.kind = deleted ? KV_EVENT_DELETE : KV_EVENT_SET,
		.pair = *pair,
		.revision = pair->revision};

	return tell(w, &event);
}

static void on_quiet(void *arg)
{
	tell_synced(arg);
}

// Ends what is under way; it begins again when the store answers, or now.
static void stop(struct etcd_watch *w, bool anew)
{
	etcd_read_cancel(w->read);
	http_cancel(w->etcd->http, w->stream);
	loop_timer_set(w->quiet_timer, 0);
	w->read = NULL;
	w->stream = NULL;
	w->is_told = false;
	if (anew)
		w->revision = 0;
}

// Who may not see these keys may not in a moment either: the pulse that comes anyway is soon
// enough.
static void ask_again(struct etcd_watch *w, int rc)
{
	if (rc != -EACCES)
		etcd_pulse_soon(w->etcd);
}

// ---- everything anew ----

static void on_listed(
	void *arg, int rc, const struct kv_pair *pairs, size_t count, uint64_t revision)
{
	struct etcd_watch *w = arg;

	w->read = NULL;
	if (rc < 0) {
		ask_again(w, rc);
		return;
	}
	if (!tell(w, &(struct kv_event){.kind = KV_EVENT_BEGIN}))
		return;
	for (size_t i = 0; i < count; i++) {
		if (!tell_pair(w, &pairs[i], false))
			return;
	}
	w->revision = revision;
	if (!tell_synced(w))
		return;
	w->is_told = true;
	go(w);
}

// ---- the stream ----

// The bytes of one line; 0 when it has not come whole.
static size_t line_length(const char *data, size_t len_bytes)
{
	const char *end = memchr(data, '\n', len_bytes);

	return end ? (size_t)(end - data) + 1 : 0;
}

// False when the stream is not to be read on.
static bool tell_events(struct etcd_watch *w, const struct etcd_message *msg)
{
	const struct pairs *pairs = &msg->pairs;
	uint64_t revision = w->revision;

	for (size_t i = 0; i < pairs->count; i++) {
		const struct kv_pair *pair = &pairs->list[i];

		if (!tell_pair(w, pair, msg->deleted[i]))
			return false;
		revision = pair->revision > revision ? pair->revision : revision;
	}
	// Not that of the header: later changes may be on their way.
	w->revision = revision;
	return pairs->count == 0 || tell_synced(w);
}

static bool take_created(struct etcd_watch *w, const struct etcd_message *msg)
{
	if (msg->header.revision < w->revision) {
		stop(w, true);
		go(w);
		return false;
	}
	if (msg->header.revision > w->revision)
		loop_timer_once(w->quiet_timer, QUIET_US);
	else if (!w->is_told)
		return tell_synced(w);
	return true;
}

static bool take_message(struct etcd_watch *w, const struct etcd_message *msg)
{
	etcd_saw(w->etcd, &msg->header);
	if (msg->canceled) {
		snprintf(w->etcd->kv.reason, sizeof(w->etcd->kv.reason), "etcd ends a watch: %s",
			msg->compacted ? "compacted" : msg->reason);
		stop(w, msg->compacted);
		if (msg->compacted)
			go(w);
		else
			ask_again(w, strstr(msg->reason, "permission denied") ? -EACCES : -EIO);
		return false;
	}
	if (msg->created)
		return take_created(w, msg);
	return tell_events(w, msg);
}

static size_t on_data(void *arg, const char *data, size_t len_bytes)
{
	struct etcd_watch *w = arg;
	size_t used = 0, len;

	while ((len = line_length(data + used, len_bytes - used)) > 0) {
		struct etcd_message msg;
		bool go_on;

		if (etcd_parse_message(data + used, len, w->etcd->prefix, &msg) < 0) {
			stop(w, false);
			etcd_pulse_soon(w->etcd);
			return 0;
		}
		go_on = take_message(w, &msg);
		etcd_message_fini(&msg);
		if (!go_on)
			return 0;
		used += len;
	}
	return used;
}

static void on_ended(void *arg, const struct http_reply *reply)
{
	struct etcd_watch *w = arg;
	char words[300];
	int rc = reply->rc;

	w->stream = NULL;
	w->is_told = false;
	loop_timer_set(w->quiet_timer, 0);
	if (rc == 0 && reply->status != 200)
		rc = etcd_parse_error(
			reply->status, reply->body, reply->len_bytes, words, sizeof(words));
	if (rc == -EAGAIN)
		etcd_drop_token(w->etcd, w->token_nr);
	ask_again(w, rc);
}

static void open_stream(struct etcd_watch *w)
{
	struct http_call call = {.method = "POST",
		.path = "/v3/watch",
		.is_long = true,
		.on_data = on_data,
		.on_done = on_ended,
		.arg = w};
	struct text body = {0};

	text_addf(&body, "{\"create_request\":{");
	etcd_add_range(&body, w->etcd, w->prefix, true);
	text_addf(&body, ",\"start_revision\":\"%llu\"}}", (unsigned long long)w->revision + 1);
	call.body = body.data;
	call.len_bytes = body.len_bytes;
	etcd_add_headers(w->etcd, &call);
	w->token_nr = w->etcd->token_nr;
	if (!body.failed)
		w->stream = http_send(w->etcd->http, &call);
	text_free(&body);
}

static void go(struct etcd_watch *w)
{
	if (w->read || w->stream)
		return;
	if (w->revision == 0)
		w->read = etcd_read(w->etcd, w->prefix, true, on_listed, w);
	else if (!etcd_needs_token(w->etcd))
		open_stream(w);
	if (!w->read && !w->stream)
		etcd_pulse_soon(w->etcd);
}

// ---- all of them ----

// What go() calls never calls back, so nobody leaves the list here.
void etcd_watches_go(struct etcd *etcd)
{
	struct etcd_watch *w;

	TAILQ_FOREACH (w, &etcd->watches, entry)
		go(w);
}

void etcd_watches_restart(struct etcd *etcd)
{
	struct etcd_watch *w;

	TAILQ_FOREACH (w, &etcd->watches, entry)
		stop(w, true);
}

struct kv_watch *etcd_watch(
	struct kv *kv, const char *prefix, uint64_t from_revision, kv_watch_fn *fn, void *arg)
{
	struct etcd *etcd = (struct etcd *)kv;
	struct etcd_watch *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->quiet_timer = loop_add_timer(etcd->loop, 0, on_quiet, w);
	if (!w->quiet_timer) {
		free(w);
		return NULL;
	}
	w->watch.kv = kv;
	w->etcd = etcd;
	w->revision = from_revision;
	w->fn = fn;
	w->arg = arg;
	snprintf(w->prefix, sizeof(w->prefix), "%s", prefix);
	TAILQ_INSERT_TAIL(&etcd->watches, w, entry);
	if (kv->up)
		go(w);
	return &w->watch;
}
