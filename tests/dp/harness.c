// SPDX-License-Identifier: BSD-3-Clause
#include "tests/dp/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_ether.h>

#include "dp/offload.h"

#define NB_MBUFS     8191
#define NB_BIG_MBUFS 63
#define FRAME_MAX    66000

struct test_port {
	struct dp_port dp; // first: rx() and tx() cast
	struct port_spec spec;
	struct conf_port conf; // as the spec says
	struct rte_mbuf *in[QUEUE_MAX], *out[QUEUE_MAX];
	unsigned in_next, nb_in, out_next, nb_out;
	unsigned tx_left, sunk;
	uint64_t drops[DP_NB_DROPS]; // that the test has counted
};

static struct {
	struct rte_mempool *rx_pool, *big_pool, *dp_pool;
	struct rte_mbuf *hogged[NB_MBUFS];
	unsigned nb_hogged;
	struct dp *dp;
	struct test_port *port[PORTS_MAX];
	unsigned nb_ports;
	struct dp_view_bridge bridge[BRIDGES_MAX];
	unsigned in_use_before; // the test
	const char *file;
	int line;
} h;

static bool reason_seen[DP_NB_DROPS];

void h_here(const char *file, int line)
{
	h.file = file;
	h.line = line;
}

__attribute__((noreturn, format(printf, 1, 2))) static void blame(const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	print_error("%s:%d: %s\n", h.file, h.line, text);
	_fail(h.file, h.line);
	abort(); // not reached
}

// ---- test ports ----

static uint16_t test_rx(
	struct dp_port *dp, uint16_t queue, struct rte_mbuf **pkts, uint16_t n, struct dp_site *at)
{
	struct test_port *port = (struct test_port *)dp;
	uint16_t count = RTE_MIN(n, port->nb_in - port->in_next);

	memcpy(pkts, port->in + port->in_next, count * sizeof(*pkts));
	port->in_next += count;
	if (port->in_next == port->nb_in)
		port->in_next = port->nb_in = 0;
	return count;
}

static bool test_take(struct dp_port *port, struct rte_mbuf *m, struct dp_site *at)
{
	if (rte_pktmbuf_mtod(m, const uint8_t *)[5] != 1)
		return false;
	rte_pktmbuf_free(m);
	return true;
}

static void test_tx(
	struct dp_port *dp, uint16_t queue, struct rte_mbuf **pkts, uint16_t n, struct dp_site *at)
{
	struct test_port *port = (struct test_port *)dp;

	if (n == 0 || n > DP_BURST)
		blame("tx() was called with %u packets", n);
	for (uint16_t i = 0; i < n; i++) {
		if (!dp_offload_fits(pkts[i], dp->tx_offloads))
			blame("port %c got a packet that it cannot send", 'A' + dp->id);
		rte_mbuf_sanity_check(pkts[i], 1);
		if (port->spec.tx_room && !port->tx_left) {
			dp_drop(at, DP_DROP_TX_FULL, pkts[i]);
			continue;
		}
		port->tx_left--;
		at->tx_packets++;
		at->tx_bytes += pkts[i]->pkt_len;
		if (port->spec.sink) {
			port->sunk++;
			rte_pktmbuf_free(pkts[i]);
			continue;
		}
		if (port->nb_out == QUEUE_MAX)
			blame("more than %d packets left by port %c", QUEUE_MAX, 'A' + dp->id);
		port->out[port->nb_out++] = pkts[i];
	}
}

static struct test_port *port_at(unsigned index)
{
	if (index >= h.nb_ports)
		blame("the test has no port %u", index);
	return h.port[index];
}

struct port_spec *port_spec(unsigned port)
{
	return &port_at(port)->spec;
}

struct dp_view_bridge *bridge_spec(unsigned bridge)
{
	return &h.bridge[bridge];
}

struct dp *the_dp(void)
{
	return h.dp;
}

uint16_t port_id(unsigned port)
{
	return port_at(port)->dp.id;
}

uint16_t bridge_id(unsigned bridge)
{
	return h.bridge[bridge].id;
}

void ports_new(const struct port_spec *specs, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct test_port *port = calloc(1, sizeof(*port));

		assert_non_null(port);
		h.port[h.nb_ports++] = port;
		port->spec = specs[i];
		port->dp = (struct dp_port){
			.rx = test_rx,
			.tx = test_tx,
			.nb_rxq = 1,
			.nb_txq = 1,
			.rx_fd = {-1},
		};
		assert_int_equal(dp_port_id_alloc(h.dp, &port->dp.id), 0);
	}
	publish();
}

