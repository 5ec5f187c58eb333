// SPDX-License-Identifier: BSD-3-Clause
// Runs the groups of the data-plane tests, and then asks whether they have met every reason to
// drop a packet.
#include "tests/dp/harness.h"

// These are counted by the receive and transmit functions of ports/ and vxlan/ alone.
static bool is_of_ports(enum dp_drop_reason reason)
{
	switch (reason) {
	case DP_DROP_RX_HEADER:
	case DP_DROP_RX_NO_BUFFER:
	case DP_DROP_TUNNEL_OTHER:
	case DP_DROP_TUNNEL_OUTER:
	case DP_DROP_TUNNEL_HEADER:
	case DP_DROP_TUNNEL_VNI:
	case DP_DROP_TUNNEL_SOURCE:
	case DP_DROP_TUNNEL_ECN:
	case DP_DROP_TUNNEL_HEARTBEAT:
	case DP_DROP_TUNNEL_NO_REMOTE:
	case DP_DROP_TUNNEL_DOWN:
	case DP_DROP_TX_DOWN:
	case DP_DROP_TX_ERROR:
		return true;
	default:
		return false;
	}
}

static void test_every_drop_reason_was_met(void **state)
{
	unsigned missing = 0;

	for (unsigned r = 0; r < DP_NB_DROPS; r++) {
		if (reason_was_seen(r) || is_of_ports(r))
			continue;
		print_error("no test has met a drop for %s\n", dp_drop_info[r].name);
		missing++;
	}
	assert_int_equal(missing, 0);
}

int main(void)
{
	const struct CMUnitTest coverage[] = {
		cmocka_unit_test(test_every_drop_reason_was_met),
	};
	int failed = 0;

	if (harness_start() < 0)
		return 1;
#define X(name) failed += group_##name();
	GROUPS(X)
#undef X
	failed += cmocka_run_group_tests_name("coverage", coverage, NULL, NULL);
	return failed != 0;
}
