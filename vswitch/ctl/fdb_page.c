// SPDX-License-Identifier: BSD-3-Clause
#include "vswitch/ctl/fdb_page.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *va, const void *vb)
{
	const struct dp_fdb_info *a = va, *b = vb;

	if (a->bridge_id != b->bridge_id)
		return a->bridge_id < b->bridge_id ? -1 : 1;
	if (a->vlan != b->vlan)
		return a->vlan < b->vlan ? -1 : 1;
	if (memcmp(&a->mac, &b->mac, sizeof(a->mac)) != 0 || !mac_is_zero(&a->mac))
		return memcmp(&a->mac, &b->mac, sizeof(a->mac));
	// Members of flood lists: the zero address is not all of their key.
	if (a->port_id != b->port_id)
		return a->port_id < b->port_id ? -1 : 1;
	return a->remote - b->remote;
}

int fdb_page_init(struct fdb_page *page, size_t limit)
{
	memset(page, 0, sizeof(*page));
	page->entry = calloc(limit, sizeof(*page->entry));
	page->limit = limit;
	return page->entry ? 0 : -ENOMEM;
}

void fdb_page_fini(struct fdb_page *page)
{
	free(page->entry);
	memset(page, 0, sizeof(*page));
}

static void swap(struct dp_fdb_info *a, struct dp_fdb_info *b)
{
	struct dp_fdb_info t = *a;

	*a = *b;
	*b = t;
}

static void sift_up(struct dp_fdb_info *heap, size_t i)
{
	while (i > 0 && compare(&heap[(i - 1) / 2], &heap[i]) < 0) {
		swap(&heap[(i - 1) / 2], &heap[i]);
		i = (i - 1) / 2;
	}
}

static void sift_down(struct dp_fdb_info *heap, size_t count)
{
	size_t i = 0;

	for (;;) {
		size_t largest = i;

		for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < count; child++) {
			if (compare(&heap[child], &heap[largest]) > 0)
				largest = child;
		}
		if (largest == i)
			return;
		swap(&heap[i], &heap[largest]);
		i = largest;
	}
}

void fdb_page_add(struct fdb_page *page, const struct dp_fdb_info *info)
{
	if (page->has_after && compare(info, &page->after) <= 0)
		return;
	if (page->count < page->limit) {
		page->entry[page->count] = *info;
		sift_up(page->entry, page->count++);
		return;
	}
	page->more = true;
	if (compare(info, &page->entry[0]) < 0) {
		page->entry[0] = *info;
		sift_down(page->entry, page->count);
	}
}

void fdb_page_sort(struct fdb_page *page)
{
	qsort(page->entry, page->count, sizeof(*page->entry), compare);
}

static void format(const struct dp_fdb_info *at, char buf[FDB_CURSOR_BYTES])
{
	char mac[MAC_TEXT_BYTES];

	snprintf(buf, FDB_CURSOR_BYTES, "%04x.%03x.%04x.%04x.%s", at->bridge_id, at->vlan & 0xfff,
		at->port_id, at->remote, mac_format(&at->mac, mac));
}

int fdb_page_after(struct fdb_page *page, const char *cursor)
{
	unsigned bridge, vlan, port, remote;
	char again[FDB_CURSOR_BYTES];
	int used = 0;

	if (sscanf(cursor, "%4x.%3x.%4x.%4x.%n", &bridge, &vlan, &port, &remote, &used) != 4 ||
		!used)
		return -EINVAL;
	if (mac_parse(cursor + used, &page->after.mac) < 0)
		return -EINVAL;
	page->after.bridge_id = bridge;
	page->after.vlan = vlan;
	page->after.port_id = port;
	page->after.remote = remote;
	page->has_after = true;
	// sscanf() takes blanks and signs too.
	format(&page->after, again);
	return strcmp(again, cursor) ? -EINVAL : 0;
}

const char *fdb_page_cursor(const struct fdb_page *page, char *buf)
{
	format(&page->entry[page->count - 1], buf);
	return buf;
}
