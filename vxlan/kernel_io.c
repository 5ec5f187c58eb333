// SPDX-License-Identifier: BSD-3-Clause
// Receiving and transmitting through the host's UDP sockets. Trains of datagrams cross the kernel
// as one: received with UDP_GRO into one large buffer that their frames share, sent with
// UDP_SEGMENT from slices of the frames and headers that lie beside them.
#include "vxlan/kernel.h"

#include <errno.h>
#include <linux/udp.h>

#include <rte_ethdev.h>

#include "base/util.h"
#include "dp/offload.h"
#include "vxlan/codec.h"
#include "vxlan/cut.h"
#include "vxlan/mend.h"

// Frames up to this size are copied out of a train: cheaper than a reference to the large buffer.
#define RX_COPY_BYTES  256
// Calls of recvmmsg() in one rx(): the worker has other queues, whatever is sent to this one.
#define RX_TRIES       16
// After a train, few messages are asked for at once: more data than a cache holds does not help.
#define RX_TRAINS_BUSY 2

// ---- receive ----

// Fills the holes that trains have left. Returns the number of buffers from the first on.
static unsigned provide_buffers(const struct vtep *vtep, struct kernel_rx *rx)
{
	unsigned i;

	for (i = 0; i < rx->room; i++) {
		if (!rx->buf[i])
			rx->buf[i] = rte_pktmbuf_alloc(vtep->env.big_pool);
		if (!rx->buf[i])
			break;
		rx->iov[i] = (struct iovec){rx->buf[i]->buf_addr, rx->buf[i]->buf_len};
		rx->msg[i].msg_hdr = (struct msghdr){
			.msg_name = &rx->from[i],
			.msg_namelen = sizeof(rx->from[i]),
			.msg_iov = &rx->iov[i],
			.msg_iovlen = 1,
			.msg_control = &rx->cmsg[i],
			.msg_controllen = sizeof(rx->cmsg[i]),
		};
	}
	return i;
}

// No buffer: throws a message away, so that the shortage is counted and the queue moves.
static void starve(int fd, struct dp_site *at)
{
	uint8_t byte;

	if (recv(fd, &byte, sizeof(byte), MSG_DONTWAIT) >= 0)
		dp_drop_count(at, DP_DROP_RX_NO_BUFFER, NULL, 1);
}

// Receives the messages that have come, if any. Returns whether there may be more.
static bool receive(const struct vtep *vtep, struct kernel_rx *rx, struct dp_site *at)
{
	int room = provide_buffers(vtep, rx), n = 0;

	if (room)
		n = recvmmsg(vtep->kernel->rx_fd, rx->msg, room, MSG_DONTWAIT, NULL);
	else
		starve(vtep->kernel->rx_fd, at);
	rx->next = 0;
	rx->nb_msgs = MAX_OF(n, 0);
	rx->room = KERNEL_RX_TRAINS;
	return room && n == room;
}

// What the kernel says of a message: the size of the datagrams of a train, 0 for a single one, and
// the outer ECN field.
static uint32_t read_control(struct msghdr *msg, unsigned *ret_ecn)
{
	struct cmsghdr *c = msg->msg_controllen ? CMSG_FIRSTHDR(msg) : NULL;
	uint32_t size = 0;

	*ret_ecn = ECN_NOT_ECT;
	for (; c; c = CMSG_NXTHDR(msg, c)) {
		// A traffic class is a byte (IPv4) or an int, whose first byte is the lowest.
		if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO)
			memcpy(&size, CMSG_DATA(c), sizeof(size));
		else if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS) ||
			 (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_TCLASS))
			*ret_ecn = *CMSG_DATA(c) & ECN_MASK;
	}
	return size;
}

static struct vxlan_addr address(const struct sockaddr_in6 *from)
{
	return from->sin6_family == AF_INET6
		       ? vxlan_addr_of_ip6(&from->sin6_addr)
		       : vxlan_addr_of_ip4(((const struct sockaddr_in *)from)->sin_addr.s_addr);
}

// One message of those received, while it is taken apart.
struct train {
	const struct vxlan_table *table;
	struct vxlan_addr from;
	unsigned ecn; // of the outer header
	uint32_t vni; // of the last datagram
	const struct vxlan_source *source;
};

static const struct vxlan_source *find_source(
	struct train *t, const uint8_t *datagram, uint32_t len_bytes, struct dp_site *at)
{
	uint32_t vni;

