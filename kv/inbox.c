// SPDX-License-Identifier: BSD-3-Clause
#include "kv/inbox.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct inbox {
	struct loop *loop;
	struct loop_handle *handle;
	inbox_fn *fn;
	void *arg;
	int fd;
	pthread_mutex_t lock;
	struct inbox_item *first, **last; // under `lock`
};

static struct inbox_item *take(struct inbox *inbox)
{
	struct inbox_item *item;

	pthread_mutex_lock(&inbox->lock);
	item = inbox->first;
	if (item) {
		inbox->first = item->next;
		if (!inbox->first)
			inbox->last = &inbox->first;
	}
	pthread_mutex_unlock(&inbox->lock);
	return item;
}

static void wake(struct inbox *inbox)
{
	eventfd_write(inbox->fd, 1);
}

// One round takes a part only, so that a busy store does not keep the loop from all else.
static void on_readable(void *arg)
{
	struct inbox *inbox = arg;
	struct inbox_item *item;
	eventfd_t count;

	eventfd_read(inbox->fd, &count);
	for (int i = 0; i < 1024; i++) {
		item = take(inbox);
		if (!item)
			return;
		inbox->fn(inbox->arg, item);
	}
	wake(inbox);
}

struct inbox *inbox_new(struct loop *loop, inbox_fn *fn, void *arg)
{
	struct inbox *inbox = calloc(1, sizeof(*inbox));

	if (!inbox)
		return NULL;
	*inbox = (struct inbox){.loop = loop, .fn = fn, .arg = arg, .last = &inbox->first};
	pthread_mutex_init(&inbox->lock, NULL);
	inbox->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (inbox->fd < 0)
		goto err;
	inbox->handle = loop_add_fd(loop, inbox->fd, on_readable, inbox);
	if (!inbox->handle) {
		close(inbox->fd);
		goto err;
	}
	return inbox;

err:
	pthread_mutex_destroy(&inbox->lock);
	free(inbox);
	return NULL;
}

void inbox_put(struct inbox *inbox, struct inbox_item *item)
{
	item->next = NULL;
	pthread_mutex_lock(&inbox->lock);
	*inbox->last = item;
	inbox->last = &item->next;
	wake(inbox);
	pthread_mutex_unlock(&inbox->lock);
}

void inbox_free(struct inbox *inbox, void (*drop)(struct inbox_item *item))
{
	struct inbox_item *item;

	if (!inbox)
		return;
	loop_del(inbox->loop, inbox->handle);
	while ((item = take(inbox)))
		drop(item);
	close(inbox->fd);
	pthread_mutex_destroy(&inbox->lock);
	free(inbox);
}
