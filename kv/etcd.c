// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "kv/etcd_priv.h"

#define PULSE_US      5000000
#define PULSE_SOON_US 100000

// ---- the pulse ----
//
// A read of a key that is not there. It finds a member that hangs, or is cut off from the others,
// while nothing else is asked: http.c then ends the watches on it. And since no member may answer
// it from the past, it finds a store that has lost its data.

static void on_pulse(void *arg, int rc, const struct http_reply *reply);

static void send_pulse(void *arg)
{
	struct etcd *etcd = arg;
	struct text body = {0};

	loop_timer_once(etcd->pulse_timer, PULSE_US);
	if (etcd->pulse)
		return;
	text_add(&body, "{", 1);
	etcd_add_range(&body, etcd, "", false);
	text_add(&body, "}", 1);
	etcd->pulse_revision = etcd->revision;
	etcd->pulse = etcd_post(etcd, "/v3/kv/range", &body, true, on_pulse, etcd);
}

void etcd_pulse_soon(struct etcd *etcd)
{
	if (!etcd->pulse)
		loop_timer_once(etcd->pulse_timer, PULSE_SOON_US);
}

static void check_same(struct etcd *etcd, const struct etcd_header *header)
{
	bool other = etcd->cluster && etcd->cluster != header->cluster;

	if (!other && header->revision >= etcd->pulse_revision) {
		etcd->cluster = header->cluster;
		return;
	}
	log_warn("etcd has lost its data or is another one: revision %llu after %llu",
		(unsigned long long)header->revision, (unsigned long long)etcd->pulse_revision);
	etcd->cluster = header->cluster;
	etcd->revision = header->revision;
	etcd_watches_restart(etcd);
	timed_leases_lose(&etcd->leases);
}

static void on_pulse(void *arg, int rc, const struct http_reply *reply)
{
	struct etcd *etcd = arg;
	struct etcd_header header;
	struct pairs none = {0};
	bool more;

	etcd->pulse = NULL;
	if (rc == 0) {
		rc = etcd_parse_range(
			reply->body, reply->len_bytes, etcd->prefix, &none, &header, &more);
		pairs_free(&none);
		if (rc == -EIO)
			kv_set_state(&etcd->kv, false, "what answers is not etcd's version 3");
	} else if (rc == -EIO) {
		kv_set_state(&etcd->kv, false, etcd->kv.reason);
	}
	if (rc < 0) {
		// Who is refused will be so again: PULSE_US is soon enough.
		if (rc != -EACCES)
			loop_timer_once(etcd->pulse_timer, 3 * PULSE_SOON_US);
		return;
	}
	check_same(etcd, &header);
	etcd_saw(etcd, &header);
	kv_set_state(&etcd->kv, true, NULL);
	timed_leases_ask(&etcd->leases);
	etcd_watches_go(etcd);
}

void etcd_saw(struct etcd *etcd, const struct etcd_header *header)
{
	if (header->revision > etcd->revision)
		etcd->revision = header->revision;
}

// ---- reading and changing ----

static void read_keys(struct kv *kv, const char *key, bool is_prefix, kv_read_fn *fn, void *arg)
{
	if (!etcd_read((struct etcd *)kv, key, is_prefix, fn, arg))
		kv_read_later(kv, fn, arg, -ENOMEM);
}

struct etcd_write {
	struct etcd *etcd;
	kv_write_fn *fn;
	void *arg;
	TAILQ_ENTRY(etcd_write) entry;
};

static void on_written(void *arg, int rc, const struct http_reply *reply)
{
	struct etcd_write *write = arg;
	struct etcd_header header = {0};
	bool succeeded;

	if (rc == 0)
		rc = etcd_parse_txn(reply->body, reply->len_bytes, &header, &succeeded);
	if (rc == 0) {
		etcd_saw(write->etcd, &header);
		rc = succeeded ? 0 : -ESTALE;
	}
	TAILQ_REMOVE(&write->etcd->writes, write, entry);
	write->fn(write->arg, rc, header.revision);
	free(write);
}

static void add_compare(struct text *body, const struct etcd *etcd, const struct kv_op *op)
{
	if (op->guard == KV_ANY)
		return;
	if (body->data[body->len_bytes - 1] != '[')
		text_add(body, ",", 1);
	text_add(body, "{", 1);
	etcd_add_key(body, "key", etcd->prefix, op->key);
	if (op->guard == KV_ABSENT)
		text_addf(body, ",\"target\":\"CREATE\",\"create_revision\":\"0\"}");
	else
		text_addf(body, ",\"target\":\"MOD\",\"mod_revision\":\"%llu\"}",
			(unsigned long long)op->revision);
}

static void add_change(struct text *body, const struct etcd *etcd, const struct kv_op *op)
{
	if (op->action == KV_CHECK)
		return;
	if (body->data[body->len_bytes - 1] != '[')
		text_add(body, ",", 1);
	text_addf(body, "{\"%s\":{", op->action == KV_PUT ? "request_put" : "request_delete_range");
	etcd_add_key(body, "key", etcd->prefix, op->key);
	if (op->action == KV_PUT) {
		text_addf(body, ",\"value\":\"");
		text_add_base64(body, op->value, op->len_bytes);
		text_add(body, "\"", 1);
		if (op->lease)
			text_addf(body, ",\"lease\":\"%llu\"",
				(unsigned long long)etcd_lease_id(op->lease));
	}
	text_addf(body, "}}");
}