	if (unlikely(!vxlan_read(datagram, len_bytes, &vni))) {
		dp_drop_count(at, DP_DROP_TUNNEL_HEADER, NULL, 1);
		return NULL;
	}
	if (vni != t->vni) {
		t->vni = vni;
		t->source = vxlan_table_find(t->table, t->from, vni);
	}
	if (unlikely(!t->source))
		dp_drop_count(at,
			vxlan_table_has_vni(t->table, vni) ? DP_DROP_TUNNEL_SOURCE
							   : DP_DROP_TUNNEL_VNI,
			NULL, 1);
	return t->source;
}

// Whether the frame of a datagram may go on, with the mark that the outer header had.
static bool take_mark(
	const struct train *t, uint8_t *datagram, uint32_t len_bytes, struct dp_site *at)
{
	if (likely(!ecn_matters(t->ecn)) ||
		ecn_decap(datagram + VXLAN_HDR_BYTES, len_bytes - VXLAN_HDR_BYTES, t->ecn))
		return true;
	dp_drop_count(at, DP_DROP_TUNNEL_ECN, NULL, 1);
	return false;
}

static struct rte_mbuf *copy_frame(
	struct rte_mempool *pool, const uint8_t *frame, uint32_t len_bytes)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);

	if (likely(m))
		memcpy(rte_pktmbuf_append(m, len_bytes), frame, len_bytes);
	return m;
}

// A frame that is a part of the buffer and keeps it alive.
static struct rte_mbuf *share_frame(
	struct rte_mempool *pool, struct rte_mbuf *buf, uint32_t off_bytes, uint32_t len_bytes)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);

	if (unlikely(!m))
		return NULL;
	rte_pktmbuf_attach(m, buf);
	m->data_off = off_bytes;
	m->data_len = m->pkt_len = len_bytes;
	return m;
}

// The frame at `off_bytes` of the buffer of message `i`. The last one takes the buffer itself.
static struct rte_mbuf *make_frame(
	const struct vtep *vtep, unsigned i, uint32_t off_bytes, uint32_t len_bytes, bool last)
{
	struct rte_mbuf **buf = &vtep->kernel->rx.buf[i], *m = *buf;
	uint32_t copied = last && !off_bytes ? RTE_MBUF_DEFAULT_DATAROOM : RX_COPY_BYTES;

	off_bytes += VXLAN_HDR_BYTES;
	len_bytes -= VXLAN_HDR_BYTES;
	if (len_bytes <= copied)
		return copy_frame(vtep->env.pool, (uint8_t *)m->buf_addr + off_bytes, len_bytes);
	if (!last)
		return share_frame(vtep->env.pool, m, off_bytes, len_bytes);
	m->data_off = off_bytes;
	m->data_len = m->pkt_len = len_bytes;
	*buf = NULL;
	return m;
}

// Takes frames out of the message that is next, at most `n`. Returns how many.
static uint16_t take_apart(struct vtep *vtep, const struct vxlan_table *table,
	struct rte_mbuf **pkts, uint16_t n, struct dp_site *at)
{
	struct kernel_rx *rx = &vtep->kernel->rx;
	unsigned i = rx->next;
	struct train t = {.table = table, .from = address(&rx->from[i]), .vni = UINT32_MAX};
	uint32_t total = rx->msg[i].msg_len, size = read_control(&rx->msg[i].msg_hdr, &t.ecn);
	uint16_t count = 0, mtu = atomic_load_explicit(&vtep->mtu, memory_order_relaxed);

	if (size)
		rx->room = RX_TRAINS_BUSY;
	// Also once for a datagram of no bytes.
	do {
		uint32_t off_bytes = rx->off_bytes;
		uint32_t len_bytes = MIN_OF(size ? size : total, total - off_bytes);
		bool last = off_bytes + len_bytes == total;
		uint8_t *datagram = (uint8_t *)rx->iov[i].iov_base + off_bytes;
		const struct vxlan_source *source = find_source(&t, datagram, len_bytes, at);
		struct rte_mbuf *m;

		rx->off_bytes += len_bytes;
		if (unlikely(!source) || !take_mark(&t, datagram, len_bytes, at))
			continue;
		m = make_frame(vtep, i, off_bytes, len_bytes, last);
		if (unlikely(!m)) {
			dp_drop_count(at, DP_DROP_RX_NO_BUFFER, NULL, 1);
			continue;
		}
		dp_set_input(m, source->port);
		dp_set_remote(m, source->remote);
		mend(m, mtu);
		pkts[count++] = m;
	} while (count < n && rx->off_bytes < total);
	if (rx->off_bytes < total)
		return count;
	// Frames that are parts of the buffer keep it alive.
	if (rx->buf[i] && rte_mbuf_refcnt_read(rx->buf[i]) > 1) {
		rte_pktmbuf_free(rx->buf[i]);
		rx->buf[i] = NULL;
	}
	rx->off_bytes = 0;
	rx->next++;
	return count;
}

