// SPDX-License-Identifier: BSD-3-Clause
// Any frames, with any virtio-net header that a device could put before them, through the whole
// data plane, between ports of all kinds. What leaves is compared with what a slow and separate
// reading of the frames says (see struct sent): the VLAN, the form, the bytes, the size; each frame
// leaves or is counted as dropped; no buffer is lost.
//
// The input is read as one byte of set-up and then records, a frame each; make_pipeline_corpus.py
// writes some.
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "dp/dp.h"
#include "dp/guard.h"
#include "dp/offload.h"
#include "ports/vnet_hdr.h"
#include "tests/fuzz/reader.h"

#ifdef __has_feature // clang
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, n)	  ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#endif

#define NB_MBUFS  2047
#define NB_BIG	  127
#define FRAME_MAX 65535
#define SENT_MAX  96 // of an input
#define ALL_OFFLOADS                                                                               \
	(RTE_ETH_TX_OFFLOAD_TCP_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM |                             \
		RTE_ETH_TX_OFFLOAD_TCP_TSO | RTE_ETH_TX_OFFLOAD_UDP_TSO |                          \
		RTE_ETH_TX_OFFLOAD_MULTI_SEGS)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len_bytes);

// ---- ports ----

static const struct spec {
	enum conf_vlan_mode mode;
	uint16_t tag, trunks[2]; // no trunks: every VLAN
	uint16_t mtu;
	uint64_t tx_offloads;
	bool guarded;
} specs[] = {
	{CONF_VLAN_ACCESS, 10, {0}, 1500, ALL_OFFLOADS},
	{CONF_VLAN_ACCESS, 10, {0}, 1500, 0},
	{CONF_VLAN_TRUNK, 0, {0}, 1500, ALL_OFFLOADS},
	{CONF_VLAN_TRUNK, 0, {0}, 9000, 0},
	{CONF_VLAN_TRUNK, 0, {10, 20}, 1500,
		RTE_ETH_TX_OFFLOAD_TCP_CKSUM | RTE_ETH_TX_OFFLOAD_MULTI_SEGS},
	{CONF_VLAN_NATIVE_UNTAGGED, 20, {10, 20}, 1400,
		RTE_ETH_TX_OFFLOAD_UDP_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_TSO},
	{CONF_VLAN_NATIVE_TAGGED, 20, {0}, 1500, RTE_ETH_TX_OFFLOAD_MULTI_SEGS},
	{CONF_VLAN_ACCESS, 20, {0}, 65535, RTE_ETH_TX_OFFLOAD_UDP_TSO},
	{CONF_VLAN_TRUNK, 0, {0}, 1500, ALL_OFFLOADS, true},
};
#define NB_PORTS RTE_DIM(specs)

struct test_port {
	struct dp_port dp; // first: rx() and tx() cast
	unsigned index;
	struct rte_mbuf *in[SENT_MAX];
	unsigned in_next, nb_in;
	uint64_t drops[DP_NB_DROPS]; // before this input
};

// A frame as it went in, and what this program has found out about it.
struct sent {
	uint8_t *bytes;
	uint32_t len_bytes;
	unsigned port;
	uint64_t ol_flags;
	unsigned csum_off; // of the checksum to be filled, as the frame went in; 0: none
	int reason;	   // for which it must be dropped, or -1
	unsigned vlan;
	unsigned skip_bytes; // of tags that say which VLAN, after the addresses
	unsigned tag;	     // the one that says it; 0: none
	bool may_drop;	     // the guard of its port decides by more than is read here
	uint64_t got;	     // bit: port that it has left by
	bool is_group;
};

static struct {
	struct rte_mempool *pool, *big_pool, *dp_pool;
	struct dp *dp;
	uint64_t now_us;
	uint16_t bridge_id;
	struct test_port port[NB_PORTS];
	struct sent sent[SENT_MAX];
	unsigned nb_sent, nb_deliveries;
	struct rte_mbuf *hogged[NB_MBUFS];
	unsigned nb_hogged;
} f;

static void demand(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "not so: %s\n", what);
	abort();
}

// ---- what the frames mean, read slowly ----

