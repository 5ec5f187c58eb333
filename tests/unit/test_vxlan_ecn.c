// SPDX-License-Identifier: BSD-3-Clause
// The underlay `kernel`: what outer and inner headers tell each other of congestion, traffic class
// and TTL, over real sockets. Host b is a socket there, which says and hears what outer headers
// have.
#include "tests/unit/ends.h"

#include <linux/udp.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/marks.h"

#define INNER_DSCP 0x28
#define OUTER_DSCP 0xb8 // stays outside

// The addresses of a test: the VTEP's, and those it is reached by and reaches.
struct ways {
	const char *own, *near, *far;
};

static const struct ways ways[] = {
	{"10.9.0.1", "10.9.0.1", "10.9.0.2"},
	{"fd09::1", "fd09::1", "fd09::2"},
	{"::", "10.9.0.1", "10.9.0.2"}, // an IPv4 address in a socket of IPv6
	{"::", "fd09::1", "fd09::2"},
};

static bool is_ip6(const struct ways *w)
{
	return strchr(w->far, ':');
}

static void set(int fd, int level, int option, int value)
{
	assert_int_equal(setsockopt(fd, level, option, &value, sizeof(value)), 0);
}

static struct sockaddr_in6 name_of(const char *ip, uint16_t port)
{
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	struct sockaddr_in in = sockaddr_of(ip, port);

	if (strchr(ip, ':'))
		assert_int_equal(inet_pton(AF_INET6, ip, &in6.sin6_addr), 1);
	else
		memcpy(&in6, &in, sizeof(in));
	return in6;
}

// Host b, by a socket that hears what it is told.
static int host_b(const struct ways *w)
{
	struct sockaddr_in6 own = name_of(w->far, VXLAN_UDP_PORT);
	bool ip6 = is_ip6(w);
	int fd = socket_in_b(ip6 ? AF_INET6 : AF_INET, SOCK_DGRAM);
	struct timeval patience = {.tv_sec = WAIT_US / 1000000};

	set(fd, ip6 ? IPPROTO_IPV6 : IPPROTO_IP, ip6 ? IPV6_RECVTCLASS : IP_RECVTOS, 1);
	set(fd, ip6 ? IPPROTO_IPV6 : IPPROTO_IP, ip6 ? IPV6_RECVHOPLIMIT : IP_RECVTTL, 1);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	assert_int_equal(bind(fd, (void *)&own, sizeof(own)), 0);
	return fd;
}

// ---- decapsulation ----

// Datagrams of `size` bytes each, the last may be shorter, with an outer ECN field.
static void say(const struct ways *w, int fd, const uint8_t *bytes, unsigned len, unsigned size,
	unsigned ecn)
{
	struct sockaddr_in6 to = name_of(w->near, VXLAN_UDP_PORT);
	bool ip6 = is_ip6(w);

	set(fd, ip6 ? IPPROTO_IPV6 : IPPROTO_IP, ip6 ? IPV6_TCLASS : IP_TOS, OUTER_DSCP | ecn);
	set(fd, IPPROTO_UDP, UDP_SEGMENT, size < len ? (int)size : 0);
	assert_int_equal(sendto(fd, bytes, len, 0, (void *)&to, sizeof(to)), len);
}

static unsigned datagram_of(uint8_t *bytes, unsigned kind, unsigned id, unsigned ecn)
{
	vxlan_write(bytes, VNI);
	return VXLAN_HDR_BYTES +
	       frame_of_kind(bytes + VXLAN_HDR_BYTES, kind, id, INNER_DSCP | ecn, 7);
}

