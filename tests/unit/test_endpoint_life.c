// SPDX-License-Identifier: BSD-3-Clause
// The table of an endpoint's life: each pair of a state and an event is a row, or is known to be
// impossible; and what must be true of the table as a whole.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "netd/agent/agent_endpoint_life.h"

static const char *const state_names[NB_ENDPOINT_STATES] = {
	[ENDPOINT_STARTING] = "STARTING",
	[ENDPOINT_CREATING] = "CREATING",
	[ENDPOINT_CREATED] = "CREATED",
	[ENDPOINT_TAKEN] = "TAKEN",
	[ENDPOINT_UNADDRESSED] = "UNADDRESSED",
	[ENDPOINT_CONNECTING] = "CONNECTING",
	[ENDPOINT_CONFIRMING] = "CONFIRMING",
	[ENDPOINT_JOINING] = "JOINING",
	[ENDPOINT_UP] = "UP",
	[ENDPOINT_NO_PORT] = "NO_PORT",
	[ENDPOINT_UNCONFIGURED] = "UNCONFIGURED",
	[ENDPOINT_LOSING] = "LOSING",
	[ENDPOINT_CONFLICT] = "CONFLICT",
	[ENDPOINT_MOVING] = "MOVING",
	[ENDPOINT_MOVED] = "MOVED",
	[ENDPOINT_LEAVING] = "LEAVING",
	[ENDPOINT_STOPPING] = "STOPPING",
	[ENDPOINT_STOPPED] = "STOPPED",
};

// One letter for each event, in their order; '.': impossible. S stored, J join, C configured,
// P port failed, F configuring failed, G port gone, A lost (asked for), L lost (chosen), R
// regained, N new address, E leave, X stop.
static const char letters[NB_ENDPOINT_EVENTS + 1] = "SJCPFGALRNEX";

static const struct {
	enum local_endpoint_state state;
	const char *events;
} possible[] = {
	{ENDPOINT_CREATING, "S.....AL...X"},
	{ENDPOINT_CREATED, ".J....AL...X"},
	{ENDPOINT_TAKEN, "........R..X"},
	{ENDPOINT_UNADDRESSED, ".........N.X"},
	{ENDPOINT_CONNECTING, "..CPF.AL...X"},
	{ENDPOINT_CONFIRMING, "S.CPF.AL...X"},
	{ENDPOINT_JOINING, "..CPF.AL..EX"},
	{ENDPOINT_STARTING, "..CPF.AL..EX"},
	{ENDPOINT_UP, "..CPF.AL..EX"},
	{ENDPOINT_NO_PORT, "..CPF.AL..EX"},
	{ENDPOINT_UNCONFIGURED, "..CPF.AL..EX"},
	{ENDPOINT_LOSING, ".....G....EX"},
	{ENDPOINT_CONFLICT, "........R.EX"},
	{ENDPOINT_MOVING, ".....G....EX"},
	{ENDPOINT_MOVED, ".........NEX"},
	{ENDPOINT_LEAVING, ".....G.....X"},
	{ENDPOINT_STOPPING, ".....G.....X"},
	{ENDPOINT_STOPPED, "...........X"},
};

static struct local_endpoint in(enum local_endpoint_state state)
{
	return (struct local_endpoint){.state = state};
}

static void test_each_pair(void **state)
{
	bool seen[NB_ENDPOINT_STATES] = {false};

	for (unsigned i = 0; i < sizeof(possible) / sizeof(possible[0]); i++) {
		enum local_endpoint_state s = possible[i].state;
		struct local_endpoint le = in(s);

		assert_false(seen[s]);
		seen[s] = true;
		assert_int_equal(strlen(possible[i].events), NB_ENDPOINT_EVENTS);
		for (unsigned e = 0; e < NB_ENDPOINT_EVENTS; e++) {
			bool wanted = possible[i].events[e] != '.';

			assert_true(!wanted || possible[i].events[e] == letters[e]);
			if (endpoint_row(s, e)->possible != wanted)
				fail_msg("%s, event %c", state_names[s], letters[e]);
			assert_int_equal(endpoint_takes(&le, e), wanted);
		}
	}
	for (unsigned s = 0; s < NB_ENDPOINT_STATES; s++)
		assert_true(seen[s]);
}