static bool carries(const struct spec *s, unsigned vlan)
{
	bool listed = s->trunks[0] == 0 || s->trunks[0] == vlan || s->trunks[1] == vlan;

	switch (s->mode) {
	case CONF_VLAN_ACCESS:
		return vlan == s->tag;
	case CONF_VLAN_TRUNK:
		return listed;
	default:
		return listed || vlan == s->tag;
	}
}

static bool tags(const struct spec *s, unsigned vlan)
{
	return vlan && s->mode != CONF_VLAN_ACCESS &&
	       !(s->mode == CONF_VLAN_NATIVE_UNTAGGED && vlan == s->tag);
}

static unsigned get16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

// The guard of a port lets pass HOST with the address IP. Its list is read for IPv4 only; ARP and
// IPv6 may be dropped.
#define OWN_HOST                                                                                   \
	{                                                                                          \
		2, 0, 0, 0, 0, 1                                                                   \
	}
#define OWN_IP                                                                                     \
	{                                                                                          \
		0, 1, 2, 3                                                                         \
	} // as make_pipeline_corpus.py has it

static int guard_says(struct sent *s)
{
	static const uint8_t host[] = OWN_HOST, own[] = OWN_IP, nobody[4];
	const uint8_t *p = s->bytes;
	unsigned off = 12, tags = 0, type;

	if (memcmp(p + 6, host, sizeof(host)) != 0)
		return DP_DROP_SPOOFED_MAC;
	for (;; off += 4, tags++) {
		type = off + 2 <= s->len_bytes ? get16(p + off) : 0;
		if (type != 0x8100 && type != 0x88a8)
			break;
	}
	off += 2;
	s->may_drop = type == 0x0806 || type == 0x86dd || tags > 4;
	if (type != 0x0800 || s->may_drop)
		return -1;
	if (off + 20 > s->len_bytes)
		return DP_DROP_SPOOFED_IP;
	if (!memcmp(p + off + 12, own, sizeof(own)))
		return -1;
	s->may_drop = !memcmp(p + off + 12, nobody, sizeof(nobody)); // DHCP?
	return s->may_drop ? -1 : DP_DROP_SPOOFED_IP;
}

static int classify(struct sent *s, const struct spec *in, unsigned first_bytes)
{
	static const uint8_t link_local[] = {0x01, 0x80, 0xc2, 0, 0}, none[6];
	const uint8_t *p = s->bytes;
	unsigned off = 12;

	if (first_bytes < 14)
		return DP_DROP_RX_SHORT;
	if (!memcmp(p, link_local, 5) && p[5] < 16)
		return DP_DROP_LINK_LOCAL;
	s->is_group = p[0] & 1;
	while (get16(p + off) == 0x8100) {
		if (first_bytes < off + 6)
			return DP_DROP_RX_SHORT;
		s->tag = get16(p + off + 2);
		off += 4;
		if (s->tag & 0xfff)
			break;
		s->tag = 0;
	}
	s->skip_bytes = off - 12;
	if (!s->tag && in->mode == CONF_VLAN_TRUNK && in->trunks[0])
		return DP_DROP_VLAN_NOT_MEMBER;
	if (s->tag && in->mode == CONF_VLAN_ACCESS)
		return DP_DROP_VLAN_TAGGED;
	s->vlan = s->tag ? s->tag & 0xfff : in->tag;
	if (s->vlan == 0xfff || !carries(in, s->vlan))
		return DP_DROP_VLAN_NOT_MEMBER;
	if (in->guarded)
		return guard_says(s);
	return (p[6] & 1) || !memcmp(p + 6, none, 6) ? DP_DROP_SRC_INVALID : -1;
}

// ---- out ----

// The frame as the port should have it, if nothing was to be finished.
static unsigned expected(const struct sent *s, const struct spec *out, uint8_t *want)
{
	unsigned n = 12;

	memcpy(want, s->bytes, 12);
	if (tags(out, s->vlan)) {
		unsigned tag = s->tag ? s->tag : s->vlan;
		const uint8_t bytes[] = {0x81, 0x00, tag >> 8, tag};

		memcpy(want + n, bytes, 4);
		n += 4;
	}
	memcpy(want + n, s->bytes + 12 + s->skip_bytes, s->len_bytes - 12 - s->skip_bytes);
	return n + s->len_bytes - 12 - s->skip_bytes;
}

