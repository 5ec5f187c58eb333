// SPDX-License-Identifier: BSD-3-Clause
// A VTEP that has a real port to itself, a TAP in namespace b: the kernel there resolves
// its address, pings it, and is the other end, with its VXLAN device and with UDP sockets of an
// VTEP of ours.
#include "tests/unit/ends.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <rte_ethdev.h>

#include "base/loop.h"
#include "base/util.h"
#include "ports/port_types.h"

#define VX_UP(family, local, remote)                                                               \
	"ip -n b link add vx0 type vxlan id 42 local " local " remote " remote                     \
	" dstport 4789 " family " && "                                                             \
	"ip -n b link set vx0 addr 02:00:00:00:00:02 mtu 1430 && "                                 \
	"ip -n b addr add 10.8.0.2/24 dev vx0 && ip -n b link set vx0 up"

static const struct port_type_row types[CONF_PORT_NB_TYPES] = {[CONF_PORT_TAP] = {&port_tap}};
static struct port_env port_env = {.nb_workers = 1, .switch_id = "test", .types = types};
static struct port *port;

// The VTEP, host 1 on a TAP whose other side is host 2.
static struct end end_on_tap(bool ip6)
{
	struct conf_port tap = {.name = "ul0",
		.type = CONF_PORT_TAP,
		.netns = "b",
		.ip = {"10.7.0.2/24", "fd07::2/64"},
		.nb_ips = 2};
	struct conf_vtep conf = conf_of("", ip6 ? "fd07::1" : "10.7.0.1");
	struct vxlan_env env = the_env();
	struct end end = {.port_id = 9};
	struct err err = {0};

	port_env.pool = env.pool;
	port_env.big_pool = env.big_pool;
	conf.underlay = CONF_UNDERLAY_PORT;
	conf.prefix = ip6 ? 64 : 24;
	if (port_open(&tap, &port_env, &port, &err))
		fail_msg("%s: %s", err.path, err.reason);
	if (vtep_open(&conf, &env, &port->dp, &end.vtep, &err))
		fail_msg("%s: %s", err.path, err.reason);
	assert_int_equal(vni_open(end.vtep, VNI, 0, &end.vni, &err), 0);
	vni_port(end.vni)->id = end.port_id;
	assert_int_equal(vtep_publish(end.vtep), 0);
	run("ip -n b addr show ul0 | grep -q tentative && sleep 2; true");
	return end;
}

static void close_on_tap(struct end *end)
{
	close_end(end);
	port_close(port, true);
}

// Does what a worker and the main thread do, until `done`. Frames inside are kept in got[].
static void live_until(struct end *end, bool (*done)(void))
{
	struct dp_port *dp = vtep_port(end->vtep);
	uint64_t start = monotonic_us();

	nb_got = 0;
	while (!done()) {
		assert_true(monotonic_us() < start + 10 * WAIT_US);
		vtep_service(end->vtep, monotonic_us());
		nb_got += dp->rx(dp, 0, got + nb_got, FRAMES_MAX - nb_got, &rx_cnt);
	}
}

static pid_t child;
static int child_status;

static bool child_is_done(void)
{
	return waitpid(child, &child_status, WNOHANG) == child;
}

static bool succeeds(struct end *end, const char *command)
{
	child = fork();
	if (child == 0)
		execl("/bin/sh", "sh", "-c", command, NULL);
	live_until(end, child_is_done);
	return WIFEXITED(child_status) && WEXITSTATUS(child_status) == 0;
}

static void test_ping(void **state)
{
	struct end end = end_on_tap(false);

	assert_true(succeeds(&end, "ip netns exec b ping -q -c 3 -i 0.1 -W 2 10.7.0.1 >&2"));
	assert_true(
		succeeds(&end, "ip netns exec b ping -q -c 2 -i 0.1 -W 2 -s 1400 10.7.0.1 >&2"));
	assert_false(succeeds(&end, "ip netns exec b ping -q -c 1 -W 1 10.7.0.3 >&2"));
	free_got();
	close_on_tap(&end);
	end = end_on_tap(true);
	assert_true(succeeds(&end, "ip netns exec b ping -q -c 3 -i 0.1 -W 2 fd07::1 >&2"));
	free_got();
	close_on_tap(&end);
}

// ---- trains ----

#define TRAIN_FRAMES 60

static dp_tx_fn *tap_tx;
static unsigned nb_written;

static void count_tx(
	struct dp_port *dp, uint16_t queue, struct rte_mbuf **pkts, uint16_t n, struct dp_site *c)
{
	nb_written += n;
	tap_tx(dp, queue, pkts, n, c);
}