static void decap_one(const struct ways *w, struct end *a, int fd, unsigned kind, unsigned rule)
{
	uint8_t bytes[500];
	unsigned len = datagram_of(bytes, kind, rule, ecn_rules[rule].inner);
	int then = kind < NO_IP_KIND ? ecn_rules[rule].then : ecn_rules[rule].inner;

	say(w, fd, bytes, len, len, ecn_rules[rule].outer);
	if (then == DROPPED) {
		expect_rx_drop(a, DP_DROP_TUNNEL_ECN, 1);
		return;
	}
	receive(a, 1);
	len = datagram_of(bytes, kind, rule, then) - VXLAN_HDR_BYTES;
	assert_bytes(got[0], bytes + VXLAN_HDR_BYTES, len);
	free_got();
}

static void test_decap(void **state)
{
	for (unsigned i = 0; i < ARRAY_SIZE(ways); i++) {
		struct end a = end_at("a", ways[i].own);
		int fd = host_b(&ways[i]);

		knows(&a, ways[i].far, true);
		for (unsigned kind = 0; kind < NB_KINDS; kind++)
			for (unsigned rule = 0; rule < ARRAY_SIZE(ecn_rules); rule++)
				decap_one(&ways[i], &a, fd, kind, rule);
		close(fd);
		close_end(&a);
	}
}

// Some frames of a train are dropped, the others are as they should be.
static void test_decap_train(void **state)
{
	static const int inner[] = {NOT_ECT, ECT0, NOT_ECT, ECT1, CE, ECT0, NOT_ECT};
	static uint8_t bytes[ARRAY_SIZE(inner) * 500];

	for (unsigned i = 0; i < 2 * ARRAY_SIZE(ways); i++) {
		const struct ways *w = &ways[i / 2];
		struct end a = end_at("a", w->own);
		int fd = host_b(w);
		unsigned len = 0, size = 0, kind = i & 1, n = 0;

		knows(&a, w->far, true);
		for (unsigned f = 0; f < ARRAY_SIZE(inner); f++) {
			size = datagram_of(bytes + len, kind, f, inner[f]);
			len += size;
		}
		say(w, fd, bytes, len, size, CE);
		receive(&a, 4);
		assert_int_equal(rx_cnt.drop[DP_DROP_TUNNEL_ECN], 3);
		for (unsigned f = 0; f < ARRAY_SIZE(inner); f++) {
			if (inner[f] == NOT_ECT)
				continue;
			datagram_of(bytes, kind, f, CE);
			assert_bytes(got[n++], bytes + VXLAN_HDR_BYTES, size - VXLAN_HDR_BYTES);
		}
		free_got();
		close(fd);
		close_end(&a);
	}
}

// ---- encapsulation ----

// The next datagram at b has these outer fields. Returns its size.
static unsigned hears_any(int fd, uint8_t bytes[2000], int tos, int ttl)
{
	union {
		uint8_t bytes[200];
		struct cmsghdr align;
	} control;
	struct iovec iov = {bytes, 2000};
	struct msghdr msg = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};
	int got_tos = -1, got_ttl = -1, n = recvmsg(fd, &msg, 0);

	assert_true(n >= VXLAN_HDR_BYTES);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
		bool ip6 = c->cmsg_level == IPPROTO_IPV6;

		if (c->cmsg_type == (ip6 ? IPV6_TCLASS : IP_TOS))
			got_tos = *CMSG_DATA(c);
		else if (c->cmsg_type == (ip6 ? IPV6_HOPLIMIT : IP_TTL))
			memcpy(&got_ttl, CMSG_DATA(c), sizeof(got_ttl));
	}
	assert_int_equal(got_tos, tos);
	assert_int_equal(got_ttl, ttl);
	return n;
}

static void hears(int fd, const uint8_t *frame, unsigned len, int tos, int ttl)
{
	uint8_t bytes[2000];

	assert_int_equal(hears_any(fd, bytes, tos, ttl), VXLAN_HDR_BYTES + len);
	assert_memory_equal(bytes + VXLAN_HDR_BYTES, frame, len);
}

