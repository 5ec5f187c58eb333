// SPDX-License-Identifier: BSD-3-Clause
// A tunnel endpoint that has a port to itself: packets go in and come out of a port that the test
// plays, and are compared with ones made from scratch. Time is made up. All of it over IPv4 and
// over IPv6.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <rte_ethdev.h>

#include "tests/unit/packets.h"
#include "vswitch/dp/resolve.h"
#include "vxlan/codec.h"
#include "vxlan/vxlan.h"

#define VNI	  0x123456
#define PORT_ID	  77
#define QUEUE_MAX 512
#define WAITING	  8
#define GATEWAY	  254
#define FAR	  1000 // a host beyond it

static bool v6;
static struct dp *dp;
static struct vtep *vtep;
static struct vni *vni;
static struct dp_port lower;
static struct dp_counters rx_cnt, tx_cnt;
static struct conf_endpoint conf;
static const struct mac own_mac = {{2, 0, 0, 0, 0, 1}};

// ---- the lower port ----

static struct rte_mbuf *in[QUEUE_MAX], *sent[QUEUE_MAX], *got[DP_BURST];
static unsigned nb_in, nb_sent, next_sent, nb_got;

static uint16_t lower_rx(struct dp_port *port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n,
	struct dp_counters *c)
{
	n = RTE_MIN(n, nb_in);
	memcpy(pkts, in, n * sizeof(*pkts));
	nb_in -= n;
	memmove(in, in + n, nb_in * sizeof(*in));
	return n;
}

static void lower_tx(struct dp_port *port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n,
	struct dp_counters *c)
{
	assert_true(n > 0 && n <= DP_BURST);
	for (uint16_t i = 0; i < n; i++) {
		assert_true(dp_offload_fits(pkts[i], port->tx_offloads));
		rte_mbuf_sanity_check(pkts[i], 1);
		c->tx_packets++;
		c->tx_bytes += pkts[i]->pkt_len;
		assert_true(nb_sent < QUEUE_MAX);
		sent[nb_sent++] = pkts[i];
	}
}

static struct rte_mbuf *next(void)
{
	if (next_sent == nb_sent)
		fail_msg("nothing more was sent");
	return sent[next_sent++];
}

static void nothing_more(void)
{
	assert_int_equal(next_sent, nb_sent);
	next_sent = nb_sent = 0;
}

static void sent_bytes(const uint8_t *want, unsigned len)
{
	struct rte_mbuf *m = next();

	assert_bytes(m, want, len);
	rte_pktmbuf_free(m);
}

static uint64_t drops_of(const struct dp_counters *c)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < DP_NB_DROPS; i++)
		sum += c->drop[i];
	return sum;
}

// `count` packets were dropped for this reason, and none for another.
static void dropped(struct dp_counters *c, enum dp_drop_reason reason, unsigned count)
{
	assert_int_equal(c->drop[reason], count);
	assert_int_equal(drops_of(c), count);
	memset(c->drop, 0, sizeof(c->drop));
}

// ---- addresses ----

static struct ip_addr ip_of(unsigned host)
{
	struct ip_addr ip = {.family = v6 ? 6 : 4};

	if (v6) {
		ip.byte[0] = 0xfd;
		ip.byte[1] = host >= FAR;
		put16(ip.byte + 14, host);
	} else {
		put32(ip.byte, (host >= FAR ? 0x0b000000 : 0x0a000000) | host);
	}
	return ip;
}

static struct mac mac_of(unsigned host)
{
	struct mac mac = {{2}};

	put16(mac.byte + 4, host);
	return mac;
}

// ---- packets ----

static unsigned ip_bytes(void)
{
	return v6 ? 40 : 20;
}

static unsigned outer_bytes(void)
{
	return 14 + ip_bytes() + 16;
}

struct outer {
	struct mac to, from;
	unsigned dst, src; // hosts
	uint16_t src_port, dst_port;
	uint32_t number;
	bool checksum;
};

static void sums(uint8_t *pkt, unsigned udp_bytes, bool checksum)
{
	uint8_t *ip = pkt + 14, *udp = ip + ip_bytes();
	uint16_t sum;

	if (!v6) {
		put16(ip + 10, 0);
		put16(ip + 10, ~slow_sum(ip, 20, 0));
	}
	put16(udp + 6, 0);
	if (!checksum)
		return;
	sum = ~slow_sum(
		udp, udp_bytes, slow_sum(v6 ? ip + 8 : ip + 12, v6 ? 32 : 8, udp_bytes + 17));
	put16(udp + 6, sum ? sum : 0xffff);
}