uint16_t kernel_rx(
	struct dp_port *dp, uint16_t queue, struct rte_mbuf **pkts, uint16_t n, struct dp_site *at)
{
	struct vtep *vtep = (struct vtep *)dp;
	struct kernel_rx *rx = &vtep->kernel->rx;
	const struct vxlan_table *table = atomic_load_explicit(&vtep->table, memory_order_acquire);
	unsigned tries = RX_TRIES;
	uint16_t count = 0;

	while (count < n && (tries || rx->next < rx->nb_msgs)) {
		if (rx->next == rx->nb_msgs)
			tries = receive(vtep, rx, at) ? tries - 1 : 0;
		if (rx->next < rx->nb_msgs)
			count += take_apart(vtep, table, pkts + count, n - count, at);
	}
	return count;
}

// ---- transmit ----

// One call of kernel_tx(), through one socket.
struct tx {
	const struct vni *vni;
	const struct vxlan_table *table;
	struct kernel *kernel;
	struct kernel_tx *q;
	struct dp_site *at;
	int fd;
	uint16_t mark; // of the packet that is put
};

static enum dp_drop_reason reason_of(int code)
{
	switch (code) {
	case EAGAIN:
	case ENOBUFS:
		return DP_DROP_TX_FULL;
	case EMSGSIZE:
		return DP_DROP_TX_TOO_BIG;
	case ENETDOWN:
	case ENETUNREACH:
	case EHOSTUNREACH:
	case EADDRNOTAVAIL: // the VTEP's address has gone
		return DP_DROP_TUNNEL_DOWN;
	default:
		return DP_DROP_TX_ERROR;
	}
}

static void count_sent(struct dp_site *at, uint32_t datagrams, uint32_t bytes)
{
	at->tx_packets += datagrams;
	at->tx_bytes += bytes - datagrams * VXLAN_HDR_BYTES;
}

// Sends the datagrams of a message one by one, where the kernel cannot segment: a device without
// checksum offload (EIO, before Linux 6.11), or a path MTU below their size (EINVAL).
static void send_singly(struct tx *tx, const struct mmsghdr *msg, const struct kernel_train *train)
{
	struct msghdr one = msg->msg_hdr;
	uint32_t left = train->bytes;

	one.msg_controllen -= CMSG_SPACE(sizeof(uint16_t)); // the last, UDP_SEGMENT
	for (; left; one.msg_iov += one.msg_iovlen) {
		uint32_t size = MIN_OF(train->size, left), have = 0;

		for (one.msg_iovlen = 0; have < size; one.msg_iovlen++)
			have += one.msg_iov[one.msg_iovlen].iov_len;
		if (sendmsg(tx->fd, &one, MSG_DONTWAIT) < 0)
			dp_drop_count(tx->at, reason_of(errno), train->first, 1);
		else
			count_sent(tx->at, 1, size);
		left -= size;
	}
}

static void send_failed(struct tx *tx, const struct mmsghdr *msg, const struct kernel_train *train)
{
	int code = errno;

	if (train->datagrams > 1 && (code == EIO || code == EINVAL || code == EMSGSIZE)) {
		if (code == EIO)
			atomic_store_explicit(&tx->kernel->segments, false, memory_order_relaxed);
		send_singly(tx, msg, train);
		return;
	}
	dp_drop_count(tx->at, reason_of(code), train->first, train->datagrams);
}

static void send_msgs(struct tx *tx)
{
	struct kernel_tx *q = tx->q;
	unsigned done = 0;

	while (done < q->nb_msgs) {
		int n = sendmmsg(tx->fd, q->msg + done, q->nb_msgs - done, MSG_DONTWAIT);

		for (int i = 0; i < n; i++, done++)
			count_sent(tx->at, q->sent[done].datagrams, q->sent[done].bytes);
		if (n < 0 && errno != EINTR) {
			send_failed(tx, &q->msg[done], &q->sent[done]);
			done++;
		}
	}
	q->nb_msgs = 0;
}

// Appends a control message.
static void add_control(
	struct msghdr *hdr, int level, int type, const void *value, unsigned len_bytes)
{
	struct cmsghdr *c = (struct cmsghdr *)((uint8_t *)hdr->msg_control + hdr->msg_controllen);

	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(len_bytes);
	memcpy(CMSG_DATA(c), value, len_bytes);
	hdr->msg_controllen += CMSG_SPACE(len_bytes);
}