static void check_size(const struct rte_mbuf *m, const struct spec *out, bool tagged)
{
	uint32_t len_bytes = m->pkt_len;

	if (m->ol_flags & (RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_UDP_SEG))
		len_bytes = m->l2_len + m->l3_len + m->l4_len + m->tso_segsz;
	demand(len_bytes - 14 - (tagged ? 4 : 0) <= out->mtu, "what leaves is within the MTU");
}

static void check_bytes(struct rte_mbuf *m, const struct sent *s, const struct spec *out)
{
	static uint8_t want[FRAME_MAX + 8], copy[FRAME_MAX + 8];
	unsigned len_bytes = expected(s, out, want);
	const uint8_t *got = rte_pktmbuf_read(m, 0, m->pkt_len, copy);
	bool was_large = s->ol_flags & (RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_UDP_SEG);
	bool is_large = m->ol_flags & (RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_UDP_SEG);

	if (was_large && !is_large) {
		// A segment: the tests compare those byte by byte, this its Ethernet header.
		demand(m->pkt_len <= len_bytes, "a segment is no larger than the whole");
		demand(!memcmp(got, want, tags(out, s->vlan) ? 18 : 14), "a segment's header");
		return;
	}
	demand(m->pkt_len == len_bytes, "the length is the one expected");
	if (s->csum_off && !(m->ol_flags & DP_OFFLOAD_FLAGS)) {
		unsigned at = s->csum_off - s->skip_bytes + (tags(out, s->vlan) ? 4 : 0);

		memcpy(want + at, got + at, 2); // filled
	}
	demand(!memcmp(got, want, len_bytes), "the bytes are those expected");
}

static void check_out(struct test_port *port, struct rte_mbuf *m)
{
	const struct spec *out = &specs[port->index];
	struct sent *s = &f.sent[m->hash.usr];
	uint32_t len_bytes = 0;

	rte_mbuf_sanity_check(m, 1);
	for (const struct rte_mbuf *seg = m; seg; seg = seg->next)
		len_bytes += seg->data_len;
	demand(len_bytes == m->pkt_len, "the parts are as long as the whole");
	demand(dp_offload_fits(m, port->dp.tx_offloads), "the port can take it");
	demand(m->hash.usr < f.nb_sent, "it is a frame of this input");
	demand(s->reason < 0, "it was not to be dropped");
	demand(s->port != port->index, "it leaves by another port");
	demand(carries(out, s->vlan), "the port carries its VLAN");
	check_size(m, out, tags(out, s->vlan));
	check_bytes(m, s, out);
	if (!(s->got >> port->index & 1))
		f.nb_deliveries++;
	s->got |= 1ull << port->index;
}

static void test_tx(
	struct dp_port *dp, uint16_t queue, struct rte_mbuf **pkts, uint16_t n, struct dp_site *at)
{
	demand(n > 0 && n <= DP_BURST, "a burst is 1 to 64 packets");
	for (uint16_t i = 0; i < n; i++) {
		check_out((struct test_port *)dp, pkts[i]);
		at->tx_packets++;
		rte_pktmbuf_free(pkts[i]);
	}
}

static uint16_t test_rx(
	struct dp_port *dp, uint16_t queue, struct rte_mbuf **pkts, uint16_t n, struct dp_site *at)
{
	struct test_port *port = (struct test_port *)dp;
	uint16_t count = RTE_MIN(n, port->nb_in - port->in_next);

	memcpy(pkts, port->in + port->in_next, count * sizeof(*pkts));
	port->in_next += count;
	return count;
}

// ---- set-up ----

static void wake_main(void *arg)
{
	// dp_service() is called for each input.
}

