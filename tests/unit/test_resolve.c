// SPDX-License-Identifier: BSD-3-Clause
// ARP and neighbour discovery, byte by byte: what each frame is taken for, what is not valid, the
// answers, and the questions.
#include "dp/resolve.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/packets.h"

// Host 1 is 02::01, 10.0.0.1 and fd00::1; host 2 likewise.
#define MAC1	  "020000000001"
#define MAC2	  "020000000002"
#define ALL	  "ffffffffffff"
#define NOBODY	  "000000000000"
#define ARP	  "0806"
#define TAGGED	  "8100600a" // VLAN 10, priority 3
#define ARP_ASKS  "0001080006040001"
#define ARP_SAYS  "0001080006040002"
#define IP1	  "0a000001"
#define IP2	  "0a000002"
#define PADDING	  "000000000000000000000000000000000000"
#define IP6(len)  "86dd600000000" len "3aff"
#define A1	  "fd000000000000000000000000000001"
#define A2	  "fd000000000000000000000000000002"
#define ANY	  "00000000000000000000000000000000"
#define ALL_NODES "ff020000000000000000000000000001"
#define GROUP_OF2 "ff0200000000000000000001ff000002"
#define MAC_GROUP "3333ff000002"
#define MAC_NODES "333300000001"
#define SOLICIT	  "8700000000000000"
#define SAYS(f)	  "88000000" f "000000"
#define SOURCE1	  "0101" MAC1
#define TARGET2	  "0201" MAC2
#define NONCE	  "0e01010203040506"

static const struct mac mac1 = {{2, 0, 0, 0, 0, 1}}, mac2 = {{2, 0, 0, 0, 0, 2}};

static struct ip_addr host(unsigned family, uint8_t number)
{
	struct ip_addr ip = {.family = family};

	ip.byte[0] = family == 4 ? 10 : 0xfd;
	ip.byte[family == 4 ? 3 : 15] = number;
	return ip;
}

// ---- frames ----

// Fills the checksum of an ICMPv6 message, as the IPv6 header has its length.
static unsigned frame_of(uint8_t *bytes, const char *text)
{
	unsigned len = hex(bytes, text), off = bytes[12] == 0x81 ? 18 : 14, sum, l4;

	if (bytes[off - 2] != 0x86)
		return len;
	l4 = bytes[off + 4] << 8 | bytes[off + 5];
	if (len < off + 44 || l4 > len - off - 40)
		return len;
	sum = slow_sum(bytes + off + 8, 32, l4 + 58);
	put16(bytes + off + 42, 0);
	put16(bytes + off + 42, ~slow_sum(bytes + off + 40, l4, sum));
	return len;
}

static struct rte_mbuf *mbuf_of(const char *text)
{
	uint8_t bytes[256];
	unsigned len = frame_of(bytes, text);

	return chain_of(bytes, len, len);
}

static enum dp_resolve_kind kind_of(const char *text, struct dp_resolve *r)
{
	struct rte_mbuf *m = mbuf_of(text);
	enum dp_resolve_kind kind = dp_resolve_parse(m, r);

	rte_pktmbuf_free(m);
	return kind;
}

static void is(const char *text, enum dp_resolve_kind kind, const struct dp_resolve *want)
{
	struct dp_resolve r = {0};

	assert_int_equal(kind_of(text, &r), kind);
	assert_int_equal(r.kind, kind);
	assert_int_equal(r.l3_off, strstr(text, TAGGED) ? 18 : 14);
	assert_true(ip_equal(&r.target, &want->target));
	assert_true(ip_equal(&r.sender, &want->sender));
	assert_memory_equal(&r.mac, &want->mac, sizeof(r.mac));
	assert_int_equal(r.keep, want->keep);
}

static void is_nothing(const char *text)
{
	static const struct dp_resolve zero;
	struct dp_resolve r = zero;

	assert_int_equal(kind_of(text, &r), DP_RESOLVE_NONE);
	assert_memory_equal(&r, &zero, sizeof(r));
}

