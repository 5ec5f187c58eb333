// SPDX-License-Identifier: BSD-3-Clause
#include "kv/etcd_json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/member.h"

// gRPC's numbers.
enum {
	INVALID_ARGUMENT = 3,
	NOT_FOUND = 5,
	PERMISSION_DENIED = 7,
	RESOURCE_EXHAUSTED = 8,
	FAILED_PRECONDITION = 9,
	OUT_OF_RANGE = 11,
	UNAVAILABLE = 14,
	UNAUTHENTICATED = 16
};

static json_t *load(const char *text, size_t len_bytes)
{
	json_t *root = json_loadb(text, len_bytes, 0, NULL);

	if (json_is_object(root))
		return root;
	json_decref(root);
	return NULL;
}

// 64-bit numbers are texts in JSON of protobuf, and what is zero is left out.
static uint64_t number(const json_t *obj, const char *name)
{
	const json_t *value = json_object_get(obj, name);

	if (json_is_string(value))
		return strtoull(json_string_value(value), NULL, 10);
	return json_is_integer(value) && json_integer_value(value) > 0 ? json_integer_value(value)
								       : 0;
}

static bool parse_header(const json_t *root, struct etcd_header *header)
{
	const json_t *obj = json_object_get(root, "header");

	header->cluster = number(obj, "cluster_id");
	header->revision = number(obj, "revision");
	return json_is_object(obj);
}

// Returns 1 when it is one of ours and was added.
static int add_pair(const json_t *kv, const char *prefix, struct pairs *pairs)
{
	size_t len = strlen(prefix);
	struct kv_pair *pair;
	int rc;

	rc = pairs_add_base64(pairs, member_text(kv, "key"), true, member_text(kv, "value"),
		number(kv, "mod_revision"));
	if (rc == -ENOMEM)
		return rc;
	if (rc < 0) // a key with a zero in it: not one of ours
		return 0;
	pair = &pairs->list[pairs->count - 1];
	if (strncmp(pair->key, prefix, len) == 0) {
		// The key is the beginning of the piece of memory, which pairs_free() frees.
		memmove((char *)pair->key, pair->key + len, strlen(pair->key + len) + 1);
		return 1;
	}
	free((char *)pair->key);
	pairs->count--;
	return 0;
}

int etcd_parse_range(const char *text, size_t len_bytes, const char *prefix, struct pairs *pairs,
	struct etcd_header *ret_header, bool *ret_more)
{
	json_t *root = load(text, len_bytes), *kv;
	struct etcd_header header;
	size_t i;
	int rc = -EIO;

	if (root && parse_header(root, &header)) {
		rc = 0;
		json_array_foreach (json_object_get(root, "kvs"), i, kv) {
			rc = add_pair(kv, prefix, pairs);
			if (rc < 0)
				break;
			rc = 0;
		}
	}
	if (rc == 0) {
		*ret_header = header;
		*ret_more = member_flag(root, "more");
	}
	json_decref(root);
	return rc;
}

int etcd_parse_txn(
	const char *text, size_t len_bytes, struct etcd_header *ret_header, bool *ret_succeeded)
{
	json_t *root = load(text, len_bytes);
	struct etcd_header header;
	int rc = -EIO;

	if (root && parse_header(root, &header)) {
		*ret_header = header;
		*ret_succeeded = member_flag(root, "succeeded");
		rc = 0;
	}
	json_decref(root);
	return rc;
}

int etcd_parse_lease(const char *text, size_t len_bytes, struct etcd_header *ret_header,
	uint64_t *ret_id, uint64_t *ret_ttl_s)
{
	json_t *root = load(text, len_bytes);
	const json_t *obj = json_object_get(root, "result"); // a keepalive is a stream of one
	struct etcd_header header;
	int rc = -EIO;

	if (!obj)
		obj = root;
	if (obj && parse_header(obj, &header)) {
		*ret_header = header;
		*ret_id = number(obj, "ID");
		*ret_ttl_s = number(obj, "TTL");
		rc = 0;
	}
	json_decref(root);
	return rc;
}

