// SPDX-License-Identifier: BSD-3-Clause
// Arrays that are sorted and have no two equal records: a change of many at once is one walk over
// both. `compare` is as qsort(3) has it.
#pragma once

#include <stdbool.h>
#include <stddef.h>

typedef int sorted_compare_fn(const void *a, const void *b);

// The second of two equal records in a sorted array, or NULL.
const void *sorted_twice(
	const void *array, size_t count, size_t size_bytes, sorted_compare_fn *compare);

// Writes to `to` the records of `old` without those that `named` names; and with `add`, those of
// `named` as well. `to` has room for all of both, or without `add` is `old` itself. Returns the
// number written.
size_t sorted_merge(void *to, const void *old, size_t nb_old, const void *named, size_t nb_named,
	size_t size_bytes, sorted_compare_fn *compare, bool add);