static struct vlan_set trunks_of(const struct port_spec *spec)
{
	struct vlan_set set = {0};

	for (unsigned i = 0; i < RTE_DIM(spec->trunks); i++)
		vlan_set_add(&set, spec->trunks[i] ? spec->trunks[i] : spec->trunks[0]);
	return set;
}

void publish(void)
{
	struct dp_view_port ports[PORTS_MAX];
	struct dp_view view = {.ports = ports, .bridges = h.bridge, .nb_bridges = BRIDGES_MAX};
	struct err err = {0};

	for (unsigned i = 0; i < h.nb_ports; i++) {
		struct test_port *port = h.port[i];
		const struct port_spec *spec = &port->spec;

		if (spec->absent)
			continue;
		port->dp.mtu = spec->mtu ? spec->mtu : 1500;
		port->dp.tx_offloads = spec->tx_offloads;
		port->dp.tunnel = spec->tunnel;
		port->dp.nb_remotes = spec->nb_remotes;
		port->dp.demux = spec->demux;
		port->dp.take_local = spec->takes ? test_take : NULL;
		port->conf = (struct conf_port){
			.vlan_mode = spec->vlan_mode,
			.tag = spec->tag,
			.has_trunks = spec->has_trunks,
			.trunks = trunks_of(spec),
			.fdb_limit = spec->fdb_limit,
			.flood_limit = spec->flood_limit,
			.no_learning = spec->no_learning,
			.isolated = spec->isolated,
			.filter = spec->filter,
		};
		ports[view.nb_ports++] = (struct dp_view_port){
			.port = &port->dp,
			.bridge_id = spec->demux ? UINT16_MAX : h.bridge[spec->bridge].id,
			.conf = &port->conf,
			.guard = spec->guard,
			.peers = spec->peers,
		};
	}
	assert_int_equal(dp_publish(h.dp, &view, &err), 0);
	assert_true(dp_settled(h.dp)); // no worker is inside
}

void at_s(uint32_t s)
{
	dp_service(h.dp, s * 1000000ull);
}

struct rte_mempool *dp_pool(void)
{
	return h.dp_pool;
}

void dp_pool_hog(unsigned left)
{
	unsigned count = rte_mempool_avail_count(h.dp_pool) - left;

	assert_int_equal(rte_pktmbuf_alloc_bulk(h.dp_pool, h.hogged + h.nb_hogged, count), 0);
	h.nb_hogged += count;
}

void dp_pool_release(void)
{
	rte_pktmbuf_free_bulk(h.hogged, h.nb_hogged);
	h.nb_hogged = 0;
}

// ---- frames ----

static uint8_t *put16(uint8_t *p, unsigned value)
{
	p[0] = value >> 8;
	p[1] = value;
	return p + 2;
}

static uint8_t *put_mac(uint8_t *p, uint64_t mac)
{
	for (int shift = 40; shift >= 0; shift -= 8)
		*p++ = mac >> shift;
	return p;
}

static unsigned frame_build(const struct frame *frame, uint8_t *bytes)
{
	unsigned len_bytes = frame->bytes ? frame->bytes : 60, header_bytes = 14;
	uint8_t *p = put_mac(put_mac(bytes, frame->dst), frame->src);

	if (frame->tag)
		p = put16(put16(p, 0x8100), frame->tag & 0xffff);
	if (frame->inner_tag)
		p = put16(put16(p, 0x8100), frame->inner_tag & 0xffff);
	p = put16(p, 0x88b5); // IEEE 802 local experimental
	for (unsigned i = header_bytes; i < len_bytes; i++)
		*p++ = (frame->id >> (i % 4 * 8)) + 7 * i;
	// May be shorter than a header, to be cut.
	return p - bytes - (len_bytes < header_bytes ? header_bytes - len_bytes : 0);
}

struct rte_mbuf *mbuf_new(const void *bytes, unsigned len_bytes, unsigned chunk_bytes)
{
	const unsigned room = RTE_MBUF_DEFAULT_DATAROOM;
	struct rte_mempool *pool = chunk_bytes || len_bytes <= room ? h.rx_pool : h.big_pool;
	struct rte_mbuf *head = NULL;

