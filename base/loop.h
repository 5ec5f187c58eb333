// SPDX-License-Identifier: BSD-3-Clause
// The event loop of a daemon's main thread, over zmq_poll(): file descriptors, ZeroMQ sockets and
// timers. Level-triggered; not for use from other threads. Callbacks may add and remove handles,
// their own included.
#pragma once

#include <stdint.h>

struct loop;
struct loop_handle;

typedef void loop_fn(void *arg);

struct loop *loop_new(void); // NULL when out of memory
void loop_free(struct loop *loop);

// Calls `fn(arg)` whenever `fd` is readable. NULL when out of memory.
struct loop_handle *loop_add_fd(struct loop *loop, int fd, loop_fn *fn, void *arg);

// What a file descriptor is watched for: LOOP_READ at first; 0 for nothing. What poll(2) tells in
// any case (errors, the other side is gone) also calls, unless it is 0.
#define LOOP_READ  1u
#define LOOP_WRITE 2u
void loop_fd_events(struct loop_handle *handle, unsigned events);

// The same for a ZeroMQ socket. The callback must receive until EAGAIN.
struct loop_handle *loop_add_socket(struct loop *loop, void *socket, loop_fn *fn, void *arg);

// Calls `fn(arg)` every `period_us`, first after one period. A late loop skips beats. With 0 it
// waits for one of the next two.
struct loop_handle *loop_add_timer(struct loop *loop, uint64_t period_us, loop_fn *fn, void *arg);

// Changes the period of a timer; 0 stops it until the next call.
void loop_timer_set(struct loop_handle *timer, uint64_t period_us);

// Makes the timer fire once, `delay_us` from now, instead of what it was set to. Also with 0 it
// fires from the loop only, not from inside this call.
void loop_timer_once(struct loop_handle *timer, uint64_t delay_us);

// Removes the handle; NULL is fine. The fd or socket stays open.
void loop_del(struct loop *loop, struct loop_handle *handle);

// Runs until loop_stop(). Returns 0 or a negative errno from zmq_poll().
int loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

// Microseconds of CLOCK_MONOTONIC.
uint64_t monotonic_us(void);