static void answered(const char *question, const struct mac *mac, const char *answer)
{
	struct rte_mbuf *m = mbuf_of(question);
	uint8_t want[256];
	struct dp_resolve r;

	dp_resolve_parse(m, &r);
	assert_int_equal(dp_resolve_answer(m, &r, mac), 0);
	assert_bytes(m, want, frame_of(want, answer));
	rte_pktmbuf_free(m);
}

// ---- ARP ----

static void test_arp_kinds(void **state)
{
	const struct ip_addr none = {.family = 4};
	const struct dp_resolve asks = {.target = host(4, 2), .sender = host(4, 1), .mac = mac1},
				probe = {.target = host(4, 2), .sender = none, .mac = mac1},
				says = {.target = host(4, 2), .sender = host(4, 2), .mac = mac2};

	is(ALL MAC1 ARP ARP_ASKS MAC1 IP1 NOBODY IP2, DP_RESOLVE_REQUEST, &asks);
	is(ALL MAC1 ARP ARP_ASKS MAC1 IP1 NOBODY IP2 PADDING, DP_RESOLVE_REQUEST, &asks);
	is(ALL MAC1 TAGGED ARP ARP_ASKS MAC1 IP1 NOBODY IP2, DP_RESOLVE_REQUEST, &asks);
	is(MAC2 MAC1 ARP ARP_ASKS MAC1 IP1 ALL IP2, DP_RESOLVE_REQUEST, &asks);
	is(ALL MAC1 ARP ARP_ASKS MAC1 "00000000" NOBODY IP2, DP_RESOLVE_PROBE, &probe);
	is(MAC1 MAC2 ARP ARP_SAYS MAC2 IP2 MAC1 IP1, DP_RESOLVE_REPLY, &says);
	is(ALL MAC2 ARP ARP_ASKS MAC2 IP2 NOBODY IP2, DP_RESOLVE_ANNOUNCE, &says);
	is(ALL MAC2 TAGGED ARP ARP_SAYS MAC2 IP2 ALL IP2, DP_RESOLVE_ANNOUNCE, &says);
}

static void test_arp_not_valid(void **state)
{
	is_nothing(ALL MAC1 ARP "0006080006040001" MAC1 IP1 NOBODY IP2); // IEEE 802
	is_nothing(ALL MAC1 ARP "000186dd06040001" MAC1 IP1 NOBODY IP2);
	is_nothing(ALL MAC1 ARP "0001080008040001" MAC1 IP1 NOBODY IP2);
	is_nothing(ALL MAC1 ARP "0001080006100001" MAC1 IP1 NOBODY IP2);
	is_nothing(ALL MAC1 ARP "0001080006040003" MAC1 IP1 NOBODY IP2); // RARP
	is_nothing(ALL MAC1 ARP "0001080006040000" MAC1 IP1 NOBODY IP2);
	is_nothing(ALL MAC1 ARP ARP_ASKS NOBODY IP1 NOBODY IP2);
	is_nothing(ALL MAC1 ARP ARP_ASKS "010000000001" IP1 NOBODY IP2);
	is_nothing(ALL MAC1 ARP ARP_ASKS MAC1 "e0000001" NOBODY IP2);
	is_nothing(ALL MAC1 ARP ARP_ASKS MAC1 IP1 NOBODY "e0000001");
	is_nothing(ALL MAC1 ARP ARP_ASKS MAC1 IP1 NOBODY "ffffffff");
	is_nothing(ALL MAC1 ARP ARP_ASKS MAC1 IP1 NOBODY "00000000");
	is_nothing(ALL MAC1 ARP ARP_ASKS MAC1 "00000000" NOBODY "00000000");
	is_nothing(ALL MAC1 ARP ARP_SAYS MAC1 "00000000" MAC2 IP2);
	is_nothing(ALL MAC1 TAGGED TAGGED ARP ARP_ASKS MAC1 IP1 NOBODY IP2);
	is_nothing(ALL ALL ARP ARP_ASKS MAC1 IP1 NOBODY IP2); // from a group
	is_nothing(ALL NOBODY ARP ARP_ASKS MAC1 IP1 NOBODY IP2);
	is_nothing(ALL MAC1 "0800" ARP_ASKS MAC1 IP1 NOBODY IP2);
}

