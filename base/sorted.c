// SPDX-License-Identifier: BSD-3-Clause
#include "base/sorted.h"

#include <string.h>

const void *sorted_twice(
	const void *array, size_t count, size_t size_bytes, sorted_compare_fn *compare)
{
	const char *at = array;

	for (size_t i = 1; i < count; i++, at += size_bytes) {
		if (!compare(at, at + size_bytes))
			return at + size_bytes;
	}
	return NULL;
}

size_t sorted_merge(void *to, const void *old, size_t nb_old, const void *named, size_t nb_named,
	size_t size_bytes, sorted_compare_fn *compare, bool add)
{
	const char *a = old, *b = named;
	char *out = to;

	while (nb_old || nb_named) {
		int order = !nb_old ? 1 : !nb_named ? -1 : compare(a, b);

		if (order < 0 || add) {
			memmove(out, order < 0 ? a : b, size_bytes);
			out += size_bytes;
		}
		if (order <= 0) {
			a += size_bytes;
			nb_old--;
		}
		if (order >= 0) {
			b += size_bytes;
			nb_named--;
		}
	}
	return (out - (char *)to) / size_bytes;
}
