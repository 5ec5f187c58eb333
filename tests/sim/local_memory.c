// SPDX-License-Identifier: BSD-3-Clause
#include "tests/sim/local_memory.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct entry {
	char *key, *value;
	size_t len_bytes;
};

// What put a key back as it was before the batch; `value` NULL: it was not there.
struct undo {
	char *key, *value;
	size_t len_bytes;
};

struct memory {
	struct local base;
	struct entry *entries; // sorted by key
	size_t count, capacity;
	struct undo *undos;
	size_t nb_undos, undo_capacity;
	bool in_batch;
};

static size_t lower_bound(const struct memory *self, const char *key)
{
	size_t low = 0, high = self->count;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (strcmp(self->entries[mid].key, key) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool is_at(const struct memory *self, size_t i, const char *key)
{
	return i < self->count && strcmp(self->entries[i].key, key) == 0;
}

static char *copy_value(const char *value, size_t len_bytes)
{
	char *copy = malloc(len_bytes + 1);

	if (copy) {
		memcpy(copy, value, len_bytes);
		copy[len_bytes] = '\0';
	}
	return copy;
}

// Takes `value`, which replaces the key's, or removes it with NULL.
static int set(struct memory *self, const char *key, char *value, size_t len_bytes)
{
	size_t i = lower_bound(self, key);
	struct entry *e;

	if (is_at(self, i, key)) {
		e = &self->entries[i];
		free(e->value);
		e->value = value;
		e->len_bytes = len_bytes;
		if (value)
			return 0;
		free(e->key);
		memmove(e, e + 1, (--self->count - i) * sizeof(*e));
		return 0;
	}
	if (!value)
		return 0;
	if (self->count == self->capacity) {
		size_t capacity = self->capacity ? self->capacity * 2 : 64;

		e = realloc(self->entries, capacity * sizeof(*e));
		if (!e)
			return -ENOMEM;
		self->entries = e;
		self->capacity = capacity;
	}
	e = &self->entries[i];
	memmove(e + 1, e, (self->count++ - i) * sizeof(*e));
	*e = (struct entry){strdup(key), value, len_bytes};
	return 0;
}

static int remember(struct memory *self, const char *key)
{
	size_t i = lower_bound(self, key);
	struct undo *undo;

	if (!self->in_batch)
		return 0;
	if (self->nb_undos == self->undo_capacity) {
		size_t capacity = self->undo_capacity ? self->undo_capacity * 2 : 64;

		undo = realloc(self->undos, capacity * sizeof(*undo));
		if (!undo)
			return -ENOMEM;
		self->undos = undo;
		self->undo_capacity = capacity;
	}
	undo = &self->undos[self->nb_undos++];
	*undo = (struct undo){.key = strdup(key)};
	if (is_at(self, i, key)) {
		undo->len_bytes = self->entries[i].len_bytes;
		undo->value = copy_value(self->entries[i].value, undo->len_bytes);
	}
	return 0;
}

static int put(struct local *local, const char *key, const char *value, size_t len_bytes)
{
	struct memory *self = (struct memory *)local;
	char *copy;
	int rc;

	if (strlen(key) > LOCAL_KEY_MAX_BYTES)
		return -E2BIG;
	copy = copy_value(value, len_bytes);
	if (!copy)
		return -ENOMEM;
	rc = remember(self, key);
	if (rc == 0)
		rc = set(self, key, copy, len_bytes);
	if (rc < 0)
		free(copy);
	return rc;
}

static int del(struct local *local, const char *key)
{
	struct memory *self = (struct memory *)local;
	int rc = remember(self, key);

	return rc < 0 ? rc : set(self, key, NULL, 0);
}

static int each(struct local *local, const char *prefix, local_each_fn *fn, void *arg)
{
	struct memory *self = (struct memory *)local;
	size_t len = strlen(prefix);

	for (size_t i = lower_bound(self, prefix); i < self->count; i++) {
		struct entry *e = &self->entries[i];

		if (strncmp(e->key, prefix, len) != 0)
			break;
		fn(arg, e->key, e->value, e->len_bytes);
	}
	return 0;
}

static int begin(struct local *local)
{
	((struct memory *)local)->in_batch = true;
	return 0;
}

static int commit(struct local *local)
{
	struct memory *self = (struct memory *)local;

	for (size_t i = 0; i < self->nb_undos; i++) {
		free(self->undos[i].key);
		free(self->undos[i].value);
	}
	self->nb_undos = 0;
	self->in_batch = false;
	return 0;
}

static const struct local_ops memory_ops = {put, del, each, begin, commit};

struct local *local_memory_new(void)
{
	struct memory *self = calloc(1, sizeof(*self));

	if (!self)
		return NULL;
	self->base.ops = &memory_ops;
	return &self->base;
}

struct local *local_memory_copy(const struct local *local)
{
	const struct memory *self = (const struct memory *)local;
	struct local *copy = local_memory_new();

	for (size_t i = 0; copy && i < self->count; i++) {
		const struct entry *e = &self->entries[i];

		put(copy, e->key, e->value, e->len_bytes);
	}
	return copy;
}

void local_memory_crash(struct local *local)
{
	struct memory *self = (struct memory *)local;

	while (self->nb_undos > 0) {
		struct undo *undo = &self->undos[--self->nb_undos];

		set(self, undo->key, undo->value, undo->len_bytes);
		free(undo->key);
	}
	self->in_batch = false;
}

void local_memory_free(struct local *local)
{
	struct memory *self = (struct memory *)local;

	if (!self)
		return;
	commit(local);
	for (size_t i = 0; i < self->count; i++) {
		free(self->entries[i].key);
		free(self->entries[i].value);
	}
	free(self->entries);
	free(self->undos);
	free(self);
}

size_t local_memory_count(const struct local *local)
{
	return ((const struct memory *)local)->count;
}