static unsigned wrap(uint8_t *pkt, const struct outer *o, const uint8_t *inner, unsigned len)
{
	struct ip_addr src = ip_of(o->src), dst = ip_of(o->dst);
	unsigned udp_bytes = 16 + len;
	uint8_t *p = pkt, *udp;

	memcpy(p, &o->to, 6);
	memcpy(p + 6, &o->from, 6);
	p = put16(p + 12, v6 ? 0x86dd : 0x0800);
	if (v6) {
		p = put16(put16(put32(p, 0x60000000), udp_bytes), 17 << 8 | 64);
		memcpy(p, src.byte, 16);
		memcpy(p + 16, dst.byte, 16);
		udp = p + 32;
	} else {
		p = put32(put16(put16(p, 0x4500), 20 + udp_bytes), 0x4000);
		p = put16(put16(p, 64 << 8 | 17), 0);
		memcpy(p, src.byte, 4);
		memcpy(p + 4, dst.byte, 4);
		udp = p + 8;
	}
	p = put16(put16(put16(put16(udp, o->src_port), o->dst_port), udp_bytes), 0);
	p = put32(put32(p, 0x08000000), o->number << 8);
	memcpy(p, inner, len);
	sums(pkt, udp_bytes, o->checksum);
	return p + len - pkt;
}

// An inner frame of UDP, or of nothing that is known.
static unsigned inner_of(uint8_t *frame, unsigned id, unsigned len)
{
	const struct spec s = {.id = id, .payload_bytes = len - 42};

	if (len >= 42)
		return build(frame, &s, id % 1000, len - 42, 0, 0, false);
	memcpy(frame, payload + id % 1000, len);
	frame[12] = 0x88;
	return len;
}

// What goes to `host` by way of the one with `via`'s MAC.
static unsigned expected(uint8_t *pkt, unsigned host, unsigned via, unsigned id, unsigned len)
{
	uint8_t frame[PACKET_BYTES];
	unsigned n = inner_of(frame, id, len);
	const struct outer o = {
		.to = mac_of(via),
		.from = own_mac,
		.dst = host,
		.src = 1,
		.src_port = vxlan_src_port(vxlan_flow_hash(frame, n)),
		.dst_port = 4789,
		.number = VNI,
		.checksum = v6 || !conf.no_checksum,
	};

	return wrap(pkt, &o, frame, n);
}

static struct outer from_host(unsigned host)
{
	return (struct outer){
		.to = own_mac,
		.from = mac_of(host),
		.dst = 1,
		.src = host,
		.src_port = 50000 + host,
		.dst_port = 4789,
		.number = VNI,
		.checksum = v6,
	};
}

// ---- the endpoint ----

static uint16_t number_of(unsigned host)
{
	struct ip_addr ip = ip_of(host);
	uint16_t number;

	assert_int_equal(vtep_remote_get(vtep, &ip, &number, NULL), 0);
	vtep_remote_put(vtep, number);
	return number;
}

static void add_remote(unsigned host, bool flood)
{
	struct ip_addr ip = ip_of(host);
	uint16_t number;

	assert_int_equal(vtep_remote_get(vtep, &ip, &number, NULL), 0);
	assert_int_equal(vni_remote_add(vni, number, flood), 0);
	assert_int_equal(vtep_publish(vtep), 0);
}

static void del_remote(unsigned host, bool flood)
{
	uint16_t number = number_of(host);

	vni_remote_del(vni, number, flood);
	vtep_remote_put(vtep, number);
	assert_int_equal(vtep_publish(vtep), 0);
	assert_true(dp_settled(dp));
}

static void open_vtep(void)
{
	const struct vxlan_env env = {
		.dp = dp, .pool = pool, .big_pool = big_pool, .nb_workers = 1};
	struct err err = {0};

	if (vtep_open(&conf, &env, &lower, &vtep, &err))
		fail_msg("%s: %s", err.path, err.reason);
	assert_int_equal(vni_open(vtep, VNI, 0, &vni, &err), 0);
	vni_port(vni)->id = PORT_ID;
	assert_int_equal(vtep_publish(vtep), 0);
}

static int setup(void **state)
{
	const struct dp_opts opts = {.pool = pool};
	struct err err = {0};

	v6 = *state != NULL;
	lower = (struct dp_port){.rx = lower_rx,
		.tx = lower_tx,
		.nb_rxq = 1,
		.nb_txq = 1,
		.mtu = 1500,
		.mac = own_mac,
		.tx_offloads = RTE_ETH_TX_OFFLOAD_MULTI_SEGS,
		.rx_fd = {-1}};
	conf = (struct conf_endpoint){.name = "t0",
		.underlay = CONF_UNDERLAY_PORT,
		.address = ip_of(1),
		.udp_port = 4789,
		.no_checksum = true,
		.prefix = v6 ? 16 : 8,
		.gateway = ip_of(GATEWAY)};
	rx_cnt = tx_cnt = (struct dp_counters){0};
	nb_in = nb_sent = next_sent = nb_got = 0;
	assert_int_equal(dp_new(&opts, &dp, &err), 0);
	open_vtep();
	return 0;
}

static int teardown(void **state)
{
	bool noisy = next_sent != nb_sent || nb_in;

	vni_close(vni);
	vtep_close(vtep);
	dp_free(dp);
	if (noisy)
		print_error("%u packets are left\n", nb_sent - next_sent + nb_in);
	if (drops_of(&rx_cnt) || drops_of(&tx_cnt))
		print_error("packets were dropped\n");
	return noisy || drops_of(&rx_cnt) || drops_of(&tx_cnt) || no_leak(state);
}

