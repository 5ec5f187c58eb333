// SPDX-License-Identifier: BSD-3-Clause
#include "tests/unit/port_end.h"

#define QUEUE_MAX 512

bool v6;
struct dp *dp;
struct vtep *vtep;
struct vni *vni;
struct dp_port lower;
struct dp_site rx_cnt, tx_cnt;
struct conf_vtep conf;
const struct mac own_mac = {{2, 0, 0, 0, 0, 1}};

// ---- the lower port ----

static struct rte_mbuf *in[QUEUE_MAX], *sent[QUEUE_MAX];
struct rte_mbuf *got[DP_BURST];
static unsigned nb_in, nb_sent, next_sent;
unsigned nb_got;
char last_event[128];

static uint16_t lower_rx(
	struct dp_port *port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n, struct dp_site *c)
{
	n = RTE_MIN(n, nb_in);
	memcpy(pkts, in, n * sizeof(*pkts));
	nb_in -= n;
	memmove(in, in + n, nb_in * sizeof(*in));
	return n;
}

static void lower_tx(
	struct dp_port *port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n, struct dp_site *c)
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

struct rte_mbuf *next(void)
{
	if (next_sent == nb_sent)
		fail_msg("nothing more was sent");
	return sent[next_sent++];
}

unsigned bytes_of_next(void)
{
	return next_sent < nb_sent ? sent[next_sent]->pkt_len : 0;
}

void nothing_more(void)
{
	assert_int_equal(next_sent, nb_sent);
	next_sent = nb_sent = 0;
}

void sent_bytes(const uint8_t *want, unsigned len)
{
	struct rte_mbuf *m = next();

	assert_bytes(m, want, len);
	rte_pktmbuf_free(m);
}

uint64_t drops_of(const struct dp_site *c)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < DP_NB_DROPS; i++)
		sum += c->drop[i];
	return sum;
}

void dropped(struct dp_site *c, enum dp_drop_reason reason, unsigned count)
{
	assert_int_equal(c->drop[reason], count);
	assert_int_equal(drops_of(c), count);
	memset(c->drop, 0, sizeof(c->drop));
}

// ---- addresses ----

struct ip_addr ip_of(unsigned host)
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

struct mac mac_of(unsigned host)
{
	struct mac mac = {{2}};

	put16(mac.byte + 4, host);
	return mac;
}

// ---- packets ----

unsigned ip_bytes(void)
{
	return v6 ? 40 : 20;
}

unsigned outer_bytes(void)
{
	return 14 + ip_bytes() + 16;
}

void sums(uint8_t *pkt, unsigned udp_bytes, bool checksum)
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

unsigned wrap(uint8_t *pkt, const struct outer *o, const uint8_t *inner, unsigned len)
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

unsigned inner_of(uint8_t *frame, unsigned id, unsigned len)
{
	const struct spec s = {.id = id, .payload_bytes = len - 42};

	if (len >= 42)
		return build(frame, &s, id % 1000, len - 42, 0, 0, false);
	memcpy(frame, payload + id % 1000, len);
	frame[12] = 0x88;
	return len;
}

unsigned expected(uint8_t *pkt, unsigned host, unsigned via, unsigned id, unsigned len)
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

struct outer from_host(unsigned host)
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

// ---- the VTEP ----

uint16_t number_of(unsigned host)
{
	struct ip_addr ip = ip_of(host);
	uint16_t number;

	assert_int_equal(vtep_remote_get(vtep, &ip, &number, NULL), 0);
	vtep_remote_put(vtep, number);
	return number;
}

void add_remote(unsigned host, bool flood)
{
	struct ip_addr ip = ip_of(host);
	uint16_t number;

	assert_int_equal(vtep_remote_get(vtep, &ip, &number, NULL), 0);
	assert_int_equal(vni_remote_add(vni, number, flood), 0);
	assert_int_equal(vtep_publish(vtep), 0);
}

void del_remote(unsigned host, bool flood)
{
	uint16_t number = number_of(host);

	vni_remote_del(vni, number, flood);
	vtep_remote_put(vtep, number);
	assert_int_equal(vtep_publish(vtep), 0);
	assert_true(dp_settled(dp));
}

// The VTEP has told all where it is.
static void announced(void)
{
	struct rte_mbuf *want = rte_pktmbuf_alloc(pool);

	assert_int_equal(dp_resolve_announce(want, &own_mac, &conf.address), 0);
	sent_bytes(rte_pktmbuf_mtod(want, uint8_t *), want->pkt_len);
	rte_pktmbuf_free(want);
	nothing_more();
}

static void event(void *arg, const char *name, json_t *data)
{
	char *text = json_dumps(data, JSON_COMPACT | JSON_SORT_KEYS);

	snprintf(last_event, sizeof(last_event), "%s %s", name, text);
	free(text);
}

