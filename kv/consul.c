// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "kv/consul_priv.h"

#define PULSE_US      5000000
#define PULSE_SOON_US 100000
#define MAX_TXN_OPS   64 // of Consul up to 1.12

// ---- requests ----

struct consul_call {
	TAILQ_ENTRY(consul_call) entry;
	struct consul *consul;
	struct http_request *req;
	bool is_long;
	bool is_change; // what the token may not change it may read all the same
	consul_reply_fn *fn;
	void *arg;
};

static void free_call(struct consul_call *call)
{
	http_cancel(call->consul->http, call->req);
	TAILQ_REMOVE(&call->consul->calls, call, entry);
	free(call);
}

static void keep_reason(struct consul *consul, int rc, bool answered, const char *reason)
{
	if (rc == -ETIMEDOUT || rc == -ECONNREFUSED || rc == -ECONNRESET ||
		(rc == -EACCES && !answered))
		kv_set_state(&consul->kv, false, reason);
	else
		snprintf(consul->kv.reason, sizeof(consul->kv.reason), "%s", reason);
}

static void add_remedy(char *words, size_t words_bytes)
{
	size_t len = strlen(words);

	snprintf(words + len, words_bytes - len, ": give a token that may do this");
}

static void on_reply(void *arg, const struct http_reply *reply)
{
	struct consul_call *call = arg;
	char words[300];
	int rc = reply->rc;

	call->req = NULL;
	snprintf(words, sizeof(words), "%s", reply->reason);
	if (rc == 0 && reply->status != 200)
		rc = consul_parse_error(
			reply->status, reply->body, reply->len_bytes, words, sizeof(words));
	if (rc == -EACCES && reply->rc == 0)
		add_remedy(words, sizeof(words));
	if (rc == 0 && !call->consul->kv.up)
		kv_set_state(&call->consul->kv, true, NULL);
	// A query that hung on a server that failed is asked again elsewhere, which tells.
	if (rc < 0 && rc != -ENOENT && !call->is_long)
		keep_reason(call->consul, rc, call->is_change && reply->rc == 0, words);
	if (rc < 0 && rc != -ENOENT && rc != -ESTALE)
		consul_pulse_soon(call->consul, rc);
	call->fn(call->arg, rc, reply);
	free_call(call);
}

struct consul_call *consul_send(struct consul *consul, struct http_call *http, struct text *path,
	consul_reply_fn *fn, void *arg)
{
	struct consul_call *call = path->failed ? NULL : calloc(1, sizeof(*call));

	if (!call) {
		text_free(path);
		return NULL;
	}
	*call = (struct consul_call){.consul = consul,
		.is_long = http->is_long,
		.is_change = !strcmp(http->method, "PUT"),
		.fn = fn,
		.arg = arg};
	TAILQ_INSERT_TAIL(&consul->calls, call, entry);
	http->path = path->data;
	http->headers[0] = consul->token;
	http->on_done = on_reply;
	http->arg = call;
	call->req = http_send(consul->http, http);
	text_free(path);
	if (call->req)
		return call;
	free_call(call);
	return NULL;
}

void consul_cancel(struct consul_call *call)
{
	if (call)
		free_call(call);
}

void consul_add_kv_path(struct text *path, const struct consul *consul, const char *key)
{
	text_addf(path, "/v1/kv/");
	text_add_url(path, consul->prefix);
	text_add_url(path, key);
}

// ---- the pulse ----
//
// A read, confirmed by most servers, of a key that is not there: its index is that of all keys.

static void on_pulse(void *arg, int rc, const struct http_reply *reply)
{
	struct consul *consul = arg;
	bool is_other;

	consul->pulse = NULL;
	if (rc < 0 && rc != -ENOENT) {
		if (rc == -EIO)
			kv_set_state(&consul->kv, false, consul->kv.reason);
		if (rc != -EACCES)
			loop_timer_once(consul->pulse_timer, 3 * PULSE_SOON_US);
		return;
	}
	if (reply->index == 0) {
		kv_set_state(&consul->kv, false, "what answers is not Consul");
		return;
	}
	is_other = reply->index < consul->index;
	consul->index = reply->index;
	if (is_other) {
		log_warn("Consul has lost its data or is another one");
		consul_watches_restart(consul);
		timed_leases_lose(&consul->leases);
	}
	kv_set_state(&consul->kv, true, NULL);
	timed_leases_ask(&consul->leases);
	consul_watches_go(consul);
}

static void send_pulse(void *arg)
{
	struct http_call call = {.method = "GET", .is_repeatable = true};
	struct consul *consul = arg;
	struct text path = {0};

	loop_timer_once(consul->pulse_timer, PULSE_US);
	if (consul->pulse)
		return;
	consul_add_kv_path(&path, consul, ".pulse");
	text_addf(&path, "?consistent");
	consul->pulse = consul_send(consul, &call, &path, on_pulse, consul);
}

