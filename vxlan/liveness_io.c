// SPDX-License-Identifier: BSD-3-Clause
#include "vxlan/liveness.h"

bool liveness_take(struct dp_port *port, struct rte_mbuf *m, struct dp_site *at)
{
	struct vni *vni = (struct vni *)port;
	struct vtep *vtep = vni->vtep;
	struct liveness_heard heard = {
		.vni = vni->number, .bytes = m->pkt_len, .remote = dp_remote(m)};
	uint8_t copy[HEARTBEAT_FRAME_BYTES];
	const uint8_t *frame = rte_pktmbuf_read(m, 0, sizeof(copy), copy);

	if (!frame || !heartbeat_read(frame, sizeof(copy), &heard.msg))
		return false;
	if (rte_ring_mp_enqueue_elem(vtep->liveness.heard, &heard, sizeof(heard)) < 0) {
		dp_drop(at, DP_DROP_TUNNEL_HEARTBEAT, m);
		return true;
	}
	rte_pktmbuf_free(m);
	atomic_store_explicit(&vtep->dp.calls_main, true, memory_order_release);
	return true;
}
