// SPDX-License-Identifier: BSD-3-Clause
#include "base/sorted.h"

#include <stdlib.h>
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

void *sorted_reserve(void *array, size_t *room, size_t count, size_t size_bytes)
{
	size_t wanted = *room + *room / 2;

	if (count <= *room)
		return array;
	if (wanted < count)
		wanted = count;
	array = reallocarray(array, wanted, size_bytes);
	if (array)
		*room = wanted;
	return array;
}

size_t sorted_find(const void *array, size_t count, const void *key, size_t size_bytes,
	sorted_compare_fn *compare)
{
	size_t first = 0;

	while (first < count) {
		size_t middle = first + (count - first) / 2;

		if (compare((const char *)array + middle * size_bytes, key) < 0)
			first = middle + 1;
		else
			count = middle;
	}
	return first;
}

size_t sorted_insert(void *array, size_t count, const void *named, size_t nb_named,
	size_t size_bytes, sorted_compare_fn *compare)
{
	size_t fresh = 0, end = count;
	char *at = array;

	for (size_t i = 0; i < nb_named; i++) {
		const char *record = (const char *)named + i * size_bytes;
		size_t place = sorted_find(at, count, record, size_bytes, compare);

		if (place < count && !compare(at + place * size_bytes, record))
			memcpy(at + place * size_bytes, record, size_bytes);
		else
			fresh++;
	}
	count += fresh;
	// From behind: each record moves over as many as are still to come before it.
	while (fresh) {
		const char *record = (const char *)named + --nb_named * size_bytes;
		size_t place = sorted_find(at, end, record, size_bytes, compare);

		if (place < end && !compare(at + place * size_bytes, record))
			continue;
		memmove(at + (place + fresh) * size_bytes, at + place * size_bytes,
			(end - place) * size_bytes);
		end = place;
		memcpy(at + (place + --fresh) * size_bytes, record, size_bytes);
	}
	return count;
}

size_t sorted_remove(void *array, size_t count, const void *named, size_t nb_named,
	size_t size_bytes, sorted_compare_fn *compare)
{
	size_t begin = 0, kept = 0; // of what is still to be moved, and where to
	char *at = array;

	if (!count)
		return 0;
	for (size_t i = 0; i < nb_named; i++) {
		const char *record = (const char *)named + i * size_bytes;
		size_t place = begin + sorted_find(at + begin * size_bytes, count - begin, record,
					       size_bytes, compare);

		if (place == count || compare(at + place * size_bytes, record))
			continue;
		memmove(at + kept * size_bytes, at + begin * size_bytes,
			(place - begin) * size_bytes);
		kept += place - begin;
		begin = place + 1;
	}
	memmove(at + kept * size_bytes, at + begin * size_bytes, (count - begin) * size_bytes);
	return kept + count - begin;
}