void kernel_mark(struct msghdr *hdr, const struct vxlan_remote *remote, uint16_t mark)
{
	// An IPv4 address in a socket of IPv6 wants the options of IPv4 (udpv6_sendmsg()).
	bool ip6 = remote->ip.family == 6;
	int level = ip6 ? IPPROTO_IPV6 : IPPROTO_IP, tos = mark & 0xff, ttl = mark >> 8;

	if (tos)
		add_control(hdr, level, ip6 ? IPV6_TCLASS : IP_TOS, &tos, sizeof(tos));
	if (ttl != VXLAN_TTL)
		add_control(hdr, level, ip6 ? IPV6_HOPLIMIT : IP_TTL, &ttl, sizeof(ttl));
}

static void add_msg(struct tx *tx, uint16_t number, unsigned nb_iovs)
{
	const struct vxlan_remote *remote = vxlan_table_remote(tx->table, number);
	struct kernel_tx *q = tx->q;
	struct msghdr *hdr;
	uint16_t size = q->train.size;

	if (unlikely(!remote)) {
		dp_drop_count(tx->at, DP_DROP_TUNNEL_NO_REMOTE, q->train.first, q->train.datagrams);
		return;
	}
	if (q->nb_msgs == KERNEL_TX_MSGS)
		send_msgs(tx);
	hdr = &q->msg[q->nb_msgs].msg_hdr;
	*hdr = (struct msghdr){
		.msg_name = (void *)&remote->sa,
		.msg_namelen = remote->sa_bytes,
		.msg_iov = q->iov + q->train.iov,
		.msg_iovlen = nb_iovs,
		.msg_control = &q->cmsg[q->nb_msgs],
	};
	if (unlikely(q->train.mark != VXLAN_MARK_PLAIN))
		kernel_mark(hdr, remote, q->train.mark);
	if (q->train.datagrams > 1) // the last: see send_singly()
		add_control(hdr, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof(size));
	q->sent[q->nb_msgs++] = q->train;
}

// The open train, whose pieces end at `end`, goes to its remote, or to all of the VNI.
static void close_train(struct tx *tx, unsigned end)
{
	struct kernel_train *train = &tx->q->train;
	const struct vxlan_flood *flood;

	if (!train->datagrams)
		return;
	if (train->remote != DP_REMOTE_ALL) {
		add_msg(tx, train->remote, end - train->iov);
	} else {
		flood = vxlan_table_flood(tx->table, tx->vni->index, tx->vni->number);
		if (!flood || !flood->count)
			dp_drop_count(
				tx->at, DP_DROP_TUNNEL_NO_REMOTE, train->first, train->datagrams);
		for (uint32_t i = 0; flood && i < flood->count; i++)
			add_msg(tx, tx->table->flooded[flood->first + i], end - train->iov);
	}
	train->datagrams = 0;
}

static void flush(struct tx *tx)
{
	close_train(tx, tx->q->nb_iovs);
	send_msgs(tx);
	tx->q->nb_iovs = 0;
	tx->q->hdr_bytes = 0;
}

// Makes room for the next datagram. False when it could never have it.
static bool reserve(struct tx *tx, unsigned iovs, uint32_t hdr_bytes)
{
	struct kernel_tx *q = tx->q;

	if (iovs > KERNEL_TX_IOVS || hdr_bytes > KERNEL_TX_HDR_BYTES)
		return false;
	if (q->nb_iovs + iovs > KERNEL_TX_IOVS || q->hdr_bytes + hdr_bytes > KERNEL_TX_HDR_BYTES)
		flush(tx);
	return true;
}

// The last `iovs` pieces are a datagram of `bytes` bytes, with a frame of `m`.
static void add_datagram(struct tx *tx, const struct rte_mbuf *m, unsigned iovs, uint32_t bytes)
{
	struct kernel_tx *q = tx->q;
	struct kernel_train *train = &q->train;
	uint16_t remote = dp_remote(m);

	if (train->datagrams && remote == train->remote && tx->mark == train->mark &&
		bytes <= train->size && train->last_size == train->size &&
		train->size >= DP_GSO_SEGSZ_MIN && train->datagrams < KERNEL_TRAIN_DATAGRAMS &&
		train->bytes + bytes <= KERNEL_TRAIN_BYTES &&
		atomic_load_explicit(&tx->kernel->segments, memory_order_relaxed)) {
		train->datagrams++;
		train->last_size = bytes;
		train->bytes += bytes;
		return;
	}
	close_train(tx, q->nb_iovs - iovs);
	*train = (struct kernel_train){.iov = q->nb_iovs - iovs,
		.first = m,
		.remote = remote,
		.mark = tx->mark,
		.datagrams = 1,
		.size = bytes,
		.last_size = bytes,
		.bytes = bytes};
}