static void test_arp_answers(void **state)
{
	answered(ALL MAC1 ARP ARP_ASKS MAC1 IP1 NOBODY IP2 PADDING, &mac2,
		MAC1 MAC2 ARP ARP_SAYS MAC2 IP2 MAC1 IP1 PADDING);
	answered(ALL MAC1 TAGGED ARP ARP_ASKS MAC1 IP1 NOBODY IP2, &mac2,
		MAC1 MAC2 TAGGED ARP ARP_SAYS MAC2 IP2 MAC1 IP1);
	// The asker may be behind another address than it says.
	answered(MAC2 "020000000009" ARP ARP_ASKS MAC1 IP1 NOBODY IP2, &mac2,
		"020000000009" MAC2 ARP ARP_SAYS MAC2 IP2 MAC1 IP1);
	answered(ALL MAC1 ARP ARP_ASKS MAC1 "00000000" NOBODY IP2, &mac2,
		MAC1 MAC2 ARP ARP_SAYS MAC2 IP2 MAC1 "00000000");
}

// ---- neighbour discovery ----

#define ASK_ALL	   MAC_GROUP MAC1 IP6("020") A1 GROUP_OF2 SOLICIT A2 SOURCE1
#define ASK_ONE	   MAC2 MAC1 IP6("018") A1 A2 SOLICIT A2
#define ASK_TAGGED MAC_GROUP MAC1 TAGGED IP6("020") A1 GROUP_OF2 SOLICIT A2 SOURCE1
#define DAD	   MAC_GROUP MAC1 IP6("018") ANY GROUP_OF2 SOLICIT A2
#define DAD_NONCE  MAC_GROUP MAC1 IP6("020") ANY GROUP_OF2 SOLICIT A2 NONCE
#define TELL(flags)                                                                                \
	MAC1 MAC2 IP6("020") A2 A1 SAYS(flags)                                                     \
	A2 TARGET2
#define TELL_ALL MAC_NODES MAC2 IP6("020") A2 ALL_NODES SAYS("20") A2 TARGET2

static void test_nd_kinds(void **state)
{
	const struct ip_addr none = {.family = 6};
	const struct dp_resolve asks = {.target = host(6, 2), .sender = host(6, 1), .mac = mac1},
				silent = {.target = host(6, 2), .sender = host(6, 1)},
				probe = {.target = host(6, 2), .sender = none},
				says = {.target = host(6, 2), .sender = host(6, 2), .mac = mac2},
				keep = {.target = host(6, 2),
					.sender = host(6, 2),
					.mac = mac2,
					.keep = true};

	is(ASK_ALL, DP_RESOLVE_REQUEST, &asks);
	is(ASK_ALL "abcd", DP_RESOLVE_REQUEST, &asks); // padding
	is(ASK_TAGGED, DP_RESOLVE_REQUEST, &asks);
	is(ASK_ONE, DP_RESOLVE_REQUEST, &silent);
	is(MAC_GROUP MAC1 IP6("028") A1 GROUP_OF2 SOLICIT A2 NONCE SOURCE1, DP_RESOLVE_REQUEST,
		&asks);
	is(DAD, DP_RESOLVE_PROBE, &probe);
	is(DAD_NONCE, DP_RESOLVE_PROBE, &probe);
	is(TELL("60"), DP_RESOLVE_REPLY, &says);
	is(TELL("40"), DP_RESOLVE_REPLY, &keep);
	is(TELL("20"), DP_RESOLVE_ANNOUNCE, &says);
	is(TELL("80"), DP_RESOLVE_ANNOUNCE, &keep); // of a router
	is(TELL_ALL, DP_RESOLVE_ANNOUNCE, &says);
}

