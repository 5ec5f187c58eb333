// SPDX-License-Identifier: BSD-3-Clause
#include "ports/veth_io.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "ports/inner_tunnel.h"
#include "ports/refused.h"
#include "ports/vnet_hdr.h"

#define BURST_BYTES	(128 * 1024) // of payload in one rx(): stays in an L2 cache
#define ADDRESSES_BYTES 12
#define TAG_BYTES	4
#define BIG_HEADROOM	16

static struct tpacket2_hdr *slot(const struct veth *veth)
{
	return (struct tpacket2_hdr *)(veth->ring +
				       (size_t)(veth->head / FRAMES_PER_BLOCK) * BLOCK_BYTES +
				       (size_t)(veth->head % FRAMES_PER_BLOCK) * FRAME_BYTES);
}

static int append(struct rte_mbuf *m, struct rte_mempool *pool, const uint8_t *data, uint32_t len)
{
	struct rte_mbuf *last = rte_pktmbuf_lastseg(m);

	for (;;) {
		uint32_t n = RTE_MIN(len, (uint32_t)rte_pktmbuf_tailroom(last));

		memcpy(rte_pktmbuf_mtod_offset(last, uint8_t *, last->data_len), data, n);
		last->data_len += n;
		m->pkt_len += n;
		data += n;
		len -= n;
		if (!len)
			return 0;
		last->next = rte_pktmbuf_alloc(pool);
		if (!last->next)
			return -ENOMEM;
		last = last->next;
		m->nb_segs++;
	}
}

// A packet with the frame's bytes, its VLAN tag put back where the kernel took it off.
static struct rte_mbuf *copy_frame(const struct port_env *env, const struct tpacket2_hdr *h)
{
	const uint8_t *data = (const uint8_t *)h + h->tp_mac;
	bool tagged = h->tp_status & TP_STATUS_VLAN_VALID;
	bool small = h->tp_snaplen + TAG_BYTES <= RTE_MBUF_DEFAULT_DATAROOM;
	struct rte_mbuf *m = rte_pktmbuf_alloc(small ? env->pool : env->big_pool);
	uint32_t done = 0;

	if (!m)
		return NULL;
	if (!small)
		m->data_off = BIG_HEADROOM;
	if (tagged && h->tp_snaplen >= ADDRESSES_BYTES) {
		uint16_t tpid =
			h->tp_status & TP_STATUS_VLAN_TPID_VALID ? h->tp_vlan_tpid : ETH_P_8021Q;
		uint16_t tag[2] = {htons(tpid), htons(h->tp_vlan_tci)};

		append(m, env->pool, data, ADDRESSES_BYTES);
		append(m, env->pool, (const uint8_t *)tag, sizeof(tag));
		done = ADDRESSES_BYTES;
	}
	if (append(m, env->pool, data + done, h->tp_snaplen - done) < 0) {
		rte_pktmbuf_free(m);
		return NULL;
	}
	return m;
}

// Of a frame that is dropped.
static void note_size(struct veth *veth, uint32_t len)
{
	if (len > UINT16_MAX + ETH_HLEN + TAG_BYTES)
		atomic_store_explicit(&veth->oversized, true, memory_order_relaxed);
}

// A frame that contradicts its header, unless both speak of a large segment in a tunnel: then the
// pieces wait in `veth->cut`.
static void take_tunnel(const struct port *port, struct veth *veth,
	const struct virtio_net_hdr *hdr, struct rte_mbuf *m, struct dp_site *at)
{
	int n = tunnel_cut(hdr, m, port->env->pool, veth->cut, DP_GSO_MAX);

	if (n < 0) {
		note_size(veth, m->pkt_len);
		dp_drop(at, n == -ENOMEM ? DP_DROP_RX_NO_BUFFER : DP_DROP_RX_HEADER, m);
		return;
	}
	rte_pktmbuf_free(m);
	veth->cut_first = 0;
	veth->cut_end = n;
}

