// SPDX-License-Identifier: BSD-3-Clause
// Sums over the metadata and headers of a batch. They tell what all packets have in common with a
// few vector operations per packet, instead of a branch per question. Sums are passed by value or
// kept local, so that loops keep them in registers.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_mbuf.h>
#ifdef __SSE4_1__
#include <smmintrin.h>
#endif

#include "dp/offload.h"

#ifdef __SSE4_1__

// Lanes of 16 bytes of struct rte_mbuf: from rearm_data on (data_off, refcnt, nb_segs, port,
// ol_flags), and from rx_descriptor_fields1 on (packet_type, pkt_len, data_len, ...).
_Static_assert(
	offsetof(struct rte_mbuf, rearm_data) % 16 == 0 &&
		offsetof(struct rte_mbuf, ol_flags) == offsetof(struct rte_mbuf, rearm_data) + 8 &&
		offsetof(struct rte_mbuf, rx_descriptor_fields1) % 16 == 0 &&
		offsetof(struct rte_mbuf, data_len) ==
			offsetof(struct rte_mbuf, rx_descriptor_fields1) + 8,
	"the lanes are where they are looked for");

struct dp_sums {
	__m128i state;			  // or: rearm_data, ol_flags
	__m128i bytes, longest, shortest; // sum, maximum, minimum: rx_descriptor_fields1
	__m128i header;			  // or: the first 16 bytes
	__m128i tag, any_tag, all_tag; // the wanted tag in its lane; or, and: lanes that equal it
	__m128i first, differ;	       // first 16 bytes of a frame; or: differences from it
};

// `tci` is the tag to look for, in wire order.
static inline struct dp_sums dp_sums_none(uint16_t tci)
{
	uint32_t tag = rte_cpu_to_be_16(RTE_ETHER_TYPE_VLAN) | (uint32_t)tci << 16;
	__m128i ones = _mm_set1_epi8(-1);

	return (struct dp_sums){
		.shortest = ones, .tag = _mm_set_epi32((int)tag, 0, 0, 0), .all_tag = ones};
}

static inline void dp_sums_add(struct dp_sums *s, const struct rte_mbuf *m)
{
	__m128i lengths = _mm_load_si128((const __m128i *)m->rx_descriptor_fields1);

	s->state = _mm_or_si128(s->state, _mm_load_si128((const __m128i *)m->rearm_data));
	s->bytes = _mm_add_epi32(s->bytes, lengths);
	s->longest = _mm_max_epu32(s->longest, lengths);
	s->shortest = _mm_min_epu16(s->shortest, lengths);
}

static inline void dp_sums_add_header(struct dp_sums *s, const uint8_t *data)
{
	__m128i header = _mm_loadu_si128((const __m128i *)data);

	s->header = _mm_or_si128(s->header, header);
	header = _mm_cmpeq_epi16(header, s->tag);
	s->any_tag = _mm_or_si128(s->any_tag, header);
	s->all_tag = _mm_and_si128(s->all_tag, header);
}

// For batches that may be of one pair of stations: compares the start of each frame with `data`.
static inline void dp_sums_expect(struct dp_sums *s, const uint8_t *data)
{
	s->first = _mm_loadu_si128((const __m128i *)data);
}

static inline void dp_sums_add_expected(struct dp_sums *s, const uint8_t *data)
{
	__m128i header = _mm_loadu_si128((const __m128i *)data);

	s->differ = _mm_or_si128(s->differ, _mm_xor_si128(header, s->first));
}

// Whether all frames begin like that: addresses, type and, with `tagged`, the tag.
static inline bool dp_sums_all_expected(const struct dp_sums *s, bool tagged)
{
	uint32_t type = (uint32_t)_mm_extract_epi32(s->differ, 3);

	return !_mm_extract_epi64(s->differ, 0) && !_mm_extract_epi32(s->differ, 2) &&
	       !(tagged ? type : type & 0xffff);
}

static inline uint64_t dp_sums_flags(const struct dp_sums *s)
{
	return (uint64_t)_mm_extract_epi64(s->state, 1);
}

