// SPDX-License-Identifier: BSD-3-Clause
#include "tests/sim/store.h"

#include <stdlib.h>
#include <string.h>

#include "tests/sim/store_priv.h"

uint64_t store_delay(struct sim_store *st)
{
	return sim_between(&st->random, st->opts.delay_min_us, st->opts.delay_max_us);
}

void store_changed(struct sim_store *st)
{
	struct client *c;

	if (st->opts.on_change)
		st->opts.on_change(st->opts.arg);
	LIST_FOREACH (c, &st->clients, entry)
		client_told(c);
}

static void expire(void *arg)
{
	struct sim_store *st = arg;
	struct store_lease *lease, *next;

	if (!st->up)
		return;
	HASH_ITER(hh, st->data.leases, lease, next)
	{
		if (lease->expires_us <= st->tl->now_us)
			store_data_revoke(&st->data, lease);
	}
	store_changed(st);
	store_look_at_leases(st);
}

void store_look_at_leases(struct sim_store *st)
{
	uint64_t next_us = UINT64_MAX;

	for (struct store_lease *l = st->data.leases; l; l = l->hh.next)
		next_us = MIN_OF(next_us, l->expires_us);
	if (next_us == UINT64_MAX)
		timeline_cancel(st->tl, &st->expire);
	else
		timeline_set(st->tl, &st->expire, next_us);
}

struct sim_store *sim_store_new(const struct sim_store_opts *opts)
{
	struct sim_store *st = calloc(1, sizeof(*st));

	if (!st)
		abort();
	st->opts = *opts;
	st->tl = opts->timeline;
	st->random.state = opts->seed;
	st->expire = (struct timeline_event){.fn = expire, .arg = st};
	st->data.incarnation = st->last_incarnation = 1;
	st->up = true;
	st->boots = 1;
	return st;
}

void sim_store_free(struct sim_store *st)
{
	if (!st)
		return;
	while (!LIST_EMPTY(&st->requests))
		request_free(LIST_FIRST(&st->requests));
	timeline_cancel(st->tl, &st->expire);
	store_data_fini(&st->data);
	store_data_fini(&st->backup);
	free(st);
}

// ---- faults ----

static void all_changed(struct sim_store *st)
{
	struct client *c;

	LIST_FOREACH (c, &st->clients, entry)
		client_changed(c);
}

void sim_store_cut(struct kv *kv, bool cut)
{
	struct client *c = (struct client *)kv;

	c->cut = cut;
	client_changed(c);
}

void sim_store_down(struct sim_store *st)
{
	if (!st->up)
		return;
	st->up = false;
	all_changed(st);
}

// A store that comes back gives all leases their time anew, as etcd and ZooKeeper do.
void sim_store_up(struct sim_store *st)
{
	if (st->up)
		return;
	st->up = true;
	st->boots++;
	for (struct store_lease *l = st->data.leases; l; l = l->hh.next)
		l->expires_us = st->tl->now_us + l->ttl_us;
	store_look_at_leases(st);
	all_changed(st);
}

static void replace(struct sim_store *st, struct store_data *with)
{
	sim_store_down(st);
	store_data_fini(&st->data);
	st->data = *with;
	st->data.incarnation = ++st->last_incarnation;
	sim_store_up(st);
}

void sim_store_wipe(struct sim_store *st)
{
	struct store_data empty = {0};

	replace(st, &empty);
}

void sim_store_backup(struct sim_store *st)
{
	store_data_fini(&st->backup);
	store_data_copy(&st->data, &st->backup);
	st->has_backup = true;
}

bool sim_store_restore(struct sim_store *st)
{
	struct store_data copy;

	if (!st->has_backup)
		return false;
	store_data_copy(&st->backup, &copy);
	replace(st, &copy);
	return true;
}

void sim_store_compact(struct sim_store *st)
{
	store_data_compact(&st->data, st->data.revision);
}

void sim_store_scatter(struct sim_store *st, unsigned percent)
{
	st->opts.scatter_percent = percent;
}

void sim_store_calm(struct sim_store *st)
{
	st->opts.loss_percent = st->opts.slow_percent = st->opts.break_percent = 0;
}

// ---- what it has ----

const struct store_data *sim_store_data(const struct sim_store *st)
{
	return &st->data;
}

bool sim_store_is_up(const struct sim_store *st)
{
	return st->up;
}
