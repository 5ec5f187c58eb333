// SPDX-License-Identifier: BSD-3-Clause
// What the reconciler knows of other hosts by the switch's heartbeats: three answers.
#include <string.h>

#include "tests/unit/reconcile_bed.h"

static void expect_peer(
	struct bed *bed, const struct ip_addr *ip, enum reconcile_answer answer, const char *why)
{
	struct reconcile_peer peer;

	reconcile_peer(bed->rec, ip, &peer);
	if (peer.answer != answer || (why && !strstr(peer.why, why)))
		fail_msg("answer %d, not %d: %s", peer.answer, answer, peer.why ? peer.why : "");
}

static void test_peers(void **state)
{
	struct bed *bed = *state;
	struct ip_addr a = record_ip("10.1.0.2"), b = record_ip("10.1.0.3"),
		       c = record_ip("10.9.0.9");

	expect_peer(bed, &a, RECONCILE_PEER_UNKNOWN, "the switch of this host does not answer");
	bed_usual(bed);
	fake_switch_remote(bed->sw, &b, false);
	bed_run(bed, 11 * SECOND);
	expect_peer(bed, &a, RECONCILE_PEER_ANSWERS, NULL);
	expect_peer(bed, &b, RECONCILE_PEER_SILENT, NULL);
	expect_peer(bed, &c, RECONCILE_PEER_UNKNOWN, "no network has containers on both hosts");
	fake_switch_calls(bed->sw, NULL);
	for (unsigned i = 0; i < 10; i++) {
		expect_peer(bed, &a, RECONCILE_PEER_ANSWERS, NULL);
		bed_run(bed, SECOND);
	}
	assert_in_range(fake_switch_calls(bed->sw, "tunnel.status"), 9, 11);
	bed_run(bed, 30 * SECOND); // nobody asks
	assert_in_range(fake_switch_calls(bed->sw, "tunnel.status"), 2, 7);
}

static struct reconcile_peer peer_of(struct bed *bed, const struct ip_addr *ip)
{
	struct reconcile_peer peer;

	reconcile_peer(bed->rec, ip, &peer);
	return peer;
}

// What is not known is not silence.
static void test_silent_peers(void **state)
{
	struct ip_addr a = record_ip("10.1.0.2"), b = record_ip("10.1.0.3");
	struct bed *bed = *state;
	uint64_t silent_us;

	fake_switch_remote(bed->sw, &b, false); // before there was a tunnel to it
	bed_usual(bed);
	bed_run(bed, 11 * SECOND);
	expect_peer(bed, &a, RECONCILE_PEER_ANSWERS, NULL);
	expect_peer(bed, &b, RECONCILE_PEER_UNKNOWN, "never answered");
	assert_true(peer_of(bed, &b).never);
	fake_switch_remote(bed->sw, &a, false);
	bed_run(bed, 11 * SECOND);
	silent_us = peer_of(bed, &a).silent_us;
	expect_peer(bed, &a, RECONCILE_PEER_SILENT, NULL);
	bed_run(bed, 5 * SECOND);
	assert_int_equal(peer_of(bed, &a).silent_us, silent_us);
	// A switch that does not answer knows nothing; one that was started has to hear itself, but
	// it is remembered who has ever answered.
	fake_switch_crash(bed->sw, bed->now_us);
	bed_run(bed, SECOND);
	expect_peer(bed, &a, RECONCILE_PEER_UNKNOWN, "the switch of this host does not answer");
	bed_run(bed, 60 * SECOND);
	fake_switch_start(bed->sw, bed->now_us);
	bed_run(bed, 11 * SECOND);
	expect_peer(bed, &a, RECONCILE_PEER_SILENT, NULL);
	assert_true(peer_of(bed, &a).silent_us > silent_us + 60 * SECOND);
	expect_peer(bed, &b, RECONCILE_PEER_UNKNOWN, "never answered");
	// Nor was it listened to while the switch was away for a moment.
	silent_us = peer_of(bed, &a).silent_us;
	fake_switch_crash(bed->sw, bed->now_us);
	bed_run(bed, 5 * SECOND);
	fake_switch_start(bed->sw, bed->now_us);
	expect_peer(bed, &a, RECONCILE_PEER_UNKNOWN, NULL);
	bed_run(bed, 11 * SECOND);
	expect_peer(bed, &a, RECONCILE_PEER_SILENT, NULL);
	assert_true(peer_of(bed, &a).silent_us > silent_us + 5 * SECOND);
	fake_switch_hang(bed->sw, true);
	bed_run(bed, 40 * SECOND);
	expect_peer(bed, &a, RECONCILE_PEER_UNKNOWN, "has not told yet");
	fake_switch_hang(bed->sw, false);
	fake_switch_remote(bed->sw, &a, true);
	bed_run(bed, 2 * SECOND);
	expect_peer(bed, &a, RECONCILE_PEER_ANSWERS, NULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, bed_set_up, bed_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_peers),
		TEST(test_silent_peers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