static inline uint16_t dp_sums_refcnt(const struct dp_sums *s)
{
	return (uint16_t)_mm_extract_epi16(s->state, 1);
}

static inline uint16_t dp_sums_segs(const struct dp_sums *s)
{
	return (uint16_t)_mm_extract_epi16(s->state, 2);
}

static inline uint32_t dp_sums_bytes(const struct dp_sums *s)
{
	return (uint32_t)_mm_extract_epi32(s->bytes, 1);
}

static inline uint32_t dp_sums_longest(const struct dp_sums *s)
{
	return (uint32_t)_mm_extract_epi32(s->longest, 1);
}

static inline uint16_t dp_sums_shortest(const struct dp_sums *s)
{
	return (uint16_t)_mm_extract_epi16(s->shortest, 4);
}

static inline bool dp_sums_any_group(const struct dp_sums *s)
{
	return _mm_extract_epi8(s->header, 0) & 1;
}

static inline bool dp_sums_any_tagged(const struct dp_sums *s)
{
	return _mm_extract_epi16(s->any_tag, 6);
}

static inline bool dp_sums_all_have_tag(const struct dp_sums *s)
{
	return _mm_extract_epi32(s->all_tag, 3) == -1;
}

#else

struct dp_sums {
	uint64_t flags;
	uint32_t bytes, longest;
	uint16_t refcnt, segs, shortest, tci;
	bool group, any_tag, all_tag;
	uint8_t first[16], differ[16];
};

static inline struct dp_sums dp_sums_none(uint16_t tci)
{
	return (struct dp_sums){.shortest = UINT16_MAX, .tci = tci, .all_tag = true};
}

static inline void dp_sums_add(struct dp_sums *s, const struct rte_mbuf *m)
{
	s->flags |= m->ol_flags;
	s->refcnt |= m->refcnt;
	s->segs |= m->nb_segs;
	s->bytes += m->pkt_len;
	s->longest = RTE_MAX(s->longest, m->pkt_len);
	s->shortest = RTE_MIN(s->shortest, m->data_len);
}

static inline void dp_sums_add_header(struct dp_sums *s, const uint8_t *data)
{
	uint16_t tag[2];

	memcpy(tag, data + 2 * RTE_ETHER_ADDR_LEN, sizeof(tag));
	tag[0] = tag[0] == rte_cpu_to_be_16(RTE_ETHER_TYPE_VLAN);
	s->group |= data[0] & 1;
	s->any_tag |= tag[0];
	s->all_tag &= tag[0] && tag[1] == s->tci;
}

static inline void dp_sums_expect(struct dp_sums *s, const uint8_t *data)
{
	memcpy(s->first, data, sizeof(s->first));
}

static inline void dp_sums_add_expected(struct dp_sums *s, const uint8_t *data)
{
	for (unsigned i = 0; i < sizeof(s->first); i++)
		s->differ[i] |= data[i] ^ s->first[i];
}

static inline bool dp_sums_all_expected(const struct dp_sums *s, bool tagged)
{
	unsigned differ = 0;

	for (unsigned i = 0; i < (tagged ? 16 : 14); i++)
		differ |= s->differ[i];
	return !differ;
}

static inline uint64_t dp_sums_flags(const struct dp_sums *s)
{
	return s->flags;
}

static inline uint16_t dp_sums_refcnt(const struct dp_sums *s)
{
	return s->refcnt;
}

static inline uint16_t dp_sums_segs(const struct dp_sums *s)
{
	return s->segs;
}

static inline uint32_t dp_sums_bytes(const struct dp_sums *s)
{
	return s->bytes;
}

static inline uint32_t dp_sums_longest(const struct dp_sums *s)
{
	return s->longest;
}

static inline uint16_t dp_sums_shortest(const struct dp_sums *s)
{
	return s->shortest;
}

static inline bool dp_sums_any_group(const struct dp_sums *s)
{
	return s->group;
}

static inline bool dp_sums_any_tagged(const struct dp_sums *s)
{
	return s->any_tag;
}

static inline bool dp_sums_all_have_tag(const struct dp_sums *s)
{
	return s->all_tag;
}

#endif
