// SPDX-License-Identifier: BSD-3-Clause
#include "tests/dp/bytes.h"

void put(struct bytes *b, uint64_t value, unsigned len)
{
	while (len--)
		b->at[b->len++] = value >> 8 * len;
}

struct bytes ethernet(uint64_t src, unsigned tag, uint16_t type)
{
	struct bytes b = {0};

	put(&b, HOST(9), 6);
	put(&b, src, 6);
	if (tag)
		put(&b, 0x81000000 | (tag & 0xffff), 4);
	put(&b, type, 2);
	return b;
}

struct bytes ip4_to(
	uint64_t src, unsigned tag, uint32_t from, uint32_t to, uint8_t proto, uint32_t ports)
{
	struct bytes b = ethernet(src, tag, 0x0800);

	put(&b, 0x4500001c00000000, 8);
	put(&b, 0x40000000 | proto << 16, 4);
	put(&b, from, 4);
	put(&b, to, 4);
	put(&b, ports, 4);
	put(&b, 0, 4);
	return b;
}

struct bytes ip6(uint64_t high, uint64_t low, uint8_t proto, unsigned payload_bytes)
{
	struct bytes b = ethernet(HOST(1), 0, 0x86dd);

	put(&b, 0x60000000, 4);
	put(&b, payload_bytes << 16 | proto << 8 | 255, 4);
	put(&b, high, 8);
	put(&b, low, 8);
	put(&b, 0xff02000000000000, 8);
	put(&b, 1, 8);
	return b;
}

// A header of `proto` that holds nothing, before one of `next`.
void put_header(struct bytes *b, uint8_t next)
{
	put(b, (uint64_t)next << 56, 8);
}

#define CHUNK_BYTES 20

void bytes_go(struct bytes b)
{
	for (unsigned chunk = 0; chunk <= CHUNK_BYTES; chunk += CHUNK_BYTES) {
		send_mbuf(A, mbuf_new(b.at, b.len, chunk));
		h_run();
		h_expect_bytes(B, b.at, b.len);
		h_silence();
	}
}

void bytes_dropped(struct bytes b, unsigned port, enum dp_drop_reason reason)
{
	for (unsigned chunk = 0; chunk <= CHUNK_BYTES; chunk += CHUNK_BYTES) {
		send_mbuf(A, mbuf_new(b.at, b.len, chunk));
		h_run();
		h_drops(port, reason, 1);
		h_silence();
	}
}