// The endpoint again, with what the test has changed in `conf` and `lower`.
static void reopen(void)
{
	vni_close(vni);
	vtep_close(vtep);
	open_vtep();
}

// ---- doing ----

static void put_in(struct rte_mbuf *m)
{
	assert_true(nb_in < QUEUE_MAX);
	in[nb_in++] = m;
}

static void poll(void)
{
	nb_got = vtep_port(vtep)->rx(vtep_port(vtep), 0, got, DP_BURST, &rx_cnt);
}

static void receive(const uint8_t *bytes, unsigned len)
{
	put_in(chain_of(bytes, len, len));
	poll();
}

static void got_frame(unsigned at, unsigned host, const uint8_t *frame, unsigned len)
{
	assert_true(at < nb_got);
	assert_int_equal(dp_input(got[at]), PORT_ID);
	assert_int_equal(dp_remote(got[at]), number_of(host));
	assert_bytes(got[at], frame, len);
	rte_pktmbuf_free(got[at]);
}

static void got_nothing(enum dp_drop_reason reason)
{
	assert_int_equal(nb_got, 0);
	dropped(&rx_cnt, reason, 1);
}

static struct rte_mbuf *frame_to(unsigned host, unsigned id, unsigned len)
{
	uint8_t frame[PACKET_BYTES];
	unsigned n = inner_of(frame, id, len);
	struct rte_mbuf *m = chain_of(frame, n, n);

	dp_set_remote(m, host ? number_of(host) : DP_REMOTE_ALL);
	return m;
}

static void transmit(struct rte_mbuf **pkts, unsigned n)
{
	vni_port(vni)->tx(vni_port(vni), 0, pkts, n, &tx_cnt);
}

static void send_to(unsigned host, unsigned id, unsigned len)
{
	struct rte_mbuf *m = frame_to(host, id, len);

	transmit(&m, 1);
}

static void sent_to(unsigned host, unsigned via, unsigned id, unsigned len)
{
	uint8_t want[PACKET_BYTES];

	sent_bytes(want, expected(want, host, via, id, len));
}

// A question for the host: of all, or of the one that had the MAC.
static void sent_question(unsigned host, bool to_all)
{
	struct rte_mbuf *want = rte_pktmbuf_alloc(pool), *m = next();
	struct ip_addr own = ip_of(1), ip = ip_of(host);
	struct mac mac = mac_of(host);

	assert_int_equal(dp_resolve_ask(want, &own_mac, &own, &ip, to_all ? NULL : &mac), 0);
	assert_bytes(m, rte_pktmbuf_mtod(want, uint8_t *), want->pkt_len);
	rte_pktmbuf_free(want);
	rte_pktmbuf_free(m);
}

// `host` says to the endpoint that it is at `mac`.
static void says(unsigned host, unsigned mac)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
	struct ip_addr own = ip_of(1), ip = ip_of(host);
	struct mac at = mac_of(mac);
	struct dp_resolve r;

	assert_int_equal(dp_resolve_ask(m, &own_mac, &own, &ip, NULL), 0);
	assert_int_equal(dp_resolve_parse(m, &r), DP_RESOLVE_REQUEST);
	assert_int_equal(dp_resolve_answer(m, &r, &at), 0);
	put_in(m);
	poll();
	assert_int_equal(nb_got, 0);
}

static void add_known(unsigned host, bool flood)
{
	add_remote(host, flood);
	sent_question(host, true);
	says(host, host);
	nothing_more();
}

static uint32_t at_ms(uint64_t ms)
{
	return vtep_service(vtep, ms * 1000) / 1000;
}

// ---- next hops ----

static void test_waits_until_known(void **state)
{
	add_remote(2, false);
	sent_question(2, true);
	for (unsigned i = 0; i < WAITING + 3; i++)
		send_to(2, i, 100);
	dropped(&tx_cnt, DP_DROP_TUNNEL_DOWN, 3);
	nothing_more();
	says(2, 2);
	for (unsigned i = 0; i < WAITING; i++)
		sent_to(2, 2, i, 100);
	nothing_more();
	send_to(2, 9, 60);
	sent_to(2, 2, 9, 60);
	nothing_more();
	assert_int_equal(tx_cnt.tx_packets, 1);
	assert_int_equal(tx_cnt.tx_bytes, 60);
}

static void test_one_does_not_wait_for_another(void **state)
{
	add_remote(2, false);
	sent_question(2, true);
	add_remote(3, false);
	sent_question(3, true);
	send_to(2, 1, 100);
	send_to(3, 2, 100);
	says(3, 3);
	sent_to(3, 3, 2, 100);
	nothing_more();
	says(2, 2);
	sent_to(2, 2, 1, 100);
	nothing_more();
}

