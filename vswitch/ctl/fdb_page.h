// SPDX-License-Identifier: BSD-3-Clause
// One page of the forwarding table in the order of its keys, although the table is walked in no
// order: the `limit` smallest entries above a cursor, kept in a heap. Pages stay right while the
// table changes: an entry that exists all the time is on exactly one of them.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "dp/dp.h"

struct fdb_page {
	struct dp_fdb_info *entry; // a heap, the largest first; in order after fdb_page_sort()
	size_t count, limit;
	bool more; // entries beyond this page were seen
	bool has_after;
	struct dp_fdb_info after; // only its key counts
};

int fdb_page_init(struct fdb_page *page, size_t limit);
void fdb_page_fini(struct fdb_page *page);
void fdb_page_add(struct fdb_page *page, const struct dp_fdb_info *info);
void fdb_page_sort(struct fdb_page *page);

// Cursors as text. fdb_page_after() returns -EINVAL for what fdb_page_cursor() did not write.
#define FDB_CURSOR_BYTES 40
int fdb_page_after(struct fdb_page *page, const char *cursor);
const char *fdb_page_cursor(const struct fdb_page *page, char *buf); // of the last entry; sorted