void consul_pulse_soon(struct consul *consul, int rc)
{
	// Who is refused will be so again: the pulse that comes anyway is soon enough.
	if (!consul->pulse && rc != -EACCES)
		loop_timer_once(consul->pulse_timer, PULSE_SOON_US);
}

// ---- reading ----

struct asker {
	struct consul *consul;
	kv_read_fn *read_fn;
	kv_write_fn *write_fn;
	void *arg;
	bool is_prefix;
	char key[]; // of a read: the answer's keys begin with it. Of a write: one that it deletes
};

static struct asker *new_asker(struct consul *consul, const char *key, void *arg)
{
	struct asker *asker = calloc(1, sizeof(*asker) + strlen(key) + 1);

	if (!asker)
		return NULL;
	asker->consul = consul;
	asker->arg = arg;
	strcpy(asker->key, key);
	return asker;
}

static void on_read(void *arg, int rc, const struct http_reply *reply)
{
	struct asker *asker = arg;
	struct pairs pairs = {0};

	if (rc == 0)
		rc = consul_parse_pairs(
			reply->body, reply->len_bytes, asker->consul->prefix, &pairs);
	else if (rc == -ENOENT && asker->is_prefix)
		rc = 0;
	if (rc < 0)
		asker->read_fn(asker->arg, rc, NULL, 0, reply->index);
	else
		asker->read_fn(asker->arg, 0, pairs.list, pairs.count, reply->index);
	pairs_free(&pairs);
	free(asker);
}

static void read_keys(struct kv *kv, const char *key, bool is_prefix, kv_read_fn *fn, void *arg)
{
	struct http_call call = {.method = "GET", .is_repeatable = true};
	struct consul *consul = (struct consul *)kv;
	struct asker *asker = new_asker(consul, "", arg);
	struct text path = {0};

	if (!asker) {
		kv_read_later(kv, fn, arg, -ENOMEM);
		return;
	}
	asker->read_fn = fn;
	asker->is_prefix = is_prefix;
	consul_add_kv_path(&path, consul, key);
	text_addf(&path, "?consistent%s", is_prefix ? "&recurse" : "");
	if (consul_send(consul, &call, &path, on_read, asker))
		return;
	free(asker);
	kv_read_later(kv, fn, arg, -ENOMEM);
}

// ---- changing ----

static void finish_write(struct asker *asker, int rc, uint64_t revision)
{
	asker->write_fn(asker->arg, rc, revision);
	free(asker);
}

static void on_index(void *arg, int rc, const struct http_reply *reply)
{
	finish_write(arg, rc == -ENOENT ? 0 : rc, reply->index);
}

static void on_written(void *arg, int rc, const struct http_reply *reply)
{
	struct http_call call = {.method = "GET", .is_repeatable = true};
	struct asker *asker = arg;
	struct text path = {0};
	uint64_t revision = 0;

	if (rc == -ENOENT)
		rc = -EIO;
	if (rc == 0)
		rc = consul_parse_txn(reply->body, reply->len_bytes, &revision);
	if (rc < 0 || revision > 0) {
		finish_write(asker, rc, revision);
		return;
	}
	// Of deletions the answer has no index: that of the key that is not there any more has it.
	consul_add_kv_path(&path, asker->consul, asker->key);
	text_addf(&path, "?consistent");
	if (!consul_send(asker->consul, &call, &path, on_index, asker))
		finish_write(asker, 0, 0);
}

static void add_verb(struct text *body, const char *verb, const struct consul *consul,
	const struct kv_op *op, unsigned *count)
{
	char buf[256 + KV_KEY_MAX_BYTES + 1];

	text_addf(body, "%s{\"KV\":{\"Verb\":\"%s\",\"Key\":", (*count)++ ? "," : "", verb);
	snprintf(buf, sizeof(buf), "%s%s", consul->prefix, op->key);
	text_add_json(body, buf);
}

static void add_op(
	struct text *body, const struct consul *consul, const struct kv_op *op, unsigned *count)
{
	static const char *const plain[][3] = {
		[KV_PUT] = {"set", "cas", "cas"},
		[KV_DELETE] = {"delete", NULL, "delete-cas"},
		[KV_CHECK] = {NULL, "check-not-exists", "check-index"},
	};
	// A lock is taken without a condition, and not from somebody else.
	static const char *const before_lock[] = {"delete", "check-not-exists", "check-index"};
	bool is_locked = op->action == KV_PUT && op->lease;
	const char *verb = plain[op->action][op->guard];

	if (is_locked) {
		verb = "lock";
		add_verb(body, before_lock[op->guard], consul, op, count);
		if (op->guard == KV_REVISION)
			text_addf(body, ",\"Index\":%llu", (unsigned long long)op->revision);
		text_addf(body, "}}");
	}
	add_verb(body, verb, consul, op, count);
	if (op->action == KV_PUT) {
		text_addf(body, ",\"Value\":\"");
		text_add_base64(body, op->value, op->len_bytes);
		text_add(body, "\"", 1);
	}
	if (is_locked)
		text_addf(body, ",\"Session\":\"%s\"", consul_lease_id(op->lease));
	else if (op->guard != KV_ANY)
		text_addf(body, ",\"Index\":%llu",
			op->guard == KV_REVISION ? (unsigned long long)op->revision : 0);
	text_addf(body, "}}");
}