static void test_retries_then_fails(void **state)
{
	add_remote(2, false);
	sent_question(2, true);
	send_to(2, 1, 100);
	at_ms(999);
	nothing_more();
	for (unsigned i = 1; i <= 2; i++) {
		at_ms(1000 * i);
		sent_question(2, true);
		at_ms(1000 * i + 900);
		nothing_more();
	}
	// What waits is given up, and nothing waits any more.
	at_ms(3000);
	nothing_more();
	send_to(2, 2, 100);
	dropped(&tx_cnt, DP_DROP_TUNNEL_DOWN, 1);
	// It is asked now and then, and may answer.
	at_ms(13000);
	at_ms(13100);
	sent_question(2, true);
	nothing_more();
	at_ms(23100);
	sent_question(2, true);
	says(2, 2);
	nothing_more();
	send_to(2, 3, 100);
	sent_to(2, 2, 3, 100);
	nothing_more();
}

static void test_refreshed_before_it_expires(void **state)
{
	add_known(2, false);
	at_ms(10000);
	for (unsigned s = 11; s < 40; s++)
		at_ms(1000 * s);
	nothing_more();
	at_ms(40000);
	sent_question(2, false);
	says(2, 2);
	at_ms(41000);
	at_ms(70900);
	nothing_more();
	// No answer this time: it is used until the last question is old, then all are asked.
	for (unsigned i = 0; i < 3; i++) {
		at_ms(71000 + 1000 * i);
		sent_question(2, false);
		send_to(2, i, 100);
		sent_to(2, 2, i, 100);
		nothing_more();
	}
	at_ms(74000);
	sent_question(2, true);
	send_to(2, 7, 100);
	nothing_more();
	says(2, 22);
	sent_to(2, 22, 7, 100);
	nothing_more();
}

static void test_mac_changes(void **state)
{
	add_known(2, false);
	send_to(2, 1, 100);
	sent_to(2, 2, 1, 100);
	says(2, 55);
	send_to(2, 2, 100);
	sent_to(2, 55, 2, 100);
	nothing_more();
}

// Unasked, to all: gratuitous ARP; an advertisement that overrides, and one that does not.
static void test_mac_is_announced(void **state)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
	struct ip_addr ip = ip_of(2);
	struct mac mac = mac_of(66);
	struct dp_resolve r;
	uint8_t bytes[128];
	unsigned len;

	add_known(2, false);
	assert_int_equal(dp_resolve_ask(m, &mac, &ip, &ip, NULL), 0);
	if (v6) {
		// As the answer to the detection of a duplicate.
		memset(rte_pktmbuf_mtod_offset(m, void *, 22), 0, 16);
		put16(rte_pktmbuf_mtod_offset(m, uint8_t *, 18), 24);
		len = hex(bytes, "3333ff00000202000000006686dd6000000000183aff");
		memset(bytes + len, 0, 128 - len);
		hex(bytes + 38, "ff0200000000000000000001ff000002870000000000000000");
		memcpy(bytes + 62, ip.byte, 16);
		put16(bytes + 56, ~slow_sum(bytes + 54, 24, slow_sum(bytes + 22, 32, 24 + 58)));
		rte_pktmbuf_free(m);
		m = chain_of(bytes, 78, 78);
		assert_int_equal(dp_resolve_parse(m, &r), DP_RESOLVE_PROBE);
		assert_int_equal(dp_resolve_answer(m, &r, &mac), 0);
	}
	put_in(m);
	poll();
	send_to(2, 2, 100);
	sent_to(2, 66, 2, 100);
	nothing_more();
}

static void test_gateway(void **state)
{
	add_remote(FAR, false);
	sent_question(GATEWAY, true);
	add_remote(FAR + 1, false);
	send_to(FAR, 1, 100);
	send_to(FAR + 1, 2, 100);
	nothing_more();
	says(GATEWAY, GATEWAY);
	sent_to(FAR, GATEWAY, 1, 100);
	sent_to(FAR + 1, GATEWAY, 2, 100);
	nothing_more();
}

static void test_no_gateway(void **state)
{
	conf.gateway = (struct ip_addr){0};
	reopen();
	add_remote(FAR, false);
	send_to(FAR, 1, 100);
	dropped(&tx_cnt, DP_DROP_TUNNEL_DOWN, 1);
	nothing_more();
}

static void test_remote_goes(void **state)
{
	uint16_t number;
	struct rte_mbuf *m;

	add_known(2, false);
	add_remote(3, false);
	sent_question(3, true);
	send_to(3, 1, 100); // waits, and goes with it
	m = frame_to(3, 2, 100);
	number = number_of(3);
	del_remote(3, false);
	transmit(&m, 1);
	dropped(&tx_cnt, DP_DROP_TUNNEL_NO_REMOTE, 1);
	m = frame_to(2, 2, 100);
	dp_set_remote(m, number + 1000);
	transmit(&m, 1);
	dropped(&tx_cnt, DP_DROP_TUNNEL_NO_REMOTE, 1);
	// The other next hop is as it was.
	send_to(2, 3, 100);
	sent_to(2, 2, 3, 100);
	nothing_more();
}

// ---- encapsulation ----

static void test_sizes(void **state)
{
	const unsigned max = 1500 - outer_bytes() + 14;

	add_known(2, false);
	for (unsigned len = 14; len <= max; len += len < 200 || len > max - 10 ? 1 : 97) {
		send_to(2, len, len);
		sent_to(2, 2, len, len);
		nothing_more();
	}
	send_to(2, 1, max + 1);
	dropped(&tx_cnt, DP_DROP_TX_TOO_BIG, 1);
	assert_int_equal(vtep_mtu(vtep), 1500 - outer_bytes());
}

