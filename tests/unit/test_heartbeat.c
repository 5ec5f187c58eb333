// SPDX-License-Identifier: BSD-3-Clause
// Heartbeats: what is on the wire, and what is known of a remote by them. The clock is made up.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "vxlan/heartbeat.h"

#define INTERVAL_US 100000
#define WAY_US	    300
#define BYTES	    1464

static struct heartbeat h;
static struct heartbeat_msg asked;
static uint64_t now_us;

static int setup(void **state)
{
	memset(&h, 0, sizeof(h));
	now_us = 1000000;
	return 0;
}

// The next request; whether the state changed.
static bool ask(void)
{
	now_us += INTERVAL_US;
	return heartbeat_ask(&h, now_us, BYTES, &asked);
}

// The answer to the request that was sent `ago` before the last one.
static struct heartbeat_msg answer_to(unsigned ago)
{
	return (struct heartbeat_msg){.is_reply = true,
		.seq = asked.seq - ago,
		.cookie = heartbeat_cookie(h.secret, asked.seq - ago)};
}

static bool replied(const struct heartbeat_msg *reply, uint64_t after_us, uint32_t bytes)
{
	return heartbeat_answered(&h, now_us + after_us, reply, bytes) &&
	       heartbeat_alive(&h, now_us + after_us);
}

// Whether the state changed.
static bool answer(unsigned ago, uint64_t after_us)
{
	struct heartbeat_msg reply = answer_to(ago);

	return replied(&reply, after_us, BYTES);
}

static struct heartbeat_stats stats(void)
{
	struct heartbeat_stats s;

	heartbeat_stats(&h, &s);
	return s;
}

static void expect(uint32_t answered, uint32_t lost)
{
	struct heartbeat_stats s = stats();

	assert_int_equal(s.answered, answered);
	assert_int_equal(s.lost, lost);
}

// ---- the state ----

static void test_never_answered(void **state)
{
	for (unsigned i = 0; i < 500; i++)
		assert_false(ask());
	assert_int_equal(h.state, HEARTBEAT_UNKNOWN);
	assert_int_equal(h.since_us, 0);
	assert_int_equal(h.sent, 500);
	expect(0, HEARTBEAT_WINDOW - HEARTBEAT_MISSES);
	assert_int_equal(stats().min_us, 0);
}

static void test_up_down_up(void **state)
{
	ask();
	assert_true(answer(0, WAY_US));
	assert_int_equal(h.state, HEARTBEAT_UP);
	assert_int_equal(h.since_us, now_us + WAY_US);
	// Two in a row may be lost.
	for (unsigned i = 0; i < 10; i++) {
		assert_false(ask());
		assert_false(ask());
		assert_false(ask());
		assert_false(answer(0, WAY_US));
	}
	for (unsigned i = 0; i < HEARTBEAT_MISSES; i++)
		assert_false(ask());
	assert_int_equal(h.state, HEARTBEAT_UP);
	assert_true(ask());
	assert_int_equal(h.state, HEARTBEAT_DOWN);
	assert_int_equal(h.since_us, now_us);
	for (unsigned i = 0; i < 10; i++)
		assert_false(ask());
	assert_true(answer(0, WAY_US));
	assert_int_equal(h.state, HEARTBEAT_UP);
	assert_int_equal(h.since_us, now_us + WAY_US);
	assert_int_equal(h.received, 12);
}

// Small ones are answered: it is there. It is down when these are lost, too.
static void test_alive(void **state)
{
	ask();
	assert_true(answer(0, WAY_US));
	for (unsigned i = 0; i < 10; i++) {
		assert_false(ask());
		assert_false(heartbeat_alive(&h, now_us));
	}
	assert_int_equal(h.unanswered, 10);
	assert_false(ask());
	assert_false(ask());
	assert_false(ask());
	assert_true(ask());
	assert_int_equal(h.state, HEARTBEAT_DOWN);
	assert_true(heartbeat_alive(&h, now_us));
	assert_int_equal(h.state, HEARTBEAT_UP);
	assert_int_equal(h.received, 1);
}

