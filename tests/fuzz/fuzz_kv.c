// SPDX-License-Identifier: BSD-3-Clause
// What stores answer over HTTP: whatever bytes come are taken or refused, keys are texts inside of
// what was asked for, and lists of Consul are sorted. The first byte says as what the rest is read.
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "kv/consul_json.h"
#include "kv/etcd_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(int condition)
{
	if (!condition)
		abort();
}

static void check_pairs(const struct pairs *pairs)
{
	for (size_t i = 0; i < pairs->count; i++) {
		const struct kv_pair *pair = &pairs->list[i];

		demand(strlen(pair->key) < SIZE_MAX);
		demand(pair->value[pair->len_bytes] == '\0');
	}
}

static void read_etcd(const char *text, size_t len_bytes)
{
	struct etcd_header header;
	struct etcd_message msg;
	struct pairs pairs = {0};
	uint64_t id, ttl_s;
	char token[64];
	bool flag;

	etcd_parse_range(text, len_bytes, "t/", &pairs, &header, &flag);
	check_pairs(&pairs);
	pairs_free(&pairs);
	etcd_parse_txn(text, len_bytes, &header, &flag);
	etcd_parse_lease(text, len_bytes, &header, &id, &ttl_s);
	if (etcd_parse_token(text, len_bytes, token, sizeof(token)) == 0)
		demand(token[0] && !strpbrk(token, "\r\n"));
	if (etcd_parse_message(text, len_bytes, "t/", &msg) == 0) {
		check_pairs(&msg.pairs);
		etcd_message_fini(&msg);
	}
}

static void read_consul(const char *text, size_t len_bytes)
{
	char id[CONSUL_ID_BYTES];
	struct pairs pairs = {0};
	uint64_t revision;

	if (consul_parse_pairs(text, len_bytes, "t/", &pairs) == 0) {
		for (size_t i = 1; i < pairs.count; i++)
			demand(strcmp(pairs.list[i - 1].key, pairs.list[i].key) <= 0);
	}
	check_pairs(&pairs);
	pairs_free(&pairs);
	consul_parse_txn(text, len_bytes, &revision);
	if (consul_parse_session(text, len_bytes, id) == 0)
		demand(id[0] && !strpbrk(id, "/?%"));
}

static void read_errors(const char *text, size_t len_bytes)
{
	static const int status[] = {400, 401, 403, 404, 409, 413, 500, 503};
	char words[300];

	for (unsigned i = 0; i < sizeof(status) / sizeof(status[0]); i++) {
		demand(etcd_parse_error(status[i], text, len_bytes, words, sizeof(words)) < 0);
		demand(strlen(words) < sizeof(words));
		demand(consul_parse_error(status[i], text, len_bytes, words, sizeof(words)) < 0);
		demand(strlen(words) < sizeof(words));
	}
}

// Both ways, and what is no base64 stays refused.
static void read_base64(const char *bytes, size_t len_bytes)
{
	char *back = malloc(len_bytes + 4);
	struct text text = {0};
	long len;

	text_add_base64(&text, bytes, len_bytes);
	len = text_from_base64(text.data ? text.data : "", text.len_bytes, back);
	demand(len == (long)len_bytes && memcmp(back, bytes, len_bytes) == 0);
	len = text_from_base64(bytes, len_bytes, back);
	demand(len <= (long)len_bytes);
	text_free(&text);
	text_add_json(&text, bytes);
	text_add_url(&text, bytes);
	text_free(&text);
	free(back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	if (size == 0)
		return 0;
	text = calloc(1, size);
	memcpy(text, data + 1, size - 1);
	switch (data[0]) {
	case 'e':
		read_etcd(text, size - 1);
		break;
	case 'c':
		read_consul(text, size - 1);
		break;
	case 'b':
		read_base64(text, size - 1);
		break;
	default:
		read_errors(text, size - 1);
		break;
	}
	free(text);
	return 0;
}
