// SPDX-License-Identifier: BSD-3-Clause
// Stage parse: reads each packet's metadata and Ethernet header once, finds out which VLAN it
// belongs to and whether its port may send there, and makes the forwarding table keys. The buckets
// of the whole batch are on their way to the cache when it ends.
//
// There are three loops over a batch, none with a branch that depends on a packet: one for frames
// of one pair of stations, such as a bulk transfer sends; one for frames to single stations that
// have no tag or all the same one; and one for any frames. What is out of the ordinary for all is
// marked and looked at afterwards. (Source addresses that no frame may have are in no table: stage
// learn finds them.)
#include <string.h>

#include <rte_byteorder.h>

#include "base/bytes.h"
#include "dp/pipeline.h"
#include "dp/sums.h"

// Addresses are handled as 48-bit numbers, first byte lowest, as a little-endian load gives them.
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "addresses are loaded little-endian");

#define LINK_LOCAL	0x0000c28001ull	  // 01:80:c2:00:00:00 ..
#define LINK_LOCAL_MASK 0xf0ffffffffffull // .. 0f, IEEE 802.1Q table 8-1
#define PREFETCH_AHEAD	4
#define TAGGED_BYTES	(RTE_ETHER_HDR_LEN + DP_VLAN_TAG_BYTES)

// Destination and source; the upper 16 bits of the source are the type. A frame may be shorter
// than what is loaded here and for the tag; its buffer is not (DP_READABLE_BYTES).
static inline uint64_t dst_of(const uint8_t *data)
{
	return load64(data);
}

static inline uint64_t src_type_of(const uint8_t *data)
{
	return load64(data + RTE_ETHER_ADDR_LEN);
}

static inline bool is_tagged(uint64_t src_type)
{
	return src_type >> 48 == rte_cpu_to_be_16(RTE_ETHER_TYPE_VLAN);
}

static inline uint16_t tci_of(const uint8_t *data)
{
	return load16(data + RTE_ETHER_HDR_LEN);
}

// The filtering identifiers of the bridge's VLANs.
static inline const _Atomic uint16_t *fids_of(
	const struct dp_context *ctx, const struct dp_batch *b)
{
	return ctx->fdb->bridge[b->in->bridge->id]->fid;
}

static inline uint64_t all_of(const struct dp_batch *b)
{
	return ~0ull >> (DP_BURST - b->n);
}

static inline void prefetch_data(const struct dp_batch *b, unsigned i)
{
	rte_prefetch0(rte_pktmbuf_mtod(b->pkt[i], void *));
}

// ---- frames to single stations, all without a tag or all with the same ----

// What the frames of a batch have in common, if one of them is like the others.
struct kind {
	bool tagged;
	uint16_t tci; // in wire order; 0 without a tag
	uint16_t vlan;
	uint64_t fid; // 0: such frames must be looked at
};

static inline struct kind kind_of(
	const struct dp_context *ctx, const struct dp_batch *b, unsigned i)
{
	const struct dp_snap_port *in = b->in;
	const uint8_t *data = rte_pktmbuf_mtod(b->pkt[i], uint8_t *);
	struct kind kind = {.vlan = in->pvid};

	if (likely(!is_tagged(src_type_of(data)))) {
		kind.fid = in->pvid == UINT16_MAX ? 0 : in->pvid_fid;
		return kind;
	}
	kind.tagged = true;
	kind.tci = tci_of(data);
	kind.vlan = rte_be_to_cpu_16(kind.tci) & DP_VID_MASK;
	if (in->vlan_mode != CONF_VLAN_ACCESS && kind.vlan && dp_snap_carries(in, kind.vlan))
		kind.fid = atomic_load_explicit(&fids_of(ctx, b)[kind.vlan], memory_order_relaxed);
	return kind;
}

static inline void parse_one(
	struct dp_batch *b, unsigned i, struct fdb_index index, uint64_t fid, struct dp_sums *sums)
{
	const uint8_t *data = rte_pktmbuf_mtod(b->pkt[i], uint8_t *);

	dp_sums_add(sums, b->pkt[i]);
	dp_sums_add_header(sums, data);
	dp_batch_keys(b, i, index, (src_type_of(data) & FDB_MAC_MASK) | fid,
		(dst_of(data) & FDB_MAC_MASK) | fid);
}

static void set_kind(struct dp_batch *b, const struct kind *kind)
{
	b->tagged = kind->tagged ? all_of(b) : 0;
	b->group = 0;
	b->alike = true;
	b->common = kind->vlan;
}

