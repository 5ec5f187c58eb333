// SPDX-License-Identifier: BSD-3-Clause
// The VXLAN header and the source port of a flow.
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/util.h"
#include "vxlan/codec.h"

#define ROUNDS	    100000
#define FRAME_BYTES 128

// ---- header ----

static void test_header_bytes(void **state)
{
	static const uint8_t want[] = {0x08, 0, 0, 0, 0x12, 0x34, 0x56, 0};
	uint8_t hdr[VXLAN_HDR_BYTES];

	memset(hdr, 0xff, sizeof(hdr));
	vxlan_write(hdr, 0x123456);
	assert_memory_equal(hdr, want, sizeof(want));
}

static void test_header_round_trip(void **state)
{
	uint8_t datagram[VXLAN_HDR_BYTES + VXLAN_FRAME_MIN] = {0};

	for (uint32_t vni = 0; vni <= VNI_MAX; vni += vni < 512 ? 1 : 509) {
		uint32_t got = UINT32_MAX;

		vxlan_write(datagram, vni);
		assert_true(vxlan_read(datagram, sizeof(datagram), &got));
		assert_int_equal(got, vni);
	}
}

// RFC 7348, section 5: reserved bits are ignored on receipt, the I flag must be set.
static void test_header_reserved_bits(void **state)
{
	uint8_t datagram[VXLAN_HDR_BYTES + VXLAN_FRAME_MIN] = {0};
	uint32_t vni = 77;

	for (unsigned i = 0; i < ROUNDS; i++) {
		for (unsigned k = 0; k < sizeof(datagram); k++)
			datagram[k] = rand();
		vni = 77;
		if (!(datagram[0] & VXLAN_FLAG_VNI)) {
			assert_false(vxlan_read(datagram, sizeof(datagram), &vni));
			assert_int_equal(vni, 77);
			continue;
		}
		assert_true(vxlan_read(datagram, sizeof(datagram), &vni));
		assert_int_equal(vni, datagram[4] << 16 | datagram[5] << 8 | datagram[6]);
	}
}

static void test_header_short(void **state)
{
	uint32_t vni;

	for (unsigned len = 0; len < VXLAN_HDR_BYTES + VXLAN_FRAME_MIN; len++) {
		// In memory of its own, so that a sanitizer sees what is read beyond it.
		uint8_t *datagram = calloc(1, len ? len : 1);

		if (len)
			datagram[0] = VXLAN_FLAG_VNI;
		assert_false(vxlan_read(datagram, len, &vni));
		free(datagram);
	}
}

// ---- source port ----

// An IPv4 or IPv6 packet of `proto` with ports; the rest is random. Returns the offset of its
// IP header.
static unsigned make_frame(uint8_t *frame, unsigned tags, bool v6, uint8_t proto)
{
	unsigned l3 = 14 + 4 * tags;

	for (unsigned i = 0; i < FRAME_BYTES; i++)
		frame[i] = rand();
	for (unsigned i = 0; i < tags; i++)
		memcpy(frame + 12 + 4 * i, i ? "\x81\x00" : "\x88\xa8", 2);
	memcpy(frame + l3 - 2, v6 ? "\x86\xdd" : "\x08\x00", 2);
	frame[l3] = v6 ? 0x60 : 0x45;
	if (!v6)
		memset(frame + l3 + 6, 0, 2);
	frame[l3 + (v6 ? 6 : 9)] = proto;
	return l3;
}

static bool is_of_flow(unsigned at, unsigned l3, bool v6, bool has_ports)
{
	unsigned addr = l3 + (v6 ? 8 : 12), l4 = l3 + (v6 ? 40 : 20);

	return (at >= addr && at < l4) || (has_ports && at >= l4 && at < l4 + 4) ||
	       at == l3 + (v6 ? 6 : 9);
}