static const struct {
	unsigned dscp, ttl;
} options[] = {
	{0, 64},
	{46, 64},
	{0, 1},
	{63, 255},
	{CONF_DSCP_INHERIT, 64},
	{0, CONF_TTL_INHERIT},
	{CONF_DSCP_INHERIT, CONF_TTL_INHERIT},
};

static int tos_of(unsigned option, unsigned kind, unsigned tos)
{
	unsigned class = kind < NO_IP_KIND ? tos : 0, dscp = options[option].dscp;

	return dscp == CONF_DSCP_INHERIT ? class : dscp << 2 | (class & 3);
}

static int ttl_of(unsigned option, unsigned kind, unsigned ttl)
{
	unsigned fixed = options[option].ttl;

	return fixed != CONF_TTL_INHERIT ? fixed : kind < NO_IP_KIND ? ttl : 64;
}

static void encap_all_kinds(struct end *a, uint16_t remote, int fd, unsigned option)
{
	static const unsigned classes[] = {0, 1, 2, 3, 0xb8, 0xff};
	uint8_t frame[500];

	vni_mark(a->vni, options[option].dscp, options[option].ttl);
	for (unsigned kind = 0; kind < NB_KINDS; kind++) {
		for (unsigned i = 0; i < ARRAY_SIZE(classes); i++) {
			unsigned len = frame_of_kind(frame, kind, i, classes[i], 9);
			struct rte_mbuf *m = chain_of(frame, len, UINT16_MAX);

			send_to(a, i & 1 ? DP_REMOTE_ALL : remote, &m, 1);
			expect_tx(1, 0, 0);
			hears(fd, frame, len, tos_of(option, kind, classes[i]),
				ttl_of(option, kind, 9));
		}
	}
}

static void test_encap(void **state)
{
	for (unsigned i = 0; i < ARRAY_SIZE(ways); i++) {
		struct end a = end_at("a", ways[i].own);
		int fd = host_b(&ways[i]);
		uint16_t remote = knows(&a, ways[i].far, true);

		for (unsigned option = 0; option < ARRAY_SIZE(options); option++)
			encap_all_kinds(&a, remote, fd, option);
		close(fd);
		close_end(&a);
	}
}

// To remotes of both families, each gets the option of its own.
static void test_encap_flood(void **state)
{
	struct end a = end_at("a", "::");
	int fd4 = host_b(&ways[2]), fd6 = host_b(&ways[3]);
	uint8_t frame[500];
	unsigned len = frame_of_kind(frame, 0, 1, ECT0, 9);
	struct rte_mbuf *m = chain_of(frame, len, UINT16_MAX);

	knows(&a, ways[2].far, true);
	knows(&a, ways[3].far, true);
	vni_mark(a.vni, 46, 7);
	send_to(&a, DP_REMOTE_ALL, &m, 1);
	expect_tx(2, 0, 0);
	hears(fd4, frame, len, 46 << 2 | ECT0, 7);
	hears(fd6, frame, len, 46 << 2 | ECT0, 7);
	close(fd4);
	close(fd6);
	close_end(&a);
}

// Frames of one flow and size in one batch.
static void encap_train(const struct ways *w)
{
	static const unsigned marks[][2] = {{0, 9}, {0, 9}, {ECT0, 9}, {ECT0, 9}, {ECT0, 9},
		{CE, 9}, {ECT0, 9}, {0, 9}, {0, 8}, {0, 8}};
	struct rte_mbuf *m[ARRAY_SIZE(marks)];
	struct end a = end_at("a", w->own);
	int fd = host_b(w);
	uint16_t remote = knows(&a, w->far, true);
	uint8_t frame[500];
	unsigned len;

	vni_mark(a.vni, CONF_DSCP_INHERIT, CONF_TTL_INHERIT);
	for (unsigned i = 0; i < ARRAY_SIZE(marks); i++) {
		len = frame_of_kind(frame, 1, i, marks[i][0], marks[i][1]);
		m[i] = chain_of(frame, len, UINT16_MAX);
	}
	send_to(&a, remote, m, ARRAY_SIZE(marks));
	expect_tx(ARRAY_SIZE(marks), 0, 0);
	for (unsigned i = 0; i < ARRAY_SIZE(marks); i++) {
		len = frame_of_kind(frame, 1, i, marks[i][0], marks[i][1]);
		hears(fd, frame, len, marks[i][0], marks[i][1]);
	}
	close(fd);
	close_end(&a);
}

