// SPDX-License-Identifier: BSD-3-Clause
// What anybody can send to a VTEP: a datagram is refused, or becomes a network and a
// frame inside it, whose flow has a source port, and which may be a heartbeat. A frame that looks
// unfinished is finished to the same bytes by the two ways there are: in software at egress, and
// for a socket that gathers. Nothing behind the datagram's end is read.
//
// Input: MTU (2 bytes), the datagram.
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "dp/offload.h"
#include "tests/fuzz/frames.h"
#include "vxlan/codec.h"
#include "vxlan/cut.h"
#include "vxlan/heartbeat.h"
#include "vxlan/mend.h"

#define NB_MBUFS     4095
#define MTU_BYTES    2
#define FRAME_MAX    65507
#define IOVS	     8
#define L2_BYTES_MAX 22

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct rte_mempool *pool;

// ---- header and flow ----

// A heartbeat is read as it is written, and answers what was asked at most.
static void check_heartbeat(const uint8_t *frame, uint32_t len_bytes)
{
	static const struct mac mac;
	struct heartbeat h = {};
	struct heartbeat_msg msg, again;
	uint8_t copy[HEARTBEAT_FRAME_BYTES];

	if (!heartbeat_read(frame, len_bytes, &msg))
		return;
	heartbeat_write(copy, &mac, &msg);
	demand(heartbeat_read(copy, sizeof(copy), &again));
	demand(again.is_reply == msg.is_reply && again.seq == msg.seq &&
		again.cookie == msg.cookie);
	demand(!heartbeat_answered(&h, 1, &msg, len_bytes));
	for (unsigned i = 0; i < 3; i++)
		heartbeat_ask(&h, 1, HEARTBEAT_FRAME_BYTES, &again);
	demand(heartbeat_answered(&h, 1, &msg, len_bytes) ==
		(msg.seq < 3 && msg.cookie == heartbeat_cookie(0, msg.seq)));
	demand(!heartbeat_answered(&h, 1, &msg, len_bytes));
}

// Returns whether there is a frame.
static bool check_header(uint8_t *datagram, uint32_t len_bytes)
{
	uint8_t *frame = datagram + VXLAN_HDR_BYTES;
	uint32_t vni = UINT32_MAX, again, hash;

	if (!vxlan_read(datagram, len_bytes, &vni)) {
		demand(vni == UINT32_MAX);
		return false;
	}
	demand(vni <= VNI_MAX && len_bytes >= VXLAN_HDR_BYTES + VXLAN_FRAME_MIN);
	hash = vxlan_flow_hash(frame, len_bytes - VXLAN_HDR_BYTES);
	demand(vxlan_src_port(hash) >= VXLAN_SRC_PORT_MIN);
	vxlan_write(datagram, vni);
	demand(vxlan_read(datagram, len_bytes, &again) && again == vni);
	demand(vxlan_flow_hash(frame, len_bytes - VXLAN_HDR_BYTES) == hash);
	return true;
}

// ---- unfinished frames ----

static void release(void *addr, void *info)
{
}

// A packet around bytes that stay the caller's, with nothing behind them.
static struct rte_mbuf *packet_of(uint8_t *frame, uint16_t len_bytes)
{
	static struct rte_mbuf_ext_shared_info info = {.free_cb = release};
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);

	demand(m != NULL);
	rte_mbuf_ext_refcnt_set(&info, 1);
	rte_pktmbuf_attach_extbuf(m, frame, 0, len_bytes, &info);
	m->data_off = 0;
	m->data_len = m->pkt_len = len_bytes;
	return m;
}

// The next frame of `cut` is that of `m`.
static void compare_next(struct cut *cut, const struct rte_mbuf *m)
{
	static uint8_t ours[UINT16_MAX], copy[UINT16_MAX];
	struct iovec iov[IOVS];
	uint32_t bytes, done = cut->hdr_bytes;
	unsigned count = cut_next(cut, ours, iov, &bytes);

	demand(count <= IOVS && bytes == m->pkt_len);
	for (unsigned i = 0; i < count; i++) {
		memcpy(ours + done, iov[i].iov_base, iov[i].iov_len);
		done += iov[i].iov_len;
	}
	demand(done == bytes);
	demand(!memcmp(ours, rte_pktmbuf_read(m, 0, bytes, copy), bytes));
}

static void check_frame(uint8_t *frame, uint16_t len_bytes, uint16_t mtu)
{
	static struct dp_site at;
	struct rte_mbuf *out[DP_GSO_MAX], *m = packet_of(frame, len_bytes);
	struct cut cut;
	bool good, large;
	uint16_t n;

	mend(m, mtu);
	large = m->ol_flags & RTE_MBUF_F_TX_TCP_SEG;
	if (!(m->ol_flags & DP_OFFLOAD_FLAGS)) {
		rte_pktmbuf_free(m);
		return;
	}
	good = cut_begin(&cut, m);
	rte_pktmbuf_refcnt_update(m, 1); // cut_next() reads it below
	n = dp_offload_finish(m, RTE_ETH_TX_OFFLOAD_MULTI_SEGS, pool, out, DP_GSO_MAX, &at);
	demand(good == (n > 0));
	for (uint16_t i = 0; i < n; i++) {
		demand(!cut_done(&cut));
		compare_next(&cut, out[i]);
		demand(!large || out[i]->pkt_len <= L2_BYTES_MAX + mtu);
	}
	demand(!n || cut_done(&cut));
	rte_pktmbuf_free_bulk(out, n);
	rte_pktmbuf_free(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *datagram;

	if (!pool)
		pool = pool_of(NB_MBUFS);
	if (size < MTU_BYTES || size > MTU_BYTES + FRAME_MAX)
		return 0;
	size -= MTU_BYTES;
	// In memory of just its size, so that a sanitizer sees what is read beyond it.
	datagram = malloc(size ? size : 1);
	demand(datagram != NULL);
	memcpy(datagram, data + MTU_BYTES, size);
	if (check_header(datagram, size)) {
		check_heartbeat(datagram + VXLAN_HDR_BYTES, size - VXLAN_HDR_BYTES);
		check_frame(
			datagram + VXLAN_HDR_BYTES, size - VXLAN_HDR_BYTES, data[0] << 8 | data[1]);
	}
	free(datagram);
	demand(rte_mempool_in_use_count(pool) == 0);
	return 0;
}