static void test_late_answers(void **state)
{
	// Later than the interval, all of them: it is up all the same.
	for (unsigned i = 0; i < 30; i++)
		ask();
	assert_true(answer(10, WAY_US));
	for (unsigned i = 0; i < 200; i++) {
		assert_false(ask());
		assert_false(answer(10, WAY_US));
	}
	assert_int_equal(stats().max_us, 10 * INTERVAL_US + WAY_US);
	assert_int_equal(stats().min_us, 10 * INTERVAL_US + WAY_US);
	// The newest that is remembered was sent HEARTBEAT_WINDOW - 1 before.
	for (unsigned i = 0; i < 300; i++)
		ask();
	assert_int_equal(h.state, HEARTBEAT_DOWN);
	assert_false(answer(HEARTBEAT_WINDOW, 0));
	assert_int_equal(h.state, HEARTBEAT_DOWN);
	assert_true(answer(HEARTBEAT_WINDOW - 1, 0));
}

static void test_answers_that_are_none(void **state)
{
	struct heartbeat_msg reply = {.is_reply = true};

	assert_false(replied(&reply, 0, BYTES));
	ask();
	reply = answer_to(0);
	reply.seq++;
	assert_false(replied(&reply, 0, BYTES));
	reply = answer_to(0);
	reply.seq--;
	assert_false(replied(&reply, 0, BYTES));
	reply = answer_to(0);
	reply.cookie++; // somebody guesses
	assert_false(replied(&reply, 0, BYTES));
	reply = answer_to(0);
	assert_false(replied(&reply, 0, BYTES - 1)); // the path takes no more
	assert_int_equal(h.state, HEARTBEAT_UNKNOWN);
	assert_int_equal(h.received, 0);
	assert_true(answer(0, WAY_US));
	assert_false(answer(0, WAY_US)); // the second one
	assert_int_equal(h.received, 1);

	// Repeating an answer does not keep a remote up.
	for (unsigned i = 1; i <= HEARTBEAT_MISSES; i++) {
		ask();
		answer(i, 0);
	}
	assert_true(ask());
	assert_int_equal(h.state, HEARTBEAT_DOWN);
	assert_false(answer(HEARTBEAT_MISSES + 1, 0));
	assert_int_equal(h.received, 1);
}

// ---- the numbers ----

static void test_loss(void **state)
{
	for (unsigned i = 0; i < 1000; i++) {
		ask();
		if (i % 4)
			answer(0, WAY_US);
		// The newest may be on their way.
		if (i >= HEARTBEAT_WINDOW + 4)
			assert_in_range(stats().lost, 24, 25);
	}
	assert_int_equal(stats().answered, 75);
	answer(3, 0); // late, but not lost
	assert_int_equal(stats().answered, 76);
	for (unsigned i = 0; i < HEARTBEAT_WINDOW; i++) {
		ask();
		answer(0, WAY_US);
	}
	expect(HEARTBEAT_WINDOW, 0);
}

static void test_round_trip(void **state)
{
	for (unsigned us = 1; us <= 2 * HEARTBEAT_WINDOW; us++) {
		ask();
		answer(0, us);
	}
	assert_int_equal(stats().min_us, HEARTBEAT_WINDOW + 1);
	assert_int_equal(stats().max_us, 2 * HEARTBEAT_WINDOW);
	assert_int_equal(stats().avg_us, HEARTBEAT_WINDOW + HEARTBEAT_WINDOW / 2);
	ask();
	answer(0, 0); // faster than the clock
	assert_int_equal(stats().min_us, 1);
}

