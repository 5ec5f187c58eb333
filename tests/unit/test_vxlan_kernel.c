// SPDX-License-Identifier: BSD-3-Clause
// Tunnel endpoints over real sockets, without the rest of the switch: in network namespaces `a` and
// `b` with a veth pair between them, frames go in by a network's tx() and come out by the other
// endpoint's rx(). The kernel's VXLAN device is the other end in the last tests.
//
// Needs root: it moves into mount and network namespaces of its own first.
#include <arpa/inet.h>
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <rte_eal.h>
#include <rte_ip.h>
#include <rte_tcp.h>

#include "base/loop.h"
#include "base/netns.h"
#include "base/util.h"
#include "tests/unit/packets.h"
#include "vxlan/codec.h"
#include "vxlan/vxlan.h"

#define SKIPPED	   77 // meson's word for it
#define VNI	   42
#define WAIT_US	   1000000
#define SETTLE_US  20000 // for frames that are not to come
#define FRAMES_MAX 256

static struct rte_mempool *vtep_pool; // buffers of 64 KiB for receiving
static struct dp *dp;
static struct dp_counters rx_cnt, tx_cnt;
static struct rte_mbuf *got[FRAMES_MAX];
static unsigned nb_got;
static char last_event[64];

// ---- endpoints ----

struct end {
	struct vtep *vtep;
	struct vni *vni;
	uint16_t port_id;
};

static void event(void *arg, const char *name, json_t *data)
{
	char *text = json_dumps(data, JSON_COMPACT | JSON_SORT_KEYS);

	snprintf(last_event, sizeof(last_event), "%s %s", name, text);
	free(text);
}

static struct vxlan_env env(void)
{
	return (struct vxlan_env){
		.dp = dp, .pool = pool, .big_pool = vtep_pool, .nb_workers = 1, .event = event};
}

static struct ip_addr ip_of(const char *text)
{
	struct ip_addr ip;

	assert_int_equal(ip_parse(text, &ip), 0);
	return ip;
}

static struct conf_endpoint conf_of(const char *netns, const char *address)
{
	struct conf_endpoint conf = {.name = "t0", .udp_port = VXLAN_UDP_PORT};

	snprintf(conf.netns, sizeof(conf.netns), "%s", netns);
	conf.address = ip_of(address);
	return conf;
}

static struct end end_of(const struct conf_endpoint *conf, uint32_t number)
{
	static uint16_t last_id;
	struct vxlan_env e = env();
	struct err err = {0};
	struct end end = {.port_id = ++last_id};

	if (vtep_open(conf, &e, NULL, &end.vtep, &err))
		fail_msg("%s: %s", err.path, err.reason);
	if (vni_open(end.vtep, number, 0, &end.vni, &err))
		fail_msg("%s: %s", err.path, err.reason);
	vni_port(end.vni)->id = end.port_id;
	assert_int_equal(vtep_publish(end.vtep), 0);
	return end;
}

static struct end end_at(const char *netns, const char *address)
{
	struct conf_endpoint conf = conf_of(netns, address);

	return end_of(&conf, VNI);
}

// Makes the remote known to the network. Returns its number.
static uint16_t knows(struct end *end, const char *address, bool flood)
{
	struct ip_addr ip = ip_of(address);
	uint16_t number = 0;

	assert_int_equal(vtep_remote_get(end->vtep, &ip, &number, NULL), 0);
	assert_int_equal(vni_remote_add(end->vni, number, flood), 0);
	assert_int_equal(vtep_publish(end->vtep), 0);
	return number;
}

static void close_end(struct end *end)
{
	vni_close(end->vni);
	vtep_close(end->vtep);
	dp_service(dp, monotonic_us());
}

// ---- frames ----

static void expect_tx(uint64_t packets, enum dp_drop_reason reason, uint64_t drops)
{
	assert_int_equal(tx_cnt.tx_packets, packets);
	assert_int_equal(tx_cnt.drop[reason], drops);
	for (unsigned r = 0; r < DP_NB_DROPS; r++)
		if (r != reason)
			assert_int_equal(tx_cnt.drop[r], 0);
}

static void send_to(struct end *end, uint16_t remote, struct rte_mbuf **pkts, unsigned n)
{
	struct dp_port *port = vni_port(end->vni);

	tx_cnt = (struct dp_counters){};
	for (unsigned i = 0; i < n; i++)
		dp_set_remote(pkts[i], remote);
	port->tx(port, 0, pkts, n, &tx_cnt);
}

