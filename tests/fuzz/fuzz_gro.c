// SPDX-License-Identifier: BSD-3-Clause
// Frames as a tunnel may bring them, merged into segments: no frame is lost or changes places with
// another of its segment, those that pass alone are as they were, and each segment is cut into the
// frames it was made of, byte for byte. Nothing is read outside a frame.
//
// Input: frames, each a byte that says how it is made (enum how), two more, and what these ask for.
// The bytes of a frame; or the frame before once more as the next of its flow, one byte changed.
#include <stdint.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_ip.h>

#include "dp/dp_port.h"
#include "dp/gro.h"
#include "dp/gso.h"
#include "dp/offload.h"
#include "tests/fuzz/frames.h"

#define NB_MBUFS    2047
#define FRAMES_MAX  256
#define FRAME_BYTES 2000
#define HOW_BYTES   3

enum how {
	NEXT = 1,     // as the frame before: place and value of the change are in the two bytes
	FIX = 2,      // its checksums are right
	CUT = 4,      // in two buffers
	SAME_ID = 8,  // NEXT: the identification is not counted
	INPUT = 0x10, // by another network, from another switch
	REMOTE = 0x20,
	PARTIAL = 0x40, // with FIX: its TCP checksum is to be filled
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct rte_mempool *pool;

static struct {
	uint8_t bytes[FRAMES_MAX][FRAME_BYTES];
	uint16_t len[FRAMES_MAX];
	struct rte_mbuf *made[FRAMES_MAX]; // by frame
	struct rte_mbuf *pkt[FRAMES_MAX];  // what became of them
	uint16_t count;
} s;

// ---- making ----

struct place {
	uint16_t l3, l4, end; // 0: no TCP
	bool is_ip6;
};

static struct place find(const uint8_t *bytes, uint16_t len)
{
	struct place at = {.l3 = 14};

