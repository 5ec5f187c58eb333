// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kv/etcd_priv.h"

struct etcd_call {
	TAILQ_ENTRY(etcd_call) entry;
	struct etcd *etcd;
	struct http_request *req; // NULL: it waits for a token
	const char *path;
	struct text body;
	bool is_repeatable;
	bool is_again; // with a second token
	etcd_reply_fn *fn;
	void *arg;
};

static void authenticate(struct etcd *etcd);

bool etcd_needs_token(const struct etcd *etcd)
{
	return etcd->user && !etcd->token[0];
}

void etcd_add_headers(const struct etcd *etcd, struct http_call *call)
{
	// A member that has lost the others says so at once, in watches too, instead of waiting.
	call->headers[0] = "Grpc-Metadata-hasleader: true";
	call->headers[1] = etcd->token[0] ? etcd->token : NULL;
}

void etcd_add_key(struct text *body, const char *name, const char *key, const char *more)
{
	char buf[ETCD_KEY_BYTES + 1];
	int len = snprintf(buf, sizeof(buf), "%s%s", key, more);

	text_addf(body, "\"%s\":\"", name);
	text_add_base64(body, buf, len);
	text_add(body, "\"", 1);
}

static void free_call(struct etcd_call *call)
{
	http_cancel(call->etcd->http, call->req);
	TAILQ_REMOVE(&call->etcd->calls, call, entry);
	if (call->etcd->auth == call)
		call->etcd->auth = NULL;
	text_free(&call->body);
	free(call);
}

static bool is_unreachable(int rc)
{
	return rc == -ETIMEDOUT || rc == -ECONNREFUSED || rc == -ECONNRESET;
}

static void keep_reason(struct kv *kv, int rc, const char *reason)
{
	if (is_unreachable(rc) || rc == -EACCES)
		kv_set_state(kv, false, reason);
	else
		snprintf(kv->reason, sizeof(kv->reason), "%s", reason);
}

static void on_reply(void *arg, const struct http_reply *reply)
{
	struct etcd_call *call = arg;
	struct etcd *etcd = call->etcd;
	char words[300];
	int rc = reply->rc;

	call->req = NULL;
	snprintf(words, sizeof(words), "%s", reply->reason);
	if (rc == 0 && reply->status != 200)
		rc = etcd_parse_error(
			reply->status, reply->body, reply->len_bytes, words, sizeof(words));
	if (rc == -EAGAIN && etcd->user && !call->is_again && call != etcd->auth) {
		call->is_again = true;
		etcd->token[0] = '\0';
		authenticate(etcd);
		return;
	}
	if (rc == -EAGAIN)
		rc = -EACCES;
	if (rc == 0 && !etcd->kv.up)
		kv_set_state(&etcd->kv, true, NULL);
	if (rc < 0) {
		keep_reason(&etcd->kv, rc, words);
		if (is_unreachable(rc))
			etcd_pulse_soon(etcd);
	}
	call->fn(call->arg, rc, reply);
	free_call(call);
}

static int send_call(struct etcd_call *call)
{
	struct http_call http = {
		.method = "POST",
		.path = call->path,
		.body = call->body.data,
		.len_bytes = call->body.len_bytes,
		.is_repeatable = call->is_repeatable,
		.on_done = on_reply,
		.arg = call,
	};

	etcd_add_headers(call->etcd, &http);
	call->req = http_send(call->etcd->http, &http);
	return call->req ? 0 : -ENOMEM;
}

static struct etcd_call *new_call(struct etcd *etcd, const char *path, struct text *body,
	bool is_repeatable, etcd_reply_fn *fn, void *arg)
{
	struct etcd_call *call = body->failed ? NULL : calloc(1, sizeof(*call));

	if (!call) {
		text_free(body);
		return NULL;
	}
	*call = (struct etcd_call){.etcd = etcd,
		.path = path,
		.body = *body,
		.is_repeatable = is_repeatable,
		.fn = fn,
		.arg = arg};
	*body = (struct text){0};
	TAILQ_INSERT_TAIL(&etcd->calls, call, entry);
	return call;
}

struct etcd_call *etcd_post(struct etcd *etcd, const char *path, struct text *body,
	bool is_repeatable, etcd_reply_fn *fn, void *arg)
{
	struct etcd_call *call = new_call(etcd, path, body, is_repeatable, fn, arg);

	if (!call)
		return NULL;
	if (etcd_needs_token(etcd)) {
		authenticate(etcd);
	} else if (send_call(call) < 0) {
		free_call(call);
		return NULL;
	}
	return call;
}

void etcd_cancel(struct etcd_call *call)
{
	if (call)
		free_call(call);
}

void etcd_cancel_all(struct etcd *etcd)
{
	struct etcd_call *call;

	while ((call = TAILQ_FIRST(&etcd->calls)))
		free_call(call);
}

// ---- the user's token ----

static struct etcd_call *find_waiting(struct etcd *etcd, unsigned *ret_count)
{
	struct etcd_call *call, *first = NULL;

	*ret_count = 0;
	TAILQ_FOREACH (call, &etcd->calls, entry) {
		if (call->req || call == etcd->auth)
			continue;
		(*ret_count)++;
		first = first ? first : call;
	}
	return first;
}

static void on_token(void *arg, int rc, const struct http_reply *reply)
{
	static const char name[] = "Authorization: ";
	struct etcd *etcd = arg;
	struct etcd_call *call;
	unsigned count, left;

	memcpy(etcd->token, name, sizeof(name));
	if (rc == 0)
		rc = etcd_parse_token(reply->body, reply->len_bytes, etcd->token + sizeof(name) - 1,
			sizeof(etcd->token) - sizeof(name));
	if (rc < 0)
		etcd->token[0] = '\0';
	// Not those that are asked for meanwhile: a failure would go round and round.
	for (find_waiting(etcd, &count); count > 0; count--) {
		call = find_waiting(etcd, &left);
		if (!call)
			break;
		// Without memory for it, it ends as if the user had been refused.
		if (rc == 0 && send_call(call) == 0)
			continue;
		call->fn(call->arg, rc < 0 ? rc : -ENOMEM, NULL);
		free_call(call);
	}
	etcd->auth = NULL;
	if (find_waiting(etcd, &left))
		authenticate(etcd);
}

static void authenticate(struct etcd *etcd)
{
	struct text body = {0};

	if (etcd->auth)
		return;
	text_addf(&body, "{\"name\":");
	text_add_json(&body, etcd->user);
	text_addf(&body, ",\"password\":");
	text_add_json(&body, etcd->password ? etcd->password : "");
	text_add(&body, "}", 1);
	etcd->auth = new_call(etcd, "/v3/auth/authenticate", &body, true, on_token, etcd);
	if (etcd->auth && send_call(etcd->auth) < 0)
		free_call(etcd->auth);
}