static void test_checksum(void **state)
{
	conf.no_checksum = false;
	reopen();
	add_known(2, false);
	for (unsigned len = 60; len < 200; len++) {
		send_to(2, len, len);
		sent_to(2, 2, len, len);
	}
	nothing_more();
}

// The lower port fills checksums: it gets the sum of the pseudo header.
static void test_checksum_is_left(void **state)
{
	uint8_t want[PACKET_BYTES], *ip = want + 14;
	unsigned len;
	struct rte_mbuf *m;

	conf.no_checksum = false;
	lower.tx_offloads |= RTE_ETH_TX_OFFLOAD_UDP_CKSUM;
	reopen();
	add_known(2, false);
	send_to(2, 1, 100);
	m = next();
	assert_int_equal(m->ol_flags & (DP_OFFLOAD_FLAGS | RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IPV6),
		RTE_MBUF_F_TX_UDP_CKSUM | (v6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4));
	assert_int_equal(m->l2_len, 14);
	assert_int_equal(m->l3_len, ip_bytes());
	len = expected(want, 2, 2, 1, 100);
	put16(ip + ip_bytes() + 6,
		slow_sum(v6 ? ip + 8 : ip + 12, v6 ? 32 : 8, len - 14 - ip_bytes() + 17));
	assert_bytes(m, want, len);
	rte_pktmbuf_free(m);
	nothing_more();
}

static void flood_of(unsigned refs)
{
	uint8_t frame[PACKET_BYTES];
	unsigned len = inner_of(frame, 5, 100);
	struct rte_mbuf *m = frame_to(0, 5, 100);

	rte_mbuf_refcnt_update(m, refs - 1);
	transmit(&m, 1);
	if (refs > 1) { // others have it as it was
		assert_bytes(m, frame, len);
		for (unsigned i = 1; i < refs; i++)
			rte_pktmbuf_free(m);
	}
}

static void test_flood(void **state)
{
	for (unsigned chains = 0; chains < 2; chains++) {
		lower.tx_offloads = chains ? RTE_ETH_TX_OFFLOAD_MULTI_SEGS : 0;
		reopen();
		flood_of(1);
		dropped(&tx_cnt, DP_DROP_TUNNEL_NO_REMOTE, 1);
		add_known(2, true);
		for (unsigned refs = 1; refs < 3; refs++) {
			flood_of(refs);
			sent_to(2, 2, 5, 100);
			nothing_more();
		}
		add_known(3, true);
		add_known(4, false);
		for (unsigned refs = 1; refs < 3; refs++) {
			flood_of(refs);
			sent_to(2, 2, 5, 100);
			sent_to(3, 3, 5, 100);
			nothing_more();
		}
		del_remote(2, true);
		del_remote(3, true);
		del_remote(4, false);
	}
}

static void test_no_room_in_front(void **state)
{
	struct rte_mbuf *m;

	add_known(2, false);
	for (unsigned room = 0; room < outer_bytes() + 2; room++) {
		m = frame_to(2, 3, 100);
		memmove((char *)m->buf_addr + room, rte_pktmbuf_mtod(m, void *), m->data_len);
		m->data_off = room;
		transmit(&m, 1);
		sent_to(2, 2, 3, 100);
	}
	nothing_more();
}

static void test_full_batches(void **state)
{
	struct rte_mbuf *m[DP_BURST];

	for (unsigned host = 2; host < 10; host++)
		add_known(host, true);
	for (unsigned i = 0; i < DP_BURST; i++)
		m[i] = frame_to(2 + i % 8, i, 60 + i);
	transmit(m, DP_BURST);
	for (unsigned i = 0; i < DP_BURST; i++)
		sent_to(2 + i % 8, 2 + i % 8, i, 60 + i);
	nothing_more();
	// Each to all of eight.
	for (unsigned i = 0; i < DP_BURST; i++)
		m[i] = frame_to(0, i, 60 + i);
	transmit(m, DP_BURST);
	for (unsigned i = 0; i < DP_BURST * 8; i++)
		rte_pktmbuf_free(next());
	nothing_more();
}

// ---- decapsulation ----

static void test_receives(void **state)
{
	uint8_t frame[PACKET_BYTES], pkt[PACKET_BYTES];

	add_known(2, false);
	for (unsigned checksum = v6; checksum < 2; checksum++) {
		for (unsigned len = 14; len < 1400; len += len < 100 ? 1 : 57) {
			struct outer o = from_host(2);
			unsigned n = inner_of(frame, len, len), total;

			o.checksum = checksum;
			total = wrap(pkt, &o, frame, n);
			for (unsigned pad = 0; pad < 3; pad++) {
				receive(pkt, total + pad);
				got_frame(0, 2, frame, n);
			}
			// In two buffers.
			put_in(chain_of(pkt, total, outer_bytes() + 14));
			poll();
			got_frame(0, 2, frame, n);
		}
	}
}

