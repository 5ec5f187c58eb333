// SPDX-License-Identifier: BSD-3-Clause
#include "config/lines.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

// Slot of `at`, or the free one where it belongs.
static struct lines_slot *find(struct lines_slot *slots, size_t capacity, const void *at)
{
	uint64_t hash = (uintptr_t)at * 0x9e3779b97f4a7c15u;
	size_t i = (hash >> 20) & (capacity - 1);

	while (slots[i].at && slots[i].at != at)
		i = (i + 1) & (capacity - 1);
	return &slots[i];
}

static int grow(struct lines *lines)
{
	size_t capacity = lines->capacity ? 2 * lines->capacity : 64;
	struct lines_slot *slots = calloc(capacity, sizeof(*slots));

	if (!slots)
		return -ENOMEM;
	for (size_t i = 0; i < lines->capacity; i++) {
		if (lines->slots[i].at)
			*find(slots, capacity, lines->slots[i].at) = lines->slots[i];
	}
	free(lines->slots);
	lines->slots = slots;
	lines->capacity = capacity;
	return 0;
}

int lines_add(struct lines *lines, const void *at, unsigned line)
{
	struct lines_slot *slot;

	if (2 * (lines->count + 1) > lines->capacity && grow(lines) < 0)
		return -ENOMEM;
	slot = find(lines->slots, lines->capacity, at);
	if (!slot->at)
		lines->count++;
	*slot = (struct lines_slot){at, line};
	return 0;
}

unsigned lines_get(const struct lines *lines, const void *at)
{
	const struct lines_slot *slot;

	if (!at || lines->count == 0)
		return 1;
	slot = find(lines->slots, lines->capacity, at);
	return slot->at ? slot->line : 1;
}

void lines_fini(struct lines *lines)
{
	free(lines->slots);
	*lines = (struct lines){0};
}
