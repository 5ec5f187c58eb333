// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "kv/etcd_priv.h"

// Each token costs etcd a tenth of a second of a core and an entry of its log, so whatever makes us
// ask for one, this is how often we do; and rarely when it was refused.
#define AUTH_SPACE_US	  1000000
#define AUTH_PAUSE_MAX_US 60000000

struct etcd_call {
	TAILQ_ENTRY(etcd_call) entry;
	struct etcd *etcd;
	struct http_request *req;
	uint64_t token_nr; // of the token that it was sent with
	bool is_waiting;   // for a token
	const char *path;
	struct text body;
	bool is_repeatable;
	bool is_change; // what the user may not change it may read all the same
	bool is_again;	// with a second token
	etcd_reply_fn *fn;
	void *arg;
};

static void authenticate(struct etcd *etcd);
static void refuse(struct etcd *etcd, int rc);

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

// `answered`: the store may be asked for other things.
static void keep_reason(struct kv *kv, int rc, bool answered, const char *reason)
{
	if (is_unreachable(rc) || (rc == -EACCES && !answered))
		kv_set_state(kv, false, reason);
	else
		snprintf(kv->reason, sizeof(kv->reason), "%s", reason);
}

// Of a token that was asked for.
static void add_remedy(char *words, size_t words_bytes, int rc)
{
	size_t len = strlen(words);
	const char *remedy = NULL;

	if (strstr(words, "authentication is not enabled"))
		remedy = "enable it there, or leave out user and password here";
	else if (rc == -EACCES)
		remedy = "give user and password as etcd has them";
	if (remedy)
		snprintf(words + len, words_bytes - len, ": %s", remedy);
}

static int send_call(struct etcd_call *call);

static int send_or_wait(struct etcd_call *call)
{
	if (!etcd_needs_token(call->etcd))
		return send_call(call);
	call->is_waiting = true;
	authenticate(call->etcd);
	return 0;
}

// Once more with another token. False when that is no help.
static bool renew(struct etcd_call *call)
{
	struct etcd *etcd = call->etcd;

	if (!etcd->user || call == etcd->auth)
		return false;
	etcd_drop_token(etcd, call->token_nr);
	if (call->is_again) {
		refuse(etcd, -EACCES);
		return false;
	}
	call->is_again = true;
	return send_or_wait(call) == 0;
}

static void take_result(struct etcd_call *call, int rc, bool answered, const char *words)
{
	struct etcd *etcd = call->etcd;

	if (rc < 0) {
		// Without a token nothing is answered.
		keep_reason(&etcd->kv, call == etcd->auth ? -EACCES : rc,
			answered && call->is_change, words);
		if (is_unreachable(rc))
			etcd_pulse_soon(etcd);
	} else if (call != etcd->auth) { // that a token was given does not tell that it is good
		etcd->auth_pause_us = 0;
		if (!etcd->kv.up)
			kv_set_state(&etcd->kv, true, NULL);
	}
}

