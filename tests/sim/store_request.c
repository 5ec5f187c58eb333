// SPDX-License-Identifier: BSD-3-Clause
// Requests on their way: there, carried out, and back; or lost on the one way or the other.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/store_priv.h"

#define SLOW_MAX_US (8 * S_US)

void request_free(struct request *req)
{
	timeline_cancel(req->st->tl, &req->arrive);
	timeline_cancel(req->st->tl, &req->answer);
	timeline_cancel(req->st->tl, &req->give_up);
	LIST_REMOVE(req, entry);
	for (unsigned i = 0; i < req->nb_ops; i++) {
		free(req->ops[i].key);
		store_value_unref(req->ops[i].value);
	}
	free(req->ops);
	free(req->key);
	store_pairs_free(req->pairs, req->nb_pairs);
	free(req);
}

static bool is_done(const struct request *req)
{
	return !timeline_is_set(&req->arrive) && !timeline_is_set(&req->answer);
}

static void tell_reader(struct request *req, int rc)
{
	struct kv_pair *pairs = calloc(req->nb_pairs + 1, sizeof(*pairs));

	if (!pairs)
		abort();
	for (size_t i = 0; i < req->nb_pairs; i++)
		pairs[i] = (struct kv_pair){req->pairs[i].key, req->pairs[i].value->data,
			req->pairs[i].value->len_bytes, req->pairs[i].revision};
	req->read(req->arg, rc, pairs, rc == 0 ? req->nb_pairs : 0, req->revision);
	free(pairs);
}

// The one word to whoever waits.
static void tell(struct request *req, int rc)
{
	struct client *c = req->c;

	if (!c)
		return;
	req->c = NULL;
	timeline_cancel(req->st->tl, &req->give_up);
	if (rc < 0 && rc != -ESTALE && rc != -ENOENT)
		snprintf(c->kv.reason, sizeof(c->kv.reason), "%s", strerror(-rc));
	req->rc = rc;
	if (req->lease)
		lease_answered(req->lease, req);
	else if (req->read)
		tell_reader(req, rc);
	else if (req->write)
		req->write(req->arg, rc, req->revision);
}

// ---- carried out ----

static void read_now(struct request *req)
{
	const struct store_data *d = &req->st->data;

	req->nb_pairs = store_data_list(d, req->key, req->is_prefix, &req->pairs);
	req->revision = d->revision;
	req->rc = req->is_prefix || req->nb_pairs ? 0 : -ENOENT;
}

static void lease_now(struct request *req)
{
	struct sim_store *st = req->st;
	struct store_lease *lease = store_data_lease(&st->data, req->id);
	// Stores look at leases now and then.
	uint64_t late_us = sim_below(&st->random, req->ttl_us / 2 + 1);

	req->rc = 0;
	if (req->kind == REQ_GRANT) {
		req->id = ++st->last_lease;
		store_data_grant(
			&st->data, req->id, req->ttl_us, st->tl->now_us + req->ttl_us + late_us);
	} else if (!lease) {
		req->rc = -ENOENT;
	} else if (req->kind == REQ_RENEW) {
		lease->expires_us = st->tl->now_us + req->ttl_us + late_us;
	} else {
		store_data_revoke(&st->data, lease);
		store_changed(st);
	}
	store_look_at_leases(st);
}

static void carry_out(struct request *req)
{
	struct sim_store *st = req->st;
	uint64_t before = st->data.revision;

	if (req->kind == REQ_READ) {
		read_now(req);
	} else if (req->kind == REQ_TXN) {
		req->rc = store_data_txn(&st->data, req->ops, req->nb_ops, &req->revision);
		if (st->data.revision != before)
			store_changed(st);
	} else {
		lease_now(req);
	}
}

static bool is_lost(struct request *req)
{
	return sim_chance(&req->st->random, req->st->opts.loss_percent);
}

// A request that was lost: either the client sees its connection end, or it sees nothing.
static void lose(struct request *req)
{
	if (req->c && sim_chance(&req->st->random, 50)) {
		tell(req, req->st->up ? -ECONNRESET : -ECONNREFUSED);
		request_free(req);
	} else if (!req->c) {
		request_free(req);
	}
}

static void arrive(void *arg)
{
	struct request *req = arg;
	struct sim_store *st = req->st;
	// What was sent on a connection to the store as it was before ends with that.
	bool is_reached = st->up && req->boot == st->boots && (!req->c || client_reaches(req->c));

	if (!is_reached || is_lost(req)) {
		lose(req);
		return;
	}
	carry_out(req);
	timeline_after(st->tl, &req->answer, store_delay(st));
}

static void answer(void *arg)
{
	struct request *req = arg;

	if (req->c && (!client_reaches(req->c) || is_lost(req))) {
		lose(req);
		return;
	}
	tell(req, req->rc);
	request_free(req);
}

static void give_up(void *arg)
{
	struct request *req = arg;

	tell(req, -ETIMEDOUT);
	if (is_done(req))
		request_free(req);
}

// ---- asked ----

struct request *request_new(struct client *c, enum request_kind kind)
{
	struct request *req = calloc(1, sizeof(*req));

	if (!req)
		abort();
	req->st = c->st;
	req->c = c;
	req->kind = kind;
	req->boot = c->linked ? c->boot : c->st->boots;
	req->sent_us = c->st->tl->now_us;
	req->arrive = (struct timeline_event){.fn = arrive, .arg = req};
	req->answer = (struct timeline_event){.fn = answer, .arg = req};
	req->give_up = (struct timeline_event){.fn = give_up, .arg = req};
	LIST_INSERT_HEAD(&c->st->requests, req, entry);
	return req;
}

void request_send(struct request *req)
{
	struct sim_store *st = req->st;
	uint64_t delay_us = store_delay(st);

	if (sim_chance(&st->random, st->opts.slow_percent))
		delay_us = sim_below(&st->random, SLOW_MAX_US);
	timeline_after(st->tl, &req->arrive, delay_us);
	timeline_after(st->tl, &req->give_up, req->c->kv.opts.timeout_ms * MS_US);
}

void requests_forget(struct client *c)
{
	struct request *req, *next;

	for (req = LIST_FIRST(&c->st->requests); req; req = next) {
		next = LIST_NEXT(req, entry);
		if (req->c != c)
			continue;
		// What a process has sent arrives also when the process is gone, unless the way was
		// cut.
		if (!client_reaches(c) || is_done(req) || sim_chance(&c->st->random, 50)) {
			request_free(req);
			continue;
		}
		req->c = NULL;
		req->lease = NULL;
		timeline_cancel(c->st->tl, &req->give_up);
	}
}

void requests_forget_lease(struct lease *lease)
{
	struct request *req;

	LIST_FOREACH (req, &lease->c->st->requests, entry) {
		if (req->lease != lease)
			continue;
		req->lease = NULL;
		req->read = NULL;
		req->write = NULL;
	}
}
