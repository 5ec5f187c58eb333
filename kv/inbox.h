// SPDX-License-Identifier: BSD-3-Clause
// What threads of a store hand to the event loop: a queue that any thread may put items into, and
// that the loop's thread is woken to empty.
#pragma once

#include "base/loop.h"

struct inbox;

struct inbox_item {
	struct inbox_item *next;
};

typedef void inbox_fn(void *arg, struct inbox_item *item);

struct inbox *inbox_new(struct loop *loop, inbox_fn *fn, void *arg); // NULL: no memory or files
void inbox_put(struct inbox *inbox, struct inbox_item *item);	     // any thread; in order

// Nobody may put any more. `drop(item)` is called for each that the loop has not had.
void inbox_free(struct inbox *inbox, void (*drop)(struct inbox_item *item));
