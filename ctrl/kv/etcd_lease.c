// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <stdlib.h>

#include "base/util.h"
#include "ctrl/kv/etcd_priv.h"

struct etcd_lease {
	struct kv_lease lease;
	TAILQ_ENTRY(etcd_lease) entry;
	struct etcd *etcd;
	struct etcd_call *call; // a grant or a keepalive
	struct loop_handle *timer;
	uint64_t id; // 0: none
	bool held;
	unsigned ttl_s; // that is asked for
	uint64_t sent_us, ttl_us, expires_us;
	kv_lease_fn *fn;
	void *arg;
};

static void grant(struct etcd_lease *l);

static void ignore(void *arg, int rc, const struct http_reply *reply)
{
}

static void revoke(struct etcd_lease *l)
{
	struct text body = {0};

	if (!l->id)
		return;
	text_addf(&body, "{\"ID\":\"%llu\"}", (unsigned long long)l->id);
	etcd_post(l->etcd, "/v3/lease/revoke", &body, true, ignore, NULL);
	l->id = 0;
}

// Its keys are gone or will be: etcd may know it for longer than we have counted, so it is revoked.
static void lose(struct etcd_lease *l)
{
	bool was_held = l->held;

	etcd_cancel(l->call);
	l->call = NULL;
	loop_timer_set(l->timer, 0);
	l->held = false;
	revoke(l);
	grant(l);
	// The last thing: it may free the lease.
	if (was_held)
		l->fn(l->arg, KV_LEASE_LOST);
}

// etcd counts from when it hears of us, which is later than when we asked.
static int take_reply(struct etcd_lease *l, const struct http_reply *reply, uint64_t *ret_id)
{
	struct etcd_header header;
	uint64_t ttl_s;
	int rc;

	rc = etcd_parse_lease(reply->body, reply->len_bytes, &header, ret_id, &ttl_s);
	if (rc < 0)
		return rc;
	etcd_saw(l->etcd, &header);
	if (ttl_s == 0)
		return -ESTALE;
	l->ttl_us = MIN_OF(ttl_s, 86400u) * 1000000;
	l->expires_us = l->sent_us + l->ttl_us;
	return 0;
}

static void set_timer(struct etcd_lease *l)
{
	uint64_t now_us = monotonic_us();
	uint64_t left_us = l->expires_us > now_us ? l->expires_us - now_us : 0;

	loop_timer_once(l->timer, MIN_OF(l->ttl_us / 3, left_us));
}

static void on_alive(void *arg, int rc, const struct http_reply *reply)
{
	struct etcd_lease *l = arg;
	uint64_t id;

	l->call = NULL;
	if (rc == 0)
		rc = take_reply(l, reply, &id);
	if (rc == -ESTALE)
		lose(l);
}

static void on_timer(void *arg)
{
	struct etcd_lease *l = arg;
	struct text body = {0};

	if (monotonic_us() >= l->expires_us) {
		lose(l);
		return;
	}
	set_timer(l);
	if (l->call)
		return;
	text_addf(&body, "{\"ID\":\"%llu\"}", (unsigned long long)l->id);
	l->sent_us = monotonic_us();
	l->call = etcd_post(l->etcd, "/v3/lease/keepalive", &body, true, on_alive, l);
}

static void on_granted(void *arg, int rc, const struct http_reply *reply)
{
	struct etcd_lease *l = arg;

	l->call = NULL;
	if (rc == 0)
		rc = take_reply(l, reply, &l->id);
	if (rc < 0) {
		etcd_pulse_soon(l->etcd);
		return;
	}
	l->held = true;
	set_timer(l);
	l->fn(l->arg, KV_LEASE_HELD);
}

static void grant(struct etcd_lease *l)
{
	struct text body = {0};

	if (l->held || l->call || !l->etcd->kv.up)
		return;
	text_addf(&body, "{\"TTL\":\"%u\"}", l->ttl_s);
	l->sent_us = monotonic_us();
	l->call = etcd_post(l->etcd, "/v3/lease/grant", &body, true, on_granted, l);
}

void etcd_leases_go(struct etcd *etcd)
{
	struct etcd_lease *l;

	TAILQ_FOREACH (l, &etcd->leases, entry)
		grant(l);
}

void etcd_leases_lose(struct etcd *etcd)
{
	struct etcd_lease *l;

	// Whoever is told may free any of them.
	do {
		TAILQ_FOREACH (l, &etcd->leases, entry) {
			if (l->held)
				break;
		}
		if (l)
			lose(l);
	} while (l);
}

struct kv_lease *etcd_lease_new(struct kv *kv, unsigned ttl_ms, kv_lease_fn *fn, void *arg)
{
	struct etcd *etcd = (struct etcd *)kv;
	struct etcd_lease *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->timer = loop_add_timer(etcd->loop, 0, on_timer, l);
	if (!l->timer) {
		free(l);
		return NULL;
	}
	l->lease.kv = kv;
	l->etcd = etcd;
	l->ttl_s = (ttl_ms + 999) / 1000;
	l->fn = fn;
	l->arg = arg;
	TAILQ_INSERT_TAIL(&etcd->leases, l, entry);
	grant(l);
	return &l->lease;
}

bool etcd_lease_is_held(const struct kv_lease *lease)
{
	const struct etcd_lease *l = (const struct etcd_lease *)lease;

	return l->held;
}

uint64_t etcd_lease_id(const struct kv_lease *lease)
{
	const struct etcd_lease *l = (const struct etcd_lease *)lease;

	return l->id;
}

void etcd_lease_free(struct kv_lease *lease, bool with_keys)
{
	struct etcd_lease *l = (struct etcd_lease *)lease;

	if (with_keys)
		revoke(l);
	etcd_cancel(l->call);
	loop_del(l->etcd->loop, l->timer);
	TAILQ_REMOVE(&l->etcd->leases, l, entry);
	free(l);
}
