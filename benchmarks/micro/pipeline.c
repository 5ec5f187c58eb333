// SPDX-License-Identifier: BSD-3-Clause
// The stages of the pipeline, each over batches that those before it have been through, and whole
// rounds of a worker between ports whose receive and transmit functions do next to nothing.
#include <netinet/in.h>
#include <string.h>

#include "benchmarks/micro/micro.h"
#include "dp/worker.h"

#define NB_BATCHES  16 // their frames fit a second-level cache, as those of a small receive ring
#define NB_FRAMES   (NB_BATCHES * DP_BURST)
#define HOT_BATCHES 4  // theirs fit the first-level one, where parse leaves frames for later stages
#define RUN_BATCHES 64 // in a repetition
#define RUN_FRAMES  (RUN_BATCHES * DP_BURST)
#define PORTS_MAX   9  // the first is the one that frames come from
#define HOSTS	    64 // on each side
#define FRAME_BYTES 64
#define VLAN	    10
#define SEED	    3

struct micro_port {
	struct dp_port dp; // first: rx() and tx() cast
	unsigned left;	   // frames that are still to come
	uint64_t sent;
};

static struct {
	struct dp *dp;
	struct dp_context *ctx;
	struct micro_port port[PORTS_MAX];
	unsigned nb_ports;
	uint16_t bridge_id;
	struct rte_mbuf *frame[NB_FRAMES];
	struct dp_batch batch[NB_BATCHES];
	uint64_t expected; // frames sent
	unsigned senders;  // hosts that frames come from
} s;

static uint16_t port_rx(
	struct dp_port *dp, uint16_t queue, struct rte_mbuf **pkts, uint16_t n, struct dp_site *at)
{
	struct micro_port *port = (struct micro_port *)dp;
	uint16_t count = RTE_MIN(n, port->left);

	if (!count)
		return 0;
	memcpy(pkts, s.frame + port->left % NB_FRAMES, count * sizeof(*pkts));
	port->left -= count;
	return count;
}

// The frames stay the benchmark's own and are received again.
static void port_tx(
	struct dp_port *dp, uint16_t queue, struct rte_mbuf **pkts, uint16_t n, struct dp_site *at)
{
	struct micro_port *port = (struct micro_port *)dp;

	for (uint16_t i = 0; i < n; i++)
		at->tx_bytes += pkts[i]->pkt_len;
	at->tx_packets += n;
	port->sent += n;
}

static void wake_main(void *arg)
{
}

static void make_ports(unsigned count, const struct dp_guard *guard)
{
	static const struct conf_port all_vlans;
	struct dp_view_port views[PORTS_MAX];
	struct dp_view_bridge bridge = {.id = s.bridge_id, .ageing_s = 300};
	struct dp_view view = {
		.ports = views, .nb_ports = count, .bridges = &bridge, .nb_bridges = 1};
	struct err err = {0};

	s.nb_ports = count;
	for (unsigned i = 0; i < count; i++) {
		struct micro_port *port = &s.port[i];

		port->dp = (struct dp_port){
			.rx = port_rx,
			.tx = port_tx,
			.nb_rxq = 1,
			.nb_txq = 1,
			.mtu = 1500,
			.rx_fd = {-1},
		};
		micro_check(dp_port_id_alloc(s.dp, &port->dp.id) == 0, "there is a port number");
		views[i] = (struct dp_view_port){
			.port = &port->dp, .bridge_id = s.bridge_id, .conf = &all_vlans};
	}
	views[0].guard = guard;
	micro_check(dp_publish(s.dp, &view, &err) == 0, "ports are published");
	micro_check(dp_settled(s.dp), "no worker is inside");
}

static const struct ip_addr own_ip4 = {.family = 4, .byte = {10, 0, 0, 1}},
			    own_ip6 = {.family = 6, .byte = {0xfd, [15] = 1}};

// What a container sends: IP packets of its own address. `family` 0: frames of many hosts and no
// protocol that the switch knows.
static struct rte_mbuf *make_frame(uint64_t dst, uint64_t src, uint16_t vlan, unsigned family)
{
	struct rte_mbuf *m = micro_frame(dst, src, vlan, FRAME_BYTES);
	uint8_t *l3 = rte_pktmbuf_mtod_offset(m, uint8_t *, RTE_ETHER_HDR_LEN);

	if (family == 4) {
		memcpy(l3 - 2, (uint8_t[]){8, 0, 0x45}, 3);
		memcpy(l3 + 12, own_ip4.byte, 4);
	} else if (family == 6) {
		memcpy(l3 - 2, (uint8_t[]){0x86, 0xdd, 0x60}, 3);
		l3[6] = IPPROTO_TCP;
		memcpy(l3 + 8, own_ip6.byte, 16);
	}
	return m;
}

static void make_frames(uint16_t vlan, unsigned family)
{
	uint64_t state = SEED, src[HOSTS], dst[HOSTS];
	uint64_t fid = fdb_fid(s.dp->fdb, s.bridge_id, vlan);

	for (unsigned i = 0; i < HOSTS; i++) {
		struct fdb_source behind = {
			.port = s.port[1 + i % (s.nb_ports - 1)].dp.id, .bridge = s.bridge_id};

		behind.value = fdb_value(behind.port, s.ctx->now_s, FDB_GENERATION, 0);
		src[i] = micro_mac(&state);
		dst[i] = micro_mac(&state);
		fdb_learn(s.dp->fdb, s.ctx->table, fdb_key(fid, dst[i]), &behind, &s.ctx->fdb_cnt);
	}
	for (unsigned i = 0; i < NB_FRAMES; i++)
		s.frame[i] = make_frame(dst[micro_random(&state) % HOSTS],
			src[micro_random(&state) % s.senders], vlan, family);
}