// Frames in one burst, of which the TAP gets two packets, for 64 KiB are not enough: or all of them
// if it cannot cut.
static void send_train(struct end *from, uint16_t remote)
{
	bool cuts = port->dp.tx_offloads & RTE_ETH_TX_OFFLOAD_UDP_TSO;
	struct rte_mbuf *pkts[TRAIN_FRAMES];

	for (unsigned i = 0; i < TRAIN_FRAMES; i++)
		pkts[i] = small_frame(i + 1 < TRAIN_FRAMES ? 1300 : 7, i);
	tap_tx = port->dp.tx;
	port->dp.tx = count_tx;
	nb_written = 0;
	send_to(from, remote, pkts, TRAIN_FRAMES);
	port->dp.tx = tap_tx;
	expect_tx(TRAIN_FRAMES, 0, 0);
	assert_int_equal(nb_written, cuts ? 2 : TRAIN_FRAMES);
}

static void receive_train(struct end *end, uint16_t back)
{
	receive(end, TRAIN_FRAMES);
	for (unsigned i = 0; i < TRAIN_FRAMES; i++) {
		assert_small_frame(got[i], i + 1 < TRAIN_FRAMES ? 1300 : 7, i);
		assert_int_equal(dp_remote(got[i]), back);
	}
	free_got();
}

// ---- the kernel's VXLAN device ----

// An ARP request for the kernel's VXLAN device, and its answer.
static const uint8_t request[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 8, 6, 0, 1,
	8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1, 10, 8, 0, 1, 0, 0, 0, 0, 0, 0, 10, 8, 0, 2};
static const uint8_t answer[] = {8, 6, 0, 1, 8, 0, 6, 4, 0, 2, 2, 0, 0, 0, 0, 2};

static bool answer_is_there(void)
{
	for (unsigned i = 0; i < nb_got; i++) {
		if (!memcmp(rte_pktmbuf_mtod_offset(got[i], uint8_t *, 12), answer, sizeof(answer)))
			return true;
	}
	return false;
}

// The frames of a train and the request, at least.
#define HAS_RECEIVED                                                                               \
	"for i in $(seq 20); do ip -n b -s link show vx0 | "                                       \
	"awk '/RX:/ { getline; exit $2 <= 60 }' && exit; sleep 0.1; done; exit 1"

static void kernel_vxlan(const char *vx_up, bool ip6)
{
	struct end end = end_on_tap(ip6);
	struct rte_mbuf *m = chain_of(request, sizeof(request), UINT16_MAX);
	uint16_t remote;

	run(vx_up);
	remote = knows(&end, ip6 ? "fd07::2" : "10.7.0.2", true);
	send_to(&end, DP_REMOTE_ALL, &m, 1);
	live_until(&end, answer_is_there);
	free_got();
	send_train(&end, remote);
	assert_true(succeeds(&end, HAS_RECEIVED));
	free_got();
	run("ip -n b link del vx0");
	close_on_tap(&end);
}

static void test_kernel_vxlan(void **state)
{
	kernel_vxlan(VX_UP("", "10.7.0.2", "10.7.0.1"), false);
	kernel_vxlan(VX_UP("udpcsum", "10.7.0.2", "10.7.0.1"), false);
	kernel_vxlan(VX_UP("", "fd07::2", "fd07::1"), true);
}

// The other VTEP sends trains of datagrams with one call.
static void test_both_underlays(void **state)
{
	for (unsigned ip6 = 0; ip6 < 2; ip6++) {
		struct end a = end_on_tap(ip6), b = end_at("b", ip6 ? "fd07::2" : "10.7.0.2");
		uint16_t to_b = knows(&a, ip6 ? "fd07::2" : "10.7.0.2", true);
		uint16_t to_a = knows(&b, ip6 ? "fd07::1" : "10.7.0.1", true);
		struct rte_mbuf *pkts[60];

		assert_true(succeeds(&a, ip6 ? "ip netns exec b ping -q -c 1 -W 2 fd07::1 >&2"
					     : "ip netns exec b ping -q -c 1 -W 2 10.7.0.1 >&2"));
		free_got();
		one_way(&a, to_b, &b, to_a);
		one_way(&b, to_a, &a, to_b);
		send_train(&a, to_b);
		receive_train(&b, to_a);
		for (unsigned i = 0; i < ARRAY_SIZE(pkts); i++)
			pkts[i] = small_frame(1000, i);
		send_to(&b, to_a, pkts, ARRAY_SIZE(pkts));
		receive(&a, ARRAY_SIZE(pkts));
		for (unsigned i = 0; i < ARRAY_SIZE(pkts); i++)
			assert_small_frame(got[i], 1000, i);
		free_got();
		close_end(&b);
		close_on_tap(&a);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		ENDTEST(test_ping),
		ENDTEST(test_kernel_vxlan),
		ENDTEST(test_both_underlays),
	};

	return ends_run(tests, ARRAY_SIZE(tests), argc, argv);
}
