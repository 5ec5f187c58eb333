// SPDX-License-Identifier: BSD-3-Clause
// Between the files of http.h.
#pragma once

#include <sys/queue.h>

#include <curl/curl.h>

#include "base/text.h"
#include "kv/http.h"

TAILQ_HEAD(http_list, http_request);

struct http {
	struct loop *loop;
	CURLM *multi;
	struct loop_handle *timer;	// libcurl's
	struct loop_handle *wake_timer; // of `resting`
	char **servers;			// "http://h1:2379"
	unsigned nb_servers, present;
	unsigned timeout_ms;
	char *ca_file, *cert_file, *key_file;
	struct http_list waiting;     // for less to be under way
	struct http_list active;      // libcurl has them
	struct http_list resting;     // all servers failed, or it could not be started
	unsigned nb_short;	      // active that are not long
	bool has_data;		      // some active one
	struct http_request *telling; // its on_data() is running
};

struct http_request {
	TAILQ_ENTRY(http_request) entry;
	struct http *http;
	struct http_list *list; // it is in
	CURL *easy;
	struct curl_slist *headers;
	char *path, *body;
	const char *method;
	size_t len_bytes;
	bool is_repeatable, is_long;
	unsigned long_ms;
	http_data_fn *on_data;
	http_done_fn *on_done;
	void *arg;

	uint64_t deadline_us;
	unsigned server;      // of the present attempt
	unsigned nb_attempts; // that have ended
	unsigned nb_refused;  // of the last ones in a row
	bool was_sent;	      // some attempt may have reached a server
	bool has_data, too_large;
	int rc; // what it ends with when it has rested; 0: it is tried again
	struct text reply;
	uint64_t index;
	char words[CURL_ERROR_SIZE];
};

int http_parse_servers(struct http *http, const char *url, const char *rest, unsigned port,
	bool tls, char *ret_prefix, size_t prefix_bytes, struct err *err);
void http_free_servers(struct http *http);
