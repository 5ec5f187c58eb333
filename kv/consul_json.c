// SPDX-License-Identifier: BSD-3-Clause
#include "kv/consul_json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/member.h"

static uint64_t number(const json_t *obj, const char *name)
{
	json_int_t value = member_int(obj, name);

	return value > 0 ? value : 0;
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct kv_pair *)a)->key, ((const struct kv_pair *)b)->key);
}

int consul_parse_pairs(const char *text, size_t len_bytes, const char *prefix, struct pairs *pairs)
{
	json_t *root = json_loadb(text, len_bytes, 0, NULL), *obj;
	size_t i, len = strlen(prefix);
	int rc = json_is_array(root) ? 0 : -EIO;

	json_array_foreach (root, i, obj) {
		const char *key = member_text(obj, "Key");

		if (strncmp(key, prefix, len) != 0 || !key[len] || key[strlen(key) - 1] == '/')
			continue;
		rc = pairs_add_base64(pairs, key + len, false, member_text(obj, "Value"),
			number(obj, "ModifyIndex"));
		if (rc < 0)
			break;
	}
	json_decref(root);
	if (rc == 0 && pairs->count > 1)
		qsort(pairs->list, pairs->count, sizeof(*pairs->list), compare);
	return rc == -EINVAL ? -EIO : rc;
}

int consul_parse_txn(const char *text, size_t len_bytes, uint64_t *ret_revision)
{
	json_t *root = json_loadb(text, len_bytes, 0, NULL), *result;
	int rc = json_is_object(root) ? 0 : -EIO;
	uint64_t revision = 0;
	size_t i;

	json_array_foreach (json_object_get(root, "Results"), i, result) {
		uint64_t index = number(json_object_get(result, "KV"), "ModifyIndex");

		revision = index > revision ? index : revision;
	}
	json_decref(root);
	if (rc == 0)
		*ret_revision = revision;
	return rc;
}

int consul_parse_session(const char *text, size_t len_bytes, char ret_id[CONSUL_ID_BYTES])
{
	json_t *root = json_loadb(text, len_bytes, 0, NULL);
	const char *id = member_text(root, "ID");
	size_t len = strlen(id);
	int rc = -EIO;

	// It becomes part of a path.
	if (len > 0 && len < CONSUL_ID_BYTES && strspn(id, "0123456789abcdefABCDEF-") == len) {
		memcpy(ret_id, id, len + 1);
		rc = 0;
	}
	json_decref(root);
	return rc;
}

int consul_parse_error(
	int status, const char *text, size_t len_bytes, char *ret_words, size_t words_bytes)
{
	json_t *root = json_loadb(text, len_bytes, 0, NULL);
	const char *what = member_text(json_array_get(json_object_get(root, "Errors"), 0), "What");
	size_t len;
	int rc = -EIO;

	if (!what[0])
		what = text ? text : "";
	len = strcspn(what, "\r\n");
	snprintf(ret_words, words_bytes, "Consul answers %d: %.*s", status,
		(int)(len < 200 ? len : 200), what);
	if (status == 401 || status == 403 || strstr(what, "ermission denied") ||
		strstr(what, "ACL not found"))
		rc = -EACCES;
	else if (status == 404)
		rc = -ENOENT;
	else if (status == 409)
		rc = -ESTALE;
	else if (status == 413 || strstr(what, "exceeds"))
		rc = -E2BIG;
	else if (strstr(what, "leader") || status == 502 || status == 503 || status == 504)
		rc = -ETIMEDOUT;
	json_decref(root);
	return rc;
}