static void test_nd_not_valid(void **state)
{
	// Hop limit, version, next header.
	is_nothing(MAC2 MAC1 "86dd6000000000183afe" A1 A2 SOLICIT A2);
	is_nothing(MAC2 MAC1 "86dd5000000000183aff" A1 A2 SOLICIT A2);
	is_nothing(MAC2 MAC1 "86dd60000000001811ff" A1 A2 SOLICIT A2);
	// Length in the IP header: too short, more than there is.
	is_nothing(MAC2 MAC1 IP6("010") A1 A2 SOLICIT A2);
	is_nothing(MAC2 MAC1 IP6("019") A1 A2 SOLICIT A2);
	// Type and code.
	is_nothing(MAC2 MAC1 IP6("018") A1 A2 "8600000000000000" A2);
	is_nothing(MAC2 MAC1 IP6("018") A1 A2 "8701000000000000" A2);
	// Targets and senders that are no host.
	is_nothing(MAC2 MAC1 IP6("018") A1 A2 SOLICIT ALL_NODES);
	is_nothing(MAC2 MAC1 IP6("018") A1 A2 SOLICIT ANY);
	is_nothing(MAC2 MAC1 IP6("018") ALL_NODES A2 SOLICIT A2);
	// Options: without length, beyond the end, cut; no host's address.
	is_nothing(MAC2 MAC1 IP6("020") A1 A2 SOLICIT A2 "0100" MAC1);
	is_nothing(MAC2 MAC1 IP6("020") A1 A2 SOLICIT A2 "0102" MAC1);
	is_nothing(MAC2 MAC1 IP6("01c") A1 A2 SOLICIT A2 "01010200");
	is_nothing(MAC2 MAC1 IP6("020") A1 A2 SOLICIT A2 "0101" ALL);
	is_nothing(MAC2 MAC1 IP6("020") A1 A2 SOLICIT A2 "0101" NOBODY);
	// Without a source: no address of it, and to the group only.
	is_nothing(MAC_GROUP MAC1 IP6("020") ANY GROUP_OF2 SOLICIT A2 SOURCE1);
	is_nothing(MAC2 MAC1 IP6("018") ANY A2 SOLICIT A2);
	// "As you have asked" to all.
	is_nothing(MAC_NODES MAC2 IP6("020") A2 ALL_NODES SAYS("60") A2 TARGET2);
}

static void test_nd_checksum(void **state)
{
	uint8_t bytes[256];
	unsigned len = frame_of(bytes, ASK_ALL);
	struct dp_resolve r;

	// Each bit that the checksum covers.
	for (unsigned bit = 8 * 22; bit < 8 * len; bit++) {
		struct rte_mbuf *m;

		bytes[bit / 8] ^= 1u << bit % 8;
		m = chain_of(bytes, len, len);
		assert_int_equal(dp_resolve_parse(m, &r), DP_RESOLVE_NONE);
		rte_pktmbuf_free(m);
		bytes[bit / 8] ^= 1u << bit % 8;
	}
}

static void test_nd_answers(void **state)
{
	answered(ASK_ALL, &mac2, TELL("60"));
	answered(ASK_ALL "abcd", &mac2, TELL("60"));
	answered(ASK_TAGGED, &mac2, MAC1 MAC2 TAGGED IP6("020") A2 A1 SAYS("60") A2 TARGET2);
	answered(ASK_ONE, &mac2, TELL("60"));
	answered(
		MAC_GROUP MAC1 IP6("028") A1 GROUP_OF2 SOLICIT A2 NONCE SOURCE1, &mac2, TELL("60"));
	answered(DAD, &mac2, TELL_ALL);
	answered(DAD_NONCE, &mac2, TELL_ALL);
}

static void test_nd_no_room(void **state)
{
	struct rte_mbuf *m = mbuf_of(ASK_ONE);
	uint8_t want[256];
	struct dp_resolve r;

	m->buf_len = m->data_off + m->data_len + 7;
	assert_int_equal(dp_resolve_parse(m, &r), DP_RESOLVE_REQUEST);
	assert_int_equal(dp_resolve_answer(m, &r, &mac2), -ENOBUFS);
	assert_bytes(m, want, frame_of(want, ASK_ONE));
	m->buf_len++;
	assert_int_equal(dp_resolve_answer(m, &r, &mac2), 0);
	assert_bytes(m, want, frame_of(want, TELL("60")));
	m->buf_len = rte_pktmbuf_data_room_size(m->pool);
	rte_pktmbuf_free(m);
}

