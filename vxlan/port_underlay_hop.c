// SPDX-License-Identifier: BSD-3-Clause
// Next hops of the underlay `port`, as workers use them: what waits for one, and what is heard of
// it.
#include "vxlan/port_underlay_io.h"

// What waits for `hop` goes to the address in `word`.
static void hop_release(
	struct port_underlay *u, struct port_hop *hop, uint64_t word, struct dp_site *at)
{
	struct rte_mbuf *ready[PORT_HOP_WAITING];
	uint16_t n = 0;

	for (unsigned i = 0; i < PORT_HOP_WAITING; i++) {
		struct rte_mbuf *m = atomic_exchange(&hop->waiting[i], NULL);

		if (!m)
			continue;
		memcpy(rte_pktmbuf_mtod(m, void *), &word, RTE_ETHER_ADDR_LEN);
		ready[n++] = m;
	}
	if (n)
		port_underlay_send(u, ready, n, at);
}

void port_hop_wait(
	struct port_underlay *u, struct port_hop *hop, struct rte_mbuf *m, struct dp_site *at)
{
	uint64_t word = atomic_load(&hop->word);
	bool waits = false;

	for (unsigned i = 0; i < PORT_HOP_WAITING && !(word & PORT_HOP_FAILED) && !waits; i++) {
		struct rte_mbuf *none = NULL;

		waits = atomic_compare_exchange_strong(&hop->waiting[i], &none, m);
	}
	if (!waits) {
		dp_drop(at, hop == &u->nowhere ? DP_DROP_TUNNEL_NO_REMOTE : DP_DROP_TUNNEL_DOWN, m);
		return;
	}
	// It may have become known in between.
	word = atomic_load(&hop->word);
	if (word & PORT_HOP_VALID)
		hop_release(u, hop, word, at);
}

void port_hop_learn(struct port_underlay *u, const struct ip_addr *ip, const struct mac *mac,
	bool keep, struct dp_site *at)
{
	const struct port_routes *routes = atomic_load_explicit(&u->routes, memory_order_acquire);
	struct port_hop *hop = port_hop_find(routes, ip);
	uint64_t word = PORT_HOP_VALID | PORT_HOP_CONFIRMED, old;
	uint64_t address = 0;

	if (!hop)
		return;
	memcpy(&address, mac, sizeof(*mac));
	old = atomic_load(&hop->word);
	if (old & PORT_HOP_STATIC)
		return;
	if (!address || (keep && old & PORT_HOP_VALID && (old & PORT_HOP_MAC) != address)) {
		if (!address && old & PORT_HOP_VALID)
			atomic_fetch_or(&hop->word, PORT_HOP_CONFIRMED);
		return;
	}
	word |= address;
	old = atomic_exchange(&hop->word, word);
	if (!(old & PORT_HOP_VALID))
		hop_release(u, hop, word, at);
}