static void refuse(unsigned at, uint8_t xor, enum dp_drop_reason reason, int fix)
{
	uint8_t frame[256], pkt[256];
	struct outer o = from_host(2);
	unsigned len = inner_of(frame, 1, 100);

	len = wrap(pkt, &o, frame, len);
	pkt[at] ^= xor;
	if (fix)
		sums(pkt, len - 14 - ip_bytes(), v6);
	receive(pkt, len);
	got_nothing(reason);
}

static void test_refuses(void **state)
{
	const unsigned udp = 14 + ip_bytes(), hdr = udp + 8;
	uint8_t frame[256], pkt[256];
	struct outer o = from_host(3);
	unsigned len;

	add_known(2, false);
	refuse(0, 4, DP_DROP_TUNNEL_OTHER, 1);		  // another MAC
	refuse(12, 1, DP_DROP_TUNNEL_OTHER, 0);		  // no IP
	refuse(14, 0x20, DP_DROP_TUNNEL_OTHER, 0);	  // version
	refuse(udp - 1, 1, DP_DROP_TUNNEL_OTHER, 1);	  // another address
	refuse(udp + 3, 1, DP_DROP_TUNNEL_OTHER, 1);	  // another UDP port
	refuse(v6 ? 20 : 23, 1, DP_DROP_TUNNEL_OTHER, 1); // no UDP
	refuse(udp + 5, 1, DP_DROP_TUNNEL_OUTER, 1);	  // lengths that disagree
	refuse(udp + 4, 1, DP_DROP_TUNNEL_OUTER, 1);
	refuse(v6 ? 18 : 16, 1, DP_DROP_TUNNEL_OUTER, 1);
	refuse(v6 ? 19 : 17, 1, DP_DROP_TUNNEL_OUTER, 1);
	refuse(udp + 6, 1, DP_DROP_TUNNEL_OUTER, 0); // checksum
	refuse(udp + 7, 1, DP_DROP_TUNNEL_OUTER, 0);
	if (!v6) {
		refuse(14, 0x03, DP_DROP_TUNNEL_OUTER, 1); // options
		refuse(20, 0x20, DP_DROP_TUNNEL_OUTER, 1); // more fragments
		refuse(21, 0x01, DP_DROP_TUNNEL_OUTER, 1); // a fragment
		refuse(24, 0x01, DP_DROP_TUNNEL_OUTER, 0); // IP checksum
		refuse(22, 0x01, DP_DROP_TUNNEL_OUTER, 0);
	}
	refuse(hdr, 0x08, DP_DROP_TUNNEL_HEADER, 1);
	refuse(hdr + 4, 1, DP_DROP_TUNNEL_VNI, 1);
	refuse(hdr + 6, 1, DP_DROP_TUNNEL_VNI, 1);
	// Another host, which is no remote of the network.
	len = wrap(pkt, &o, frame, inner_of(frame, 1, 100));
	receive(pkt, len);
	got_nothing(DP_DROP_TUNNEL_SOURCE);
	// Without the checksum that IPv6 must have.
	o = from_host(2);
	o.checksum = false;
	len = wrap(pkt, &o, frame, inner_of(frame, 1, 100));
	receive(pkt, len);
	if (v6)
		got_nothing(DP_DROP_TUNNEL_OUTER);
	else
		got_frame(0, 2, frame, 100);
}

// Reserved bits are ignored, TTL and DF may be any.
static void test_is_lenient(void **state)
{
	const unsigned hdr = 14 + ip_bytes() + 8;
	const unsigned at[] = {hdr, hdr + 1, hdr + 3, hdr + 7, v6 ? 21 : 22, v6 ? 15 : 20};

	add_known(2, false);
	for (unsigned i = 0; i < RTE_DIM(at); i++) {
		uint8_t frame[256], pkt[256];
		struct outer o = from_host(2);
		unsigned len = wrap(pkt, &o, frame, inner_of(frame, 1, 100));

		pkt[at[i]] ^= at[i] == hdr ? 0xf7 : 0x40;
		sums(pkt, len - 14 - ip_bytes(), v6);
		receive(pkt, len);
		got_frame(0, 2, frame, 100);
	}
}

static void test_truncated(void **state)
{
	uint8_t frame[256], pkt[256];
	struct outer o = from_host(2);
	unsigned len = wrap(pkt, &o, frame, inner_of(frame, 1, 100));

	add_known(2, false);
	for (unsigned n = 0; n < len; n++) {
		receive(pkt, n);
		assert_int_equal(nb_got, 0);
		assert_int_equal(drops_of(&rx_cnt), 1);
		memset(rx_cnt.drop, 0, sizeof(rx_cnt.drop));
	}
	// Complete, but with less than a frame inside.
	for (unsigned n = 0; n < 14; n++) {
		receive(pkt, wrap(pkt, &o, frame, n));
		got_nothing(DP_DROP_TUNNEL_HEADER);
	}
}

