// SPDX-License-Identifier: BSD-3-Clause
// Any bytes as a key (the first line) and a value (the rest): refused with a reason, or taken, and
// then what is printed is taken again and printed the same.
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "netd/record/record.h"

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void check_refused(int rc, const char *key, const struct err *err)
{
	require(rc == -EBADMSG || rc == -EPROTONOSUPPORT);
	require(err->code == rc && err->reason[0]);
	require(strncmp(err->path, key, sizeof(err->path) - 1) == 0);
}

// What record_key_parse() takes, record_key_*() writes.
static void check_key(const char *key, const struct record_key *k)
{
	char buf[RECORD_KEY_BYTES];

	switch (k->kind) {
	case RECORD_HOST:
		require(!strcmp(record_key_host(buf, k->name), key));
		break;
	case RECORD_NETWORK:
		require(!strcmp(record_key_network(buf, k->name), key));
		break;
	case RECORD_BLOCK:
		require(!strcmp(record_key_block(buf, k->net, &k->cidr), key));
		break;
	case RECORD_ENDPOINT:
		require(!strcmp(record_key_endpoint(buf, k->net, &k->cidr.ip), key));
		break;
	default:
		break;
	}
}

static void check_host(const char *key, const char *value, size_t len_bytes)
{
	struct host_record rec, back;
	struct err err = {0};
	char *text, *again;
	int rc = host_record_parse(key, value, len_bytes, &rec, &err);

	if (rc < 0) {
		check_refused(rc, key, &err);
		return;
	}
	text = host_record_print(&rec);
	require(text && host_record_parse(key, text, strlen(text), &back, NULL) == 0);
	again = host_record_print(&back);
	require(again && !strcmp(text, again));
	free(text);
	free(again);
}

static void check_block(const char *key, const char *value, size_t len_bytes)
{
	struct block_record rec, back;
	struct err err = {0};
	char *text, *again;
	int rc = block_record_parse(key, value, len_bytes, &rec, &err);

	if (rc < 0) {
		check_refused(rc, key, &err);
		return;
	}
	text = block_record_print(&rec);
	require(text && block_record_parse(key, text, strlen(text), &back, NULL) == 0);
	again = block_record_print(&back);
	require(again && !strcmp(text, again));
	free(text);
	free(again);
}

static void check_cluster(const char *key, const char *value, size_t len_bytes)
{
	struct cluster_record rec, back;
	struct err err = {0};
	char *text;
	int rc = cluster_record_parse(key, value, len_bytes, &rec, &err);

	if (rc < 0) {
		check_refused(rc, key, &err);
		return;
	}
	text = cluster_record_print(&rec);
	require(text && cluster_record_parse(key, text, strlen(text), &back, NULL) == 0);
	require(!strcmp(rec.id, back.id));
	free(text);
}

static void check_network(const char *key, const char *value, size_t len_bytes)
{
	struct network_record rec, back, copy;
	struct err err = {0};
	char *text, *again;
	int rc = network_record_parse(key, value, len_bytes, &rec, &err);

	if (rc < 0) {
		check_refused(rc, key, &err);
		return;
	}
	text = network_record_print(&rec);
	require(text && network_record_parse(key, text, strlen(text), &back, NULL) == 0);
	require(network_record_copy(&back, &copy) == 0);
	again = network_record_print(&copy);
	require(again && !strcmp(text, again));
	free(text);
	free(again);
	network_record_fini(&rec);
	network_record_fini(&back);
	network_record_fini(&copy);
}

static void check_endpoint(const char *key, const char *value, size_t len_bytes)
{
	struct endpoint_record rec, back, copy;
	struct err err = {0};
	char *text, *again;
	int rc = endpoint_record_parse(key, value, len_bytes, &rec, &err);

	if (rc < 0) {
		check_refused(rc, key, &err);
		return;
	}
	text = endpoint_record_print(&rec);
	require(text && endpoint_record_parse(key, text, strlen(text), &back, NULL) == 0);
	require(endpoint_record_compare(&rec, &back) == 0);
	require(endpoint_record_copy(&back, &copy) == 0);
	again = endpoint_record_print(&copy);
	require(again && !strcmp(text, again));
	free(text);
	free(again);
	endpoint_record_fini(&rec);
	endpoint_record_fini(&back);
	endpoint_record_fini(&copy);
}

// All parsers take any key: one of another kind never agrees with the value.
static void check(const char *key, const char *value, size_t len_bytes)
{
	struct record_key k;

	record_key_parse(key, &k);
	check_key(key, &k);
	check_host(key, value, len_bytes);
	check_block(key, value, len_bytes);
	check_cluster(key, value, len_bytes);
	check_network(key, value, len_bytes);
	check_endpoint(key, value, len_bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len_bytes)
{
	const uint8_t *line = memchr(data, '\n', len_bytes);
	size_t key_bytes = line ? line - data : len_bytes;
	char *key = strndup((const char *)data, key_bytes);

	require(key);
	if (line)
		check(key, (const char *)line + 1, len_bytes - key_bytes - 1);
	else
		check(key, "", 0);
	free(key);
	return 0;
}
