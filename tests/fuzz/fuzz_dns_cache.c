// SPDX-License-Identifier: BSD-3-Clause
// Any bytes as the answer of a server above: refused, or kept, and then it is a whole message each
// time it is given out, whatever its age.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "netd/dns/cache.h"
#include "netd/dns/forward_message.h"

#define HEADER_BYTES 12
#define SECOND_US    1000000ull

static void require(bool holds)
{
	if (!holds)
		abort();
}

// The question that the message says it answers.
static bool question_of(
	const uint8_t *data, size_t len_bytes, struct forward_question *ret_question)
{
	size_t at = HEADER_BYTES;

	while (at < len_bytes && data[at] > 0 && data[at] < 64)
		at += 1 + data[at];
	if (at + 5 > len_bytes || data[at] != 0 || at + 1 - HEADER_BYTES > 255)
		return false;
	*ret_question = (struct forward_question){.name = data + HEADER_BYTES,
		.name_bytes = at + 1 - HEADER_BYTES,
		.type = data[at + 1] << 8 | data[at + 2],
		.class = data[at + 3] << 8 | data[at + 4]};
	return true;
}

static void keep(const struct message_reply *reply)
{
	static const uint64_t ages_s[] = {0, 1, 299, 86399, 86400, 90000, 1000000};
	static uint8_t out[CACHE_WIRE_BYTES];
	struct cache *cache = cache_new(10, 64 << 20, 3600);
	const struct cache_answer answer = {.wire = reply->wire,
		.wire_bytes = reply->wire_bytes,
		.ttl_s = reply->ttl_s,
		.ede = &reply->ede};
	struct cache_hit hit;

	cache_put(cache, "k", 1, &answer, SECOND_US);
	for (unsigned i = 0; i < sizeof(ages_s) / sizeof(ages_s[0]); i++) {
		cache_get(cache, "k", 1, SECOND_US + ages_s[i] * SECOND_US, out, &hit);
		require((hit.kind == CACHE_FRESH) == (ages_s[i] < reply->ttl_s));
		if (hit.kind == CACHE_NONE)
			continue;
		require(hit.wire_bytes == reply->wire_bytes);
		require(hit.ede.len_bytes == reply->ede.len_bytes);
		require(cache_age(out, hit.wire_bytes, 0, -1) == 0);
	}
	cache_free(cache);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len_bytes)
{
	struct forward_question question;
	struct message_reply reply;
	uint8_t *copy = malloc(len_bytes + 1);

	memcpy(copy, data, len_bytes);
	cache_age(copy, len_bytes, 1, -1);
	free(copy);
	if (!question_of(data, len_bytes, &question))
		return 0;
	if (message_reply(data, len_bytes, &question, &reply) < 0)
		return 0;
	require(reply.ttl_s <= CACHE_TTL_MAX_S);
	keep(&reply);
	free(reply.wire);
	return 0;
}
