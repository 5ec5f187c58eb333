// SPDX-License-Identifier: BSD-3-Clause
// The client on an event loop, and the agent's connection to the switch, against the real server,
// all on one loop.
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <zmq.h>

#include "base/util.h"
#include "ctrl/async.h"
#include "ctrl/server.h"
#include "netd/reconcile/switch.h"

#define DEADLINE_US 10000000
#define PARALLEL    100

static char dir[] = "/tmp/test_async.XXXXXX";

static const struct ctrl_param echo_params[] = {
	{.name = "n", .type = CTRL_INT, .required = true, .min = 1, .max = 10, .help = "a number"},
	{}};
static const struct ctrl_param no_params[] = {{}};
static const struct ctrl_member echo_members[] = {{"n", CTRL_INT, "a number"}, {}};
static const struct ctrl_object echoed = {NULL, NULL, echo_members};
static const struct ctrl_member no_members[] = {{}};
static const struct ctrl_object nothing = {NULL, NULL, no_members};
static const struct ctrl_method methods[] = {
	{"echo", false, "Echoes", &echoed, echo_params},
	{"later", true, "Is answered later", &nothing, no_params},
};

static struct {
	struct loop *loop;
	struct ctrl_server *server;
	struct ctrl_async *async;
	struct switch_conn *conn;
	struct ctrl_call *later[PARALLEL];
	unsigned nb_later;
	unsigned ups, downs, events, replies;
	bool in_call;
	int rc, first_rc;
	int n; // of the result
	char reason[512];
} t;

static int handle_echo(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	*ret_result = json_deep_copy(params);
	return 0;
}

static int handle_later(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	assert_true(t.nb_later < PARALLEL);
	t.later[t.nb_later++] = ctrl_server_current(t.server);
	return CTRL_LATER;
}

static ctrl_handler_fn *const handlers[] = {handle_echo, handle_later};

static void server_start(void)
{
	struct ctrl_server_opts opts = {.loop = t.loop,
		.run_dir = dir,
		.program = "testd",
		.methods = methods,
		.handlers = handlers,
		.nb_methods = ARRAY_SIZE(methods)};
	struct err err = {0};

	if (ctrl_server_new(&opts, &t.server, &err) < 0)
		fail_msg("%s: %s", err.path, err.reason);
}

static void server_stop(void)
{
	ctrl_server_free(t.server);
	t.server = NULL;
	t.nb_later = 0;
}

static void on_state(void *arg, bool up)
{
	(*(up ? &t.ups : &t.downs))++;
}

static void on_event(void *arg, const char *name, const json_t *data)
{
	assert_string_equal(name, "port.up");
	assert_string_equal(json_string_value(json_object_get(data, "port")), "c1");
	t.events++;
}

static void client_start(unsigned timeout_ms)
{
	struct ctrl_async_opts opts = {.loop = t.loop,
		.run_dir = dir,
		.events = "port.",
		.timeout_ms = timeout_ms,
		.on_state = on_state,
		.on_event = on_event};
	struct err err = {0};

	if (ctrl_async_new(&opts, &t.async, &err) < 0)
		fail_msg("%s: %s", err.path, err.reason);
}

static int setup(void **state)
{
	memset(&t, 0, sizeof(t));
	t.loop = loop_new();
	return t.loop ? 0 : -1;
}

static int teardown(void **state)
{
	ctrl_async_free(t.async);
	switch_conn_free(t.conn);
	ctrl_server_free(t.server);
	loop_free(t.loop);
	return 0;
}

struct wait {
	const unsigned *count;
	unsigned value;
	uint64_t deadline_us;
};

static void check_wait(void *arg)
{
	struct wait *wait = arg;

	if (*wait->count >= wait->value || monotonic_us() > wait->deadline_us)
		loop_stop(t.loop);
}

// Runs the loop until the counter has that value or a greater one.
static void wait_at_least(const unsigned *count, unsigned value)
{
	struct wait wait = {count, value, monotonic_us() + DEADLINE_US};
	struct loop_handle *timer = loop_add_timer(t.loop, 1000, check_wait, &wait);

	assert_int_equal(loop_run(t.loop), 0);
	loop_del(t.loop, timer);
	assert_true(*count >= value);
}

// Until it has that value, and no other.
static void wait_for(const unsigned *count, unsigned value)
{
	wait_at_least(count, value);
	assert_int_equal(*count, value);
}

static void on_reply(void *arg, int rc, const json_t *result, const struct err *err)
{
	assert_false(t.in_call);
	assert_ptr_equal(arg, &t);
	if (t.replies++ == 0)
		t.first_rc = rc;
	t.rc = rc;
	t.n = json_integer_value(json_object_get(result, "n"));
	snprintf(t.reason, sizeof(t.reason), "%s", err->reason);
}

static void call(const char *method, int n)
{
	t.in_call = true;
	ctrl_async_call(t.async, method, n ? json_pack("{s:i}", "n", n) : NULL, on_reply, &t);
	t.in_call = false;
}

static void expect(int rc, int n, const char *part)
{
	wait_for(&t.replies, 1);
	t.replies = 0;
	assert_int_equal(t.rc, rc);
	assert_int_equal(t.n, n);
	if (part)
		assert_non_null(strstr(t.reason, part));
}

