// SPDX-License-Identifier: BSD-3-Clause
#include "kv/timed_lease.h"

#include <errno.h>

#include "base/util.h"

static void ask(struct timed_lease *l)
{
	if (l->asking)
		return;
	l->sent_us = monotonic_us();
	l->asking = l->ops->ask(l);
}

static void grant(struct timed_lease *l)
{
	if (!l->held && l->lease.kv->up)
		ask(l);
}

static void lose(struct timed_lease *l)
{
	bool was_held = l->held;

	loop_timer_set(l->timer, 0);
	l->held = l->asking = false;
	l->ops->drop(l);
	grant(l);
	// The last thing: it may free the lease.
	if (was_held)
		l->fn(l->arg, KV_LEASE_LOST);
}

static void set_timer(struct timed_lease *l)
{
	uint64_t now_us = monotonic_us();
	uint64_t left_us = l->expires_us > now_us ? l->expires_us - now_us : 0;

	loop_timer_once(l->timer, MIN_OF(l->ttl_us / 3, left_us));
}

static void on_timer(void *arg)
{
	struct timed_lease *l = arg;

	if (monotonic_us() >= l->expires_us) {
		lose(l);
		return;
	}
	set_timer(l);
	ask(l);
}

void timed_lease_answer(struct timed_lease *l, int rc)
{
	bool was_held = l->held;

	l->asking = false;
	if (rc < 0 && !was_held)
		kv_note_change(l->lease.kv, rc);
	if (rc == -ESTALE && was_held)
		lose(l);
	if (rc < 0)
		return;
	// The store counts from when it hears of us, which is later than when we asked.
	l->expires_us = l->sent_us + l->ttl_us;
	if (was_held)
		return;
	l->held = true;
	set_timer(l);
	l->fn(l->arg, KV_LEASE_HELD);
}

void timed_leases_ask(struct timed_leases *list)
{
	struct timed_lease *l;

	TAILQ_FOREACH (l, list, entry)
		grant(l);
}

void timed_leases_lose(struct timed_leases *list)
{
	struct timed_lease *l;

	// Whoever is told may free any of them.
	do {
		TAILQ_FOREACH (l, list, entry) {
			if (l->held)
				break;
		}
		if (l)
			lose(l);
	} while (l);
}

int timed_lease_init(struct timed_lease *l, struct kv *kv, struct loop *loop,
	struct timed_leases *list, kv_lease_fn *fn, void *arg)
{
	l->timer = loop_add_timer(loop, 0, on_timer, l);
	if (!l->timer)
		return -ENOMEM;
	l->lease.kv = kv;
	l->loop = loop;
	l->fn = fn;
	l->arg = arg;
	TAILQ_INSERT_TAIL(list, l, entry);
	grant(l);
	return 0;
}

void timed_lease_fini(struct timed_lease *l, struct timed_leases *list)
{
	loop_del(l->loop, l->timer);
	TAILQ_REMOVE(list, l, entry);
}
