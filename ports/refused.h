// SPDX-License-Identifier: BSD-3-Clause
// What becomes of a packet that the kernel refused to send.
#pragma once

#include <errno.h>

#include "dp/dp_port.h"

// `code`: a positive errno of write(2) to a TAP device or of send(2) to a packet socket.
static inline void tx_refused(struct dp_port *dp, int code, struct rte_mbuf *m, struct dp_site *at)
{
	switch (code) {
	case EAGAIN:
	case ENOBUFS:
		dp_drop(at, DP_DROP_TX_FULL, m);
		break;
	case EBADFD: // the TAP device is gone
	case ENXIO:  // the veth is
	case ENODEV:
		dp_port_fail(dp, code);
		dp_drop(at, DP_DROP_TX_DOWN, m);
		break;
	case EIO: // the container set the TAP device down
	case ENETDOWN:
		dp_drop(at, DP_DROP_TX_DOWN, m);
		break;
	default:
		dp_drop(at, DP_DROP_TX_ERROR, m);
	}
}
