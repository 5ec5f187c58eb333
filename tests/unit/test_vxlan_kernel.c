// SPDX-License-Identifier: BSD-3-Clause
// Frames between two VTEPs over UDP sockets.
#include "tests/unit/ends.h"

#include <errno.h>
#include <linux/udp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/netlink.h"
#include "base/netns.h"
#include "base/util.h"
#include "vxlan/kernel.h"

static void both_ways(
	const char *any_or_a, const char *a_ip, const char *any_or_b, const char *b_ip)
{
	struct end a = end_at("a", any_or_a), b = end_at("b", any_or_b);
	uint16_t to_b = knows(&a, b_ip, true), to_a = knows(&b, a_ip, true);

	one_way(&a, to_b, &b, to_a);
	one_way(&b, to_a, &a, to_b);
	one_way(&a, DP_REMOTE_ALL, &b, to_a);
	close_end(&a);
	close_end(&b);
}

static void test_ip4(void **state)
{
	both_ways("10.9.0.1", "10.9.0.1", "10.9.0.2", "10.9.0.2");
}

static void test_ip6(void **state)
{
	both_ways("fd09::1", "fd09::1", "fd09::2", "fd09::2");
}

static void test_any_ip4(void **state)
{
	both_ways("0.0.0.0", "10.9.0.1", "0.0.0.0", "10.9.0.2");
}

// One VTEP for both families.
static void test_any(void **state)
{
	both_ways("::", "10.9.0.1", "::", "10.9.0.2");
	both_ways("::", "fd09::1", "::", "fd09::2");
	both_ways("::", "10.9.0.1", "10.9.0.2", "10.9.0.2");
}

static void test_no_checksum(void **state)
{
	struct conf_vtep conf = conf_of("a", "10.9.0.1");
	struct end a, b = end_at("b", "10.9.0.2");
	uint16_t to_b, to_a = knows(&b, "10.9.0.1", true);

	conf.no_checksum = true;
	a = end_of(&conf, VNI);
	to_b = knows(&a, "10.9.0.2", true);
	one_way(&a, to_b, &b, to_a);
	close_end(&a);
	close_end(&b);
}

// ---- trains ----

// Equal frames and a shorter one cross as one: they come in one buffer, which they share.
static void train(const char *a_ip, const char *b_ip, uint16_t room)
{
	struct end a = end_at("a", a_ip), b = end_at("b", b_ip);
	uint16_t to_b = knows(&a, b_ip, true), to_a = knows(&b, a_ip, true);
	struct rte_mbuf *pkts[41];

	for (unsigned i = 0; i < ARRAY_SIZE(pkts); i++)
		pkts[i] = small_frame(i < 40 ? 1300 : 700, i);
	send_to(&a, to_b, pkts, ARRAY_SIZE(pkts));
	expect_tx(ARRAY_SIZE(pkts), 0, 0);
	receive_by(&b, ARRAY_SIZE(pkts), room);
	for (unsigned i = 0; i < ARRAY_SIZE(pkts); i++) {
		assert_small_frame(got[i], i < 40 ? 1300 : 700, i);
		assert_int_equal(dp_remote(got[i]), to_a);
		assert_ptr_equal(got[i]->buf_addr, got[0]->buf_addr);
	}
	free_got();
	close_end(&a);
	close_end(&b);
}

static void test_train(void **state)
{
	train("10.9.0.1", "10.9.0.2", DP_BURST);
	train("fd09::1", "fd09::2", DP_BURST);
}

// Whoever asks for a few frames gets the others next.
static void test_train_in_pieces(void **state)
{
	train("10.9.0.1", "10.9.0.2", 7);
	train("10.9.0.1", "10.9.0.2", 1);
}

// Frames of any sizes and flows all arrive, those of a flow in order.
static void test_mixed(void **state)
{
	struct end a = end_at("a", "10.9.0.1"), b = end_at("b", "10.9.0.2");
	uint16_t to_b = knows(&a, "10.9.0.2", true);
	unsigned next[16] = {0}, want[16] = {0};

	knows(&b, "10.9.0.1", true);
	for (unsigned round = 0; round < 50; round++) {
		unsigned n = 1 + random() % DP_BURST;
		struct rte_mbuf *pkts[DP_BURST];

		for (unsigned i = 0; i < n; i++) {
			unsigned flow = random() % 16;

			pkts[i] = small_frame(random() % 2 ? random() % 1300 : 300, want[flow]++);
			// The source port is outside of what build() varies.
			rte_pktmbuf_mtod(pkts[i], uint8_t *)[35] = flow;
		}
		send_to(&a, to_b, pkts, n);
		expect_tx(n, 0, 0);
		receive(&b, n);
		for (unsigned i = 0; i < n; i++) {
			const uint8_t *p = rte_pktmbuf_mtod(got[i], uint8_t *);

			assert_int_equal(p[18] << 8 | p[19], next[p[35]]);
			next[p[35]]++;
		}
		free_got();
	}
	close_end(&a);
	close_end(&b);
}

