// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <stdlib.h>

#include "base/util.h"
#include "kv/etcd_priv.h"

struct etcd_lease {
	struct timed_lease timed;
	struct etcd_call *call; // a grant or a keepalive
	uint64_t id;		// 0: none
	unsigned ttl_s;		// that is asked for
};

static struct etcd *etcd_of(const struct etcd_lease *l)
{
	return (struct etcd *)l->timed.lease.kv;
}

static void ignore(void *arg, int rc, const struct http_reply *reply)
{
}

static void revoke(struct etcd_lease *l)
{
	struct text body = {0};

	if (!l->id)
		return;
	text_addf(&body, "{\"ID\":\"%llu\"}", (unsigned long long)l->id);
	etcd_post(etcd_of(l), "/v3/lease/revoke", &body, true, ignore, NULL);
	l->id = 0;
}

static void drop(struct timed_lease *timed)
{
	struct etcd_lease *l = (struct etcd_lease *)timed;

	etcd_cancel(l->call);
	l->call = NULL;
	revoke(l);
}

static int take_reply(struct etcd_lease *l, const struct http_reply *reply)
{
	struct etcd_header header;
	uint64_t id, ttl_s;
	int rc;

	rc = etcd_parse_lease(reply->body, reply->len_bytes, &header, &id, &ttl_s);
	if (rc < 0)
		return rc;
	etcd_saw(etcd_of(l), &header);
	if (ttl_s == 0)
		return -ESTALE;
	l->id = id;
	l->timed.ttl_us = MIN_OF(ttl_s, 86400u) * 1000000;
	return 0;
}

static void on_answer(void *arg, int rc, const struct http_reply *reply)
{
	struct etcd_lease *l = arg;

	l->call = NULL;
	if (rc == 0)
		rc = take_reply(l, reply);
	// Who is refused will be so again: the pulse that comes anyway is soon enough.
	if (rc < 0 && rc != -EACCES && rc != -ENOSPC && !l->timed.held)
		etcd_pulse_soon(etcd_of(l));
	timed_lease_answer(&l->timed, rc);
}

static bool ask(struct timed_lease *timed)
{
	struct etcd_lease *l = (struct etcd_lease *)timed;
	struct text body = {0};

	if (timed->held)
		text_addf(&body, "{\"ID\":\"%llu\"}", (unsigned long long)l->id);
	else
		text_addf(&body, "{\"TTL\":\"%u\"}", l->ttl_s);
	l->call = etcd_post(etcd_of(l), timed->held ? "/v3/lease/keepalive" : "/v3/lease/grant",
		&body, true, on_answer, l);
	return l->call;
}

static const struct timed_lease_ops ops = {.ask = ask, .drop = drop};

struct kv_lease *etcd_lease_new(struct kv *kv, unsigned ttl_ms, kv_lease_fn *fn, void *arg)
{
	struct etcd *etcd = (struct etcd *)kv;
	struct etcd_lease *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->timed.ops = &ops;
	l->ttl_s = (ttl_ms + 999) / 1000;
	if (timed_lease_init(&l->timed, kv, etcd->loop, &etcd->leases, fn, arg) < 0) {
		free(l);
		return NULL;
	}
	return &l->timed.lease;
}

bool etcd_lease_is_held(const struct kv_lease *lease)
{
	return ((const struct timed_lease *)lease)->held;
}

uint64_t etcd_lease_id(const struct kv_lease *lease)
{
	return ((const struct etcd_lease *)lease)->id;
}

void etcd_lease_free(struct kv_lease *lease, bool with_keys)
{
	struct etcd_lease *l = (struct etcd_lease *)lease;

	if (with_keys)
		revoke(l);
	etcd_cancel(l->call);
	timed_lease_fini(&l->timed, &etcd_of(l)->leases);
	free(l);
}