// Sequence numbers and 32-bit times begin again at 0.
static void test_wrapping(void **state)
{
	h.sent = UINT32_MAX - 150ull;
	now_us = (1ull << 32) - 150 * INTERVAL_US;
	for (unsigned i = 0; i < 300; i++) {
		ask();
		answer(0, WAY_US);
		assert_int_equal(h.state, HEARTBEAT_UP);
		assert_int_equal(stats().max_us, WAY_US);
	}
	assert_int_equal(h.received, 300);
	expect(HEARTBEAT_WINDOW, 0);
}

static void test_answers_are_limited(void **state)
{
	uint64_t due_us = 0;
	unsigned answered = 0;

	for (now_us = 5000000; now_us < 6000000; now_us += 1000) // as fast as they may come
		assert_true(heartbeat_may_answer(&due_us, now_us));
	for (unsigned i = 0; i < 20; i++) // late, all at once
		assert_true(heartbeat_may_answer(&due_us, now_us));
	for (; now_us < 8000000; now_us += 10)
		answered += heartbeat_may_answer(&due_us, now_us);
	assert_in_range(answered, 3900, 4100); // of 200,000 in two seconds
	now_us += 1000000;
	assert_true(heartbeat_may_answer(&due_us, now_us));
}

// ---- the wire ----

static void test_wire(void **state)
{
	static const uint8_t want[HEARTBEAT_FRAME_BYTES] = {1, 0x80, 0xc2, 0, 0, 1, 2, 3, 4, 5, 6,
		7, 0x88, 0xb5, 'C', 'W', 'h', 'b', 1, 2, 0, 0, 0xa, 0xb, 0xc, 0xd, 0, 0, 0, 0, 1, 2,
		3, 4, 5, 6, 7, 8};
	const struct heartbeat_msg msg = {
		.is_reply = true, .seq = 0x0a0b0c0d, .cookie = 0x0102030405060708};
	const struct mac mac = {{2, 3, 4, 5, 6, 7}};
	uint8_t frame[HEARTBEAT_FRAME_BYTES];
	struct heartbeat_msg got;

	heartbeat_write(frame, &mac, &msg);
	assert_memory_equal(frame, want, sizeof(want));
	assert_true(heartbeat_read(frame, sizeof(frame), &got));
	assert_true(got.is_reply && got.seq == msg.seq && got.cookie == msg.cookie);
	frame[19] = 1;
	assert_true(heartbeat_read(frame, 1500, &got));
	assert_false(got.is_reply);
}

static void test_refused(void **state)
{
	const struct heartbeat_msg msg = {.seq = 1};
	const struct mac mac = {{2}};
	uint8_t frame[HEARTBEAT_FRAME_BYTES];
	struct heartbeat_msg got = {.seq = 77};

	heartbeat_write(frame, &mac, &msg);
	for (unsigned len = 0; len < sizeof(frame); len++) {
		uint8_t *cut = malloc(len ? len : 1); // so that a sanitizer sees its end

		memcpy(cut, frame, len);
		assert_false(heartbeat_read(cut, len, &got));
		free(cut);
	}
	// Destination, type, magic, version and kind.
	for (unsigned bit = 0; bit < 20 * 8; bit++) {
		if (bit == 6 * 8)
			bit = 12 * 8; // the source may be any
		frame[bit / 8] ^= 1 << bit % 8;
		assert_false(heartbeat_read(frame, sizeof(frame), &got));
		frame[bit / 8] ^= 1 << bit % 8;
	}
	assert_int_equal(got.seq, 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_never_answered, setup),
		cmocka_unit_test_setup(test_up_down_up, setup),
		cmocka_unit_test_setup(test_alive, setup),
		cmocka_unit_test_setup(test_late_answers, setup),
		cmocka_unit_test_setup(test_answers_that_are_none, setup),
		cmocka_unit_test_setup(test_loss, setup),
		cmocka_unit_test_setup(test_round_trip, setup),
		cmocka_unit_test_setup(test_wrapping, setup),
		cmocka_unit_test_setup(test_answers_are_limited, setup),
		cmocka_unit_test(test_wire),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
