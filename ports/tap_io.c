// SPDX-License-Identifier: BSD-3-Clause
#include "ports/tap_io.h"

#include <errno.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/util.h"
#include "ports/refused.h"
#include "ports/vnet_hdr.h"

#define TAP_BURST_BYTES (128 * 1024) // of payload in one rx(): stays in an L2 cache

// Takes what does not fit when no buffer is free. Never read.
static uint8_t discard[65536];

static struct rte_mbuf *big_alloc(const struct port *port)
{
	return port->env->big_pool ? rte_pktmbuf_alloc(port->env->big_pool) : NULL;
}

// Reads one frame. A frame up to 2 KiB lies in the small buffer `m` alone; the rest of a larger one
// follows in `big`, so nothing is ever copied. Returns the bytes read with the header, or a
// negative errno.
static ssize_t read_frame(int fd, struct rte_mbuf *m, struct rte_mbuf *big)
{
	struct iovec iov[2] = {
		{rte_pktmbuf_mtod(m, uint8_t *) - VNET_HDR_BYTES,
			rte_pktmbuf_tailroom(m) + VNET_HDR_BYTES},
		{discard, sizeof(discard)},
	};
	ssize_t len;

	if (big)
		iov[1] = (struct iovec){big->buf_addr, big->buf_len};
	len = readv(fd, iov, 2);
	return len < 0 ? -errno : len;
}

// Makes a packet of what read_frame() left. Returns true when `big` was used.
static bool chain(struct rte_mbuf *m, struct rte_mbuf *big, uint32_t len_bytes)
{
	uint32_t room = rte_pktmbuf_tailroom(m);

	m->pkt_len = len_bytes;
	m->data_len = MIN_OF(len_bytes, room);
	if (len_bytes <= room)
		return false;
	big->data_off = 0;
	big->data_len = len_bytes - room;
	big->pkt_len = big->data_len;
	m->next = big;
	m->nb_segs = 2;
	return true;
}

static int vnet_apply(struct rte_mbuf *m)
{
	struct virtio_net_hdr hdr;

	memcpy(&hdr, rte_pktmbuf_mtod(m, uint8_t *) - VNET_HDR_BYTES, sizeof(hdr));
	return vnet_hdr_to_mbuf(&hdr, m);
}

static void rx_failed(struct dp_port *dp, int rc)
{
	if (rc != -EAGAIN && rc != -EINTR && rc != -ENOMEM)
		dp_port_fail(dp, -rc);
}

// No buffer for the frame: throws it away, so that the shortage is counted and the queue moves.
static uint16_t rx_starved(struct dp_port *dp, int fd, struct dp_site *at)
{
	ssize_t len = read(fd, discard, sizeof(discard));

	if (len < 0)
		rx_failed(dp, -errno);
	else
		dp_drop_count(at, DP_DROP_RX_NO_BUFFER, NULL, 1);
	return 0;
}

uint16_t tap_rx(
	struct dp_port *dp, uint16_t queue, struct rte_mbuf **pkts, uint16_t n, struct dp_site *at)
{
	const struct port *port = (const struct port *)dp;
	const struct tap *tap = port->priv;
	struct rte_mbuf *m = NULL, *big = NULL;
	uint32_t bytes = 0;
	uint16_t count = 0;
	ssize_t len;

	while (count < n && bytes < TAP_BURST_BYTES) {
		if (!m)
			m = rte_pktmbuf_alloc(port->env->pool);
		if (!m) {
			rx_starved(dp, tap->fd[queue], at);
			break;
		}
		if (!big)
			big = big_alloc(port);
		len = read_frame(tap->fd[queue], m, big);
		if (len < VNET_HDR_BYTES) {
			if (len < 0)
				rx_failed(dp, len);
			break;
		}
		len -= VNET_HDR_BYTES;
		bytes += len;
		if (!big && len > rte_pktmbuf_tailroom(m)) {
			dp_drop_count(at, DP_DROP_RX_NO_BUFFER, NULL, 1);
			continue;
		}
		if (chain(m, big, len))
			big = NULL;
		if (vnet_apply(m))
			dp_drop(at, DP_DROP_RX_HEADER, m);
		else
			pkts[count++] = m;
		m = NULL;
	}
	rte_pktmbuf_free(m);
	rte_pktmbuf_free(big);
	return count;
}

// Returns 0 or a negative errno. The header goes beside the packet, whose buffers may be shared.
static int tx_one(int fd, struct rte_mbuf *m)
{
	struct virtio_net_hdr hdr;
	struct iovec iov[1 + DP_TX_SEGS];
	unsigned n = 1;

	if (m->nb_segs > DP_TX_SEGS)
		return -EMSGSIZE;
	vnet_hdr_from_mbuf(m, &hdr);
	iov[0] = (struct iovec){&hdr, sizeof(hdr)};
	for (const struct rte_mbuf *seg = m; seg; seg = seg->next)
		iov[n++] = (struct iovec){rte_pktmbuf_mtod(seg, void *), seg->data_len};
	return writev(fd, iov, n) < 0 ? -errno : 0;
}

void tap_tx(
	struct dp_port *dp, uint16_t queue, struct rte_mbuf **pkts, uint16_t n, struct dp_site *at)
{
	const struct tap *tap = ((const struct port *)dp)->priv;
	int fd = tap->fd[queue % tap->nb_fds], rc;

	for (uint16_t i = 0; i < n; i++) {
		rc = tx_one(fd, pkts[i]);
		if (rc) {
			tx_refused(dp, -rc, pkts[i], at);
			continue;
		}
		at->tx_packets++;
		at->tx_bytes += pkts[i]->pkt_len;
		rte_pktmbuf_free(pkts[i]);
	}
}
