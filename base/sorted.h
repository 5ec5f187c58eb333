// SPDX-License-Identifier: BSD-3-Clause
// Arrays that are sorted and have no two equal records: a change of many at once moves each record
// once, a change of one those behind it. `compare` is as qsort(3) has it.
#pragma once

#include <stdbool.h>
#include <stddef.h>

typedef int sorted_compare_fn(const void *a, const void *b);

// The second of two equal records in a sorted array, or NULL.
const void *sorted_twice(
	const void *array, size_t count, size_t size_bytes, sorted_compare_fn *compare);

// Room for `count` records in an array that was allocated for `*room`; it grows by half at least,
// so that adding one by one is little work. The array, or NULL (with the old one as it was).
void *sorted_reserve(void *array, size_t *room, size_t count, size_t size_bytes);

// Adds the `named` records, which are sorted, to an array with room for all of both; one that is
// there is written over. Returns the new number.
size_t sorted_insert(void *array, size_t count, const void *named, size_t nb_named,
	size_t size_bytes, sorted_compare_fn *compare);

// Removes those that are there. Returns the new number.
size_t sorted_remove(void *array, size_t count, const void *named, size_t nb_named,
	size_t size_bytes, sorted_compare_fn *compare);

// Where the first record is that is not before `key`.
size_t sorted_find(const void *array, size_t count, const void *key, size_t size_bytes,
	sorted_compare_fn *compare);