// Whoever wants a port asks for it, whoever no longer wants it deletes it, nobody does either
// twice.
static void test_ports(void **state)
{
	for (unsigned s = 0; s < NB_ENDPOINT_STATES; s++) {
		struct local_endpoint from = in(s);

		for (unsigned e = 0; e < NB_ENDPOINT_EVENTS; e++) {
			const struct endpoint_row *row = endpoint_row(s, e);
			struct local_endpoint to = in(row->next);
			bool had = local_endpoint_wants_port(&from);
			bool has = local_endpoint_wants_port(&to);
			bool deletes =
				row->action == ACTION_DELETE_PORT || row->action == ACTION_WITHDRAW;

			if (!row->possible)
				continue;
			if ((row->action == ACTION_ASK_PORT) != (!had && has) ||
				deletes != (had && !has))
				fail_msg("%s, event %c", state_names[s], letters[e]);
		}
	}
}

// From each state an endpoint comes to its end by STOP, and at most one PORT_GONE.
static void test_each_ends(void **state)
{
	for (unsigned s = 0; s < NB_ENDPOINT_STATES; s++) {
		enum local_endpoint_state at = endpoint_row(s, EVENT_STOP)->next;

		if (at == ENDPOINT_STOPPING)
			at = endpoint_row(at, EVENT_PORT_GONE)->next;
		assert_int_equal(at, ENDPOINT_STOPPED);
	}
}

// Each that is in a namespace and was not connected in one step leaves it, and is created then.
static void test_each_leaves(void **state)
{
	for (unsigned s = 0; s < NB_ENDPOINT_STATES; s++) {
		struct local_endpoint le = in(s);
		enum local_endpoint_state at;

		if (!endpoint_is_inside(&le) || endpoint_is_untold(&le)) {
			assert_false(endpoint_takes(&le, EVENT_LEAVE));
			continue;
		}
		at = endpoint_row(s, EVENT_LEAVE)->next;
		if (at == ENDPOINT_LEAVING)
			at = endpoint_row(at, EVENT_PORT_GONE)->next;
		assert_int_equal(at, ENDPOINT_CREATED);
	}
}

// Nothing but its own caller's wish or its container's end takes away what its caller was told of.
static void test_told_stays(void **state)
{
	for (unsigned s = 0; s < NB_ENDPOINT_STATES; s++) {
		struct local_endpoint le = in(s);

		for (unsigned e = 0; e < NB_ENDPOINT_EVENTS; e++) {
			struct local_endpoint to = in(endpoint_row(s, e)->next);

			if (!endpoint_takes(&le, e) || endpoint_is_untold(&le) ||
				endpoint_is_ending(&le) || e == EVENT_STOP)
				continue;
			assert_false(endpoint_is_ending(&to));
			assert_false(endpoint_is_untold(&to));
		}
	}
}

static void test_names(void **state)
{
	static const enum local_endpoint_state named[] = {ENDPOINT_STARTING, ENDPOINT_CONFIRMING,
		ENDPOINT_UP, ENDPOINT_NO_PORT, ENDPOINT_UNCONFIGURED};
	unsigned count = 0;

	for (unsigned s = 0; s < NB_ENDPOINT_STATES; s++) {
		struct local_endpoint le = in(s);

		count += endpoint_is_named(&le);
		assert_non_null(endpoint_state_name(&le));
		assert_true(!endpoint_is_named(&le) || endpoint_is_inside(&le));
	}
	assert_int_equal(count, sizeof(named) / sizeof(named[0]));
	for (unsigned i = 0; i < count; i++) {
		struct local_endpoint le = in(named[i]);

		assert_true(endpoint_is_named(&le));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_pair),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_each_ends),
		cmocka_unit_test(test_each_leaves),
		cmocka_unit_test(test_told_stays),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
