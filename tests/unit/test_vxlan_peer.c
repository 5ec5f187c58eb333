// SPDX-License-Identifier: BSD-3-Clause
// Frames to and from the kernel's VXLAN device, in namespace b.
#include "tests/unit/ends.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <rte_ip.h>
#include <rte_tcp.h>

#include "base/loop.h"
#include "base/util.h"

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
	int fd = socket_in_b(AF_INET, SOCK_STREAM | SOCK_NONBLOCK);

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

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		ENDTEST(test_kernel_vxlan),
		ENDTEST(test_kernel_unfinished),
		ENDTEST(test_kernel_large),
	};

	return ends_run(tests, ARRAY_SIZE(tests), argc, argv);
}