// For frames of one pair. False when they are not.
static bool parse_pair(struct dp_context *ctx, struct dp_batch *b, const struct kind *kind,
	struct dp_sums *ret_sums)
{
	const uint8_t *first = rte_pktmbuf_mtod(b->pkt[0], uint8_t *);
	struct dp_sums sums = dp_sums_none(kind->tci);
	uint64_t fid = kind->fid << 48;

	// This one alone is looked up, and there is time until then.
	dp_batch_keys(b, 0, ctx->table->index, (src_type_of(first) & FDB_MAC_MASK) | fid,
		(dst_of(first) & FDB_MAC_MASK) | fid);
	dp_sums_expect(&sums, first);
	for (unsigned i = b->n; i-- > 0;) {
		if (i >= PREFETCH_AHEAD)
			prefetch_data(b, i - PREFETCH_AHEAD);
		dp_sums_add(&sums, b->pkt[i]);
		dp_sums_add_expected(&sums, rte_pktmbuf_mtod(b->pkt[i], uint8_t *));
	}
	set_kind(b, kind);
	b->one_pair = true;
	*ret_sums = sums;
	return dp_sums_all_expected(&sums, kind->tagged) && !(dst_of(first) & DP_GROUP_BIT) &&
	       dp_sums_shortest(&sums) >= (kind->tagged ? TAGGED_BYTES : RTE_ETHER_HDR_LEN);
}

// For frames of one kind. False when they are not.
static bool parse_kind(const struct dp_context *ctx, struct dp_batch *b, const struct kind *kind,
	struct dp_sums *ret_sums)
{
	const struct fdb_index index = ctx->table->index;
	struct dp_sums sums = dp_sums_none(kind->tci);
	uint64_t fid = kind->fid << 48;
	unsigned i = b->n;

	for (; i > PREFETCH_AHEAD; i--) {
		prefetch_data(b, i - 1 - PREFETCH_AHEAD);
		parse_one(b, i - 1, index, fid, &sums);
	}
	for (; i > 0; i--)
		parse_one(b, i - 1, index, fid, &sums);
	set_kind(b, kind);
	b->one_pair = false;
	*ret_sums = sums;
	return (kind->tagged ? dp_sums_all_have_tag(&sums) : !dp_sums_any_tagged(&sums)) &&
	       !dp_sums_any_group(&sums) &&
	       dp_sums_shortest(&sums) >= (kind->tagged ? TAGGED_BYTES : RTE_ETHER_HDR_LEN);
}

// ---- any frames ----

// What the loop over any frames adds up; bit i is of packet i.
struct marks {
	uint64_t tagged, group, odd;
	uint16_t vlans; // differences from that of the first packet
};

static inline void parse_any(struct dp_context *ctx, struct dp_batch *b, unsigned i,
	const _Atomic uint16_t *fids, struct marks *marks)
{
	const struct dp_snap_port *in = b->in;
	const uint8_t *data = rte_pktmbuf_mtod(b->pkt[i], uint8_t *);
	uint64_t dst = dst_of(data), src_type = src_type_of(data), fid;
	bool tagged = is_tagged(src_type);
	// Where untagged frames are refused this is the reserved VLAN, which nobody carries.
	uint16_t vlan = (tagged ? rte_be_to_cpu_16(tci_of(data)) : in->pvid) & DP_VID_MASK;

	fid = atomic_load_explicit(&fids[vlan], memory_order_relaxed);
	b->vlan[i] = vlan;
	marks->tagged = marks->tagged << 1 | tagged;
	marks->group = marks->group << 1 | (dst & DP_GROUP_BIT);
	marks->odd = marks->odd << 1 | !vlan_set_has(in->carried, vlan) | (tagged & !vlan) | !fid;
	marks->vlans |= vlan ^ b->vlan[b->n - 1];
	dp_batch_keys(b, i, ctx->table->index, (src_type & FDB_MAC_MASK) | fid << 48,
		(dst & FDB_MAC_MASK) | fid << 48);
}

static inline bool is_link_local(uint64_t key)
{
	return (key & LINK_LOCAL_MASK) == LINK_LOCAL;
}

// Looks at a packet on its own. Returns a drop reason, or -1 when it may go on.
static int treat_odd(struct dp_context *ctx, struct dp_batch *b, unsigned i)
{
	uint16_t vlan = b->in->pvid;
	bool tagged = b->tagged >> i & 1;
	uint64_t fid;
	int reason = -1;

	if (b->pkt[i]->data_len < RTE_ETHER_HDR_LEN)
		return DP_DROP_RX_SHORT;
	if (is_link_local(b->dst[i]))
		return DP_DROP_LINK_LOCAL;
	if (tagged)
		reason = dp_vlan_classify(b->in, b->pkt[i], &vlan, &tagged);
	else if (vlan == UINT16_MAX)
		reason = DP_DROP_VLAN_NOT_MEMBER;
	if (reason >= 0)
		return reason;
	if (!tagged)
		b->tagged &= ~(1ull << i);
	b->vlan[i] = vlan;
	fid = (uint64_t)fdb_fid(ctx->fdb, b->in->bridge->id, vlan) << 48;
	dp_batch_keys(b, i, ctx->table->index, (b->src[i] & FDB_MAC_MASK) | fid,
		(b->dst[i] & FDB_MAC_MASK) | fid);
	return -1;
}

