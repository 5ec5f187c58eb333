// SPDX-License-Identifier: BSD-3-Clause
// VLAN tags into and out of frames that are in the first-level cache, as those of a batch are at
// egress.
#include "benchmarks/micro/micro.h"
#include "dp/pipeline.h"

#define NB_FRAMES   DP_BURST
#define TAGS	    16 // that each frame gets in a repetition, one after the other
#define RUN_FRAMES  (TAGS * NB_FRAMES)
#define FRAME_BYTES 64
#define VLAN	    10

static struct {
	struct rte_mbuf *frame[NB_FRAMES];
	uint64_t failed;
} s;

static void setup(uint64_t size)
{
	uint64_t state = 2;

	s.failed = 0;
	for (unsigned i = 0; i < NB_FRAMES; i++)
		s.frame[i] = micro_frame(micro_mac(&state), micro_mac(&state), 0, FRAME_BYTES);
}

static void teardown(void)
{
	micro_check(s.failed == 0, "there is room for the tags");
	for (unsigned i = 0; i < NB_FRAMES; i++)
		micro_check(s.frame[i]->pkt_len == FRAME_BYTES ||
				    s.frame[i]->pkt_len == FRAME_BYTES + TAGS * DP_VLAN_TAG_BYTES,
			"a frame has all tags or none");
	rte_pktmbuf_free_bulk(s.frame, NB_FRAMES);
}

static uint64_t push_run(void)
{
	for (unsigned t = 0; t < TAGS; t++) {
		for (unsigned i = 0; i < NB_FRAMES; i++)
			s.failed += dp_vlan_push(s.frame[i], VLAN) < 0;
	}
	return RUN_FRAMES;
}

static uint64_t pop_run(void)
{
	for (unsigned t = 0; t < TAGS; t++) {
		for (unsigned i = 0; i < NB_FRAMES; i++)
			dp_vlan_pop(s.frame[i]);
	}
	return RUN_FRAMES;
}

static void push_prepare(void)
{
	if (s.frame[0]->pkt_len > FRAME_BYTES)
		pop_run();
}

static void pop_prepare(void)
{
	push_run();
}

const struct micro_ops micro_vlan_push = {setup, push_prepare, push_run, teardown};
const struct micro_ops micro_vlan_pop = {setup, pop_prepare, pop_run, teardown};