static void test_encap_trains(void **state)
{
	for (unsigned i = 0; i < ARRAY_SIZE(ways); i++)
		encap_train(&ways[i]);
	// Before Linux 6.11 it does not cut for such a device: each goes alone then.
	run("ip netns exec a ethtool -K va tx off >/dev/null");
	for (unsigned i = 0; i < ARRAY_SIZE(ways); i++)
		encap_train(&ways[i]);
	run("ip netns exec a ethtool -K va tx on >/dev/null");
}

// A large segment is cut, and each piece has its mark.
static void test_encap_cut(void **state)
{
	static uint8_t bytes[PACKET_BYTES];
	struct spec s = {.tcp = true, .payload_bytes = 5000, .mss = 1000};
	struct end a = end_at("a", "10.9.0.1");
	int fd = host_b(&ways[0]);
	uint16_t remote = knows(&a, "10.9.0.2", true);
	struct rte_mbuf *m = large_of(&s, UINT16_MAX);

	set_class(rte_pktmbuf_mtod_offset(m, uint8_t *, 14), 0x28 | ECT0, 64);
	vni_mark(a.vni, CONF_DSCP_INHERIT, 64);
	send_to(&a, remote, &m, 1);
	expect_tx(5, 0, 0);
	for (unsigned i = 0; i < 5; i++) {
		unsigned len = build_segment(bytes, &s, i, false);

		set_class(bytes + 14, 0x28 | ECT0, 64);
		hears(fd, bytes, len, 0x28 | ECT0, 64);
	}
	close(fd);
	close_end(&a);
}

// They go where frames go, and so are treated alike on the way.
static void test_heartbeat(void **state)
{
	for (unsigned i = 0; i < ARRAY_SIZE(ways); i++) {
		struct conf_vtep conf = conf_of("a", ways[i].own);
		uint8_t bytes[2000];
		struct end a;
		int fd = host_b(&ways[i]);

		conf.heartbeat_ms = 1000;
		a = end_of(&conf, VNI);
		knows(&a, ways[i].far, true);
		vni_mark(a.vni, 46, 7);
		vtep_heartbeat(a.vtep, 1000000);
		hears_any(fd, bytes, 46 << 2, 7);
		close(fd);
		close_end(&a);
	}
}

// Whatever the host's own packets have.
static void test_default_ttl(void **state)
{
	uint8_t frame[500];
	struct end a;

	run("ip netns exec a sysctl -qw net.ipv4.ip_default_ttl=99 net.ipv6.conf.va.hop_limit=99");
	for (unsigned i = 0; i < ARRAY_SIZE(ways); i++) {
		unsigned len = frame_of_kind(frame, 0, i, 0, 9);
		struct rte_mbuf *m = chain_of(frame, len, UINT16_MAX);
		int fd = host_b(&ways[i]);

		a = end_at("a", ways[i].own);
		send_to(&a, knows(&a, ways[i].far, true), &m, 1);
		expect_tx(1, 0, 0);
		hears(fd, frame, len, 0, 64);
		close(fd);
		close_end(&a);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		ENDTEST(test_decap),
		ENDTEST(test_decap_train),
		ENDTEST(test_encap),
		ENDTEST(test_encap_flood),
		ENDTEST(test_encap_trains),
		ENDTEST(test_encap_cut),
		ENDTEST(test_heartbeat),
		ENDTEST(test_default_ttl),
	};

	return ends_run(tests, ARRAY_SIZE(tests), argc, argv);
}
