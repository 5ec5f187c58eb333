// SPDX-License-Identifier: BSD-3-Clause
// Threads beside the main thread.
#pragma once

// Starts a thread that runs `fn(arg)` and ends by itself: nobody waits for it. All signals are
// blocked in it, since they are the event loop's. Returns 0 or a negative errno.
int thread_start(void *(*fn)(void *arg), void *arg);