static void on_reply(void *arg, const struct http_reply *reply)
{
	struct etcd_call *call = arg;
	struct etcd *etcd = call->etcd;
	char words[300];
	int rc = reply->rc;
	bool answered;

	call->req = NULL;
	snprintf(words, sizeof(words), "%s", reply->reason);
	if (rc == 0 && reply->status != 200)
		rc = etcd_parse_error(
			reply->status, reply->body, reply->len_bytes, words, sizeof(words));
	answered = reply->rc == 0 && rc != -EAGAIN;
	if (rc == -EAGAIN && renew(call))
		return;
	if (rc == -EAGAIN)
		rc = -EACCES;
	if (rc < 0 && call == etcd->auth)
		add_remedy(words, sizeof(words), rc);
	take_result(call, rc, answered, words);
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
	call->token_nr = call->etcd->token_nr;
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
		.is_change = !strcmp(path, "/v3/kv/txn") || !strcmp(path, "/v3/lease/grant"),
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
	if (send_or_wait(call) < 0) {
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

void etcd_drop_token(struct etcd *etcd, uint64_t token_nr)
{
	// Not the next one, which another call has brought meanwhile.
	if (token_nr == etcd->token_nr)
		etcd->token[0] = '\0';
}

static struct etcd_call *find_waiting(const struct etcd *etcd)
{
	struct etcd_call *call;

	TAILQ_FOREACH (call, &etcd->calls, entry) {
		if (call->is_waiting)
			return call;
	}
	return NULL;
}

static unsigned count_waiting(const struct etcd *etcd)
{
	const struct etcd_call *call;
	unsigned count = 0;

	TAILQ_FOREACH (call, &etcd->calls, entry)
		count += call->is_waiting;
	return count;
}

// Sends those that wait, or ends them with `rc`. Not those that are asked for meanwhile: a failure
// would go round and round.
static void settle_waiting(struct etcd *etcd, int rc)
{
	struct etcd_call *call;

	for (unsigned count = count_waiting(etcd); count > 0; count--) {
		call = find_waiting(etcd);
		if (!call)
			break;
		call->is_waiting = false;
		// Without memory for it, it ends as if the user had been refused.
		if (rc == 0 && send_call(call) == 0)
			continue;
		call->fn(call->arg, rc < 0 ? rc : -ENOMEM, NULL);
		free_call(call);
	}
}

// Until the pause is over nobody asks for a token, and what would wait for one fails with `rc`.
static void refuse(struct etcd *etcd, int rc)
{
	etcd->auth_pause_us = etcd->auth_pause_us
				      ? MIN_OF(etcd->auth_pause_us * 2, AUTH_PAUSE_MAX_US)
				      : AUTH_SPACE_US;
	etcd->auth_after_us = monotonic_us() + etcd->auth_pause_us;
	etcd->auth_rc = rc;
	loop_timer_once(etcd->auth_timer, etcd->auth_pause_us);
}

static void on_token(void *arg, int rc, const struct http_reply *reply)
{
	static const char name[] = "Authorization: ";
	struct etcd *etcd = arg;

	etcd->auth = NULL;
	memcpy(etcd->token, name, sizeof(name));
	if (rc == 0)
		rc = etcd_parse_token(reply->body, reply->len_bytes, etcd->token + sizeof(name) - 1,
			sizeof(etcd->token) - sizeof(name));
	if (rc < 0)
		etcd->token[0] = '\0';
	else
		etcd->token_nr++;
	// A server that is away has not been bothered.
	if (rc < 0 && !is_unreachable(rc))
		refuse(etcd, rc);
	settle_waiting(etcd, rc);
}

void etcd_on_auth_timer(void *arg)
{
	struct etcd *etcd = arg;
	uint64_t now_us = monotonic_us();

	if (now_us < etcd->auth_after_us) {
		loop_timer_once(etcd->auth_timer, etcd->auth_after_us - now_us);
		if (etcd->auth_rc < 0)
			settle_waiting(etcd, etcd->auth_rc);
		return;
	}
	if (find_waiting(etcd))
		authenticate(etcd);
	else if (etcd->auth_rc < 0)
		etcd_pulse_soon(etcd);
}

static void authenticate(struct etcd *etcd)
{
	uint64_t now_us = monotonic_us();
	struct text body = {0};

	if (etcd->auth)
		return;
	if (now_us < etcd->auth_after_us) {
		loop_timer_once(
			etcd->auth_timer, etcd->auth_rc < 0 ? 0 : etcd->auth_after_us - now_us);
		return;
	}
	etcd->auth_rc = 0;
	etcd->auth_after_us = now_us + AUTH_SPACE_US;
	text_addf(&body, "{\"name\":");
	text_add_json(&body, etcd->user);
	text_addf(&body, ",\"password\":");
	text_add_json(&body, etcd->password ? etcd->password : "");
	text_add(&body, "}", 1);
	etcd->auth = new_call(etcd, "/v3/auth/authenticate", &body, true, on_token, etcd);
	if (etcd->auth && send_call(etcd->auth) == 0)
		return;
	etcd_cancel(etcd->auth);
	loop_timer_once(etcd->auth_timer, AUTH_SPACE_US);
}