// ---- what is left to finish ----

static struct end *cut_from, *cut_to;
static uint16_t cut_remote;

static void cut_one(const struct spec *s, unsigned chunk)
{
	static uint8_t want[PACKET_BYTES];
	struct rte_mbuf *m = large_of(s, chunk);
	unsigned n = nb_segments(s);

	send_to(cut_from, cut_remote, &m, 1);
	expect_tx(n, 0, 0);
	receive(cut_to, n);
	for (unsigned i = 0; i < n; i++)
		assert_bytes(got[i], want, build_segment(want, s, i, false));
	free_got();
}

static void cut_protocol(struct spec *s)
{
	static const unsigned chunks[] = {UINT16_MAX, 1500, 1111};

	for (unsigned i = 0; i < ARRAY_SIZE(chunks); i++) {
		s->mss = 1200;
		s->payload_bytes = 60000;
		cut_one(s, chunks[i]);
		s->payload_bytes = 1201;
		cut_one(s, chunks[i]);
		s->mss = 777;
		s->payload_bytes = 5000;
		cut_one(s, chunks[i]);
		s->mss = 0; // its checksum only
		for (s->payload_bytes = 0; s->payload_bytes < 1200; s->payload_bytes += 371)
			cut_one(s, chunks[i]);
	}
	s->mss = 100; // more than one train
	s->payload_bytes = 20000;
	cut_one(s, 1500);
}

static void test_cut(void **state)
{
	struct end a = end_at("a", "10.9.0.1"), b = end_at("b", "10.9.0.2");

	cut_from = &a;
	cut_to = &b;
	cut_remote = knows(&a, "10.9.0.2", true);
	knows(&b, "10.9.0.1", true);
	each_protocol(cut_protocol);
	close_end(&a);
	close_end(&b);
}

static void test_cut_refused(void **state)
{
	struct spec s = {.tcp = true, .payload_bytes = 3000, .mss = 1000};
	struct end a = end_at("a", "10.9.0.1");
	uint16_t to_b = knows(&a, "10.9.0.2", true);
	struct rte_mbuf *m = large_of(&s, UINT16_MAX);

	m->l3_len = 24; // not what the header says
	send_to(&a, to_b, &m, 1);
	expect_tx(0, DP_DROP_TX_GSO, 1);
	m = large_of(&s, UINT16_MAX);
	m->tso_segsz = DP_GSO_SEGSZ_MIN - 1;
	send_to(&a, to_b, &m, 1);
	expect_tx(0, DP_DROP_TX_GSO, 1);
	close_end(&a);
}

// ---- flooding ----

// Three remotes get all frames of the network, which others hold and find as they were.
static void test_flood(void **state)
{
	struct end a = end_at("a", "10.9.0.1");
	struct end to[] = {
		end_at("b", "10.9.0.2"), end_at("b", "10.9.0.3"), end_at("b", "10.9.0.4")};
	struct spec s = {.tcp = true, .payload_bytes = 3000, .mss = 1000};
	static uint8_t want[PACKET_BYTES];
	struct rte_mbuf *pkts[6];

	knows(&a, "10.9.0.2", true);
	knows(&a, "10.9.0.3", true);
	knows(&a, "10.9.0.4", true);
	knows(&a, "10.9.0.5", false); // sends only
	for (unsigned i = 0; i < 5; i++)
		pkts[i] = small_frame(500, i);
	pkts[5] = large_of(&s, 1500);
	for (unsigned i = 0; i < ARRAY_SIZE(pkts); i++)
		rte_pktmbuf_refcnt_update(pkts[i], 1);
	send_to(&a, DP_REMOTE_ALL, pkts, ARRAY_SIZE(pkts));
	expect_tx(3 * 8, 0, 0);
	for (unsigned e = 0; e < ARRAY_SIZE(to); e++) {
		knows(&to[e], "10.9.0.1", true);
		receive(&to[e], 8);
		for (unsigned i = 0; i < 5; i++)
			assert_small_frame(got[i], 500, i);
		for (unsigned i = 0; i < 3; i++)
			assert_bytes(got[5 + i], want, build_segment(want, &s, i, false));
		free_got();
		close_end(&to[e]);
	}
	for (unsigned i = 0; i < 5; i++)
		assert_small_frame(pkts[i], 500, i);
	assert_bytes(pkts[5], want, build(want, &s, 0, 3000, 0, 0, true));
	rte_pktmbuf_free_bulk(pkts, ARRAY_SIZE(pkts));
	close_end(&a);
}