// Those of the packets `group` that are to an address that no bridge forwards.
static uint64_t link_local(const struct dp_batch *b, uint64_t group)
{
	uint64_t found = 0;

	for (; group; group &= group - 1) {
		unsigned i = __builtin_ctzll(group);

		found |= (uint64_t)is_link_local(b->dst[i]) << i;
	}
	return found;
}

// The port itself may be who it is for.
static bool is_taken(const struct dp_batch *b, unsigned i)
{
	struct dp_port *port = b->in->port;

	return port->take_local && port->take_local(port, b->pkt[i], b->in_at);
}

static void treat_all_odd(struct dp_context *ctx, struct dp_batch *b, uint64_t odd)
{
	uint64_t gone = 0;

	for (; odd; odd &= odd - 1) {
		unsigned i = __builtin_ctzll(odd);
		int reason = treat_odd(ctx, b, i);

		if (reason < 0)
			continue;
		if (reason != DP_DROP_LINK_LOCAL || !is_taken(b, i))
			dp_drop(b->in_at, reason, b->pkt[i]);
		gone |= 1ull << i;
	}
	b->alike = false;
	if (gone)
		dp_batch_remove(b, gone);
}

static void parse_all_any(struct dp_context *ctx, struct dp_batch *b, struct dp_sums *sums)
{
	const _Atomic uint16_t *fids = fids_of(ctx, b);
	uint64_t all = all_of(b);
	bool access = b->in->vlan_mode == CONF_VLAN_ACCESS;
	struct dp_sums s = dp_sums_none(0);
	struct marks marks = {0};

	for (unsigned i = b->n; i-- > 0;) {
		if (i >= PREFETCH_AHEAD)
			prefetch_data(b, i - PREFETCH_AHEAD);
		dp_sums_add(&s, b->pkt[i]);
		parse_any(ctx, b, i, fids, &marks);
	}
	*sums = s;
	b->tagged = marks.tagged;
	b->group = marks.group;
	b->one_pair = false;
	b->alike = !marks.vlans && (marks.tagged == 0 || marks.tagged == all);
	b->common = b->vlan[0];
	marks.odd |= link_local(b, marks.group);
	marks.odd |= access ? marks.tagged : 0;
	if (unlikely(dp_sums_shortest(&s) < TAGGED_BYTES))
		marks.odd = all;
	if (unlikely(marks.odd))
		treat_all_odd(ctx, b, marks.odd);
}

static bool begin_alike(const struct rte_mbuf *a, const struct rte_mbuf *b)
{
	const uint8_t *x = rte_pktmbuf_mtod(a, uint8_t *), *y = rte_pktmbuf_mtod(b, uint8_t *);

	return dst_of(x) == dst_of(y) && src_type_of(x) == src_type_of(y);
}

// Tries the loops by what the first and last frame are.
static void parse_all(struct dp_context *ctx, struct dp_batch *b, struct dp_sums *ret_sums)
{
	struct kind first = kind_of(ctx, b, 0), last = kind_of(ctx, b, b->n - 1);

	if (likely(first.tci == last.tci && first.fid)) {
		if (begin_alike(b->pkt[0], b->pkt[b->n - 1]) &&
			parse_pair(ctx, b, &first, ret_sums))
			return;
		if (likely(parse_kind(ctx, b, &first, ret_sums)))
			return;
	}
	parse_all_any(ctx, b, ret_sums);
}

void dp_stage_parse(struct dp_context *ctx, struct dp_batch *b)
{
	uint16_t n = b->n;
	struct dp_sums sums;

	for (unsigned i = n; i-- > 0 && i + PREFETCH_AHEAD >= n;)
		prefetch_data(b, i);
	parse_all(ctx, b, &sums);
	b->flood = 0;
	b->in_at->rx_packets += n;
	b->in_at->rx_bytes += dp_sums_bytes(&sums);
	b->longest_bytes = dp_sums_longest(&sums);
	b->shortest_bytes = dp_sums_shortest(&sums);
	b->whole = !(dp_sums_flags(&sums) & DP_OFFLOAD_FLAGS) && dp_sums_segs(&sums) == 1;
	b->unshared = dp_sums_refcnt(&sums) == 1 &&
		      !(dp_sums_flags(&sums) & (RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL));
}
