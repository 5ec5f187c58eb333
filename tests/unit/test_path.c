// SPDX-License-Identifier: BSD-3-Clause
// What heartbeats find out about a path. The test is the path and the remote, and time is made up.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "vxlan/path.h"

#define LIMIT	    1450
#define INTERVAL_US 100000

static struct heartbeat h;
static struct path path;
static uint64_t now_us;
static uint16_t carries; // sizes that get through
static unsigned loss;	 // percent of all
static unsigned sent;	 // besides heartbeats
static unsigned downs;	 // heartbeats while it was down

static int setup(void **state)
{
	memset(&h, 0, sizeof(h));
	memset(&path, 0, sizeof(path));
	h.secret = 1;
	path.secret = 2;
	carries = UINT16_MAX;
	loss = sent = downs = 0;
	now_us = 1000000;
	srand(1);
	return 0;
}

static bool arrives(uint16_t size)
{
	return size <= carries && rand() % 100 >= loss;
}

static void beat(uint16_t limit)
{
	uint16_t size = path_size(&path, limit);
	struct path_request request[PATH_ASKS];
	struct heartbeat_msg msg;
	unsigned n;

	now_us += INTERVAL_US;
	heartbeat_ask(&h, now_us, size + 14, &msg);
	n = path_step(&path, now_us, limit, &h, request);
	assert_in_range(n, 0, PATH_ASKS);
	downs += h.state == HEARTBEAT_DOWN;
	sent += n;
	if (arrives(size) && heartbeat_answered(&h, now_us, &msg, size + 14))
		heartbeat_alive(&h, now_us);
	for (unsigned i = 0; i < n; i++)
		if (arrives(request[i].size) &&
			path_answered(&path, &request[i].msg, request[i].size))
			heartbeat_alive(&h, now_us);
}

static void beats(unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		beat(LIMIT);
}

static void test_wide(void **state)
{
	beats(5000);
	assert_int_equal(path_size(&path, LIMIT), LIMIT);
	assert_int_equal(sent, 0);
	loss = 20;
	beats(2000);
	assert_int_equal(path_size(&path, LIMIT), LIMIT);
	assert_int_equal(h.state, HEARTBEAT_UP);
}

// To the byte, from the beginning or later, and the remote is up.
static void test_narrow(void **state)
{
	for (unsigned later = 0; later < 2; later++) {
		for (uint16_t size = PATH_SIZE_MIN + 1; size < LIMIT; size += 17) {
			setup(NULL);
			beats(later * 10);
			carries = size;
			beats(80);
			assert_int_equal(path_size(&path, LIMIT), size);
			assert_int_equal(h.state, HEARTBEAT_UP);
			assert_int_equal(h.unanswered, 0);
			assert_int_equal(downs, 0);
		}
	}
}

static void test_narrower_and_wider(void **state)
{
	unsigned steps;

	beats(10);
	carries = 1350;
	beats(60);
	assert_int_equal(path_size(&path, LIMIT), 1350);
	carries = 1280;
	beats(60);
	assert_int_equal(path_size(&path, LIMIT), 1280);
	carries = 1400;
	beats(2 * PATH_REST_MIN + 60);
	assert_int_equal(path_size(&path, LIMIT), 1400);
	carries = UINT16_MAX;
	beats(4 * PATH_REST_MIN + 60);
	assert_int_equal(path_size(&path, LIMIT), LIMIT);
	// One that comes and goes is tried ever less.
	for (unsigned i = 0; i < 10; i++) {
		carries = 1300;
		beats(60);
		assert_int_equal(path_size(&path, LIMIT), 1300);
		carries = UINT16_MAX;
		for (steps = 0; path_size(&path, LIMIT) < LIMIT; steps++)
			beat(LIMIT);
	}
	assert_in_range(steps, PATH_REST_MAX - 60, PATH_REST_MAX + 60);
	beats(PATH_REST_MAX + 10);
	carries = 1300;
	beats(60);
	carries = UINT16_MAX;
	beats(PATH_REST_MIN + 60);
	assert_int_equal(path_size(&path, LIMIT), LIMIT);
}

// Who is gone is gone, and says nothing of sizes.
static void test_down(void **state)
{
	beats(10);
	carries = 0;
	beats(4);
	assert_int_equal(h.state, HEARTBEAT_DOWN);
	beats(500);
	carries = UINT16_MAX;
	beats(2);
	assert_int_equal(h.state, HEARTBEAT_UP);
	assert_int_equal(path_size(&path, LIMIT), LIMIT);
	// While one looks for the size.
	carries = 1350;
	beats(5);
	assert_int_not_equal(path.high, 0);
	carries = 0;
	beats(100);
	assert_int_equal(h.state, HEARTBEAT_DOWN);
	assert_int_equal(path_size(&path, LIMIT), LIMIT);
	carries = 1350;
	beats(60);
	assert_int_equal(path_size(&path, LIMIT), 1350);
}

// Few of them are asked for their life: they may be VTEPs of another make.
static void test_never_answered(void **state)
{
	carries = 0;
	beats(800);
	assert_in_range(sent, 90, 100);
	assert_int_equal(h.state, HEARTBEAT_UNKNOWN);
	assert_int_equal(path_size(&path, LIMIT), LIMIT);
}

static void test_other_limit(void **state)
{
	carries = 1350;
	beats(80);
	assert_int_equal(path_size(&path, LIMIT), 1350);
	for (unsigned i = 0; i < 10; i++)
		beat(1300);
	assert_int_equal(path_size(&path, 1300), 1300);
	carries = 8950;
	for (unsigned i = 0; i < 200; i++)
		beat(8950);
	assert_int_equal(path_size(&path, 8950), 8950);
}

// Replies that nobody was asked for: a guessed cookie, too small, an old one, one twice.
static void test_forged(void **state)
{
	struct path_request request[PATH_ASKS];
	struct heartbeat_msg msg, forged;

	beats(10);
	carries = 0;
	for (unsigned i = 0; i < 2; i++) {
		now_us += INTERVAL_US;
		heartbeat_ask(&h, now_us, LIMIT + 14, &msg);
	}
	assert_int_equal(path_step(&path, now_us, LIMIT, &h, request), 1);
	forged = request[0].msg;
	forged.cookie++;
	assert_false(path_answered(&path, &forged, PATH_SIZE_MIN));
	forged = request[0].msg;
	forged.seq++;
	assert_false(path_answered(&path, &forged, PATH_SIZE_MIN));
	assert_false(path_answered(&path, &request[0].msg, PATH_SIZE_MIN - 1));
	assert_int_equal(path.alive, 0);
	assert_true(path_answered(&path, &request[0].msg, PATH_SIZE_MIN));
	assert_false(path_answered(&path, &request[0].msg, PATH_SIZE_MIN));
	assert_int_equal(path.alive, 1);
	assert_false(heartbeat_answered(&h, now_us, &request[0].msg, LIMIT + 14));
	assert_false(path_answered(&path, &msg, LIMIT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_wide, setup),
		cmocka_unit_test_setup(test_narrow, setup),
		cmocka_unit_test_setup(test_narrower_and_wider, setup),
		cmocka_unit_test_setup(test_down, setup),
		cmocka_unit_test_setup(test_never_answered, setup),
		cmocka_unit_test_setup(test_other_limit, setup),
		cmocka_unit_test_setup(test_forged, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