// Returns the packet, or NULL when it was dropped or cut.
static struct rte_mbuf *take_frame(
	const struct port *port, const struct tpacket2_hdr *h, struct dp_site *at)
{
	struct virtio_net_hdr hdr;
	struct rte_mbuf *m;

	if (h->tp_snaplen < h->tp_len) {
		note_size(port->priv, h->tp_len);
		dp_drop_count(at, DP_DROP_RX_HEADER, NULL, 1);
		return NULL;
	}
	m = copy_frame(port->env, h);
	if (!m) {
		dp_drop_count(at, DP_DROP_RX_NO_BUFFER, NULL, 1);
		return NULL;
	}
	memcpy(&hdr, (const uint8_t *)h + h->tp_mac - VNET_HDR_BYTES, sizeof(hdr));
	if ((h->tp_status & TP_STATUS_VLAN_VALID) && (hdr.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM))
		hdr.csum_start += TAG_BYTES; // it counts without the tag
	if (vnet_hdr_to_mbuf(&hdr, m)) {
		take_tunnel(port, port->priv, &hdr, m, at);
		return NULL;
	}
	return m;
}

// Nothing in the ring: quiet, or gone?
static void check_alive(struct dp_port *dp, const struct veth *veth)
{
	socklen_t len = sizeof(int);
	int error = 0;

	if (getsockopt(veth->fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && error)
		dp_port_fail(dp, error);
}

uint16_t veth_rx(
	struct dp_port *dp, uint16_t queue, struct rte_mbuf **pkts, uint16_t n, struct dp_site *at)
{
	const struct port *port = (const struct port *)dp;
	struct veth *veth = port->priv;
	uint32_t bytes = 0;
	uint16_t count = 0;

	while (count < n && bytes < BURST_BYTES) {
		struct tpacket2_hdr *h = slot(veth);
		struct rte_mbuf *m;

		if (veth->cut_first < veth->cut_end) {
			pkts[count++] = veth->cut[veth->cut_first++];
			continue;
		}
		if (!(__atomic_load_n(&h->tp_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER))
			break;
		bytes += h->tp_snaplen;
		m = take_frame(port, h, at);
		__atomic_store_n(&h->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
		veth->head = (veth->head + 1) % FRAMES;
		if (m)
			pkts[count++] = m;
	}
	if (!count)
		check_alive(dp, veth);
	return count;
}

void veth_tx(
	struct dp_port *dp, uint16_t queue, struct rte_mbuf **pkts, uint16_t n, struct dp_site *at)
{
	const struct veth *veth = ((const struct port *)dp)->priv;
	struct iovec iov[DP_BURST][1 + DP_TX_SEGS];
	struct virtio_net_hdr hdr[DP_BURST];
	struct mmsghdr msg[DP_BURST];
	uint16_t sent = 0;

	for (uint16_t i = 0; i < n; i++) {
		unsigned k = 1;

		vnet_hdr_from_mbuf(pkts[i], &hdr[i]);
		iov[i][0] = (struct iovec){&hdr[i], sizeof(hdr[i])};
		for (const struct rte_mbuf *seg = pkts[i]; seg && k <= DP_TX_SEGS; seg = seg->next)
			iov[i][k++] = (struct iovec){rte_pktmbuf_mtod(seg, void *), seg->data_len};
		// More segments than that: an empty message, which the kernel refuses.
		msg[i] = (struct mmsghdr){
			.msg_hdr = {.msg_iov = iov[i],
				.msg_iovlen = pkts[i]->nb_segs > DP_TX_SEGS ? 0 : k}};
	}
	while (sent < n) {
		int done = sendmmsg(veth->fd, msg + sent, n - sent, MSG_DONTWAIT);

		for (int i = 0; i < done; i++) {
			at->tx_packets++;
			at->tx_bytes += pkts[sent]->pkt_len;
			rte_pktmbuf_free(pkts[sent++]);
		}
		if (done <= 0)
			tx_refused(dp, errno, pkts[sent], at), sent++;
	}
}