// Room for headers of `bytes` bytes, the VXLAN header before them written. Its piece is added.
static uint8_t *add_header(struct tx *tx, uint32_t bytes)
{
	struct kernel_tx *q = tx->q;
	uint8_t *hdr = q->hdr + q->hdr_bytes;

	vxlan_write(hdr, tx->vni->number);
	q->iov[q->nb_iovs++] = (struct iovec){hdr, VXLAN_HDR_BYTES + bytes};
	q->hdr_bytes += VXLAN_HDR_BYTES + bytes;
	return hdr + VXLAN_HDR_BYTES;
}

static void put_whole(struct tx *tx, const struct rte_mbuf *m)
{
	if (!reserve(tx, m->nb_segs + 1, VXLAN_HDR_BYTES) ||
		m->pkt_len + VXLAN_HDR_BYTES > KERNEL_TRAIN_BYTES) {
		dp_drop_count(tx->at, DP_DROP_TX_TOO_BIG, m, 1);
		return;
	}
	add_header(tx, 0);
	for (const struct rte_mbuf *seg = m; seg; seg = seg->next)
		tx->q->iov[tx->q->nb_iovs++] =
			(struct iovec){rte_pktmbuf_mtod(seg, void *), seg->data_len};
	add_datagram(tx, m, m->nb_segs + 1, m->pkt_len + VXLAN_HDR_BYTES);
}

// Frames of a packet that is to be segmented, or lacks its checksum.
static void put_cut(struct tx *tx, const struct rte_mbuf *m)
{
	struct kernel_tx *q = tx->q;
	struct cut cut;

	if (!cut_begin(&cut, m)) {
		dp_drop_count(tx->at, DP_DROP_TX_GSO, m, 1);
		return;
	}
	while (!cut_done(&cut)) {
		unsigned pieces;
		uint32_t bytes;
		uint8_t *hdr;

		if (!reserve(tx, m->nb_segs + 2, VXLAN_HDR_BYTES + cut.hdr_bytes)) {
			dp_drop_count(tx->at, DP_DROP_TX_GSO, m, 1);
			return;
		}
		hdr = add_header(tx, cut.hdr_bytes);
		pieces = cut_next(&cut, hdr, q->iov + q->nb_iovs, &bytes);
		q->nb_iovs += pieces;
		add_datagram(tx, m, pieces + 1, bytes + VXLAN_HDR_BYTES);
	}
}

// The sockets of packets, as a bit for each, and their marks.
static void sort(const struct vni *vni, struct rte_mbuf *const *pkts, uint16_t n,
	uint64_t todo[KERNEL_TX_SOCKETS], uint16_t mark[DP_BURST])
{
	struct vxlan_marking marking = vni_marking(vni);
	uint64_t care = marking_care(marking);

	static_assert(DP_BURST <= 64, "packets are bits");
	for (uint16_t i = 0; i < n; i++) {
		const struct rte_mbuf *m = pkts[i];
		uint64_t flow = vxlan_flow(rte_pktmbuf_mtod(m, const uint8_t *), m->data_len);

		todo[(uint32_t)flow % KERNEL_TX_SOCKETS] |= 1ull << i;
		mark[i] =
			unlikely(flow & care) ? marking_of(marking, flow, m, 0) : VXLAN_MARK_PLAIN;
	}
}

void kernel_tx(
	struct dp_port *dp, uint16_t queue, struct rte_mbuf **pkts, uint16_t n, struct dp_site *at)
{
	const struct vni *vni = (const struct vni *)dp;
	struct kernel *k = vni->vtep->kernel;
	struct tx tx = {
		.vni = vni,
		.table = atomic_load_explicit(&vni->vtep->table, memory_order_acquire),
		.kernel = k,
		.q = &k->tx[queue],
		.at = at,
	};
	uint64_t todo[KERNEL_TX_SOCKETS] = {0};
	uint16_t mark[DP_BURST];

	sort(vni, pkts, n, todo, mark);
	// A socket's frames are sent together: a flow is all in one, so its order is kept.
	for (unsigned s = 0; s < KERNEL_TX_SOCKETS; s++) {
		tx.fd = k->tx_fd[s];
		for (uint64_t left = todo[s]; left; left &= left - 1) {
			unsigned i = __builtin_ctzll(left);
			const struct rte_mbuf *m = pkts[i];

			tx.mark = mark[i];
			if (m->ol_flags & DP_OFFLOAD_FLAGS)
				put_cut(&tx, m);
			else
				put_whole(&tx, m);
		}
		if (todo[s])
			flush(&tx);
	}
	rte_pktmbuf_free_bulk(pkts, n);
}
