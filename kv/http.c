// SPDX-License-Identifier: BSD-3-Clause
#include "kv/http_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/util.h"

#define MAX_SHORT	16 // connections that requests share
#define REST_US		100000
#define MIN_ATTEMPT_MS	500
#define MAX_REPLY_BYTES ((size_t)256 << 20)

static void pump(struct http *http);

static void move(struct http_request *req, struct http_list *list, bool first)
{
	struct http *http = req->http;

	if (req->list)
		TAILQ_REMOVE(req->list, req, entry);
	if (!req->is_long && req->list == &http->active)
		http->nb_short--;
	if (!req->is_long && list == &http->active)
		http->nb_short++;
	req->list = list;
	if (!list)
		return;
	if (first)
		TAILQ_INSERT_HEAD(list, req, entry);
	else
		TAILQ_INSERT_TAIL(list, req, entry);
}

static void leave_curl(struct http_request *req)
{
	if (req->list == &req->http->active)
		curl_multi_remove_handle(req->http->multi, req->easy);
}

static void free_request(struct http_request *req)
{
	leave_curl(req);
	move(req, NULL, false);
	if (req->http->telling == req)
		req->http->telling = NULL;
	curl_easy_cleanup(req->easy);
	curl_slist_free_all(req->headers);
	text_free(&req->reply);
	free(req->path);
	free(req->body);
	free(req);
}

// ---- the end of a request ----

static void finish(struct http_request *req, int rc, long status, const char *reason)
{
	struct http_reply reply = {.rc = rc,
		.status = status,
		.body = req->reply.data ? req->reply.data : "",
		.len_bytes = req->reply.len_bytes,
		.index = req->index,
		.reason = reason};

	// Whoever is told may ask for more: libcurl must be through with this one.
	leave_curl(req);
	move(req, NULL, false);
	req->on_done(req->arg, &reply);
	free_request(req);
}

static int rc_of(const struct http_request *req, CURLcode code)
{
	switch (code) {
	case CURLE_OK:
		return 0;
	case CURLE_OPERATION_TIMEDOUT:
		return -ETIMEDOUT;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
		return -ECONNREFUSED;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
		return -EACCES;
	case CURLE_OUT_OF_MEMORY:
		return -ENOMEM;
	default:
		return req->too_large ? -E2BIG : -ECONNRESET;
	}
}

// libcurl's own words have times in them; the same reason should read the same.
static const char *words_of(struct http_request *req, int rc, char *buf, size_t size)
{
	const char *server = req->http->servers[req->server];
	const char *what = rc == -EACCES ? req->words : strerror(-rc);

	snprintf(buf, size, "%s: %s", server, what);
	return buf;
}

// The server is not the present one any more, and what hangs on it goes elsewhere.
static void server_failed(struct http *http, unsigned server)
{
	struct http_request *req;

	if (server == http->present)
		http->present = (server + 1) % http->nb_servers;
	do {
		TAILQ_FOREACH (req, &http->active, entry) {
			if (req->is_long && req->server == server)
				break;
		}
		if (req)
			finish(req, -ECONNRESET, 0, "the server failed");
	} while (req);
}

static bool says_no_leader(const struct http_request *req)
{
	return req->reply.data && (strcasestr(req->reply.data, "no leader") ||
					  strcasestr(req->reply.data, "no cluster leader"));
}

static void rest(struct http_request *req, int rc, uint64_t delay_us)
{
	struct http *http = req->http;

	// Those that rest already are not made to wait for longer.
	if (delay_us == 0 || TAILQ_EMPTY(&http->resting))
		loop_timer_once(http->wake_timer, delay_us);
	req->rc = rc;
	move(req, &http->resting, false);
}

static void try_again(struct http_request *req)
{
	struct http *http = req->http;

	leave_curl(req);
	if (req->nb_attempts % http->nb_servers == 0)
		rest(req, 0, REST_US);
	else
		move(req, &http->waiting, true);
}

