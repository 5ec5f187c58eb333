// SPDX-License-Identifier: BSD-3-Clause
// Any frames on the wire of a VTEP that has a port to itself. Each comes out as what was
// inside it, is answered, is learned from, or is counted as dropped; nothing is read outside its
// buffer, and no buffer is lost. Whatever was learned, frames still go out, and heartbeats are
// answered.
//
// Input: how it is done (1 byte: IPv6, frames in memory of just their size), then frames, each
// after its size (2 bytes, little-endian).
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "tests/fuzz/frames.h"
#include "vxlan/codec.h"
#include "vxlan/vxlan.h"

#define NB_MBUFS   511
#define FRAMES_MAX 64
#define FRAME_MAX  1900
#define LOADED	   72 // bytes that may be loaded of a shorter frame
#define VNI	   42
#define PORT_ID	   7

enum { IP6 = 1, OUTSIDE = 2 }; // bits of the first byte

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct rte_mempool *pool;
static struct rte_mbuf *in[FRAMES_MAX];
static unsigned nb_in, nb_sent;

static const struct mac own_mac = {{2, 0, 0, 0, 0, 2}};

// ---- the lower port ----

static uint16_t lower_rx(struct dp_port *port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n,
	struct dp_site *at)
{
	n = RTE_MIN(n, nb_in);
	memcpy(pkts, in, n * sizeof(*pkts));
	nb_in -= n;
	memmove(in, in + n, nb_in * sizeof(*in));
	return n;
}

static void lower_tx(struct dp_port *port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n,
	struct dp_site *at)
{
	for (uint16_t i = 0; i < n; i++) {
		const uint8_t *bytes = rte_pktmbuf_mtod(pkts[i], const uint8_t *);

		rte_mbuf_sanity_check(pkts[i], 1);
		demand(!memcmp(bytes + 6, &own_mac, sizeof(own_mac)));
		demand(!(bytes[0] & 1) || bytes[0] == 0xff || bytes[0] == 0x33);
		at->tx_packets++;
		rte_pktmbuf_free(pkts[i]);
	}
	nb_sent += n;
}

// ---- frames ----

struct outside {
	struct rte_mbuf_ext_shared_info info;
	uint16_t pad; // frames begin at even addresses
	uint8_t bytes[];
};

static void free_outside(void *addr, void *opaque)
{
	free(opaque);
}

static struct rte_mbuf *frame_of(const uint8_t *bytes, uint16_t len, bool is_outside)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
	uint16_t room = RTE_MAX(len, LOADED);
	struct outside *o;

	demand(m != NULL);
	if (!is_outside) {
		memcpy(rte_pktmbuf_append(m, len), bytes, len);
		return m;
	}
	o = calloc(1, sizeof(*o) + room);
	demand(o != NULL);
	o->info.free_cb = free_outside;
	o->info.fcb_opaque = o;
	rte_mbuf_ext_refcnt_set(&o->info, 1);
	memcpy(o->bytes, bytes, len);
	rte_pktmbuf_attach_extbuf(m, o->bytes, (rte_iova_t)(uintptr_t)o->bytes, room, &o->info);
	m->data_off = 0;
	m->data_len = m->pkt_len = len;
	return m;
}

static unsigned put_frames(const uint8_t *data, size_t size, bool is_outside)
{
	unsigned count = 0;

	while (count < FRAMES_MAX && size >= 2) {
		uint16_t len = RTE_MIN((data[0] | data[1] << 8) & 0x7ff, FRAME_MAX);

		data += 2;
		size -= 2;
		len = RTE_MIN(len, size);
		in[count++] = frame_of(data, len, is_outside);
		data += len;
		size -= len;
	}
	nb_in = count;
	return count;
}

// ---- the VTEP ----

static struct {
	struct dp *dp;
	struct dp_port lower;
	struct vtep *vtep;
	struct vni *vni;
	uint16_t remote;
} e;

static struct ip_addr ip_of(bool ip6, uint8_t host)
{
	struct ip_addr ip = {.family = ip6 ? 6 : 4};

	ip.byte[0] = ip6 ? 0xfd : 10;
	ip.byte[ip6 ? 15 : 3] = host;
	return ip;
}

static void open_vtep(bool ip6)
{
	const struct conf_vtep conf = {
		.name = "t0",
		.underlay = CONF_UNDERLAY_PORT,
		.port = {.has_mac = true, .mac = own_mac},
		.address = ip_of(ip6, 2),
		.udp_port = VXLAN_UDP_PORT,
		.prefix = 8,
	};
	struct vxlan_env env = {.dp = e.dp, .pool = pool, .big_pool = pool, .nb_workers = 1};
	struct ip_addr remote = ip_of(ip6, 1);
	struct err err = {0};

	e.lower = (struct dp_port){.rx = lower_rx,
		.tx = lower_tx,
		.nb_rxq = 1,
		.nb_txq = 1,
		.mtu = 1500,
		.tx_offloads = RTE_ETH_TX_OFFLOAD_MULTI_SEGS};
	demand(vtep_open(&conf, &env, &e.lower, &e.vtep, &err) == 0);
	demand(vni_open(e.vtep, VNI, 0, &e.vni, &err) == 0);
	vni_port(e.vni)->id = PORT_ID;
	demand(vtep_remote_get(e.vtep, &remote, &e.remote, &err) == 0);
	demand(vni_remote_add(e.vni, e.remote, true) == 0);
	demand(vtep_publish(e.vtep) == 0);
}

static void close_vtep(void)
{
	vni_close(e.vni);
	vtep_close(e.vtep);
	demand(dp_settled(e.dp));
}

static void init(void)
{
	struct dp_opts opts = {0};
	struct err err = {0};

	pool = pool_of(NB_MBUFS);
	opts.pool = pool;
	demand(dp_new(&opts, &e.dp, &err) == 0);
}

static unsigned receive(struct dp_site *at)
{
	struct dp_port *port = vtep_port(e.vtep);
	struct rte_mbuf *got[DP_BURST];
	unsigned count = 0;

	while (nb_in) {
		uint16_t n = port->rx(port, 0, got, DP_BURST, at);

		for (uint16_t i = 0; i < n; i++) {
			rte_mbuf_sanity_check(got[i], 1);
			demand(got[i]->pkt_len >= VXLAN_FRAME_MIN);
			demand(dp_input(got[i]) == PORT_ID && dp_remote(got[i]) == e.remote);
			if (!vni_port(e.vni)->take_local(vni_port(e.vni), got[i], at))
				rte_pktmbuf_free(got[i]);
		}
		count += n;
	}
	return count;
}

static void transmit(void)
{
	struct dp_port *port = vni_port(e.vni);
	struct dp_site at = {0};
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);

	memset(rte_pktmbuf_append(m, 60), 7, 60);
	dp_set_remote(m, e.remote);
	port->tx(port, 0, &m, 1, &at);
	for (unsigned r = 0; r < DP_NB_DROPS; r++)
		demand(!at.drop[r]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dp_site at = {0};
	unsigned count, out;

	if (!size)
		return 0;
	if (!pool)
		init();
	open_vtep(data[0] & IP6);
	transmit();
	count = put_frames(data + 1, size - 1, data[0] & OUTSIDE);
	out = receive(&at) + at.rx_packets;
	for (unsigned r = 0; r < DP_NB_DROPS; r++)
		out += at.drop[r];
	demand(out == count);
	transmit();
	vtep_hear(e.vtep, 1000000);
	vtep_service(e.vtep, 1000000);
	close_vtep();
	demand(rte_mempool_in_use_count(pool) == 0);
	return 0;
}