// Those that are out of the ordinary do not disturb the order of the others.
static void test_mixed_batch(void **state)
{
	uint8_t frame[256], pkt[256];
	unsigned good = 0;

	add_known(2, false);
	add_known(3, false);
	for (unsigned i = 0; i < DP_BURST; i++) {
		struct outer o = from_host(i % 3 == 2 ? 9 : 2 + i % 2);
		unsigned len = wrap(pkt, &o, frame, inner_of(frame, i, 64 + i));

		put_in(chain_of(pkt, len, i % 5 ? len : 90));
	}
	poll();
	dropped(&rx_cnt, DP_DROP_TUNNEL_SOURCE, 21);
	for (unsigned i = 0; i < DP_BURST; i++) {
		if (i % 3 == 2)
			continue;
		got_frame(good++, 2 + i % 2, frame, inner_of(frame, i, 64 + i));
	}
	assert_int_equal(good, nb_got);
}

// A full batch of nothing for networks is no end of what there is.
static void test_noise_before_a_frame(void **state)
{
	uint8_t frame[256], pkt[256];
	struct outer noise = from_host(9), o = from_host(2);

	add_known(2, false);
	for (unsigned i = 0; i < DP_BURST; i++) {
		unsigned len = wrap(pkt, &noise, frame, inner_of(frame, i, 64));

		put_in(chain_of(pkt, len, len));
	}
	receive(pkt, wrap(pkt, &o, frame, inner_of(frame, 1, 64)));
	got_frame(0, 2, frame, 64);
	dropped(&rx_cnt, DP_DROP_TUNNEL_SOURCE, DP_BURST);
}

// A port of the kernel hands on several datagrams as one: 100 of them, and one before and after.
static void test_trains(void **state)
{
	enum { DATAGRAMS = 100, BYTES = 64 };
	static uint8_t pkt[PACKET_BYTES], frame[PACKET_BYTES];
	const unsigned udp_off = 14 + ip_bytes(), head = udp_off + 8;
	struct outer o = from_host(2);
	unsigned len = 0, seen = 0;
	struct rte_mbuf *m;

	add_known(2, false);
	o.checksum = true;
	for (unsigned i = 0; i < DATAGRAMS; i++) {
		uint8_t one[256];

		len = wrap(one, &o, frame, inner_of(frame, i, BYTES));
		memcpy(pkt + head + i * (8 + BYTES), one + head, 8 + BYTES);
		memcpy(pkt, one, head);
	}
	inner_of(frame, 1000, 80);
	len = wrap(frame + 1000, &o, frame, 80);
	put_in(chain_of(frame + 1000, len, len));
	len = 8 + DATAGRAMS * (8 + BYTES);
	put16(pkt + udp_off + 4, len);
	if (v6)
		put16(pkt + 18, len);
	else
		put16(pkt + 16, 20 + len);
	sums(pkt, len, false);
	put16(pkt + udp_off + 6, slow_sum(v6 ? pkt + 22 : pkt + 26, v6 ? 32 : 8, len + 17));
	m = chain_of(pkt, udp_off + len, 30000);
	m->ol_flags |= RTE_MBUF_F_TX_UDP_SEG | RTE_MBUF_F_TX_UDP_CKSUM |
		       (v6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4);
	m->l2_len = 14;
	m->l3_len = ip_bytes();
	m->l4_len = 8;
	m->tso_segsz = 8 + BYTES;
	put_in(m);
	len = wrap(frame + 1000, &o, frame, inner_of(frame, 1001, 80));
	put_in(chain_of(frame + 1000, len, len));
	for (poll(); nb_got; poll()) {
		for (unsigned i = 0; i < nb_got; i++, seen++) {
			unsigned id = seen == 0 ? 1000 : seen == 101 ? 1001 : seen - 1;

			got_frame(i, 2, frame, inner_of(frame, id, id >= 1000 ? 80 : BYTES));
		}
	}
	assert_int_equal(seen, DATAGRAMS + 2);
}

// Of a port whose packets are not finished: the outer checksum is still to be filled.
static void test_half_checksum(void **state)
{
	uint8_t frame[256], pkt[256];
	struct outer o = from_host(2);
	unsigned len = wrap(pkt, &o, frame, inner_of(frame, 1, 100));
	struct rte_mbuf *m;

	add_known(2, false);
	put16(pkt + 14 + ip_bytes() + 6, 0x1234);
	m = chain_of(pkt, len, len);
	m->ol_flags |= RTE_MBUF_F_TX_UDP_CKSUM | (v6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4);
	m->l2_len = 14;
	m->l3_len = ip_bytes();
	put_in(m);
	poll();
	assert_int_equal(got[0]->ol_flags & DP_OFFLOAD_FLAGS, 0);
	got_frame(0, 2, frame, 100);
}

// ---- answering for itself ----