// Every byte that makes the flow changes the hash; no other does.
static void test_flow(void **state)
{
	static const uint8_t protos[] = {6, 17, 132, 1};
	uint8_t frame[FRAME_BYTES];

	for (unsigned n = 0; n < ARRAY_SIZE(protos) * 2 * 3; n++) {
		bool v6 = n & 1, has_ports = protos[n / 6] != 1;
		unsigned tags = n / 2 % 3, l3 = make_frame(frame, tags, v6, protos[n / 6]);
		uint32_t hash = vxlan_flow_hash(frame, sizeof(frame));

		for (unsigned i = 0; i < sizeof(frame); i++) {
			// What says where things are.
			if ((i >= 12 && i < l3 + 1) || (!v6 && i >= l3 + 6 && i < l3 + 8) ||
				i == l3 + (v6 ? 6 : 9))
				continue;
			frame[i] ^= 0x10;
			if (is_of_flow(i, l3, v6, has_ports) !=
				(vxlan_flow_hash(frame, sizeof(frame)) != hash))
				fail_msg("byte %u, %u tags, IPv%d, protocol %u", i, tags,
					v6 ? 6 : 4, protos[n / 6]);
			frame[i] ^= 0x10;
		}
	}
}

static void test_fragments_go_one_way(void **state)
{
	uint8_t frame[FRAME_BYTES];
	unsigned l3 = make_frame(frame, 0, false, 17);
	uint32_t hash;

	frame[l3 + 6] = 0x20; // more fragments
	hash = vxlan_flow_hash(frame, sizeof(frame));
	frame[l3 + 6] = 0;
	frame[l3 + 7] = 185; // the second
	frame[l3 + 20] ^= 1;
	assert_int_equal(vxlan_flow_hash(frame, sizeof(frame)), hash);
}

static void test_other_frames(void **state)
{
	uint8_t frame[FRAME_BYTES] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x06};
	uint32_t hash = vxlan_flow_hash(frame, sizeof(frame));

	frame[20] = 1; // inside ARP
	assert_int_equal(vxlan_flow_hash(frame, sizeof(frame)), hash);
	frame[5] = 7;
	assert_int_not_equal(vxlan_flow_hash(frame, sizeof(frame)), hash);
}

// A frame that ends anywhere: nothing behind its end is read.
static void test_cut_frames(void **state)
{
	uint8_t frame[FRAME_BYTES];

	for (unsigned i = 0; i < 6; i++) {
		make_frame(frame, i / 2, i & 1, 6);
		for (unsigned len = 0; len <= sizeof(frame); len++) {
			uint8_t *cut = malloc(len ? len : 1);

			memcpy(cut, frame, len);
			vxlan_flow_hash(cut, len);
			free(cut);
		}
	}
}

// Ports are in the dynamic range, and flows spread over them: 64 flows for each of 256 slices.
static void test_ports_spread(void **state)
{
	unsigned slice[256] = {0}, eighth[8] = {0};
	uint8_t frame[FRAME_BYTES];
	unsigned l3 = make_frame(frame, 0, false, 6);

	for (unsigned flow = 0; flow < VXLAN_NB_SRC_PORTS; flow++) {
		uint16_t port;

		// As a client counts its ports up.
		frame[l3 + 20] = flow >> 8;
		frame[l3 + 21] = flow;
		port = vxlan_src_port(vxlan_flow_hash(frame, sizeof(frame)));
		assert_in_range(port, 49152, 65535);
		slice[(port - 49152) / 64]++;
		eighth[port % 8]++;
	}
	for (unsigned i = 0; i < ARRAY_SIZE(slice); i++)
		assert_in_range(slice[i], 16, 144);
	for (unsigned i = 0; i < ARRAY_SIZE(eighth); i++)
		assert_in_range(eighth[i], 1800, 2300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_header_bytes),
		cmocka_unit_test(test_header_round_trip),
		cmocka_unit_test(test_header_reserved_bits),
		cmocka_unit_test(test_header_short),
		cmocka_unit_test(test_flow),
		cmocka_unit_test(test_fragments_go_one_way),
		cmocka_unit_test(test_other_frames),
		cmocka_unit_test(test_cut_frames),
		cmocka_unit_test(test_ports_spread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