static void test_no_remote(void **state)
{
	struct end a = end_at("a", "10.9.0.1");
	struct rte_mbuf *m = small_frame(100, 0);
	uint16_t number;

	send_to(&a, DP_REMOTE_ALL, &m, 1);
	expect_tx(0, DP_DROP_TUNNEL_NO_REMOTE, 1);
	number = knows(&a, "10.9.0.2", false);
	m = small_frame(100, 0);
	send_to(&a, DP_REMOTE_ALL, &m, 1);
	expect_tx(0, DP_DROP_TUNNEL_NO_REMOTE, 1);
	m = small_frame(100, 0);
	send_to(&a, number + 1, &m, 1);
	expect_tx(0, DP_DROP_TUNNEL_NO_REMOTE, 1);
	// It goes, and with it the frames that a forwarding entry sends there.
	vni_remote_del(a.vni, number, false);
	vtep_remote_put(a.vtep, number);
	assert_int_equal(vtep_publish(a.vtep), 0);
	m = small_frame(100, 0);
	send_to(&a, number, &m, 1);
	expect_tx(0, DP_DROP_TUNNEL_NO_REMOTE, 1);
	close_end(&a);
}

// ---- what is refused ----

static void test_unknown_source(void **state)
{
	struct end a = end_at("a", "10.9.0.1"), c = end_at("b", "10.9.0.3");
	uint16_t to_a = knows(&c, "10.9.0.1", true);
	struct rte_mbuf *pkts[] = {small_frame(1000, 0), small_frame(1000, 1), small_frame(9, 2)};

	knows(&a, "10.9.0.2", true);
	send_to(&c, to_a, pkts, ARRAY_SIZE(pkts));
	expect_rx_drop(&a, DP_DROP_TUNNEL_SOURCE, 3);
	close_end(&a);
	close_end(&c);
}

// The source is known, but to another network.
static void test_unknown_vni(void **state)
{
	struct conf_vtep conf = conf_of("b", "10.9.0.2");
	struct end a = end_at("a", "10.9.0.1"), b = end_of(&conf, VNI + 1);
	uint16_t to_a = knows(&b, "10.9.0.1", true);
	struct rte_mbuf *pkts[] = {small_frame(1000, 0), small_frame(1000, 1)};

	knows(&a, "10.9.0.2", true);
	send_to(&b, to_a, pkts, ARRAY_SIZE(pkts));
	expect_rx_drop(&a, DP_DROP_TUNNEL_VNI, 2);
	close_end(&a);
	close_end(&b);
}

static void test_bad_headers(void **state)
{
	struct end a = end_at("a", "10.9.0.1");
	struct sockaddr_in to = sockaddr_of("10.9.0.1", VXLAN_UDP_PORT);
	uint8_t datagram[100] = {0x08, [6] = VNI};
	unsigned count = 0;
	int fd = socket_in_b(AF_INET, SOCK_DGRAM);

	knows(&a, "10.9.0.2", true);
	for (unsigned len = 0; len < VXLAN_HDR_BYTES + VXLAN_FRAME_MIN; len++, count++)
		assert_int_equal(sendto(fd, datagram, len, 0, (void *)&to, sizeof(to)), len);
	datagram[0] = 0xf7; // everything but the I flag
	assert_int_equal(sendto(fd, datagram, 100, 0, (void *)&to, sizeof(to)), 100);
	expect_rx_drop(&a, DP_DROP_TUNNEL_HEADER, count + 1);
	// Reserved bits are ignored.
	memset(datagram, 0xff, sizeof(datagram));
	memcpy(datagram + 4, (uint8_t[]){0, 0, VNI}, 3);
	assert_int_equal(sendto(fd, datagram, 100, 0, (void *)&to, sizeof(to)), 100);
	receive(&a, 1);
	assert_bytes(got[0], datagram + 8, 92);
	free_got();
	close(fd);
	close_end(&a);
}

