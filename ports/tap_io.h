// SPDX-License-Identifier: BSD-3-Clause
// What the two halves of the TAP port type share: tap.c makes the device, on the main thread,
// tap_io.c receives and transmits, on workers.
#pragma once

#include "base/netns.h"
#include "dp/port.h"

struct tap {
	int fd[DP_QUEUES_MAX];
	unsigned nb_fds;
	bool taken_over;
	struct netns_id netns; // of a device taken over
	int ifindex;
};

dp_rx_fn tap_rx;
dp_tx_fn tap_tx;