static void attempt_ended(struct http_request *req, CURLcode code)
{
	struct http *http = req->http;
	long status = 0, sent_bytes = 0;
	bool rejected, in_time = monotonic_us() < req->deadline_us;
	unsigned server = req->server;
	char words[400];
	int rc = rc_of(req, code);

	curl_easy_getinfo(req->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(req->easy, CURLINFO_REQUEST_SIZE, &sent_bytes);
	req->nb_attempts++;
	req->nb_refused = rc < 0 ? req->nb_refused + 1 : 0;
	if (rc == -E2BIG || rc == -ENOMEM || (rc == 0 && status < 500)) {
		finish(req, rc, status, rc ? words_of(req, rc, words, sizeof(words)) : "");
		return;
	}
	rejected = rc == 0 && says_no_leader(req);
	req->was_sent |= sent_bytes > 0 && !rejected;
	if (!req->is_long && in_time && req->nb_refused < http->nb_servers &&
		(req->is_repeatable || !req->was_sent)) {
		try_again(req);
	} else if (rc < 0) {
		words_of(req, rc, words, sizeof(words));
		finish(req, req->was_sent && rc != -EACCES ? -ETIMEDOUT : rc, 0, words);
	} else {
		finish(req, 0, status, "");
	}
	server_failed(http, server);
}

// ---- libcurl ----

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
	struct http_request *req = arg;

	// What is not used of a stream counts too: a line without an end.
	if (req->reply.len_bytes + count > MAX_REPLY_BYTES) {
		req->too_large = true;
		return 0;
	}
	text_add(&req->reply, data, count);
	req->has_data = req->http->has_data = true;
	return req->reply.failed ? 0 : count;
}

static size_t on_header(char *data, size_t size, size_t count, void *arg)
{
	static const char name[] = "X-Consul-Index:";
	struct http_request *req = arg;

	if (count > sizeof(name) - 1 && strncasecmp(data, name, sizeof(name) - 1) == 0)
		req->index = strtoull(data + sizeof(name) - 1, NULL, 10);
	return count;
}

static bool tell_one(struct http *http)
{
	struct http_request *req;
	long status = 0;
	size_t used;

	TAILQ_FOREACH (req, &http->active, entry) {
		if (req->has_data && req->on_data)
			break;
	}
	if (!req)
		return false;
	req->has_data = false;
	curl_easy_getinfo(req->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200)
		return true;
	http->telling = req;
	used = req->on_data(req->arg, req->reply.data, req->reply.len_bytes);
	if (http->telling)
		text_drop(&req->reply, used);
	http->telling = NULL;
	return true;
}

// Calls back for all that libcurl has done. Not from its own callbacks, where it may not be called.
static void serve(struct http *http)
{
	CURLMsg *msg;
	int left;

	if (http->has_data) {
		http->has_data = false;
		while (tell_one(http))
			;
	}
	while ((msg = curl_multi_info_read(http->multi, &left))) {
		struct http_request *req;

		if (msg->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&req);
		attempt_ended(req, msg->data.result);
	}
	pump(http);
}

struct watched {
	struct http *http;
	struct loop_handle *handle;
	curl_socket_t fd;
};

static void on_ready(void *arg)
{
	struct watched *w = arg;
	struct http *http = w->http;
	int running;

	// What is ready libcurl finds by itself. It may end `w`.
	curl_multi_socket_action(http->multi, w->fd, 0, &running);
	serve(http);
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *watched)
{
	struct watched *w = watched;
	struct http *http = arg;

	if (what == CURL_POLL_REMOVE) {
		if (w)
			loop_del(http->loop, w->handle);
		free(w);
		return 0;
	}
	if (!w) {
		w = calloc(1, sizeof(*w));
		if (!w)
			return -1;
		*w = (struct watched){http, NULL, fd};
		w->handle = loop_add_fd(http->loop, fd, on_ready, w);
		if (!w->handle) {
			free(w);
			return -1;
		}
		curl_multi_assign(http->multi, fd, w);
	}
	loop_fd_events(w->handle,
		(what & CURL_POLL_IN ? LOOP_READ : 0) | (what & CURL_POLL_OUT ? LOOP_WRITE : 0));
	return 0;
}