// ---- both ----

static void test_truncated(void **state)
{
	const char *frames[] = {
		ALL MAC1 ARP ARP_ASKS MAC1 IP1 NOBODY IP2, ASK_ALL, ASK_TAGGED, DAD};

	for (unsigned f = 0; f < RTE_DIM(frames); f++) {
		uint8_t bytes[256];
		unsigned len = frame_of(bytes, frames[f]);
		struct dp_resolve r;

		for (unsigned n = 0; n < len; n++) {
			struct rte_mbuf *m = chain_of(bytes, n, len);

			assert_int_equal(dp_resolve_parse(m, &r), DP_RESOLVE_NONE);
			rte_pktmbuf_free(m);
			m = chain_of(bytes, len, n ? n : 1);
			assert_int_equal(dp_resolve_parse(m, &r), DP_RESOLVE_NONE);
			rte_pktmbuf_free(m);
		}
	}
}

static void asks(const struct ip_addr *own, const struct ip_addr *target, const struct mac *to,
	const char *question)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
	uint8_t want[256];

	assert_int_equal(dp_resolve_ask(m, &mac1, own, target, to), 0);
	assert_bytes(m, want, frame_of(want, question));
	rte_pktmbuf_free(m);
}

static void test_questions(void **state)
{
	struct ip_addr one = host(4, 1), two = host(4, 2), one6 = host(6, 1), two6 = host(6, 2);
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);

	asks(&one, &two, NULL, ALL MAC1 ARP ARP_ASKS MAC1 IP1 NOBODY IP2 PADDING);
	asks(&one, &two, &mac2, MAC2 MAC1 ARP ARP_ASKS MAC1 IP1 NOBODY IP2 PADDING);
	asks(&one6, &two6, NULL, ASK_ALL);
	asks(&one6, &two6, &mac2, MAC2 MAC1 IP6("020") A1 A2 SOLICIT A2 SOURCE1);
	rte_pktmbuf_append(m, rte_pktmbuf_tailroom(m) - 85);
	assert_int_equal(dp_resolve_ask(m, &mac1, &one6, &two6, NULL), -ENOBUFS);
	rte_pktmbuf_free(m);
}

static void test_announcements(void **state)
{
	for (unsigned family = 4; family <= 6; family += 2) {
		struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
		struct ip_addr ip = host(family, 2);
		uint8_t want[256];
		unsigned len = frame_of(want,
			family == 6 ? TELL_ALL : ALL MAC2 ARP ARP_ASKS MAC2 IP2 NOBODY IP2 PADDING);

		assert_int_equal(dp_resolve_announce(m, &mac2, &ip), 0);
		assert_bytes(m, want, len);
		rte_pktmbuf_free(m);
	}
}

// A packet that is not complete is nobody's question.
static void test_offloads(void **state)
{
	struct rte_mbuf *m = mbuf_of(ASK_ALL);
	struct dp_resolve r;

	m->ol_flags |= RTE_MBUF_F_TX_UDP_CKSUM;
	assert_int_equal(dp_resolve_parse(m, &r), DP_RESOLVE_NONE);
	rte_pktmbuf_free(m);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		LEAKTEST(test_arp_kinds),
		LEAKTEST(test_arp_not_valid),
		LEAKTEST(test_arp_answers),
		LEAKTEST(test_nd_kinds),
		LEAKTEST(test_nd_not_valid),
		LEAKTEST(test_nd_checksum),
		LEAKTEST(test_nd_answers),
		LEAKTEST(test_nd_no_room),
		LEAKTEST(test_truncated),
		LEAKTEST(test_questions),
		LEAKTEST(test_announcements),
		LEAKTEST(test_offloads),
	};

	if (packets_init(argc, argv) < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