	if (len < 18)
		return at;
	if (bytes[12] == 0x81 && bytes[13] == 0)
		at.l3 = 18;
	at.is_ip6 = bytes[at.l3 - 2] == 0x86 && bytes[at.l3 - 1] == 0xdd;
	if (len < at.l3 + (at.is_ip6 ? 60 : 40))
		return at;
	at.l4 = at.l3 + (at.is_ip6 ? 40 : 20);
	at.end = len;
	return at;
}

static uint16_t load(const uint8_t *at)
{
	return at[0] << 8 | at[1];
}

static void store(uint8_t *at, uint32_t value)
{
	at[0] = value >> 8;
	at[1] = value;
}

static uint32_t sum_of(const uint8_t *p, uint32_t len, uint32_t sum)
{
	for (uint32_t i = 0; i < len; i++)
		sum += i & 1 ? p[i] : p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static void fix(uint8_t *bytes, uint16_t len)
{
	struct place at = find(bytes, len);
	uint8_t *ip = bytes + at.l3, *tcp = bytes + at.l4;
	uint32_t sum = 6 + at.end - at.l4;

	if (!at.end)
		return;
	if (at.is_ip6) {
		store(ip + 4, at.end - at.l4);
		sum = sum_of(ip + 8, 32, sum);
	} else {
		store(ip + 2, at.end - at.l3);
		store(ip + 10, 0);
		store(ip + 10, ~sum_of(ip, 20, 0));
		sum = sum_of(ip + 12, 8, sum);
	}
	store(tcp + 16, 0);
	store(tcp + 16, ~sum_of(tcp, at.end - at.l4, sum));
}

// What follows the frame in its flow.
static void advance(uint8_t *bytes, uint16_t len, bool same_id)
{
	struct place at = find(bytes, len);
	uint32_t seq;

	if (!at.end)
		return;
	memcpy(&seq, bytes + at.l4 + 4, sizeof(seq));
	seq = rte_cpu_to_be_32(
		rte_be_to_cpu_32(seq) + at.end - at.l4 - (bytes[at.l4 + 12] >> 4) * 4);
	memcpy(bytes + at.l4 + 4, &seq, sizeof(seq));
	if (!at.is_ip6 && !same_id)
		store(bytes + at.l3 + 4, load(bytes + at.l3 + 4) + 1);
}

// Makes the bytes of a frame. Returns how many of `size` it took.
static size_t make_bytes(const uint8_t *data, size_t size)
{
	uint8_t *bytes = s.bytes[s.count];
	uint16_t len;

	if (data[0] & NEXT && s.count) {
		len = s.len[s.count - 1];
		memcpy(bytes, s.bytes[s.count - 1], len);
		advance(bytes, len, data[0] & SAME_ID);
		bytes[data[1] % len] ^= data[2];
		size = 0;
	} else {
		len = RTE_MIN(load(data + 1) % FRAME_BYTES + 1u, size);
		memcpy(bytes, data + HOW_BYTES, len);
		size = len;
	}
	if (data[0] & FIX)
		fix(bytes, len);
	s.len[s.count] = len;
	return size;
}

// Takes the checksum out again and leaves it to do, unless the frame is not what would have one.
static void make_partial(struct rte_mbuf *m)
{
	struct place at = find(rte_pktmbuf_mtod(m, uint8_t *), m->data_len);
	uint8_t *ip = rte_pktmbuf_mtod_offset(m, uint8_t *, at.l3);
	uint32_t sum = 6 + m->pkt_len - at.l4;
	struct dp_headers hdr;

	m->l2_len = at.l3;
	m->l3_len = at.l4 - at.l3;
	m->ol_flags |=
		(at.is_ip6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4) | RTE_MBUF_F_TX_TCP_CKSUM;
	if (!at.end || !dp_headers_check(m, &hdr) || hdr.end != m->pkt_len) {
		m->ol_flags = RTE_MBUF_F_EXTERNAL;
		return;
	}
	sum = at.is_ip6 ? sum_of(ip + 8, 32, sum) : sum_of(ip + 12, 8, sum);
	store(rte_pktmbuf_mtod_offset(m, uint8_t *, at.l4 + 16), sum);
}

static void make_packet(uint8_t how)
{
	const uint8_t *bytes = s.bytes[s.count];
	uint16_t len = s.len[s.count], cut = how & CUT ? len * 3 / 4 : 0;
	struct rte_mbuf *m = outside(pool, bytes, cut ? cut : len);

	if (cut) {
		m->next = outside(pool, bytes + cut, len - cut);
		m->nb_segs = 2;
		m->pkt_len = len;
	}
	if ((how & (PARTIAL | FIX)) == (PARTIAL | FIX))
		make_partial(m);
	dp_set_input(m, how & INPUT ? 1 : 2);
	dp_set_remote(m, how & REMOTE ? 3 : 4);
	s.made[s.count] = s.pkt[s.count] = m;
	s.count++;
}

// ---- what must be true ----

// Which frame begins with this buffer; -1: none.
static int frame_of(const struct rte_mbuf *seg)
{
	for (int i = 0; i < s.count; i++) {
		if (s.made[i] == seg)
			return i;
	}
	return -1;
}

// Which frames are in a packet. Returns their number.
static uint16_t frames_in(const struct rte_mbuf *m, uint16_t *ret_frames)
{
	uint16_t count = 0;

	for (const struct rte_mbuf *seg = m; seg; seg = seg->next) {
		int i = frame_of(seg);

		demand(seg->data_len);
		if (i < 0)
			continue;
		demand(dp_input(seg) == dp_input(m) && dp_remote(seg) == dp_remote(m));
		demand(count == 0 || i > ret_frames[count - 1]);
		ret_frames[count++] = i;
	}
	return count;
}

// The same frame, whatever its identification when that was the same in all.
static void demand_equal(const struct rte_mbuf *m, unsigned i, bool same_id)
{
	uint8_t copy[FRAME_BYTES], *bytes = s.bytes[i];

	demand(m->pkt_len == s.len[i]);
	memcpy(copy, rte_pktmbuf_read(m, 0, m->pkt_len, copy), m->pkt_len);
	if (same_id) {
		uint16_t l3 = find(bytes, s.len[i]).l3;

		memcpy(copy + l3 + 4, bytes + l3 + 4, sizeof(uint16_t));
		memcpy(copy + l3 + 10, bytes + l3 + 10, sizeof(uint16_t));
	}
	demand(memcmp(copy, bytes, m->pkt_len) == 0);
}

static bool same_ids(unsigned a, unsigned b)
{
	struct place at = find(s.bytes[a], s.len[a]);

	return at.end && !at.is_ip6 && load(s.bytes[a] + at.l3 + 4) == load(s.bytes[b] + at.l3 + 4);
}

// Looks at a packet and frees it. Returns its first frame.
static uint16_t check(struct rte_mbuf *m, uint16_t *total)
{
	static struct dp_site at;
	struct rte_mbuf *out[DP_GSO_MAX];
	uint16_t frames[FRAMES_MAX], count = frames_in(m, frames), pieces;

	rte_mbuf_sanity_check(m, 1);
	demand(count >= 1 && m == s.made[frames[0]]);
	demand((count > 1) == !!(m->ol_flags & RTE_MBUF_F_TX_TCP_SEG));
	demand(count == 1 || m->nb_segs <= DP_TX_SEGS);
	pieces = dp_offload_finish(m, 0, pool, out, DP_GSO_MAX, &at);
	demand(pieces == count);
	for (uint16_t i = 0; i < count; i++)
		demand_equal(out[i], frames[i], count > 1 && same_ids(frames[0], frames[1]));
	rte_pktmbuf_free_bulk(out, pieces);
	*total += count;
	return frames[0];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint16_t total = 0, n;
	int last = -1;

	if (!pool)
		pool = pool_of(NB_MBUFS);
	s.count = 0;
	while (size > HOW_BYTES && s.count < FRAMES_MAX) {
		uint8_t how = data[0];
		size_t used = HOW_BYTES + make_bytes(data, size - HOW_BYTES);

		make_packet(how);
		data += used;
		size -= used;
	}
	n = dp_gro(s.pkt, s.count);
	for (uint16_t i = 0; i < n; i++) {
		uint16_t first = check(s.pkt[i], &total);

		demand(first > last);
		last = first;
	}
	demand(total == s.count);
	demand(rte_mempool_in_use_count(pool) == 0);
	return 0;
}