static int on_timer(CURLM *multi, long ms, void *arg)
{
	struct http *http = arg;

	if (ms < 0)
		loop_timer_set(http->timer, 0);
	else
		loop_timer_once(http->timer, (uint64_t)ms * 1000);
	return 0;
}

static void on_timeout(void *arg)
{
	struct http *http = arg;
	int running;

	curl_multi_socket_action(http->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	serve(http);
}

// ---- beginning ----

static void set_tls(struct http *http, CURL *easy)
{
	if (http->ca_file)
		curl_easy_setopt(easy, CURLOPT_CAINFO, http->ca_file);
	if (http->cert_file)
		curl_easy_setopt(easy, CURLOPT_SSLCERT, http->cert_file);
	if (http->key_file)
		curl_easy_setopt(easy, CURLOPT_SSLKEY, http->key_file);
}

static void set_options(struct http_request *req)
{
	CURL *easy = req->easy;

	curl_easy_setopt(easy, CURLOPT_PRIVATE, req);
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, req->method);
	if (req->body) {
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, req->body);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)req->len_bytes);
	}
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, req->headers);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, req);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, req);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, req->words);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	// One connection a request, so that a stalled one holds up nobody else.
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, 10L);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, 3L);
	set_tls(req->http, easy);
}

// One of several servers gets its share of the time that is left.
static void set_times(struct http_request *req)
{
	struct http *http = req->http;
	uint64_t now_us = monotonic_us();
	long left_ms = req->deadline_us > now_us ? (req->deadline_us - now_us + 999) / 1000 : 1;
	long share_ms = left_ms / (http->nb_servers - req->nb_attempts % http->nb_servers);

	share_ms = MIN_OF(MAX_OF(share_ms, MIN_ATTEMPT_MS), left_ms);
	curl_easy_setopt(req->easy, CURLOPT_CONNECTTIMEOUT_MS, share_ms);
	if (req->is_long)
		curl_easy_setopt(req->easy, CURLOPT_TIMEOUT_MS, (long)req->long_ms);
	else
		curl_easy_setopt(
			req->easy, CURLOPT_TIMEOUT_MS, req->is_repeatable ? share_ms : left_ms);
}

static void start(struct http_request *req)
{
	struct http *http = req->http;
	struct text url = {0};

	if (monotonic_us() >= req->deadline_us) {
		rest(req, -ETIMEDOUT, 0);
		return;
	}
	req->server = http->present;
	text_drop(&req->reply, req->reply.len_bytes);
	text_addf(&url, "%s%s", http->servers[req->server], req->path);
	if (!url.failed)
		curl_easy_setopt(req->easy, CURLOPT_URL, url.data);
	set_times(req);
	if (url.failed || curl_multi_add_handle(http->multi, req->easy) != CURLM_OK)
		rest(req, -ENOMEM, 0);
	else
		move(req, &http->active, false);
	text_free(&url);
}

static void pump(struct http *http)
{
	struct http_request *req, *next;

	for (req = TAILQ_FIRST(&http->waiting); req; req = next) {
		next = TAILQ_NEXT(req, entry);
		if (req->is_long || http->nb_short < MAX_SHORT)
			start(req);
	}
}

static void wake_up(void *arg)
{
	struct http_request *req;
	struct http *http = arg;
	struct http_list ended = TAILQ_HEAD_INITIALIZER(ended);

	while ((req = TAILQ_FIRST(&http->resting)))
		move(req, req->rc ? &ended : &http->waiting, false);
	while ((req = TAILQ_FIRST(&ended))) {
		char words[400];

		finish(req, req->rc, 0, words_of(req, req->rc, words, sizeof(words)));
	}
	pump(http);
}

