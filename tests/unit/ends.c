// SPDX-License-Identifier: BSD-3-Clause
#include "tests/unit/ends.h"

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

#include "base/loop.h"
#include "base/netns.h"
#include "base/util.h"

#define SKIPPED 77 // meson's word for it

struct dp_site rx_cnt, tx_cnt;
struct rte_mbuf *got[FRAMES_MAX];
unsigned nb_got;
char last_event[64];

static struct rte_mempool *vtep_pool; // buffers of 64 KiB for receiving
static struct dp *dp;

// ---- VTEPs ----

static void event(void *arg, const char *name, json_t *data)
{
	char *text = json_dumps(data, JSON_COMPACT | JSON_SORT_KEYS);

	snprintf(last_event, sizeof(last_event), "%s %s", name, text);
	free(text);
}

struct vxlan_env the_env(void)
{
	return (struct vxlan_env){
		.dp = dp, .pool = pool, .big_pool = vtep_pool, .nb_workers = 1, .event = event};
}

struct ip_addr ip_of(const char *text)
{
	struct ip_addr ip;

	assert_int_equal(ip_parse(text, &ip), 0);
	return ip;
}

struct conf_vtep conf_of(const char *netns, const char *address)
{
	struct conf_vtep conf = {.name = "t0", .udp_port = VXLAN_UDP_PORT};

	snprintf(conf.netns, sizeof(conf.netns), "%s", netns);
	conf.address = ip_of(address);
	return conf;
}

struct end end_of(const struct conf_vtep *conf, uint32_t number)
{
	static uint16_t last_id;
	struct vxlan_env e = the_env();
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

struct end end_at(const char *netns, const char *address)
{
	struct conf_vtep conf = conf_of(netns, address);

	return end_of(&conf, VNI);
}

uint16_t knows(struct end *end, const char *address, bool flood)
{
	struct ip_addr ip = ip_of(address);
	uint16_t number = 0;

	assert_int_equal(vtep_remote_get(end->vtep, &ip, &number, NULL), 0);
	assert_int_equal(vni_remote_add(end->vni, number, flood), 0);
	assert_int_equal(vtep_publish(end->vtep), 0);
	return number;
}

void close_end(struct end *end)
{
	vni_close(end->vni);
	vtep_close(end->vtep);
	dp_service(dp, monotonic_us());
}

// ---- frames ----

void expect_tx(uint64_t packets, enum dp_drop_reason reason, uint64_t drops)
{
	assert_int_equal(tx_cnt.tx_packets, packets);
	assert_int_equal(tx_cnt.drop[reason], drops);
	for (unsigned r = 0; r < DP_NB_DROPS; r++)
		if (r != reason)
			assert_int_equal(tx_cnt.drop[r], 0);
}

void send_to(struct end *end, uint16_t remote, struct rte_mbuf **pkts, unsigned n)
{
	struct dp_port *port = vni_port(end->vni);

	tx_cnt = (struct dp_site){};
	for (unsigned i = 0; i < n; i++)
		dp_set_remote(pkts[i], remote);
	port->tx(port, 0, pkts, n, &tx_cnt);
}

void receive_by(struct end *end, unsigned want, uint16_t room)
{
	struct dp_port *port = vtep_port(end->vtep);
	uint64_t start = monotonic_us();

	nb_got = 0;
	rx_cnt = (struct dp_site){};
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

void receive(struct end *end, unsigned want)
{
	receive_by(end, want, DP_BURST);
}

void free_got(void)
{
	rte_pktmbuf_free_bulk(got, nb_got);
	nb_got = 0;
}

void expect_rx_drop(struct end *end, enum dp_drop_reason reason, unsigned n)
{
	struct dp_port *port = vtep_port(end->vtep);
	uint64_t start = monotonic_us();

	rx_cnt = (struct dp_site){};
	while (rx_cnt.drop[reason] < n && monotonic_us() < start + WAIT_US)
		assert_int_equal(port->rx(port, 0, got, DP_BURST, &rx_cnt), 0);
	usleep(SETTLE_US);
	assert_int_equal(port->rx(port, 0, got, DP_BURST, &rx_cnt), 0);
	for (unsigned r = 0; r < DP_NB_DROPS; r++)
		assert_int_equal(rx_cnt.drop[r], r == reason ? n : 0);
}

struct rte_mbuf *small_frame(unsigned payload_bytes, unsigned index)
{
	const struct spec s = {.tcp = true, .payload_bytes = payload_bytes, .id = index};
	static uint8_t bytes[PACKET_BYTES];

	return chain_of(bytes, build_segment(bytes, &s, 0, false), UINT16_MAX);
}

void assert_small_frame(const struct rte_mbuf *m, unsigned payload_bytes, unsigned index)
{
	const struct spec s = {.tcp = true, .payload_bytes = payload_bytes, .id = index};
	static uint8_t bytes[PACKET_BYTES];

	assert_bytes(m, bytes, build_segment(bytes, &s, 0, false));
	assert_false(m->ol_flags & DP_OFFLOAD_FLAGS);
}

void one_way(struct end *from, uint16_t remote, struct end *to, uint16_t back)
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

// ---- the machine ----

void run(const char *command)
{
	if (system(command) != 0)
		fail_msg("failed: %s", command);
}

int socket_in_b(int family, int type)
{
	int netns_fd, home_fd, fd;

	assert_int_equal(netns_open("b", "b", &netns_fd, NULL), 0);
	home_fd = netns_enter(netns_fd);
	assert_true(home_fd >= 0);
	fd = socket(family, type, 0);
	netns_leave(home_fd);
	close(netns_fd);
	assert_true(fd >= 0);
	return fd;
}

struct sockaddr_in sockaddr_of(const char *ip, uint16_t port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = inet_addr(ip)};
}

int all_back(void **state)
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

int ends_run(const struct CMUnitTest *tests, unsigned count, int argc, char **argv)
{
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
	failed = _cmocka_run_group_tests("ends", tests, count, make_links, NULL);
	dp_free(dp);
	rte_eal_cleanup();
	return failed != 0;
}