static void publish(void)
{
	const struct dp_view_bridge bridge = {f.bridge_id, .ageing_s = 300, .fdb_limit = 1000};
	struct dp_view_port ports[NB_PORTS];
	struct conf_port conf[NB_PORTS] = {0};
	struct dp_view view = {ports, NB_PORTS, &bridge, 1};
	struct dp_guard guard;
	struct err err = {0};

	dp_guard_init(&guard, &(struct mac){OWN_HOST});
	dp_guard_allow(&guard, &(struct ip_addr){4, OWN_IP}, 32);
	dp_guard_allow(&guard, &(struct ip_addr){6, {0, 1, 2, 3, 4, 5, 6, 7}}, 64);
	for (unsigned i = 0; i < NB_PORTS; i++) {
		struct test_port *port = &f.port[i];

		port->index = i;
		port->dp = (struct dp_port){.rx = test_rx,
			.tx = test_tx,
			.nb_rxq = 1,
			.nb_txq = 1,
			.mtu = specs[i].mtu,
			.tx_offloads = specs[i].tx_offloads,
			.rx_fd = {-1}};
		demand(dp_port_id_alloc(f.dp, &port->dp.id) == 0, "a port number is free");
		conf[i].vlan_mode = specs[i].mode;
		conf[i].tag = specs[i].tag;
		conf[i].has_trunks = specs[i].trunks[0];
		vlan_set_add(&conf[i].trunks, specs[i].trunks[0]);
		vlan_set_add(&conf[i].trunks, specs[i].trunks[1]);
		ports[i] = (struct dp_view_port){.port = &port->dp,
			.bridge_id = f.bridge_id,
			.conf = &conf[i],
			.guard = specs[i].guarded ? &guard : NULL};
	}
	demand(dp_publish(f.dp, &view, &err) == 0, "a snapshot is published");
}

