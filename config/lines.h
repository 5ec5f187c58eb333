// SPDX-License-Identifier: BSD-3-Clause
// The lines of a file that JSON nodes came from. A node is known by an address that stays as long
// as the tree: the key of a member (as json_object_iter_key() gives it), or the item of an array.
#pragma once

#include <stddef.h>

struct lines_slot {
	const void *at;
	unsigned line;
};

struct lines {
	struct lines_slot *slots; // open addressing; the number of slots is a power of two
	size_t capacity, count;
};

int lines_add(struct lines *lines, const void *at, unsigned line); // 0 or -ENOMEM

// The line of `at`, 1 when it is not known.
unsigned lines_get(const struct lines *lines, const void *at);

void lines_fini(struct lines *lines);