// Receives until there are `want` frames (into got[]), at most `room` with one call; then nothing
// more may be there.
static void receive_by(struct end *end, unsigned want, uint16_t room)
{
	struct dp_port *port = vtep_port(end->vtep);
	uint64_t start = monotonic_us();

	nb_got = 0;
	rx_cnt = (struct dp_counters){};
	while (nb_got < want && monotonic_us() < start + WAIT_US)
		nb_got += port->rx(
			port, 0, got + nb_got, RTE_MIN(room, FRAMES_MAX - nb_got), &rx_cnt);
	assert_int_equal(nb_got, want);
	assert_int_equal(port->rx(port, 0, got + nb_got, 1, &rx_cnt), 0);
	assert_int_equal(rx_cnt.drop[DP_DROP_RX_NO_BUFFER], 0);
	for (unsigned i = 0; i < want; i++) {
		rte_mbuf_sanity_check(got[i], 1);
		assert_int_equal(dp_input(got[i]), end->port_id);
	}
}

static void receive(struct end *end, unsigned want)
{
	receive_by(end, want, DP_BURST);
}

static void free_got(void)
{
	rte_pktmbuf_free_bulk(got, nb_got);
	nb_got = 0;
}

// Frames are sent, and all that the endpoint at the other end does is to count `n` drops.
static void expect_rx_drop(struct end *end, enum dp_drop_reason reason, unsigned n)
{
	struct dp_port *port = vtep_port(end->vtep);
	uint64_t start = monotonic_us();

	rx_cnt = (struct dp_counters){};
	while (rx_cnt.drop[reason] < n && monotonic_us() < start + WAIT_US)
		assert_int_equal(port->rx(port, 0, got, DP_BURST, &rx_cnt), 0);
	usleep(SETTLE_US);
	assert_int_equal(port->rx(port, 0, got, DP_BURST, &rx_cnt), 0);
	for (unsigned r = 0; r < DP_NB_DROPS; r++)
		assert_int_equal(rx_cnt.drop[r], r == reason ? n : 0);
}

static struct rte_mbuf *small_frame(unsigned payload_bytes, unsigned index)
{
	const struct spec s = {.tcp = true, .payload_bytes = payload_bytes, .id = index};
	static uint8_t bytes[PACKET_BYTES];

	return chain_of(bytes, build_segment(bytes, &s, 0, false), UINT16_MAX);
}

static void assert_small_frame(const struct rte_mbuf *m, unsigned payload_bytes, unsigned index)
{
	const struct spec s = {.tcp = true, .payload_bytes = payload_bytes, .id = index};
	static uint8_t bytes[PACKET_BYTES];

	assert_bytes(m, bytes, build_segment(bytes, &s, 0, false));
	assert_false(m->ol_flags & DP_OFFLOAD_FLAGS);
}

// Frames `from` to its remote, which takes them for those of `back`.
static void one_way(struct end *from, uint16_t remote, struct end *to, uint16_t back)
{
	static const unsigned sizes[] = {0, 1, 100, 257, 1000, 1350};
	struct rte_mbuf *pkts[ARRAY_SIZE(sizes)];
	uint64_t bytes = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		pkts[i] = small_frame(sizes[i], i);
		bytes += pkts[i]->pkt_len;
	}
	send_to(from, remote, pkts, ARRAY_SIZE(sizes));
	expect_tx(ARRAY_SIZE(sizes), 0, 0);
	assert_int_equal(tx_cnt.tx_bytes, bytes);
	receive(to, ARRAY_SIZE(sizes));
	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		assert_small_frame(got[i], sizes[i], i);
		assert_int_equal(dp_remote(got[i]), back);
	}
	free_got();
}

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

// One endpoint for both families.
static void test_any(void **state)
{
	both_ways("::", "10.9.0.1", "::", "10.9.0.2");
	both_ways("::", "fd09::1", "::", "fd09::2");
	both_ways("::", "10.9.0.1", "10.9.0.2", "10.9.0.2");
}

static void test_no_checksum(void **state)
{
	struct conf_endpoint conf = conf_of("a", "10.9.0.1");
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
	struct conf_endpoint conf = conf_of("b", "10.9.0.2");
	struct end a = end_at("a", "10.9.0.1"), b = end_of(&conf, VNI + 1);
	uint16_t to_a = knows(&b, "10.9.0.1", true);
	struct rte_mbuf *pkts[] = {small_frame(1000, 0), small_frame(1000, 1)};

	knows(&a, "10.9.0.2", true);
	send_to(&b, to_a, pkts, ARRAY_SIZE(pkts));
	expect_rx_drop(&a, DP_DROP_TUNNEL_VNI, 2);
	close_end(&a);
	close_end(&b);
}

