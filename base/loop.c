// SPDX-License-Identifier: BSD-3-Clause
#include "base/loop.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <time.h>
#include <zmq.h>

struct loop_handle {
	TAILQ_ENTRY(loop_handle) entry;
	loop_fn *fn;
	void *arg;
	void *socket;		    // ZeroMQ socket, or NULL
	int fd;			    // -1 for timers and sockets
	short events;		    // of zmq_poll()
	uint64_t period_us, due_us; // due_us 0: not armed
	bool dead;
};

struct loop {
	TAILQ_HEAD(, loop_handle) handles;
	zmq_pollitem_t *items;
	struct loop_handle **owners;
	unsigned nb_handles, capacity;
	bool stop, has_dead;
};

uint64_t monotonic_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

struct loop *loop_new(void)
{
	struct loop *loop = calloc(1, sizeof(*loop));

	if (loop)
		TAILQ_INIT(&loop->handles);
	return loop;
}

static void reap(struct loop *loop)
{
	struct loop_handle *h, *next;

	for (h = TAILQ_FIRST(&loop->handles); h; h = next) {
		next = TAILQ_NEXT(h, entry);
		if (!h->dead)
			continue;
		TAILQ_REMOVE(&loop->handles, h, entry);
		loop->nb_handles--;
		free(h);
	}
	loop->has_dead = false;
}

void loop_free(struct loop *loop)
{
	struct loop_handle *h;

	if (!loop)
		return;
	TAILQ_FOREACH (h, &loop->handles, entry)
		h->dead = true;
	reap(loop);
	free(loop->items);
	free(loop->owners);
	free(loop);
}

static int reserve(struct loop *loop, unsigned count)
{
	unsigned capacity = loop->capacity ? loop->capacity : 16;
	zmq_pollitem_t *items;
	struct loop_handle **owners;

	while (capacity < count)
		capacity *= 2;
	if (capacity == loop->capacity)
		return 0;
	items = realloc(loop->items, capacity * sizeof(*items));
	if (!items)
		return -ENOMEM;
	loop->items = items;
	owners = realloc(loop->owners, capacity * sizeof(struct loop_handle *));
	if (!owners)
		return -ENOMEM;
	loop->owners = owners;
	loop->capacity = capacity;
	return 0;
}

static struct loop_handle *add(struct loop *loop, loop_fn *fn, void *arg)
{
	struct loop_handle *h;

	if (reserve(loop, loop->nb_handles + 1) < 0)
		return NULL;
	h = calloc(1, sizeof(*h));
	if (!h)
		return NULL;
	h->fn = fn;
	h->arg = arg;
	h->fd = -1;
	TAILQ_INSERT_TAIL(&loop->handles, h, entry);
	loop->nb_handles++;
	return h;
}

struct loop_handle *loop_add_fd(struct loop *loop, int fd, loop_fn *fn, void *arg)
{
	struct loop_handle *h = add(loop, fn, arg);

	if (h) {
		h->fd = fd;
		h->events = ZMQ_POLLIN;
	}
	return h;
}

void loop_fd_events(struct loop_handle *handle, unsigned events)
{
	handle->events =
		(events & LOOP_READ ? ZMQ_POLLIN : 0) | (events & LOOP_WRITE ? ZMQ_POLLOUT : 0);
}

struct loop_handle *loop_add_socket(struct loop *loop, void *socket, loop_fn *fn, void *arg)
{
	struct loop_handle *h = add(loop, fn, arg);

	if (h) {
		h->socket = socket;
		h->events = ZMQ_POLLIN;
	}
	return h;
}

struct loop_handle *loop_add_timer(struct loop *loop, uint64_t period_us, loop_fn *fn, void *arg)
{
	struct loop_handle *h = add(loop, fn, arg);

	if (h)
		loop_timer_set(h, period_us);
	return h;
}

void loop_timer_set(struct loop_handle *timer, uint64_t period_us)
{
	timer->period_us = period_us;
	timer->due_us = period_us ? monotonic_us() + period_us : 0;
}

void loop_timer_once(struct loop_handle *timer, uint64_t delay_us)
{
	timer->period_us = 0;
	timer->due_us = monotonic_us() + delay_us;
}

void loop_del(struct loop *loop, struct loop_handle *handle)
{
	if (!handle)
		return;
	handle->dead = true;
	loop->has_dead = true;
}

// Fills the poll items and returns how long zmq_poll() may sleep, in milliseconds (-1: for ever).
static long prepare(struct loop *loop, int *ret_count)
{
	uint64_t next_us = UINT64_MAX, now_us;
	struct loop_handle *h;
	int n = 0;

	if (loop->has_dead) // also before the first round: what they stood for may be closed
		reap(loop);
	TAILQ_FOREACH (h, &loop->handles, entry) {
		if (h->fd >= 0 || h->socket) {
			if (!h->events)
				continue;
			loop->items[n] = (zmq_pollitem_t){h->socket, h->fd, h->events, 0};
			loop->owners[n++] = h;
		} else if (h->due_us && h->due_us < next_us) {
			next_us = h->due_us;
		}
	}
	*ret_count = n;
	if (next_us == UINT64_MAX)
		return -1;
	now_us = monotonic_us();
	return next_us <= now_us ? 0 : (long)((next_us - now_us + 999) / 1000);
}

static void run_timers(struct loop *loop)
{
	uint64_t now_us = monotonic_us();
	struct loop_handle *h;

	// Removal is deferred to reap(), so the walk is safe against what callbacks do.
	TAILQ_FOREACH (h, &loop->handles, entry) {
		if (h->dead || !h->due_us || h->due_us > now_us)
			continue;
		h->due_us = h->period_us ? h->due_us + h->period_us : 0;
		if (h->due_us <= now_us && h->period_us)
			h->due_us = now_us + h->period_us;
		h->fn(h->arg);
	}
}

int loop_run(struct loop *loop)
{
	loop->stop = false;
	while (!loop->stop) {
		int count;
		long timeout_ms = prepare(loop, &count);

		if (zmq_poll(loop->items, count, timeout_ms) < 0 && errno != EINTR)
			return -errno;
		for (int i = 0; i < count && !loop->stop; i++) {
			struct loop_handle *h = loop->owners[i];

			if (!h->dead && loop->items[i].revents)
				h->fn(h->arg);
		}
		run_timers(loop);
	}
	return 0;
}

void loop_stop(struct loop *loop)
{
	loop->stop = true;
}