static void change(
	struct kv *kv, const struct kv_op *ops, unsigned count, kv_write_fn *fn, void *arg)
{
	struct http_call call = {.method = "PUT", .is_repeatable = true};
	struct consul *consul = (struct consul *)kv;
	struct asker *asker = new_asker(consul, ops[0].key, arg);
	struct text path = {0}, body = {0};
	unsigned nb_verbs = 0;
	int rc = -ENOMEM;

	text_add(&body, "[", 1);
	for (unsigned i = 0; !body.failed && i < count; i++) {
		add_op(&body, consul, &ops[i], &nb_verbs);
		// Made twice, the second time would find what the first has done.
		call.is_repeatable &= ops[i].guard == KV_ANY;
	}
	text_add(&body, "]", 1);
	text_addf(&path, "/v1/txn");
	call.body = body.data;
	call.len_bytes = body.len_bytes;
	if (asker)
		asker->write_fn = fn;
	if (nb_verbs > MAX_TXN_OPS)
		rc = -E2BIG;
	else if (asker && !body.failed && consul_send(consul, &call, &path, on_written, asker))
		rc = 0;
	text_free(&body);
	text_free(&path);
	if (rc < 0) {
		free(asker);
		kv_write_later(kv, fn, arg, rc);
	}
}

// ---- the driver ----

// Of those calls whose owners are not watches and leases.
static void free_calls(struct consul *consul)
{
	struct consul_call *call;

	while ((call = TAILQ_FIRST(&consul->calls))) {
		if (call->fn == on_read || call->fn == on_written || call->fn == on_index)
			free(call->arg);
		free_call(call);
	}
}

static void free_consul(struct kv *kv)
{
	struct consul *consul = (struct consul *)kv;

	while (!TAILQ_EMPTY(&consul->watches))
		consul_unwatch((struct kv_watch *)TAILQ_FIRST(&consul->watches));
	while (!TAILQ_EMPTY(&consul->leases))
		consul_lease_free((struct kv_lease *)TAILQ_FIRST(&consul->leases), false);
	free_calls(consul);
	loop_del(consul->loop, consul->pulse_timer);
	if (consul->http)
		http_free(consul->http);
	free(consul->token);
	free(consul);
}

static int check_consul(const struct kv_opts *opts, const char *rest, struct err *err)
{
	if (opts->token && strpbrk(opts->token, "\r\n"))
		return err_set(err, -EINVAL, opts->url, "the token has a line end in it");
	return http_check(opts, rest, sizeof(((struct consul *)0)->prefix), err);
}

static int set_token(struct consul *consul, const char *token, const char *url, struct err *err)
{
	if (!token || !token[0])
		return 0;
	if (asprintf(&consul->token, "X-Consul-Token: %s", token) < 0) {
		consul->token = NULL;
		return err_set_errno(err, -ENOMEM, url, "cannot open the store");
	}
	return 0;
}

static int open_consul(
	const struct kv_opts *opts, const char *rest, struct kv **ret_kv, struct err *err)
{
	struct consul *consul = calloc(1, sizeof(*consul));
	int rc;

	if (!consul)
		return err_set_errno(err, -ENOMEM, opts->url, "cannot open the store");
	consul->loop = opts->loop;
	TAILQ_INIT(&consul->calls);
	TAILQ_INIT(&consul->watches);
	TAILQ_INIT(&consul->leases);
	rc = http_new(opts, rest, 8500, &consul->http, consul->prefix, sizeof(consul->prefix), err);
	if (rc == 0)
		rc = set_token(consul, opts->token, opts->url, err);
	if (rc < 0)
		goto err;
	consul->pulse_timer = loop_add_timer(opts->loop, 0, send_pulse, consul);
	if (!consul->pulse_timer) {
		rc = err_set_errno(err, -ENOMEM, opts->url, "cannot open the store");
		goto err;
	}
	loop_timer_once(consul->pulse_timer, 0);
	*ret_kv = &consul->kv;
	return 0;
err:
	free_consul(&consul->kv);
	return rc;
}

const struct kv_driver kv_consul = {
	.scheme = "consul",
	.example = "consul://HOST:8500,HOST:8500/FOLDER",
	.check = check_consul,
	.open = open_consul,
	.free = free_consul,
	.read = read_keys,
	.txn = change,
	.watch = consul_watch,
	.unwatch = consul_unwatch,
	.lease_new = consul_lease_new,
	.lease_is_held = consul_lease_is_held,
	.lease_free = consul_lease_free,
};