int etcd_parse_token(const char *text, size_t len_bytes, char *ret_token, size_t token_bytes)
{
	json_t *root = load(text, len_bytes);
	const char *token = member_text(root, "token");
	size_t len = strlen(token);
	int rc = -EIO;

	// It becomes part of a header.
	if (len > 0 && len < token_bytes && strcspn(token, "\r\n") == len) {
		memcpy(ret_token, token, len + 1);
		rc = 0;
	}
	json_decref(root);
	return rc;
}

static int add_events(const json_t *list, const char *prefix, struct etcd_message *msg)
{
	size_t i, count = json_array_size(list);
	json_t *event;

	msg->deleted = calloc(count + 1, sizeof(*msg->deleted));
	if (!msg->deleted)
		return -ENOMEM;
	json_array_foreach (list, i, event) {
		int rc = add_pair(json_object_get(event, "kv"), prefix, &msg->pairs);

		if (rc < 0)
			return rc;
		if (rc == 1)
			msg->deleted[msg->pairs.count - 1] =
				strcmp(member_text(event, "type"), "DELETE") == 0;
	}
	return 0;
}

int etcd_parse_message(
	const char *text, size_t len_bytes, const char *prefix, struct etcd_message *ret_msg)
{
	json_t *root = load(text, len_bytes);
	const json_t *result = json_object_get(root, "result");
	const json_t *error = json_object_get(root, "error");
	struct etcd_message msg = {0};
	int rc = -EIO;

	if (result && parse_header(result, &msg.header)) {
		msg.created = member_flag(result, "created");
		msg.canceled = member_flag(result, "canceled");
		msg.compacted = msg.canceled && number(result, "compact_revision") > 0;
		snprintf(
			msg.reason, sizeof(msg.reason), "%s", member_text(result, "cancel_reason"));
		rc = add_events(json_object_get(result, "events"), prefix, &msg);
	} else if (error) {
		msg.canceled = true;
		snprintf(msg.reason, sizeof(msg.reason), "%s", member_text(error, "message"));
		rc = 0;
	}
	json_decref(root);
	if (rc < 0)
		etcd_message_fini(&msg);
	else
		*ret_msg = msg;
	return rc;
}

void etcd_message_fini(struct etcd_message *msg)
{
	pairs_free(&msg->pairs);
	free(msg->deleted);
}

static int rc_of_code(uint64_t code, const char *words)
{
	switch (code) {
	case INVALID_ARGUMENT:
		if (strstr(words, "too large") || strstr(words, "too many operations"))
			return -E2BIG;
		if (strstr(words, "revision in header is old"))
			return -EAGAIN;
		return strstr(words, "user") || strstr(words, "auth") ? -EACCES : -EIO;
	case NOT_FOUND: // the only thing that requests name and etcd looks for: a lease
		return -ESTALE;
	case PERMISSION_DENIED:
		return -EACCES;
	case RESOURCE_EXHAUSTED:
		return strstr(words, "space exceeded") ? -ENOSPC : -E2BIG;
	case OUT_OF_RANGE:
		return -ERANGE;
	case UNAVAILABLE:
		return -ETIMEDOUT;
	case UNAUTHENTICATED:
		return -EAGAIN;
	default:
		return strstr(words, "context deadline") ? -ETIMEDOUT : -EIO;
	}
}

int etcd_parse_error(
	int status, const char *text, size_t len_bytes, char *ret_words, size_t words_bytes)
{
	json_t *root = load(text, len_bytes);
	const json_t *error = json_object_get(root, "error");
	const char *words;
	uint64_t code;

	// Of a stream it is an object.
	if (json_is_object(error)) {
		words = member_text(error, "message");
		code = number(error, "grpc_code");
	} else {
		words = member_text(root, "error");
		code = number(root, "code");
	}
	if (!words[0]) {
		// It ends with a zero. Of something before it: a proxy, or Go's own server.
		len_bytes = strcspn(text, "\r\n");
		len_bytes = len_bytes < 200 ? len_bytes : 200;
		snprintf(ret_words, words_bytes, "etcd answers %d: %.*s", status, (int)len_bytes,
			text);
	} else {
		snprintf(ret_words, words_bytes, "etcd answers %d: %.200s", status, words);
	}
	code = (code || status < 500) ? code : UNAVAILABLE;
	status = rc_of_code(code, words);
	json_decref(root);
	return status;
}