static void start(void)
{
	char *eal[] = {"fuzz", "--no-huge", "--no-shconf", "-m", "64", "--no-pci", "--no-telemetry",
		"--log-level=error"};
	struct dp_opts opts = {.wake_main = wake_main};
	struct err err = {0};

	demand(rte_eal_init(RTE_DIM(eal), eal) >= 0, "DPDK starts");
	f.pool = rte_pktmbuf_pool_create(
		"rx", NB_MBUFS, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	f.big_pool = rte_pktmbuf_pool_create("big", NB_BIG, 0, 0, UINT16_MAX, SOCKET_ID_ANY);
	opts.pool = f.dp_pool = rte_pktmbuf_pool_create(
		"dp", NB_MBUFS, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	demand(f.pool && f.big_pool && f.dp_pool, "there are buffers");
	demand(dp_new(&opts, &f.dp, &err) == 0, "the data plane starts");
	demand(dp_bridge_id_alloc(f.dp, &f.bridge_id) == 0, "a bridge number is free");
	publish();
}

// ---- in ----

// Bits of a record's second byte. Some fields are made consistent where chance would take too long;
// bits 2 and 3 choose the size of buffers.
#define FIX_IP_LENGTH  1
#define FIX_CSUM_START 2
#define IS_LARGE       0x10 // the length is up to 64 KiB, else 4 KiB: most inputs are to be fast

static void fix(unsigned what, uint8_t *bytes, unsigned len_bytes, struct virtio_net_hdr *hdr)
{
	unsigned off = 12, ip_bytes, l4;

	while (off + 44 < len_bytes && get16(bytes + off) == 0x8100)
		off += 4;
	if (off + 44 > len_bytes)
		return;
	off += 2;
	ip_bytes = len_bytes - off;
	l4 = off + (bytes[off] >> 4 == 6 ? 40 : (bytes[off] & 15) * 4);
	if (what & FIX_IP_LENGTH && bytes[off] >> 4 == 6) {
		bytes[off + 4] = (ip_bytes - 40) >> 8;
		bytes[off + 5] = ip_bytes - 40;
	} else if (what & FIX_IP_LENGTH) {
		bytes[off + 2] = ip_bytes >> 8;
		bytes[off + 3] = ip_bytes;
	}
	if (what & FIX_CSUM_START) {
		hdr->csum_start = l4;
		hdr->csum_offset = bytes[bytes[off] >> 4 == 6 ? off + 6 : off + 9] == 17 ? 6 : 16;
	}
}

// What is behind the data of a buffer is out of bounds for the data plane, which copies into
// buffers of its own. Only stage parse loads DP_READABLE_BYTES before it looks how long the frame
// is.
static void put(struct rte_mbuf *m, const uint8_t *bytes, unsigned len_bytes)
{
	unsigned readable_bytes = RTE_MAX(len_bytes, (unsigned)DP_READABLE_BYTES);

	ASAN_UNPOISON_MEMORY_REGION(m->buf_addr, m->buf_len);
	memcpy(rte_pktmbuf_append(m, len_bytes), bytes, len_bytes);
	ASAN_POISON_MEMORY_REGION(rte_pktmbuf_mtod_offset(m, char *, readable_bytes),
		rte_pktmbuf_tailroom(m) - (readable_bytes - len_bytes));
}

// A packet in as many buffers as it takes, or NULL when there are too few.
static struct rte_mbuf *mbuf_new(const uint8_t *bytes, unsigned len_bytes, unsigned chunk_bytes)
{
	bool big = RTE_MIN(chunk_bytes, len_bytes) > RTE_MBUF_DEFAULT_DATAROOM;
	struct rte_mbuf *head = NULL, *last = NULL;
	unsigned done_bytes = 0;

	chunk_bytes = RTE_MIN(chunk_bytes, UINT16_MAX - RTE_PKTMBUF_HEADROOM);
	do {
		struct rte_mbuf *m = rte_pktmbuf_alloc(big ? f.big_pool : f.pool);
		unsigned n = RTE_MIN(len_bytes - done_bytes, chunk_bytes);

		if (!m) {
			rte_pktmbuf_free(head);
			return NULL;
		}
		put(m, bytes + done_bytes, n);
		done_bytes += n;
		if (head) { // rte_pktmbuf_chain() would look for the end each time
			last->next = m;
			head->nb_segs++;
			head->pkt_len += n;
		} else {
			head = m;
		}
		last = m;
	} while (done_bytes < len_bytes);
	return head;
}

static unsigned csum_off_of(const struct rte_mbuf *m)
{
	if (!(m->ol_flags & DP_OFFLOAD_FLAGS))
		return 0;
	return m->l2_len + m->l3_len +
	       ((m->ol_flags & RTE_MBUF_F_TX_L4_MASK) == RTE_MBUF_F_TX_UDP_CKSUM ? 6 : 16);
}

static void read_frame(struct reader *r)
{
	static const unsigned chunks[] = {FRAME_MAX, 2048, 300, 64};
	unsigned where = take8(r), how = take8(r);
	struct sent *s = &f.sent[f.nb_sent];
	struct test_port *port = &f.port[where % NB_PORTS];
	struct virtio_net_hdr hdr;
	struct rte_mbuf *m;
	unsigned given_bytes;

	for (unsigned i = 0; i < sizeof(hdr); i++)
		((uint8_t *)&hdr)[i] = take8(r);
	*s = (struct sent){.port = where % NB_PORTS, .len_bytes = take16(r)};
	if (!(how & IS_LARGE))
		s->len_bytes %= 4096;
	given_bytes = take8(r);
	s->bytes = malloc(s->len_bytes + 1);
	demand(s->bytes, "there is memory");
	read_bytes(r, s->bytes, s->len_bytes, given_bytes);
	fix(how, s->bytes, s->len_bytes, &hdr);
	m = mbuf_new(s->bytes, s->len_bytes, chunks[how >> 2 & 3]);
	if (!m || vnet_hdr_to_mbuf(&hdr, m) < 0) {
		rte_pktmbuf_free(m);
		free(s->bytes);
		return;
	}
	// Some checksums are filled at once.
	for (unsigned off = 0; off < s->len_bytes;) {
		for (const struct rte_mbuf *seg = m; seg; off += seg->data_len, seg = seg->next)
			memcpy(s->bytes + off, rte_pktmbuf_mtod(seg, void *), seg->data_len);
	}
	s->ol_flags = m->ol_flags;
	s->csum_off = csum_off_of(m);
	s->reason = classify(s, &specs[s->port], m->data_len);
	m->hash.usr = f.nb_sent++;
	port->in[port->nb_in++] = m;
}

// ---- the sums ----

static void check_drops(void)
{
	uint64_t must[DP_NB_DROPS] = {0}, drops[DP_NB_DROPS] = {0}, other = 0, least = 0, most = 0,
		 may_drop = 0;

	for (unsigned i = 0; i < NB_PORTS; i++) {
		struct dp_port_stats cnt;

		dp_port_stats(f.dp, f.port[i].dp.id, &cnt);
		for (unsigned r = 0; r < DP_NB_DROPS; r++) {
			drops[r] += cnt.drop[r] - f.port[i].drops[r];
			f.port[i].drops[r] = cnt.drop[r];
		}
	}
	for (unsigned i = 0; i < f.nb_sent; i++) {
		unsigned members = 0;

		may_drop += f.sent[i].may_drop;
		if (f.sent[i].reason >= 0) {
			must[f.sent[i].reason]++;
			continue;
		}
		for (unsigned k = 0; k < NB_PORTS; k++)
			members += k != f.sent[i].port && carries(&specs[k], f.sent[i].vlan);
		least++; // a drop by a guard is counted, too
		most += RTE_MAX(members, 1u);
	}
	for (unsigned r = DP_DROP_SPOOFED_MAC; r <= DP_DROP_SPOOFED_ND; r++) {
		demand(drops[r] >= must[r] && drops[r] <= must[r] + may_drop, dp_drop_info[r].name);
		other += drops[r] - must[r];
	}
	for (unsigned r = 0; r < DP_NB_DROPS; r++) {
		if (r >= DP_DROP_SPOOFED_MAC && r <= DP_DROP_SPOOFED_ND)
			continue;
		if (must[r] || r == DP_DROP_RX_SHORT || r == DP_DROP_SRC_INVALID ||
			r == DP_DROP_LINK_LOCAL || r == DP_DROP_VLAN_TAGGED ||
			r == DP_DROP_VLAN_NOT_MEMBER)
			demand(drops[r] == must[r], dp_drop_info[r].name);
		else
			other += drops[r];
	}
	demand(f.nb_deliveries + other >= least, "each frame leaves or is counted");
	// Where one buffer was missing, several ports may be without the frame.
	demand(f.nb_deliveries + other <= most, "no frame is counted twice");
}

static void hog(unsigned left)
{
	f.nb_hogged = rte_mempool_avail_count(f.dp_pool) - left;
	demand(rte_pktmbuf_alloc_bulk(f.dp_pool, f.hogged, f.nb_hogged) == 0, "buffers are free");
}

static void clean_up(void)
{
	rte_pktmbuf_free_bulk(f.hogged, f.nb_hogged);
	f.nb_hogged = 0;
	for (unsigned i = 0; i < f.nb_sent; i++)
		free(f.sent[i].bytes);
	for (unsigned i = 0; i < NB_PORTS; i++) {
		demand(f.port[i].in_next == f.port[i].nb_in, "all was received");
		f.port[i].in_next = f.port[i].nb_in = 0;
	}
	demand(!rte_mempool_in_use_count(f.pool) && !rte_mempool_in_use_count(f.big_pool) &&
			!rte_mempool_in_use_count(f.dp_pool),
		"all buffers are back");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len_bytes)
{
	struct reader r = {data, len_bytes};
	unsigned setup;

	if (!f.dp)
		start();
	f.nb_sent = f.nb_deliveries = 0;
	setup = take8(&r);
	if (setup & 1) // few buffers
		hog(setup >> 1);
	dp_fdb_flush_bridge(f.dp, f.bridge_id);
	f.now_us += 1000000;
	dp_service(f.dp, f.now_us);
	while (r.left_bytes && f.nb_sent < SENT_MAX) {
		bool last = *r.p & 0x80; // of this round

		read_frame(&r);
		while (last && dp_poll(f.dp))
			;
	}
	while (dp_poll(f.dp))
		;
	check_drops();
	clean_up();
	return 0;
}