static void test_calls(void **state)
{
	server_start();
	client_start(0);
	wait_for(&t.ups, 1);
	call("echo", 5);
	expect(0, 5, NULL);
	call("echo", 11);
	expect(-ERANGE, 0, "from 1 to 10, not 11");
	call("nope", 0);
	expect(-ENOSYS, 0, "'nope'");
	// Under way together; each answer finds its call.
	for (unsigned i = 0; i < PARALLEL; i++)
		call("later", 0);
	wait_for(&t.nb_later, PARALLEL);
	call("echo", 7);
	expect(0, 7, NULL);
	for (unsigned i = PARALLEL; i-- > 0;)
		ctrl_server_reply(t.later[i], 0, NULL, NULL);
	wait_for(&t.replies, PARALLEL);
	assert_int_equal(t.downs, 0);
}

static void test_not_there(void **state)
{
	client_start(0);
	call("echo", 5);
	expect(-ECONNREFUSED, 0, dir);
	server_start();
	wait_for(&t.ups, 1);
	call("echo", 5);
	expect(0, 5, NULL);
}

static void test_timeout(void **state)
{
	server_start();
	client_start(100);
	wait_for(&t.ups, 1);
	call("later", 0);
	expect(-ETIMEDOUT, 0, "within 0.1 s");
	ctrl_server_reply(t.later[0], 0, NULL, NULL); // too late: nobody's
	call("echo", 3);
	expect(0, 3, NULL);
}

static void test_restart(void **state)
{
	server_start();
	client_start(0);
	wait_for(&t.ups, 1);
	call("later", 0);
	wait_for(&t.nb_later, 1);
	server_stop();
	wait_for(&t.replies, 1); // its last words come through, or do not
	assert_true(t.rc == -ESHUTDOWN || t.rc == -ECONNRESET);
	t.replies = 0;
	wait_for(&t.downs, 1);
	call("echo", 5);
	expect(-ECONNREFUSED, 0, NULL);
	server_start();
	wait_for(&t.ups, 2);
	assert_int_equal(t.downs, 1);
	call("echo", 5);
	expect(0, 5, NULL);
}

static void on_request(void *arg)
{
	char text[256];

	while (zmq_recv(arg, text, sizeof(text), ZMQ_DONTWAIT) >= 0)
		t.events++;
}

// A daemon that dies without a word. What it was asked is not asked of the next one.
static void test_crash(void **state)
{
	void *zmq = zmq_ctx_new(), *router = zmq_socket(zmq, ZMQ_ROUTER),
	     *pub = zmq_socket(zmq, ZMQ_PUB);
	struct loop_handle *handle;
	char address[128];

	snprintf(address, sizeof(address), "ipc://%s/ctl.sock", dir);
	assert_int_equal(zmq_bind(router, address), 0);
	snprintf(address, sizeof(address), "ipc://%s/events.sock", dir);
	assert_int_equal(zmq_bind(pub, address), 0);
	handle = loop_add_socket(t.loop, router, on_request, router);
	client_start(0);
	wait_for(&t.ups, 1);
	call("later", 0);
	wait_for(&t.events, 2); // frames
	loop_del(t.loop, handle);
	zmq_close(router);
	zmq_close(pub);
	zmq_ctx_term(zmq);
	call("later", 0); // nothing has been heard of the crash yet
	wait_for(&t.downs, 1);
	wait_for(&t.replies, 2);
	assert_true(t.rc == -ECONNRESET || t.rc == -ECONNREFUSED);
	assert_int_equal(t.first_rc, -ECONNRESET);
	server_start();
	wait_for(&t.ups, 2);
	t.replies = 0;
	call("echo", 5);
	expect(0, 5, NULL);
	assert_int_equal(t.nb_later, 0);
}

static void emit(void *arg)
{
	json_t *data = json_pack("{s:s}", "port", "c1");

	ctrl_server_event(t.server, "bridge.up", NULL);
	ctrl_server_event(t.server, "port.up", data);
	json_decref(data);
}

static void test_events(void **state)
{
	struct loop_handle *timer;

	server_start();
	client_start(0);
	wait_for(&t.ups, 1);
	// Subscriptions take effect some time after they were made.
	timer = loop_add_timer(t.loop, 1000, emit, NULL);
	wait_at_least(&t.events, 3); // several may come between two looks
	loop_del(t.loop, timer);
}

// What is under way is forgotten.
static void test_forgets(void **state)
{
	server_start();
	client_start(0);
	call("echo", 1);
	wait_for(&t.ups, 1);
	call("later", 0);
	ctrl_async_free(t.async);
	t.async = NULL;
	wait_for(&t.nb_later, 1);
	assert_true(t.replies <= 1);
}

static void test_switch(void **state)
{
	struct err err = {0};

	server_start();
	if (switch_conn_new(t.loop, dir, &t.conn, &err) < 0)
		fail_msg("%s: %s", err.path, err.reason);
	t.conn->on_state = on_state;
	wait_for(&t.ups, 1);
	switch_call(t.conn, "echo", json_pack("{s:i}", "n", 4), on_reply, &t);
	expect(0, 4, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_calls, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_there, setup, teardown),
		cmocka_unit_test_setup_teardown(test_timeout, setup, teardown),
		cmocka_unit_test_setup_teardown(test_restart, setup, teardown),
		cmocka_unit_test_setup_teardown(test_crash, setup, teardown),
		cmocka_unit_test_setup_teardown(test_events, setup, teardown),
		cmocka_unit_test_setup_teardown(test_forgets, setup, teardown),
		cmocka_unit_test_setup_teardown(test_switch, setup, teardown),
	};
	char command[64];
	int failed;

	if (!mkdtemp(dir))
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command) != 0 || failed;
}
