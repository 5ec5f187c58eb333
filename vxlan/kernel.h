// SPDX-License-Identifier: BSD-3-Clause
// The underlay `kernel`: UDP sockets of the host. kernel.c opens them and looks at routes, and
// kernel_distrust.c filters what they get, on the main thread; kernel_io.c receives and transmits,
// on workers.
//
// One socket receives. Several send, because a flow keeps its outer source port and routers spread
// flows over paths by it. All are in the namespace that the VTEP names, wherever the threads
// are that use them.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <rte_mbuf.h>

#include "base/netlink.h"
#include "base/netns.h"
#include "vxlan/vtep.h"

#define KERNEL_TX_SOCKETS 8
#define KERNEL_RX_TRAINS  16 // datagrams, or trains of them, in one recvmmsg()

// UDP_SEGMENT: what one send may have. The kernel's UDP_MAX_SEGMENTS was 64 before 6.9.
#define KERNEL_TRAIN_DATAGRAMS 64
#define KERNEL_TRAIN_BYTES     65507 // UDP payload of an IPv4 packet
#define KERNEL_TX_MSGS	       64
#define KERNEL_TX_IOVS	       1024 // UIO_MAXIOV
#define KERNEL_TX_HDR_BYTES    (32 * 1024)

// Received: the size of a train's datagrams, and the traffic class, in some sockets of both
// families. Sent: the size, the traffic class, and the TTL.
union kernel_cmsg {
	uint8_t bytes[3 * CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

// What was received and not handed on yet. Of the worker that polls.
struct kernel_rx {
	unsigned nb_msgs, next; // received; the first of them that is not taken apart
	uint32_t off_bytes;	// into it
	unsigned room;		// messages to be asked for
	struct rte_mbuf *buf[KERNEL_RX_TRAINS];
	struct mmsghdr msg[KERNEL_RX_TRAINS];
	struct iovec iov[KERNEL_RX_TRAINS];
	struct sockaddr_in6 from[KERNEL_RX_TRAINS];
	union kernel_cmsg cmsg[KERNEL_RX_TRAINS];
};

// Datagrams of equal size and mark to one remote (the last may be shorter), for one sendmsg().
struct kernel_train {
	const struct rte_mbuf *first; // that it has a frame of
	uint32_t iov;		      // the first
	uint16_t remote;
	uint16_t mark; // of outer headers, see marking_of()
	uint16_t datagrams;
	uint32_t size, last_size, bytes; // of each datagram, the last one, all
};

// What is being put together for sendmmsg(). One for each worker.
struct kernel_tx {
	unsigned nb_iovs, nb_msgs, hdr_bytes;
	struct kernel_train train; // the last, still open
	struct mmsghdr msg[KERNEL_TX_MSGS];
	struct kernel_train sent[KERNEL_TX_MSGS]; // of each message
	union kernel_cmsg cmsg[KERNEL_TX_MSGS];
	struct iovec iov[KERNEL_TX_IOVS];
	uint8_t hdr[KERNEL_TX_HDR_BYTES]; // what goes before payload
};

struct kernel {
	int rx_fd, tx_fd[KERNEL_TX_SOCKETS];
	atomic_bool segments; // UDP_SEGMENT works
	struct kernel_rx rx;
	struct kernel_tx *tx; // by worker

	// Main thread.
	struct nl *nl; // of the namespace
	bool has_netns;
	struct netns_id netns;
	int ifindex; // device of the VTEP's address; 0: any
};

// Adds to a message what makes its outer headers have this mark, where those that the socket gives
// have another. `hdr->msg_control` has room, and `hdr->msg_controllen` bytes in use.
void kernel_mark(struct msghdr *hdr, const struct vxlan_remote *remote, uint16_t mark);

dp_rx_fn kernel_rx;
dp_tx_fn kernel_tx;

// As vtep_distrust().
int kernel_distrust(const struct vtep *vtep, const int *ifindex, unsigned count);