	if (!chunk_bytes)
		chunk_bytes = len_bytes ? len_bytes : 1;
	for (unsigned done = 0; !head || done < len_bytes; done += chunk_bytes) {
		unsigned n = RTE_MIN(len_bytes - done, chunk_bytes);
		struct rte_mbuf *m = rte_pktmbuf_alloc(pool);

		assert_non_null(m);
		memcpy(rte_pktmbuf_append(m, n), (const uint8_t *)bytes + done, n);
		if (!head)
			head = m;
		else
			assert_int_equal(rte_pktmbuf_chain(head, m), 0);
	}
	return head;
}

void send_mbuf(unsigned index, struct rte_mbuf *m)
{
	struct test_port *port = port_at(index);

	if (port->nb_in == QUEUE_MAX)
		blame("more than %d packets wait on port %c", QUEUE_MAX, 'A' + index);
	port->in[port->nb_in++] = m;
}

struct rte_mbuf *frame_new(struct frame frame)
{
	static uint8_t bytes[FRAME_MAX];
	unsigned len_bytes = frame_build(&frame, bytes);
	struct rte_mbuf *m = mbuf_new(bytes, len_bytes, frame.chunk_bytes);

	if (frame.no_headroom) {
		m->data_off = 0;
		memcpy(rte_pktmbuf_mtod(m, void *), bytes, m->data_len);
	}
	return m;
}

void send_frame(unsigned port, struct frame frame)
{
	send_mbuf(port, frame_new(frame));
}

void run_quietly(void)
{
	for (unsigned i = 0; i < h.nb_ports; i++)
		h.port[i]->tx_left = h.port[i]->spec.tx_room;
	while (dp_poll(h.dp))
		;
}

void h_run(void)
{
	h_silence();
	run_quietly();
}

struct rte_mbuf *h_next(unsigned index)
{
	struct test_port *port = port_at(index);

	if (port->out_next == port->nb_out)
		blame("nothing more has left by port %c", 'A' + index);
	return port->out[port->out_next++];
}

static void blame_bytes(
	unsigned port, const uint8_t *got, unsigned got_bytes, const uint8_t *want, unsigned bytes)
{
	unsigned at = 0;

	while (at < got_bytes && at < bytes && got[at] == want[at])
		at++;
	for (unsigned i = 0; i < 2; i++) {
		const uint8_t *p = i ? want : got;
		unsigned len_bytes = i ? bytes : got_bytes;

		print_error("%s %4u bytes:", i ? "expected" : "left    ", len_bytes);
		for (unsigned k = 0; k < len_bytes && k < 32; k++)
			print_error(" %02x", p[k]);
		print_error("\n");
	}
	blame("what has left by port %c is not what was expected, from byte %u on", 'A' + port, at);
}

void h_expect_bytes(unsigned port, const void *bytes, unsigned len_bytes)
{
	static uint8_t copy[FRAME_MAX];
	struct rte_mbuf *m = h_next(port);
	const uint8_t *got = rte_pktmbuf_read(m, 0, m->pkt_len, copy);

	if (m->pkt_len != len_bytes || memcmp(got, bytes, len_bytes))
		blame_bytes(port, got, m->pkt_len, bytes, len_bytes);
	rte_pktmbuf_free(m);
}

void h_expect(unsigned port, struct frame frame)
{
	static uint8_t bytes[FRAME_MAX];
	unsigned len_bytes = frame_build(&frame, bytes);

	h_expect_bytes(port, bytes, len_bytes);
}

unsigned sunk(unsigned port)
{
	return port_at(port)->sunk;
}

void h_drops(unsigned index, enum dp_drop_reason reason, uint64_t count)
{
	struct test_port *port = port_at(index);
	struct dp_port_stats cnt;

	dp_port_stats(h.dp, port->dp.id, &cnt);
	port->drops[reason] += count;
	if (cnt.drop[reason] != port->drops[reason])
		blame("port %c: %s is %llu, expected %llu", 'A' + index, dp_drop_info[reason].name,
			(unsigned long long)cnt.drop[reason],
			(unsigned long long)port->drops[reason]);
	reason_seen[reason] |= count > 0;
}

void h_silence(void)
{
	for (unsigned i = 0; i < h.nb_ports; i++) {
		struct test_port *port = h.port[i];
		struct dp_port_stats cnt;

		if (port->out_next != port->nb_out)
			blame("%u packets that nobody expects left by port %c",
				port->nb_out - port->out_next, 'A' + i);
		port->out_next = port->nb_out = 0;
		dp_port_stats(h.dp, port->dp.id, &cnt);
		for (unsigned r = 0; r < DP_NB_DROPS; r++) {
			if (cnt.drop[r] != port->drops[r])
				blame("port %c: %s is %llu, expected %llu", 'A' + i,
					dp_drop_info[r].name, (unsigned long long)cnt.drop[r],
					(unsigned long long)port->drops[r]);
		}
	}
}