static void change(
	struct kv *kv, const struct kv_op *ops, unsigned count, kv_write_fn *fn, void *arg)
{
	struct etcd *etcd = (struct etcd *)kv;
	struct etcd_write *write = calloc(1, sizeof(*write));
	bool is_repeatable = true;
	struct text body = {0};

	text_addf(&body, "{\"compare\":[");
	for (unsigned i = 0; !body.failed && i < count; i++) {
		add_compare(&body, etcd, &ops[i]);
		// Made twice, the second time would find what the first has done.
		is_repeatable &= ops[i].guard == KV_ANY;
	}
	text_addf(&body, "],\"success\":[");
	for (unsigned i = 0; !body.failed && i < count; i++)
		add_change(&body, etcd, &ops[i]);
	text_addf(&body, "]}");
	if (!write) {
		text_free(&body);
		kv_write_later(kv, fn, arg, -ENOMEM);
		return;
	}
	*write = (struct etcd_write){.etcd = etcd, .fn = fn, .arg = arg};
	TAILQ_INSERT_TAIL(&etcd->writes, write, entry);
	if (etcd_post(etcd, "/v3/kv/txn", &body, is_repeatable, on_written, write))
		return;
	TAILQ_REMOVE(&etcd->writes, write, entry);
	free(write);
	kv_write_later(kv, fn, arg, -ENOMEM);
}

// ---- the driver ----

static void free_etcd(struct kv *kv)
{
	struct etcd *etcd = (struct etcd *)kv;

	while (!TAILQ_EMPTY(&etcd->watches))
		etcd_unwatch((struct kv_watch *)TAILQ_FIRST(&etcd->watches));
	while (!TAILQ_EMPTY(&etcd->leases))
		etcd_lease_free((struct kv_lease *)TAILQ_FIRST(&etcd->leases), false);
	while (!TAILQ_EMPTY(&etcd->reads))
		etcd_read_cancel(TAILQ_FIRST(&etcd->reads));
	etcd_cancel_all(etcd);
	while (!TAILQ_EMPTY(&etcd->writes)) {
		struct etcd_write *write = TAILQ_FIRST(&etcd->writes);

		TAILQ_REMOVE(&etcd->writes, write, entry);
		free(write);
	}
	loop_del(etcd->loop, etcd->pulse_timer);
	loop_del(etcd->loop, etcd->auth_timer);
	if (etcd->http)
		http_free(etcd->http);
	free(etcd->user);
	free(etcd->password);
	free(etcd);
}

static int copy_text(const char *text, char **ret_copy)
{
	if (!text || !text[0])
		return 0;
	*ret_copy = strdup(text);
	return *ret_copy ? 0 : -ENOMEM;
}

static int check_etcd(const struct kv_opts *opts, const char *rest, struct err *err)
{
	return http_check(opts, rest, ETCD_PREFIX_BYTES, err);
}

static int open_etcd(
	const struct kv_opts *opts, const char *rest, struct kv **ret_kv, struct err *err)
{
	struct etcd *etcd = calloc(1, sizeof(*etcd));
	int rc;

	if (!etcd)
		return err_set_errno(err, -ENOMEM, opts->url, "cannot open the store");
	etcd->loop = opts->loop;
	TAILQ_INIT(&etcd->calls);
	TAILQ_INIT(&etcd->reads);
	TAILQ_INIT(&etcd->writes);
	TAILQ_INIT(&etcd->watches);
	TAILQ_INIT(&etcd->leases);
	rc = http_new(opts, rest, 2379, &etcd->http, etcd->prefix, sizeof(etcd->prefix), err);
	if (rc < 0)
		goto err;
	rc = copy_text(opts->user, &etcd->user);
	if (rc == 0)
		rc = copy_text(opts->password, &etcd->password);
	etcd->pulse_timer = loop_add_timer(opts->loop, 0, send_pulse, etcd);
	etcd->auth_timer = loop_add_timer(opts->loop, 0, etcd_on_auth_timer, etcd);
	if (rc < 0 || !etcd->pulse_timer || !etcd->auth_timer) {
		rc = err_set_errno(err, -ENOMEM, opts->url, "cannot open the store");
		goto err;
	}
	loop_timer_once(etcd->pulse_timer, 0);
	*ret_kv = &etcd->kv;
	return 0;
err:
	free_etcd(&etcd->kv);
	return rc;
}

const struct kv_driver kv_etcd = {
	.scheme = "etcd",
	.example = "etcd://HOST:2379,HOST:2379/FOLDER",
	.check = check_etcd,
	.open = open_etcd,
	.free = free_etcd,
	.read = read_keys,
	.txn = change,
	.watch = etcd_watch,
	.unwatch = etcd_unwatch,
	.lease_new = etcd_lease_new,
	.lease_is_held = etcd_lease_is_held,
	.lease_free = etcd_lease_free,
};
