// SPDX-License-Identifier: BSD-3-Clause
// Encapsulation and decapsulation on the underlay `port`: outer headers on and off, over IPv4
// without a UDP checksum, of frames that are in the cache. The lower port does nothing.
#include <stdlib.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include "benchmarks/micro/micro.h"
#include "dp/resolve.h"
#include "vxlan/codec.h"
#include "vxlan/vxlan.h"

#define BATCHES	    16
#define PACKETS	    (BATCHES * DP_BURST)
#define FRAME_BYTES 60
#define OUTER_BYTES (RTE_ETHER_HDR_LEN + 20 + 8 + VXLAN_HDR_BYTES)
#define VNI	    42
#define ADDRESS(n)  (RTE_IPV4(10, 1, 0, 0) + (n)) // of remotes; ours is the 65535th

static struct {
	struct dp *dp;
	struct dp_port lower;
	struct vtep *vtep;
	struct vni *vni;
	uint32_t remotes;
	struct rte_mbuf *packet[PACKETS];
	unsigned next, received; // by the lower port
	unsigned sent;
	uint64_t done;
	struct dp_site at;
} s;

static const struct mac own_mac = {{2, 0, 0, 0, 0, 1}};

static uint16_t lower_rx(struct dp_port *port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n,
	struct dp_site *at)
{
	n = RTE_MIN(n, s.received - s.next);
	memcpy(pkts, s.packet + s.next, n * sizeof(*pkts));
	s.next += n;
	return n;
}

static void lower_tx(struct dp_port *port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n,
	struct dp_site *at)
{
	if (!s.packet[PACKETS - 1]) // a question of the VTEP
		rte_pktmbuf_free_bulk(pkts, n);
	s.sent += n;
	at->tx_packets += n;
}

static struct ip_addr ip_of(uint32_t address)
{
	struct ip_addr ip = {.family = 4};

	address = rte_cpu_to_be_32(address);
	memcpy(ip.byte, &address, sizeof(address));
	return ip;
}

// The remote answers the question where it is.
static void answer(uint32_t n)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(micro_pool), *none[DP_BURST];
	struct ip_addr ip = ip_of(ADDRESS(n)), own = ip_of(ADDRESS(65535));
	struct mac mac = {{2, 0, 0, 1, n >> 8, n}};
	struct dp_resolve r;

	micro_check(m && dp_resolve_ask(m, &own_mac, &own, &ip, NULL) == 0, "there is a question");
	dp_resolve_parse(m, &r);
	dp_resolve_answer(m, &r, &mac);
	s.packet[0] = m;
	s.next = 0;
	s.received = 1;
	vtep_port(s.vtep)->rx(vtep_port(s.vtep), 0, none, DP_BURST, &s.at);
}

static void add_remotes(void)
{
	for (uint32_t n = 1; n <= s.remotes; n++) {
		struct ip_addr ip = ip_of(ADDRESS(n));
		uint16_t number;

		micro_check(vtep_remote_get(s.vtep, &ip, &number, NULL) == 0 &&
				    vni_remote_add(s.vni, number, true) == 0 && number == n,
			"remotes are numbered in turn");
	}
	micro_check(vtep_publish(s.vtep) == 0, "tables are published");
}

// An inner frame with ports that differ; its outer headers before it, as from a remote.
static struct rte_mbuf *packet_of(unsigned i)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(micro_pool);
	struct rte_ipv4_hdr *ip, *inner;
	struct rte_udp_hdr *udp;
	uint8_t *p;

	micro_check(m && rte_pktmbuf_append(m, OUTER_BYTES + FRAME_BYTES),
		"there is a buffer for a packet");
	p = rte_pktmbuf_mtod(m, uint8_t *);
	ip = (struct rte_ipv4_hdr *)(p + RTE_ETHER_HDR_LEN);
	udp = (struct rte_udp_hdr *)(ip + 1);
	memset(p, 0, OUTER_BYTES + FRAME_BYTES);
	memcpy(p, &own_mac, sizeof(own_mac));
	p[12] = 8;
	ip->version_ihl = RTE_IPV4_VHL_DEF;
	ip->total_length = rte_cpu_to_be_16(OUTER_BYTES - RTE_ETHER_HDR_LEN + FRAME_BYTES);
	ip->time_to_live = 64;
	ip->next_proto_id = IPPROTO_UDP;
	ip->src_addr = rte_cpu_to_be_32(ADDRESS(1 + i % s.remotes));
	ip->dst_addr = rte_cpu_to_be_32(ADDRESS(65535));
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	udp->dst_port = rte_cpu_to_be_16(VXLAN_UDP_PORT);
	udp->dgram_len = rte_cpu_to_be_16(8 + VXLAN_HDR_BYTES + FRAME_BYTES);
	vxlan_write((uint8_t *)(udp + 1), VNI);
	p += OUTER_BYTES;
	memset(p, 2, 12);
	p[12] = 8;
	inner = (struct rte_ipv4_hdr *)(p + RTE_ETHER_HDR_LEN);
	inner->version_ihl = RTE_IPV4_VHL_DEF;
	inner->next_proto_id = IPPROTO_UDP;
	((struct rte_udp_hdr *)(inner + 1))->src_port = i;
	return m;
}