void h_passes(unsigned port, struct frame frame, uint64_t to_ports)
{
	h_silence();
	send_frame(port, frame);
	run_quietly();
	for (unsigned i = 0; i < h.nb_ports; i++) {
		if (to_ports >> i & 1)
			h_expect(i, frame);
	}
	h_silence();
}

void h_dropped(unsigned port, struct frame frame, unsigned at_port, enum dp_drop_reason reason)
{
	h_silence();
	send_frame(port, frame);
	run_quietly();
	h_drops(at_port, reason, 1);
	h_silence();
}

// ---- the program ----

static void wake_main(void *arg)
{
	// Tests call dp_service() when they want it.
}

static unsigned buffers_in_use(void)
{
	return rte_mempool_in_use_count(h.rx_pool) + rte_mempool_in_use_count(h.big_pool) +
	       rte_mempool_in_use_count(h.dp_pool);
}

int h_setup(void **state)
{
	const struct dp_opts opts = {.pool = h.dp_pool, .wake_main = wake_main};
	struct err err = {0};

	h_here(__FILE__, __LINE__);
	h.in_use_before = buffers_in_use(); // not none when a test has failed
	assert_int_equal(dp_new(&opts, &h.dp, &err), 0);
	for (unsigned i = 0; i < BRIDGES_MAX; i++) {
		h.bridge[i] = (struct dp_view_bridge){.ageing_s = 300};
		assert_int_equal(dp_bridge_id_alloc(h.dp, &h.bridge[i].id), 0);
	}
	at_s(1);
	return 0;
}

// Frees what a failed test has left, so that the next one is not blamed for it.
static unsigned ports_free(void)
{
	unsigned left = 0;

	for (unsigned i = 0; i < h.nb_ports; i++) {
		struct test_port *port = h.port[i];

		left += port->nb_in - port->in_next + port->nb_out - port->out_next;
		while (port->in_next < port->nb_in)
			rte_pktmbuf_free(port->in[port->in_next++]);
		while (port->out_next < port->nb_out)
			rte_pktmbuf_free(port->out[port->out_next++]);
		free(port);
	}
	h.nb_ports = 0;
	return left;
}

int h_teardown(void **state)
{
	unsigned missing;
	bool noisy = false;

	h_here(__FILE__, __LINE__);
	for (unsigned i = 0; i < h.nb_ports; i++) {
		struct dp_port_stats cnt;

		dp_port_stats(h.dp, h.port[i]->dp.id, &cnt);
		for (unsigned r = 0; r < DP_NB_DROPS; r++) {
			if (cnt.drop[r] == h.port[i]->drops[r])
				continue;
			print_error("port %c: %s is %llu at the end, expected %llu\n", 'A' + i,
				dp_drop_info[r].name, (unsigned long long)cnt.drop[r],
				(unsigned long long)h.port[i]->drops[r]);
			noisy = true;
		}
	}
	dp_free(h.dp);
	dp_pool_release();
	if (ports_free()) {
		print_error("packets are left on the ports\n");
		noisy = true;
	}
	missing = buffers_in_use() - h.in_use_before;
	if (missing)
		print_error("%u buffers are not back in their pools\n", missing);
	return noisy || missing;
}

bool reason_was_seen(enum dp_drop_reason reason)
{
	return reason_seen[reason];
}

int harness_start(void)
{
	char *eal[] = {"test", "--no-huge", "--no-shconf", "-m", "128", "--no-pci",
		"--no-telemetry", "--log-level=error"};

	if (rte_eal_init(RTE_DIM(eal), eal) < 0)
		return -1;
	h.rx_pool = rte_pktmbuf_pool_create(
		"rx", NB_MBUFS, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	h.dp_pool = rte_pktmbuf_pool_create(
		"dp", NB_MBUFS, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	h.big_pool = rte_pktmbuf_pool_create("big", NB_BIG_MBUFS, 0, 0, UINT16_MAX, SOCKET_ID_ANY);
	return h.rx_pool && h.dp_pool && h.big_pool ? 0 : -1;
}