struct http_request *http_send(struct http *http, const struct http_call *call)
{
	struct http_request *req = calloc(1, sizeof(*req));
	bool ok;

	if (!req)
		return NULL;
	req->http = http;
	req->method = call->method;
	req->is_repeatable = call->is_repeatable;
	req->is_long = call->is_long;
	req->long_ms = call->long_ms;
	req->on_data = call->on_data;
	req->on_done = call->on_done;
	req->arg = call->arg;
	req->len_bytes = call->len_bytes;
	req->deadline_us = monotonic_us() + (uint64_t)http->timeout_ms * 1000;
	req->easy = curl_easy_init();
	req->path = strdup(call->path);
	req->body = call->body ? malloc(call->len_bytes + 1) : NULL;
	req->headers = curl_slist_append(NULL, "Expect:");
	ok = req->easy && req->path && req->headers && (req->body || !call->body);
	for (unsigned i = 0; ok && i < HTTP_NB_HEADERS && call->headers[i]; i++)
		ok = curl_slist_append(req->headers, call->headers[i]) != NULL;
	if (!ok) {
		free_request(req);
		return NULL;
	}
	if (call->body)
		memcpy(req->body, call->body, call->len_bytes);
	set_options(req);
	move(req, &http->waiting, false);
	pump(http);
	return req;
}

void http_cancel(struct http *http, struct http_request *req)
{
	if (req)
		free_request(req);
}

// ---- all of it ----

static char *copy_of(const char *text)
{
	return text && text[0] ? strdup(text) : NULL;
}

int http_new(const struct kv_opts *opts, const char *rest, unsigned port, struct http **ret_http,
	char *ret_prefix, size_t prefix_bytes, struct err *err)
{
	struct http *http = calloc(1, sizeof(*http));
	bool tls;
	int rc;

	if (!http)
		return err_set_errno(err, -ENOMEM, opts->url, "cannot open the store");
	TAILQ_INIT(&http->waiting);
	TAILQ_INIT(&http->active);
	TAILQ_INIT(&http->resting);
	http->loop = opts->loop;
	http->timeout_ms = opts->timeout_ms;
	http->ca_file = copy_of(opts->ca_file);
	http->cert_file = copy_of(opts->cert_file);
	http->key_file = copy_of(opts->key_file);
	tls = http->ca_file || http->cert_file || http->key_file;
	rc = http_parse_servers(http, opts->url, rest, port, tls, ret_prefix, prefix_bytes, err);
	if (rc < 0)
		goto err;
	rc = -ENOMEM;
	curl_global_init(CURL_GLOBAL_DEFAULT);
	http->multi = curl_multi_init();
	http->timer = loop_add_timer(opts->loop, 0, on_timeout, http);
	http->wake_timer = loop_add_timer(opts->loop, 0, wake_up, http);
	if (!http->multi || !http->timer || !http->wake_timer) {
		err_set_errno(err, rc, opts->url, "cannot open the store");
		goto err;
	}
	curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http);
	curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http);
	curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, (long)(2 * MAX_SHORT));
	*ret_http = http;
	return 0;
err:
	http_free(http);
	return rc;
}

void http_free(struct http *http)
{
	struct http_list *lists[] = {&http->waiting, &http->active, &http->resting};
	struct http_request *req;

	for (unsigned i = 0; i < ARRAY_SIZE(lists); i++) {
		while ((req = TAILQ_FIRST(lists[i])))
			free_request(req);
	}
	if (http->multi)
		curl_multi_cleanup(http->multi);
	loop_del(http->loop, http->timer);
	loop_del(http->loop, http->wake_timer);
	http_free_servers(http);
	free(http->ca_file);
	free(http->cert_file);
	free(http->key_file);
	free(http);
}
