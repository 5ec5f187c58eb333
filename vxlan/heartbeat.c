// SPDX-License-Identifier: BSD-3-Clause
#include "vxlan/heartbeat.h"

#include <arpa/inet.h>
#include <endian.h>
#include <string.h>

#include "base/util.h"
#include "vxlan/mix.h"

#define ETHERTYPE      0x88b5 // IEEE 802, local experimental
#define ETHERNET_BYTES 14

// Intervals are of at least 1 ms; some requests may come late and together.
#define ANSWER_US	500
#define ANSWER_BURST_US (32 * ANSWER_US)

enum { REQUEST = 1, REPLY = 2 };

struct payload {
	uint8_t magic[4], version, kind;
	uint16_t zero16;
	uint32_t seq, zero32;
	uint64_t cookie;
};

static const struct mac dst = {{0x01, 0x80, 0xc2, 0x00, 0x00, 0x01}};
static const struct payload begin = {.magic = {'C', 'W', 'h', 'b'}, .version = 1};

_Static_assert(ETHERNET_BYTES + sizeof(struct payload) == HEARTBEAT_FRAME_BYTES, "as it is sent");

void heartbeat_write(uint8_t *frame, const struct mac *src, const struct heartbeat_msg *msg)
{
	const uint16_t type = htons(ETHERTYPE);
	struct payload p = begin;

	p.kind = msg->is_reply ? REPLY : REQUEST;
	p.seq = htonl(msg->seq);
	p.cookie = htobe64(msg->cookie);
	memcpy(frame, &dst, sizeof(dst));
	memcpy(frame + sizeof(*src), src, sizeof(*src));
	memcpy(frame + 2 * sizeof(*src), &type, sizeof(type));
	memcpy(frame + ETHERNET_BYTES, &p, sizeof(p));
}

bool heartbeat_read(const uint8_t *frame, uint32_t len_bytes, struct heartbeat_msg *ret_msg)
{
	const uint16_t type = htons(ETHERTYPE);
	struct payload p;

	if (len_bytes < HEARTBEAT_FRAME_BYTES || memcmp(frame, &dst, sizeof(dst)) != 0 ||
		memcmp(frame + 2 * sizeof(struct mac), &type, sizeof(type)) != 0)
		return false;
	memcpy(&p, frame + ETHERNET_BYTES, sizeof(p));
	if (memcmp(p.magic, begin.magic, sizeof(p.magic)) != 0 || p.version != begin.version ||
		(p.kind != REQUEST && p.kind != REPLY))
		return false;
	*ret_msg = (struct heartbeat_msg){
		.is_reply = p.kind == REPLY,
		.seq = ntohl(p.seq),
		.cookie = be64toh(p.cookie),
	};
	return true;
}

// ---- a remote VTEP ----

static void set_state(struct heartbeat *h, enum heartbeat_state state, uint64_t now_us)
{
	h->state = state;
	h->since_us = now_us;
}

uint64_t heartbeat_cookie(uint64_t secret, uint32_t seq)
{
	return vxlan_mix(secret, seq);
}

bool heartbeat_ask(
	struct heartbeat *h, uint64_t now_us, uint32_t bytes, struct heartbeat_msg *ret_request)
{
	unsigned i = h->sent % HEARTBEAT_WINDOW;
	bool lost = h->state == HEARTBEAT_UP && h->silent >= HEARTBEAT_MISSES;

	if (lost)
		set_state(h, HEARTBEAT_DOWN, now_us);
	*ret_request = (struct heartbeat_msg){
		.seq = h->sent, .cookie = heartbeat_cookie(h->secret, h->sent)};
	h->last[i].sent_us = now_us;
	h->last[i].round_trip_us = 0;
	h->bytes = bytes;
	h->sent++;
	h->unanswered++;
	h->silent++;
	return lost;
}

bool heartbeat_answered(
	struct heartbeat *h, uint64_t now_us, const struct heartbeat_msg *reply, uint32_t bytes)
{
	uint32_t before = (uint32_t)h->sent - 1 - reply->seq; // the newest request
	unsigned i = (h->sent - 1 - before) % HEARTBEAT_WINDOW;

	if (before >= MIN_OF(h->sent, HEARTBEAT_WINDOW) || h->last[i].round_trip_us ||
		bytes < h->bytes || reply->cookie != heartbeat_cookie(h->secret, reply->seq))
		return false;
	h->last[i].round_trip_us = MAX_OF((uint32_t)now_us - h->last[i].sent_us, 1);
	h->received++;
	h->unanswered = 0;
	return true;
}

bool heartbeat_alive(struct heartbeat *h, uint64_t now_us)
{
	bool was_up = h->state == HEARTBEAT_UP;

	h->silent = 0;
	if (!was_up)
		set_state(h, HEARTBEAT_UP, now_us);
	return !was_up;
}

void heartbeat_stats(const struct heartbeat *h, struct heartbeat_stats *ret_stats)
{
	struct heartbeat_stats s = {.min_us = UINT32_MAX};
	uint64_t sum_us = 0;

	for (uint64_t before = 0; before < MIN_OF(h->sent, HEARTBEAT_WINDOW); before++) {
		uint32_t us = h->last[(h->sent - 1 - before) % HEARTBEAT_WINDOW].round_trip_us;

		if (!us) {
			s.lost += before >= HEARTBEAT_MISSES;
			continue;
		}
		s.answered++;
		sum_us += us;
		s.min_us = MIN_OF(s.min_us, us);
		s.max_us = MAX_OF(s.max_us, us);
	}
	if (s.answered)
		s.avg_us = sum_us / s.answered;
	else
		s.min_us = 0;
	*ret_stats = s;
}

bool heartbeat_may_answer(uint64_t *due_us, uint64_t now_us)
{
	if (*due_us > now_us + ANSWER_BURST_US)
		return false;
	*due_us = MAX_OF(*due_us, now_us) + ANSWER_US;
	return true;
}