// Every datagram of a train is looked at: two networks that are here, and one that is not.
static void test_train_of_networks(void **state)
{
	struct end a = end_at("a", "10.9.0.1");
	struct sockaddr_in from = sockaddr_of("10.9.0.2", 0),
			   to = sockaddr_of("10.9.0.1", VXLAN_UDP_PORT);
	const uint32_t vni[] = {VNI, VNI, VNI + 1, VNI + 2, VNI, VNI + 1};
	const uint16_t *id[] = {&a.port_id, &a.port_id, NULL, NULL, &a.port_id, NULL};
	uint8_t datagram[ARRAY_SIZE(vni)][500] = {0};
	int fd = socket_in_b(AF_INET, SOCK_DGRAM), size = sizeof(datagram[0]);
	uint16_t number = knows(&a, "10.9.0.2", true);
	struct vni *other;

	assert_int_equal(vni_open(a.vtep, VNI + 1, 0, &other, NULL), 0);
	vni_port(other)->id = 1000;
	assert_int_equal(vni_remote_add(other, number, false), 0);
	assert_int_equal(vtep_publish(a.vtep), 0);
	id[2] = id[5] = &vni_port(other)->id;
	assert_int_equal(bind(fd, (void *)&from, sizeof(from)), 0);
	assert_int_equal(setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof(size)), 0);
	for (unsigned i = 0; i < ARRAY_SIZE(vni); i++)
		vxlan_write(datagram[i], vni[i]);
	assert_int_equal(sendto(fd, datagram, sizeof(datagram), 0, (void *)&to, sizeof(to)),
		sizeof(datagram));
	usleep(SETTLE_US);
	rx_cnt = (struct dp_site){};
	nb_got = vtep_port(a.vtep)->rx(vtep_port(a.vtep), 0, got, DP_BURST, &rx_cnt);
	assert_int_equal(nb_got, 5);
	assert_int_equal(rx_cnt.drop[DP_DROP_TUNNEL_VNI], 1);
	for (unsigned i = 0, g = 0; i < ARRAY_SIZE(vni); i++)
		if (id[i])
			assert_int_equal(dp_input(got[g++]), *id[i]);
	free_got();
	close(fd);
	vni_close(other);
	close_end(&a);
}

static void test_too_big(void **state)
{
	struct end a = end_at("a", "10.9.0.1"), b = end_at("b", "10.9.0.2");
	uint16_t to_b = knows(&a, "10.9.0.2", true);
	struct rte_mbuf *pkts[4];

	knows(&b, "10.9.0.1", true);
	// 1450 bytes of IP packet are the most: 40 of headers.
	for (unsigned i = 0; i < ARRAY_SIZE(pkts); i++)
		pkts[i] = small_frame(1411, i);
	send_to(&a, to_b, pkts, ARRAY_SIZE(pkts));
	expect_tx(0, DP_DROP_TX_TOO_BIG, ARRAY_SIZE(pkts));
	for (unsigned i = 0; i < ARRAY_SIZE(pkts); i++)
		pkts[i] = small_frame(1410, i);
	send_to(&a, to_b, pkts, ARRAY_SIZE(pkts));
	expect_tx(ARRAY_SIZE(pkts), 0, 0);
	receive(&b, ARRAY_SIZE(pkts));
	free_got();
	close_end(&a);
	close_end(&b);
}

static void test_link_down(void **state)
{
	struct end a = end_at("a", "10.9.0.1"), b = end_at("b", "10.9.0.2");
	uint16_t to_b = knows(&a, "10.9.0.2", true), to_a = knows(&b, "10.9.0.1", true);
	struct rte_mbuf *m = small_frame(100, 0);

	run("ip -n a link set va down");
	send_to(&a, to_b, &m, 1);
	expect_tx(0, DP_DROP_TUNNEL_DOWN, 1);
	assert_int_equal(vtep_port(a.vtep)->failed, 0);
	run("ip -n a link set va up && ip -n a addr add fd09::1/64 dev va nodad");
	one_way(&a, to_b, &b, to_a);
	close_end(&a);
	close_end(&b);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		ENDTEST(test_ip4),
		ENDTEST(test_ip6),
		ENDTEST(test_any_ip4),
		ENDTEST(test_any),
		ENDTEST(test_no_checksum),
		ENDTEST(test_train),
		ENDTEST(test_train_in_pieces),
		ENDTEST(test_mixed),
		ENDTEST(test_cut),
		ENDTEST(test_cut_refused),
		ENDTEST(test_flood),
		ENDTEST(test_no_remote),
		ENDTEST(test_unknown_source),
		ENDTEST(test_unknown_vni),
		ENDTEST(test_bad_headers),
		ENDTEST(test_train_of_networks),
		ENDTEST(test_too_big),
		ENDTEST(test_link_down),
	};

	return ends_run(tests, ARRAY_SIZE(tests), argc, argv);
}
