// SPDX-License-Identifier: BSD-3-Clause
#include "kv/pairs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static struct kv_pair *add(struct pairs *p)
{
	if (p->count == p->capacity) {
		size_t capacity = p->capacity ? 2 * p->capacity : 16;
		struct kv_pair *list = realloc(p->list, capacity * sizeof(*list));

		if (!list)
			return NULL;
		p->list = list;
		p->capacity = capacity;
	}
	return &p->list[p->count];
}

static void set(
	struct kv_pair *pair, char *data, size_t key_bytes, size_t len_bytes, uint64_t revision)
{
	*pair = (struct kv_pair){.key = data,
		.value = data + key_bytes + 1,
		.len_bytes = len_bytes,
		.revision = revision};
}

int pairs_add(
	struct pairs *p, const char *key, const char *value, size_t len_bytes, uint64_t revision)
{
	struct kv_pair *pair = add(p);
	size_t key_bytes = strlen(key);
	char *data = pair ? malloc(key_bytes + len_bytes + 2) : NULL;

	if (!data)
		return -ENOMEM;
	memcpy(data, key, key_bytes + 1);
	if (len_bytes)
		memcpy(data + key_bytes + 1, value, len_bytes);
	data[key_bytes + 1 + len_bytes] = '\0';
	set(pair, data, key_bytes, len_bytes, revision);
	p->count++;
	return 0;
}

int pairs_add_base64(
	struct pairs *p, const char *key, bool key_is_base64, const char *value, uint64_t revision)
{
	size_t key_len = strlen(key), value_len = strlen(value);
	struct kv_pair *pair = add(p);
	char *data = pair ? malloc(key_len + value_len + 4) : NULL;
	long key_bytes = key_len, len_bytes = -EINVAL;

	if (!data)
		return -ENOMEM;
	if (key_is_base64)
		key_bytes = text_from_base64(key, key_len, data);
	else
		memcpy(data, key, key_len + 1);
	if (key_bytes >= 0 && strlen(data) == (size_t)key_bytes)
		len_bytes = text_from_base64(value, value_len, data + key_bytes + 1);
	if (len_bytes < 0) {
		free(data);
		return -EINVAL;
	}
	set(pair, data, key_bytes, len_bytes, revision);
	p->count++;
	return 0;
}

void pairs_free(struct pairs *p)
{
	for (size_t i = 0; i < p->count; i++)
		free((char *)p->list[i].key);
	free(p->list);
	*p = (struct pairs){0};
}