static void test_answers_questions(void **state)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool), *want = rte_pktmbuf_alloc(pool);
	struct ip_addr own = ip_of(1), other = ip_of(7), asker = ip_of(5);
	struct mac mac = mac_of(5);
	struct dp_resolve r;

	assert_int_equal(dp_resolve_ask(m, &mac, &asker, &own, NULL), 0);
	assert_int_equal(dp_resolve_ask(want, &mac, &asker, &own, NULL), 0);
	dp_resolve_parse(want, &r);
	assert_int_equal(dp_resolve_answer(want, &r, &own_mac), 0);
	put_in(m);
	poll();
	assert_int_equal(nb_got, 0);
	sent_bytes(rte_pktmbuf_mtod(want, uint8_t *), want->pkt_len);
	nothing_more();
	rte_pktmbuf_free(want);
	assert_int_equal(rx_cnt.rx_packets, 1);
	// For somebody else.
	m = rte_pktmbuf_alloc(pool);
	assert_int_equal(dp_resolve_ask(m, &mac, &asker, &other, NULL), 0);
	put_in(m);
	poll();
	got_nothing(DP_DROP_TUNNEL_OTHER);
}

// Who asks for the endpoint says where it is itself.
static void test_learns_from_questions(void **state)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
	struct ip_addr own = ip_of(1), asker = ip_of(2);
	struct mac mac = mac_of(44);

	add_remote(2, false);
	sent_question(2, true);
	send_to(2, 1, 100);
	assert_int_equal(dp_resolve_ask(m, &mac, &asker, &own, NULL), 0);
	put_in(m);
	poll();
	sent_to(2, 44, 1, 100);
	rte_pktmbuf_free(next()); // the answer
	nothing_more();
}

static void test_answers_echo(void **state)
{
	uint8_t pkt[256], want[256];
	struct outer o = from_host(5),
		     back = {.to = mac_of(5), .from = own_mac, .dst = 5, .src = 1};
	unsigned off = 14 + ip_bytes(), len, l4 = 64;

	for (unsigned reply = 0; reply < 2; reply++) {
		uint8_t *p = reply ? want : pkt, *ip = p + 14, *icmp = p + off;

		len = off + l4;
		wrap(p, reply ? &back : &o, payload, l4 - 16);
		ip[v6 ? 6 : 9] = v6 ? 58 : 1;
		put32(put32(icmp, (v6 ? 128 + reply : 8 - 8 * reply) << 24), 0x00070001);
		memcpy(icmp + 8, payload, l4 - 8);
		put16(icmp + 2, ~slow_sum(icmp, l4, v6 ? slow_sum(ip + 8, 32, l4 + 58) : 0));
		if (!v6) {
			put16(ip + 10, 0);
			put16(ip + 10, ~slow_sum(ip, 20, 0));
		}
	}
	receive(pkt, len);
	assert_int_equal(nb_got, 0);
	sent_bytes(want, len);
	nothing_more();
	// To another host's address, with the endpoint's MAC.
	o.dst = 6;
	memcpy(pkt + (v6 ? 38 : 30), ip_of(6).byte, v6 ? 16 : 4);
	receive(pkt, len);
	got_nothing(DP_DROP_TUNNEL_OTHER);
}

// ---- opening ----

static void refused_conf(const struct conf_endpoint *bad, const char *reason)
{
	const struct vxlan_env env = {
		.dp = dp, .pool = pool, .big_pool = big_pool, .nb_workers = 1};
	struct err err = {0};
	struct vtep *none;

	assert_int_not_equal(vtep_open(bad, &env, &lower, &none, &err), 0);
	assert_non_null(strstr(err.reason, reason));
	assert_string_equal(err.path, "tunnel endpoint t0");
}

static void test_configuration(void **state)
{
	struct conf_endpoint bad = conf;

	memset(bad.address.byte, 0, 16);
	refused_conf(&bad, "address of a host");
	bad = conf;
	bad.prefix = 0;
	refused_conf(&bad, "prefix");
	bad.prefix = v6 ? 129 : 33;
	refused_conf(&bad, "prefix");
	bad = conf;
	bad.gateway = ip_of(FAR);
	refused_conf(&bad, "gateway");
	bad.gateway.family = v6 ? 4 : 6;
	refused_conf(&bad, "gateway");
}

#define BOTH(fn)                                                                                   \
	{#fn " (IPv4)", fn, setup, teardown, NULL},                                                \
	{                                                                                          \
#fn " (IPv6)", fn, setup, teardown, "6"                                            \
	}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		BOTH(test_waits_until_known),
		BOTH(test_one_does_not_wait_for_another),
		BOTH(test_retries_then_fails),
		BOTH(test_refreshed_before_it_expires),
		BOTH(test_mac_changes),
		BOTH(test_mac_is_announced),
		BOTH(test_gateway),
		BOTH(test_no_gateway),
		BOTH(test_remote_goes),
		BOTH(test_sizes),
		BOTH(test_checksum),
		BOTH(test_checksum_is_left),
		BOTH(test_flood),
		BOTH(test_no_room_in_front),
		BOTH(test_full_batches),
		BOTH(test_receives),
		BOTH(test_refuses),
		BOTH(test_is_lenient),
		BOTH(test_truncated),
		BOTH(test_mixed_batch),
		BOTH(test_noise_before_a_frame),
		BOTH(test_trains),
		BOTH(test_half_checksum),
		BOTH(test_answers_questions),
		BOTH(test_learns_from_questions),
		BOTH(test_answers_echo),
		BOTH(test_configuration),
	};

	if (packets_init(argc, argv) < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