static void setup(uint64_t size)
{
	const struct dp_opts opts = {.pool = micro_pool};
	const struct conf_vtep conf = {
		.name = "t0",
		.underlay = CONF_UNDERLAY_PORT,
		.port = {.has_mac = true, .mac = own_mac},
		.address = ip_of(ADDRESS(65535)),
		.udp_port = VXLAN_UDP_PORT,
		.no_checksum = true,
		.prefix = 8,
	};
	struct vxlan_env env = {.pool = micro_pool, .big_pool = micro_big_pool, .nb_workers = 1};
	struct err err = {0};

	s = (typeof(s)){.remotes = (uint32_t)size};
	s.lower = (struct dp_port){
		.rx = lower_rx, .tx = lower_tx, .nb_rxq = 1, .nb_txq = 2, .mtu = 1500};
	micro_check(dp_new(&opts, &s.dp, &err) == 0, "there is a data plane");
	env.dp = s.dp;
	micro_check(vtep_open(&conf, &env, &s.lower, &s.vtep, &err) == 0 &&
			    vni_open(s.vtep, VNI, 0, &s.vni, &err) == 0,
		"there is a VTEP");
	add_remotes();
	for (uint32_t n = 1; n <= s.remotes; n++)
		answer(n);
	for (unsigned i = 0; i < PACKETS; i++)
		s.packet[i] = packet_of(i);
}

static void teardown(void)
{
	micro_check(s.sent || s.next, "packets have gone through");
	for (unsigned r = 0; r < DP_NB_DROPS; r++)
		micro_check(!s.at.drop[r], "no packet was dropped");
	rte_pktmbuf_free_bulk(s.packet, PACKETS);
	vni_close(s.vni);
	vtep_close(s.vtep);
	dp_free(s.dp);
}

// Packets with or without their outer headers.
static void place(bool inside)
{
	for (unsigned i = 0; i < PACKETS; i++) {
		struct rte_mbuf *m = s.packet[i];

		m->data_off = RTE_PKTMBUF_HEADROOM + (inside ? OUTER_BYTES : 0);
		m->data_len = m->pkt_len = FRAME_BYTES + (inside ? 0 : OUTER_BYTES);
		dp_set_remote(m, 1 + i % s.remotes);
	}
	s.next = s.sent = 0;
	s.received = PACKETS;
}

static void encap_prepare(void)
{
	place(true);
}

static uint64_t encap_run(void)
{
	struct dp_port *port = vni_port(s.vni);

	for (unsigned i = 0; i < PACKETS; i += DP_BURST)
		port->tx(port, 0, s.packet + i, DP_BURST, &s.at);
	return PACKETS;
}

static void encap_teardown(void)
{
	micro_check(s.sent == PACKETS, "all packets were sent");
	for (unsigned i = 0; i < PACKETS; i++)
		micro_check(s.packet[i]->pkt_len == OUTER_BYTES + FRAME_BYTES,
			"they have outer headers");
	teardown();
}

const struct micro_ops micro_encap = {setup, encap_prepare, encap_run, encap_teardown};

static void decap_prepare(void)
{
	place(false);
}

static uint64_t decap_run(void)
{
	struct dp_port *port = vtep_port(s.vtep);
	struct rte_mbuf *got[DP_BURST];

	for (unsigned i = 0; i < PACKETS; i += DP_BURST)
		s.done += port->rx(port, 0, got, DP_BURST, &s.at);
	return PACKETS;
}

static void decap_teardown(void)
{
	micro_check(s.done && s.done % PACKETS == 0, "all packets were for the network");
	for (unsigned i = 0; i < PACKETS; i++)
		micro_check(s.packet[i]->pkt_len == FRAME_BYTES &&
				    dp_remote(s.packet[i]) == 1 + i % s.remotes,
			"they have come out");
	teardown();
}

const struct micro_ops micro_decap = {setup, decap_prepare, decap_run, decap_teardown};
