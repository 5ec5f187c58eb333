// SPDX-License-Identifier: BSD-3-Clause
// Requests to servers of one store that speak HTTP, on the event loop. Any of the servers is as
// good as the others: a request goes to the present one, and to the next when that cannot be
// reached, does not answer in its time, or says that it cannot serve now (5xx). What failed is not
// asked first any more, and the streams that hung on it end, to be asked for elsewhere.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kv/kv.h"

#define HTTP_NB_HEADERS 3

struct http;
struct http_request;

struct http_reply {
	// 0: an answer came, whatever its status; -ETIMEDOUT, -ECONNREFUSED, -ECONNRESET, -EACCES
	// (TLS: they do not trust each other), -E2BIG (the answer).
	int rc;
	int status;
	const char *body; // ends with a zero that is not counted
	size_t len_bytes;
	uint64_t index;	    // X-Consul-Index, 0: none
	const char *reason; // of rc, or of a status that is an error without a body
};

// Replies and data are borrowed for the time of the callback.
typedef void http_done_fn(void *arg, const struct http_reply *reply);
// What has come of a stream and was not used yet; returns how much of it is done with.
typedef size_t http_data_fn(void *arg, const char *data, size_t len_bytes);

struct http_call {
	const char *method; // "GET", "PUT", "POST", "DELETE"
	const char *path;   // with what follows '?'
	const char *body;   // NULL: none
	size_t len_bytes;
	const char *headers[HTTP_NB_HEADERS]; // "Name: value"; NULL: none
	// It may be made twice. One that must not be is given to another server only when the first
	// one cannot have begun with it.
	bool is_repeatable;
	// For streams and long polls: no share of the servers' time, no other server, no end but
	// this (0: none).
	bool is_long;
	unsigned long_ms;
	http_data_fn *on_data; // of a stream with status 200
	http_done_fn *on_done;
	void *arg;
};

// Whether http_new() takes these: a driver's check(). `prefix_bytes` is 512 at most.
int http_check(const struct kv_opts *opts, const char *rest, size_t prefix_bytes, struct err *err);

// `rest` is "//h1:2379,h2,[::1]:2379/a/prefix"; servers without a port get `port`. `ret_prefix` is
// "" or "a/prefix/".
int http_new(const struct kv_opts *opts, const char *rest, unsigned port, struct http **ret_http,
	char *ret_prefix, size_t prefix_bytes, struct err *err);
void http_free(struct http *http); // nobody is called any more

// All is copied. The callback comes from the loop, once, unless it is cancelled; NULL: no memory.
struct http_request *http_send(struct http *http, const struct http_call *call);
void http_cancel(struct http *http, struct http_request *req); // NULL is fine