static void open_vtep(void)
{
	const struct vxlan_env env = {
		.dp = dp, .pool = pool, .big_pool = big_pool, .nb_workers = 1, .event = event};
	struct err err = {0};

	if (vtep_open(&conf, &env, &lower, &vtep, &err))
		fail_msg("%s: %s", err.path, err.reason);
	announced();
	assert_int_equal(vni_open(vtep, VNI, 0, &vni, &err), 0);
	vni_port(vni)->id = PORT_ID;
	assert_int_equal(vtep_publish(vtep), 0);
}

int end_setup(void **state)
{
	const struct dp_opts opts = {.pool = pool};
	struct err err = {0};

	v6 = *state != NULL;
	lower = (struct dp_port){.rx = lower_rx,
		.tx = lower_tx,
		.nb_rxq = 1,
		.nb_txq = 1,
		.mtu = 1500,
		.tx_offloads = RTE_ETH_TX_OFFLOAD_MULTI_SEGS,
		.rx_fd = {-1}};
	conf = (struct conf_vtep){.name = "t0",
		.underlay = CONF_UNDERLAY_PORT,
		.port = {.has_mac = true, .mac = own_mac},
		.address = ip_of(1),
		.udp_port = 4789,
		.no_checksum = true,
		.prefix = v6 ? 16 : 8,
		.gateway = ip_of(GATEWAY)};
	rx_cnt = tx_cnt = (struct dp_site){0};
	nb_in = nb_sent = next_sent = nb_got = 0;
	last_event[0] = '\0';
	assert_int_equal(dp_new(&opts, &dp, &err), 0);
	open_vtep();
	return 0;
}

int end_teardown(void **state)
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

void reopen(void)
{
	vni_close(vni);
	vtep_close(vtep);
	open_vtep();
}

// ---- doing ----

void put_in(struct rte_mbuf *m)
{
	assert_true(nb_in < QUEUE_MAX);
	in[nb_in++] = m;
}

void poll_end(void)
{
	nb_got = vtep_port(vtep)->rx(vtep_port(vtep), 0, got, DP_BURST, &rx_cnt);
}

void receive(const uint8_t *bytes, unsigned len)
{
	put_in(chain_of(bytes, len, len));
	poll_end();
}

void got_frame(unsigned at, unsigned host, const uint8_t *frame, unsigned len)
{
	assert_true(at < nb_got);
	assert_int_equal(dp_input(got[at]), PORT_ID);
	assert_int_equal(dp_remote(got[at]), number_of(host));
	assert_bytes(got[at], frame, len);
	rte_pktmbuf_free(got[at]);
}

void got_nothing(enum dp_drop_reason reason)
{
	assert_int_equal(nb_got, 0);
	dropped(&rx_cnt, reason, 1);
}

struct rte_mbuf *frame_to(unsigned host, unsigned id, unsigned len)
{
	uint8_t frame[PACKET_BYTES];
	unsigned n = inner_of(frame, id, len);
	struct rte_mbuf *m = chain_of(frame, n, n);

	dp_set_remote(m, host ? number_of(host) : DP_REMOTE_ALL);
	return m;
}

void transmit(struct rte_mbuf **pkts, unsigned n)
{
	vni_port(vni)->tx(vni_port(vni), 0, pkts, n, &tx_cnt);
}

void send_to(unsigned host, unsigned id, unsigned len)
{
	struct rte_mbuf *m = frame_to(host, id, len);

	transmit(&m, 1);
}

void sent_to(unsigned host, unsigned via, unsigned id, unsigned len)
{
	uint8_t want[PACKET_BYTES];

	sent_bytes(want, expected(want, host, via, id, len));
}

void sent_question(unsigned host, bool to_all)
{
	struct rte_mbuf *want = rte_pktmbuf_alloc(pool), *m = next();
	struct ip_addr own = ip_of(1), ip = ip_of(host);
	struct mac mac = mac_of(host);

	assert_int_equal(dp_resolve_ask(want, &own_mac, &own, &ip, to_all ? NULL : &mac), 0);
	assert_bytes(m, rte_pktmbuf_mtod(want, uint8_t *), want->pkt_len);
	rte_pktmbuf_free(want);
	rte_pktmbuf_free(m);
}

void says(unsigned host, unsigned mac)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
	struct ip_addr own = ip_of(1), ip = ip_of(host);
	struct mac at = mac_of(mac);
	struct dp_resolve r;

	assert_int_equal(dp_resolve_ask(m, &own_mac, &own, &ip, NULL), 0);
	assert_int_equal(dp_resolve_parse(m, &r), DP_RESOLVE_REQUEST);
	assert_int_equal(dp_resolve_answer(m, &r, &at), 0);
	put_in(m);
	poll_end();
	assert_int_equal(nb_got, 0);
}

void add_known(unsigned host, bool flood)
{
	add_remote(host, flood);
	sent_question(host, true);
	says(host, host);
	nothing_more();
}

uint32_t at_ms(uint64_t ms)
{
	return vtep_service(vtep, ms * 1000) / 1000;
}