static uint64_t poll_run(void)
{
	uint64_t total = 0;
	unsigned n;

	s.port[0].left = RUN_FRAMES;
	while ((n = dp_poll(s.dp)))
		total += n;
	s.expected += total;
	return total;
}

static void make_batches(void)
{
	struct micro_port *in = &s.port[0];

	for (unsigned i = 0; i < NB_BATCHES; i++) {
		struct dp_batch *b = &s.batch[i];

		b->in = &s.ctx->snap->port[in->dp.id];
		b->in_id = in->dp.id;
		b->in_at = &s.ctx->site[in->dp.id];
		b->n = DP_BURST;
		memcpy(b->pkt, s.frame + i * DP_BURST, sizeof(b->pkt));
		dp_stage_parse(s.ctx, b);
		dp_stage_learn(s.ctx, b);
		dp_stage_lookup(s.ctx, b);
	}
}

static void setup_all(unsigned ports_out, uint16_t vlan, unsigned senders, unsigned family,
	const struct dp_guard *guard)
{
	const struct dp_opts opts = {.pool = micro_pool, .wake_main = wake_main};
	struct err err = {0};

	memset(&s, 0, sizeof(s));
	micro_check(dp_new(&opts, &s.dp, &err) == 0, "there is a data plane");
	s.senders = senders;
	micro_fix_hash(s.dp->fdb);
	micro_check(dp_bridge_id_alloc(s.dp, &s.bridge_id) == 0, "there is a bridge number");
	make_ports(1 + ports_out, guard);
	dp_service(s.dp, 1000000);
	dp_poll(s.dp); // brings snapshot and table into the context
	s.ctx = &s.dp->worker[0].ctx;
	make_frames(vlan, family);
	poll_run(); // the sources are learned
	micro_check(s.ctx->fdb_cnt.learned == HOSTS + senders, "all addresses are learned");
	make_batches();
}

static void setup(uint64_t ports_out)
{
	setup_all((unsigned)ports_out, 0, HOSTS, 0, NULL);
}

static void setup_tagged(uint64_t ports_out)
{
	setup_all((unsigned)ports_out, VLAN, HOSTS, 0, NULL);
}

// One container that sends to many; `family` of its packets.
static void setup_own(uint64_t family)
{
	setup_all(1, 0, 1, (unsigned)family, NULL);
}

static void setup_guarded(uint64_t family)
{
	uint64_t state = SEED, own = micro_mac(&state);
	struct dp_guard guard;
	struct mac mac;

	memcpy(&mac, &own, sizeof(mac));
	dp_guard_init(&guard, &mac);
	dp_guard_allow(&guard, &own_ip4, 32);
	dp_guard_allow(&guard, &own_ip6, 128);
	setup_all(1, 0, 1, (unsigned)family, &guard);
}

static void teardown(void)
{
	uint64_t sent = 0;

	for (unsigned i = 0; i < NB_BATCHES; i++)
		micro_check(s.batch[i].n == DP_BURST && !s.batch[i].flood, "all are forwarded");
	for (unsigned i = 1; i < s.nb_ports; i++)
		sent += s.port[i].sent;
	micro_check(s.port[0].sent == 0 && sent == s.expected, "each frame leaves once");
	micro_check(s.ctx->fdb_cnt.learned == HOSTS + s.senders, "nothing else is learned");
	rte_pktmbuf_free_bulk(s.frame, NB_FRAMES);
	dp_free(s.dp);
}

static inline uint64_t stage_run(
	void (*stage)(struct dp_context *ctx, struct dp_batch *b), unsigned nb_batches)
{
	for (unsigned i = 0; i < RUN_BATCHES; i++)
		stage(s.ctx, &s.batch[i % nb_batches]);
	return RUN_FRAMES;
}

static uint64_t parse_run(void)
{
	return stage_run(dp_stage_parse, NB_BATCHES);
}

static uint64_t guard_run(void)
{
	return stage_run(dp_stage_guard, HOT_BATCHES);
}

static uint64_t learn_run(void)
{
	return stage_run(dp_stage_learn, HOT_BATCHES);
}

static uint64_t lookup_run(void)
{
	return stage_run(dp_stage_lookup, HOT_BATCHES);
}

// As at the end of a worker's round.
static void egress_and_flush(struct dp_context *ctx, struct dp_batch *b)
{
	dp_stage_egress(ctx, b);
	if (ctx->nb_dirty)
		dp_tx_flush_all(ctx);
}

static uint64_t egress_run(void)
{
	s.expected += RUN_FRAMES;
	return stage_run(egress_and_flush, HOT_BATCHES);
}

const struct micro_ops micro_parse = {setup, NULL, parse_run, teardown};
const struct micro_ops micro_parse_tagged = {setup_tagged, NULL, parse_run, teardown};
const struct micro_ops micro_learn = {setup, NULL, learn_run, teardown};
const struct micro_ops micro_lookup = {setup, NULL, lookup_run, teardown};
const struct micro_ops micro_egress = {setup, NULL, egress_run, teardown};
const struct micro_ops micro_poll = {setup, NULL, poll_run, teardown};
const struct micro_ops micro_poll_tagged = {setup_tagged, NULL, poll_run, teardown};
const struct micro_ops micro_guard = {setup_guarded, NULL, guard_run, teardown};
const struct micro_ops micro_poll_own = {setup_own, NULL, poll_run, teardown};
const struct micro_ops micro_poll_guarded = {setup_guarded, NULL, poll_run, teardown};
