// SPDX-License-Identifier: BSD-3-Clause
#include "dp/checksum.h"

#include <errno.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_common.h>

#include "dp/offload.h"

// Adds with end-around carry.
static inline uint64_t add_carry(uint64_t sum, uint64_t word)
{
	sum += word;
	return sum + (sum < word);
}

static inline uint64_t load_word(const uint8_t *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return word;
}

uint16_t dp_sum(const void *data, uint32_t len_bytes)
{
	// Four sums, so that no addition waits for the carry of the one before.
	uint64_t sum[4] = {0}, word = 0;
	const uint8_t *p = data;

	for (; len_bytes >= 32; p += 32, len_bytes -= 32) {
		sum[0] = add_carry(sum[0], load_word(p));
		sum[1] = add_carry(sum[1], load_word(p + 8));
		sum[2] = add_carry(sum[2], load_word(p + 16));
		sum[3] = add_carry(sum[3], load_word(p + 24));
	}
	for (; len_bytes >= 8; p += 8, len_bytes -= 8)
		sum[0] = add_carry(sum[0], load_word(p));
	memcpy(&word, p, len_bytes);
	sum[0] = add_carry(sum[0], word);

	sum[0] = add_carry(sum[0], sum[1]);
	sum[2] = add_carry(sum[2], sum[3]);
	return dp_sum_fold(add_carry(sum[0], sum[2]));
}

uint16_t dp_sum_mbuf(const struct rte_mbuf *m, uint32_t off_bytes, uint32_t len_bytes)
{
	uint32_t done_bytes = 0;
	uint64_t sum = 0;

	for (; m && done_bytes < len_bytes; m = m->next) {
		uint32_t n;
		uint16_t part;

		if (off_bytes >= m->data_len) {
			off_bytes -= m->data_len;
			continue;
		}
		n = RTE_MIN(m->data_len - off_bytes, len_bytes - done_bytes);
		part = dp_sum(rte_pktmbuf_mtod_offset(m, const void *, off_bytes), n);
		// In a piece that begins at an odd byte the bytes of each word are swapped.
		sum += done_bytes & 1 ? rte_bswap16(part) : part;
		done_bytes += n;
		off_bytes = 0;
	}
	return dp_sum_fold(sum);
}

static uint8_t *byte_at(struct rte_mbuf *m, uint32_t off_bytes)
{
	for (; off_bytes >= m->data_len; m = m->next)
		off_bytes -= m->data_len;
	return rte_pktmbuf_mtod_offset(m, uint8_t *, off_bytes);
}

int dp_checksum_fill(struct rte_mbuf *m, uint32_t start_bytes, uint32_t offset_bytes)
{
	uint64_t field = (uint64_t)start_bytes + offset_bytes;
	uint8_t bytes[2];
	uint16_t sum;

	if (field + sizeof(bytes) > m->pkt_len)
		return -EINVAL;
	sum = (uint16_t)~dp_sum_mbuf(m, start_bytes, m->pkt_len - start_bytes);
	// Zero means "no checksum" to UDP, and the two zeros are the same number to all others.
	if (!sum)
		sum = 0xffff;
	memcpy(bytes, &sum, sizeof(bytes));
	*byte_at(m, (uint32_t)field) = bytes[0];
	*byte_at(m, (uint32_t)field + 1) = bytes[1];
	return 0;
}
