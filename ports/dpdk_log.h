// SPDX-License-Identifier: BSD-3-Clause
// What DPDK's libraries and drivers say. They give their reasons to a log and return little more
// than "failed": while the main thread waits for a device, what they log is kept, for an error that
// tells the user. At other times, and from other threads, it goes to the switch's own log.
#pragma once

#define DPDK_SAID_BYTES 400

// From here on, until dpdk_log_end(), errors that this thread logs are kept. Not nested.
void dpdk_log_begin(void);
void dpdk_log_end(void);

// What was kept and says something about the reason, on one line; may be empty. Valid until the
// next dpdk_log_begin().
const char *dpdk_log_said(void);