// A socket in namespace b.
static int socket_in_b(int type)
{
	int netns_fd, home_fd, fd;

	assert_int_equal(netns_open("b", "b", &netns_fd, NULL), 0);
	home_fd = netns_enter(netns_fd);
	assert_true(home_fd >= 0);
	fd = socket(AF_INET, type, 0);
	netns_leave(home_fd);
	close(netns_fd);
	assert_true(fd >= 0);
	return fd;
}

static struct sockaddr_in sockaddr_of(const char *ip, uint16_t port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = inet_addr(ip)};
}

static void test_bad_headers(void **state)
{
	struct end a = end_at("a", "10.9.0.1");
	struct sockaddr_in to = sockaddr_of("10.9.0.1", VXLAN_UDP_PORT);
	uint8_t datagram[100] = {0x08, [6] = VNI};
	unsigned count = 0;
	int fd = socket_in_b(SOCK_DGRAM);

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

static void run(const char *command)
{
	if (system(command) != 0)
		fail_msg("failed: %s", command);
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

// ---- frames of the kernel's VXLAN device ----

#define VX_UP                                                                                      \
	"ip -n b link add vx0 type vxlan id 42 local 10.9.0.2 remote 10.9.0.1 dstport 4789 && "    \
	"ip -n b link set vx0 addr 02:00:00:00:00:02 mtu 1450 && "                                 \
	"ip -n b addr add 10.8.0.2/24 dev vx0 && ip -n b link set vx0 up && "                      \
	"ip -n b neigh add 10.8.0.1 lladdr 02:00:00:00:00:01 dev vx0 nud permanent"

// Receives until a frame has these bytes at `off`; false when none comes.
static bool receive_match(struct end *end, unsigned off, const void *bytes, unsigned n)
{
	struct dp_port *port = vtep_port(end->vtep);
	uint64_t start = monotonic_us();

	while (monotonic_us() < start + WAIT_US) {
		if (!port->rx(port, 0, got, 1, &rx_cnt))
			continue;
		nb_got = 1;
		if (got[0]->data_len >= off + n &&
			!memcmp(rte_pktmbuf_mtod(got[0], uint8_t *) + off, bytes, n))
			return true;
		free_got(); // IPv6 neighbour discovery and the like
	}
	return false;
}

// An ARP request is answered.
static void test_kernel_vxlan(void **state)
{
	static const uint8_t request[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 8,
		6, 0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1, 10, 8, 0, 1, 0, 0, 0, 0, 0, 0, 10, 8,
		0, 2};
	static const uint8_t answer[] = {8, 6, 0, 1, 8, 0, 6, 4, 0, 2, 2, 0, 0, 0, 0, 2};
	struct end a = end_at("a", "10.9.0.1");
	struct rte_mbuf *m = chain_of(request, sizeof(request), UINT16_MAX);

	run(VX_UP);
	knows(&a, "10.9.0.2", true);
	send_to(&a, DP_REMOTE_ALL, &m, 1);
	expect_tx(1, 0, 0);
	assert_true(receive_match(&a, 12, answer, sizeof(answer)));
	free_got();
	run("ip -n b link del vx0");
	close_end(&a);
}

#define TCP_SYN 0x02
#define TCP_ACK 0x10

static struct rte_tcp_hdr *tcp_of(struct rte_mbuf *m)
{
	return rte_pktmbuf_mtod_offset(m, struct rte_tcp_hdr *, 34);
}

// The kernel in b opens a connection to 10.8.0.1 through its VXLAN device; got[0] is its SYN.
static int connect_from_b(struct end *end)
{
	static const uint8_t is_tcp = IPPROTO_TCP;
	struct sockaddr_in to = sockaddr_of("10.8.0.1", 80);
	int fd = socket_in_b(SOCK_STREAM | SOCK_NONBLOCK);

	assert_int_equal(connect(fd, (void *)&to, sizeof(to)), -1);
	assert_int_equal(errno, EINPROGRESS);
	assert_true(receive_match(end, 23, &is_tcp, 1));
	return fd;
}

// Finishes got[0] in software into got[]; what comes out must be complete.
static void finish_got(void)
{
	nb_got = dp_offload_finish(got[0], 0, pool, got, FRAMES_MAX, &rx_cnt);
	for (unsigned i = 0; i < nb_got; i++) {
		const struct rte_ipv4_hdr *ip =
			rte_pktmbuf_mtod_offset(got[i], const struct rte_ipv4_hdr *, 14);

		assert_int_equal(rte_ipv4_udptcp_cksum_verify(ip, ip + 1), 0);
	}
}

// The kernel leaves the checksum of its SYN to the link, which is virtual.
static void test_kernel_unfinished(void **state)
{
	struct end a = end_at("a", "10.9.0.1");
	int fd;

	run(VX_UP);
	knows(&a, "10.9.0.2", true);
	fd = connect_from_b(&a);
	assert_true(got[0]->ol_flags & RTE_MBUF_F_TX_TCP_CKSUM);
	finish_got();
	assert_int_equal(nb_got, 1);
	free_got();
	close(fd);
	run("ip -n b link del vx0");
	close_end(&a);
}

// The answer to the SYN in got[0], without options: segments will be of 536 bytes.
static struct rte_mbuf *syn_ack(void)
{
	const struct rte_tcp_hdr *syn = tcp_of(got[0]);
	uint8_t frame[54] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0};
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(frame + 14);
	struct rte_tcp_hdr *tcp = (struct rte_tcp_hdr *)(ip + 1);

	*ip = (struct rte_ipv4_hdr){.version_ihl = 0x45,
		.total_length = htons(40),
		.time_to_live = 64,
		.next_proto_id = IPPROTO_TCP,
		.src_addr = inet_addr("10.8.0.1"),
		.dst_addr = inet_addr("10.8.0.2")};
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	*tcp = (struct rte_tcp_hdr){.src_port = syn->dst_port,
		.dst_port = syn->src_port,
		.sent_seq = htonl(1),
		.recv_ack = htonl(ntohl(syn->sent_seq) + 1),
		.data_off = 0x50,
		.tcp_flags = TCP_SYN | TCP_ACK,
		.rx_win = htons(65535)};
	tcp->cksum = rte_ipv4_udptcp_cksum(ip, tcp);
	return chain_of(frame, sizeof(frame), UINT16_MAX);
}

// A large segment that the kernel leaves to the link to cut is cut by us.
static void test_kernel_large(void **state)
{
	static const uint8_t is_ack = TCP_ACK;
	struct end a = end_at("a", "10.9.0.1");
	struct rte_mbuf *m;
	unsigned done = 0;
	uint32_t seq;
	int fd;

	run(VX_UP);
	knows(&a, "10.9.0.2", true);
	fd = connect_from_b(&a);
	seq = ntohl(tcp_of(got[0])->sent_seq) + 1;
	m = syn_ack();
	free_got();
	send_to(&a, DP_REMOTE_ALL, &m, 1);
	assert_true(receive_match(&a, 47, &is_ack, 1));
	free_got();
	assert_int_equal(write(fd, payload, 5000), 5000);
	assert_true(receive_match(&a, 23, (uint8_t[]){IPPROTO_TCP}, 1));
	assert_true(got[0]->pkt_len > 14 + 1450);
	assert_true(got[0]->ol_flags & RTE_MBUF_F_TX_TCP_SEG);
	finish_got();
	assert_true(nb_got > 1);
	for (unsigned i = 0; i < nb_got; i++) {
		unsigned n = got[i]->pkt_len - 54;

		assert_true(got[i]->pkt_len <= 14 + 1450);
		assert_int_equal(ntohl(tcp_of(got[i])->sent_seq), seq + done);
		assert_memory_equal(tcp_of(got[i]) + 1, payload + done, n);
		done += n;
	}
	free_got();
	close(fd);
	run("ip -n b link del vx0");
	close_end(&a);
}

// ---- MTU, errors, life ----

static void test_mtu(void **state)
{
	struct end a = end_at("a", "10.9.0.1"), c = end_at("a", "fd09::1");
	struct conf_endpoint conf = conf_of("b", "10.9.0.2");
	struct end b;
	struct vni *small, *large;

	conf.mtu = 9000;
	b = end_of(&conf, VNI);
	assert_int_equal(vni_open(a.vtep, 7, 1000, &small, NULL), 0);
	assert_int_equal(vni_open(a.vtep, 8, 9000, &large, NULL), 0);
	assert_int_equal(vtep_mtu(a.vtep), 1450);
	assert_int_equal(vtep_mtu(c.vtep), 1430);
	assert_int_equal(vtep_mtu(b.vtep), 8950);
	assert_int_equal(vni_port(a.vni)->mtu, 1450);
	assert_int_equal(vni_port(small)->mtu, 1000);
	assert_int_equal(vni_port(large)->mtu, 1450);
	run("ip -n a link set va mtu 1400");
	vtep_service(a.vtep, 0);
	assert_int_equal(vtep_mtu(a.vtep), 1350);
	assert_int_equal(vni_port(a.vni)->mtu, 1350);
	assert_int_equal(vni_port(small)->mtu, 1000);
	assert_string_equal(last_event, "endpoint.mtu {\"endpoint\":\"t0\",\"mtu\":1350}");
	run("ip -n a link set va mtu 1500");
	// A remote behind a narrow route.
	run("ip -n a route add 10.7.0.0/24 via 10.9.0.2 mtu 1300");
	knows(&a, "10.7.0.1", true);
	assert_int_equal(vtep_mtu(a.vtep), 1250);
	run("ip -n a route del 10.7.0.0/24");
	vni_close(small);
	vni_close(large);
	close_end(&a);
	close_end(&b);
	close_end(&c);
}

static void refuse(const struct conf_endpoint *conf, int code, const char *words)
{
	struct vxlan_env e = env();
	struct err err = {0};
	struct vtep *vtep;

	assert_int_equal(vtep_open(conf, &e, NULL, &vtep, &err), code);
	assert_string_equal(err.path, "tunnel endpoint t0");
	if (!strstr(err.reason, words))
		fail_msg("'%s' does not say '%s'", err.reason, words);
}

static void test_refused(void **state)
{
	struct conf_endpoint conf = conf_of("a", "10.9.0.77");
	struct end a = end_at("a", "10.9.0.1");

	refuse(&conf, -EADDRNOTAVAIL, "this host has no address 10.9.0.77 in network namespace a");
	conf = conf_of("a", "10.9.0.1");
	refuse(&conf, -EADDRINUSE, "UDP port 4789 of 10.9.0.1 in network namespace a is taken");
	conf = conf_of("a", "::");
	refuse(&conf, -EADDRINUSE, "is taken");
	conf = conf_of("nowhere", "10.9.0.1");
	refuse(&conf, -ENOENT, "no network namespace nowhere");
	close_end(&a);
}

static void test_remotes(void **state)
{
	struct end a = end_at("a", "10.9.0.1");
	struct ip_addr ip = ip_of("10.9.0.2"), got_ip;
	struct ip_addr wrong[] = {
		ip_of("fd09::2"), ip_of("10.9.0.1"), ip_of("239.1.1.1"), ip_of("0.0.0.0")};
	uint16_t first, again, other;
	struct vni *vni;

	for (unsigned i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(vtep_remote_get(a.vtep, &wrong[i], &first, NULL),
			i ? -EINVAL : -EAFNOSUPPORT);
	assert_int_equal(vtep_remote_get(a.vtep, &ip, &first, NULL), 0);
	assert_int_equal(vtep_remote_get(a.vtep, &ip, &again, NULL), 0);
	assert_int_equal(again, first);
	vtep_remote_put(a.vtep, first);
	assert_true(vtep_remote_ip(a.vtep, first, &got_ip));
	assert_true(ip_equal(&got_ip, &ip));
	vtep_remote_put(a.vtep, first);
	assert_false(vtep_remote_ip(a.vtep, first, &got_ip));
	assert_int_equal(vni_remote_add(a.vni, first, true), -ENOENT);
	// Its number rests.
	assert_int_equal(vtep_remote_get(a.vtep, &ip, &other, NULL), 0);
	assert_int_not_equal(other, first);
	assert_int_equal(vni_open(a.vtep, VNI, 0, &vni, NULL), -EEXIST);
	close_end(&a);
}

static void test_many_remotes(void **state)
{
	struct end a = end_at("a", "10.9.0.1");
	uint16_t number[3000];

	for (unsigned i = 0; i < ARRAY_SIZE(number); i++) {
		struct ip_addr ip = {.family = 4, .byte = {10, 9, 1 + i / 250, 1 + i % 250}};

		assert_int_equal(vtep_remote_get(a.vtep, &ip, &number[i], NULL), 0);
		assert_int_equal(vni_remote_add(a.vni, number[i], true), 0);
	}
	assert_int_equal(vtep_publish(a.vtep), 0);
	vtep_service(a.vtep, 0);
	for (unsigned i = 0; i < ARRAY_SIZE(number); i++) {
		vni_remote_del(a.vni, number[i], true);
		vtep_remote_put(a.vtep, number[i]);
	}
	assert_int_equal(vtep_publish(a.vtep), 0);
	close_end(&a);
}

static void test_namespace_deleted(void **state)
{
	struct end end;

	run("ip netns add gone && ip -n gone link set lo up");
	end = end_at("gone", "127.0.0.1");
	vtep_service(end.vtep, 0);
	assert_int_equal(vtep_port(end.vtep)->failed, 0);
	run("ip netns del gone");
	vtep_service(end.vtep, 0);
	assert_int_equal(vtep_port(end.vtep)->failed, ENODEV);
	close_end(&end);
}

static void test_describe(void **state)
{
	struct end a = end_at("a", "10.9.0.1");
	json_t *obj = json_object();
	char *text;

	knows(&a, "10.9.0.2", true);
	vtep_describe(a.vtep, obj);
	text = json_dumps(obj, JSON_COMPACT | JSON_SORT_KEYS);
	assert_string_equal(text, "{\"mtu\":1450,\"networks\":[42],"
				  "\"remotes\":[{\"ip\":\"10.9.0.2\",\"path_mtu\":1500}]}");
	free(text);
	json_decref(obj);
	close_end(&a);
}

// ---- the machine ----

static int all_back(void **state)
{
	return no_leak(state) || rte_mempool_in_use_count(vtep_pool) != 0;
}

// Returns 0, or -1 when this is not allowed here.
static int private_machine(void)
{
	if (geteuid() != 0) {
		printf("skipped: needs root to make network namespaces\n");
		return -1;
	}
	if (unshare(CLONE_NEWNS | CLONE_NEWNET) < 0 ||
		mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
		printf("skipped: cannot make namespaces: %s\n", strerror(errno));
		return -1;
	}
	return 0;
}

static int make_links(void **state)
{
	mkdir("/run/netns", 0755);
	if (mount("none", "/run/netns", "tmpfs", 0, NULL) < 0)
		return -1;
	// Neighbours are known: at once, IPv6 would not find them for a second.
	run("ip netns add a && ip netns add b && "
	    "ip -n a link add va addr 02:00:00:00:01:01 type veth "
	    "peer name vb addr 02:00:00:00:01:02 netns b && "
	    "ip -n a addr add 10.9.0.1/16 dev va && ip -n a addr add fd09::1/64 dev va nodad && "
	    "ip -n b addr add 10.9.0.2/16 dev vb && ip -n b addr add fd09::2/64 dev vb nodad && "
	    "ip -n b addr add 10.9.0.3/16 dev vb && ip -n b addr add 10.9.0.4/16 dev vb && "
	    "ip -n a link set va up && ip -n b link set vb up && "
	    "ip -n a neigh add fd09::2 lladdr 02:00:00:00:01:02 dev va nud permanent && "
	    "ip -n b neigh add fd09::1 lladdr 02:00:00:00:01:01 dev vb nud permanent");
	return 0;
}

#define ENDTEST(fn) cmocka_unit_test_teardown(fn, all_back)

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
		ENDTEST(test_too_big),
		ENDTEST(test_link_down),
		ENDTEST(test_kernel_vxlan),
		ENDTEST(test_kernel_unfinished),
		ENDTEST(test_kernel_large),
		ENDTEST(test_mtu),
		ENDTEST(test_refused),
		ENDTEST(test_remotes),
		ENDTEST(test_many_remotes),
		ENDTEST(test_namespace_deleted),
		ENDTEST(test_describe),
	};
	const struct dp_opts opts = {0};
	struct err err = {0};
	int failed;

	if (private_machine() < 0)
		return SKIPPED;
	if (packets_init(argc, argv) < 0)
		return 1;
	vtep_pool = rte_pktmbuf_pool_create("vtep", 127, 0, 0, BIG_ROOM_BYTES, SOCKET_ID_ANY);
	if (!vtep_pool || dp_new(&opts, &dp, &err) < 0)
		return 1;
	printf("seed %u\n", seed);
	failed = cmocka_run_group_tests(tests, make_links, NULL);
	dp_free(dp);
	rte_eal_cleanup();
	return failed != 0;
}
