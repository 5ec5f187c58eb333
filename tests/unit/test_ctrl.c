// SPDX-License-Identifier: BSD-3-Clause
// The generic server of the control channel over real sockets, with methods made for the test. The
// server has a thread of its own, as in a daemon; the tests are its clients.
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <zmq.h>

#include "base/util.h"
#include "ctrl/client.h"
#include "ctrl/keys.h"
#include "ctrl/server.h"
#include "tests/unit/ctrl_bed.h"
#include "vswitch/ctl/switch_method.h"

static void expect_refused(const char *text, const char *code, const char *part)
{
	struct raw raw = raw_open(ZMQ_DEALER);
	json_t *answer = raw_call(&raw, text, strlen(text));

	if (strcmp(code_of(answer), code) || !strstr(message_of(answer), part))
		fail_msg("%s: expected %s with '%s', got %s", text, code, part,
			json_dumps(answer, 0));
	json_decref(answer);
	raw_close(&raw);
}

// A user reads the message of a wrong value: no method, and no index. A program finds the place in
// the data.
static void test_wrong_values(void **state)
{
	static const struct {
		const char *text, *message, *param;
	} cases[] = {
		{"{\"method\":\"echo\",\"params\":{\"n\":1,\"list\":[1,2,10]}}",
			"list must be an integer from 0 to 9, not 10", "list[2]"},
		{"{\"method\":\"echo\",\"params\":{\"n\":1,\"mac\":\"x\"}}",
			"mac: 'x' is not a MAC address such as 02:00:00:00:00:01", "mac"},
		{"{\"method\":\"echo\",\"params\":{\"n\":11}}",
			"n must be an integer from 1 to 10, not 11", "n"},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		struct raw raw = raw_open(ZMQ_DEALER);
		json_t *answer = raw_call(&raw, cases[i].text, strlen(cases[i].text));
		const json_t *data = json_object_get(json_object_get(answer, "error"), "data");

		assert_string_equal(message_of(answer), cases[i].message);
		assert_string_equal(
			json_string_value(json_object_get(data, "param")), cases[i].param);
		json_decref(answer);
		raw_close(&raw);
	}
}

static void test_refusals(void **state)
{
	static const struct {
		const char *text, *code, *part;
	} cases[] = {
		{"{\"id\":1,", "bad_json", "line 1"},
		{"", "bad_json", "not JSON"},
		{"\xff\xfe", "bad_json", "not JSON"},
		{"[1]", "bad_request", "object"},
		{"{\"id\":1,\"id\":2,\"method\":\"echo\"}", "bad_json", "duplicate"},
		{"[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]", "bad_json", "16"},
		{"{\"id\":{},\"method\":\"echo\"}", "bad_request", "id"},
		{"{\"id\":1}", "bad_request", "method"},
		{"{\"method\":\"echo\",\"params\":[]}", "bad_request", "params"},
		{"{\"method\":\"echo\",\"parms\":{}}", "bad_request", "parms"},
		{"{\"method\":\"echo\",\"timeout_ms\":0}", "bad_request", "timeout_ms"},
		{"{\"method\":\"echo\",\"timeout_ms\":\"1\"}", "bad_request", "timeout_ms"},
		{"{\"method\":\"echo\",\"timeout_ms\":86400001}", "bad_request", "timeout_ms"},
		{"{\"method\":\"ech\"}", "unknown_method", "'ech'"},
		{"{\"method\":\"echo\"}", "missing_param",
			"'n' is missing: an integer from 1 to 10"},
		{"{\"method\":\"echo\",\"params\":{\"n\":1,\"z\":1}}", "unknown_param",
			"'z' is not known; there are: n, list, mac, ip, a"},
		{"{\"method\":\"echo\",\"params\":{\"n\":\"1\"}}", "bad_type",
			"'n' must be an integer from 1 to 10, not a string"},
		{"{\"method\":\"echo\",\"params\":{\"n\":11}}", "out_of_bounds", "not 11"},
		{"{\"method\":\"echo\",\"params\":{\"n\":1,\"list\":[1,2,10]}}", "out_of_bounds",
			"list must be an integer from 0 to 9, not 10"},
		{"{\"method\":\"echo\",\"params\":{\"n\":1,\"list\":[1,2,3,4]}}", "out_of_bounds",
			"4 items"},
		{"{\"method\":\"echo\",\"params\":{\"n\":1,\"ip\":\"1.2.3\"}}", "out_of_bounds",
			"ip: '1.2.3' is not an IP address"},
		{"{\"method\":\"echo\",\"params\":{\"n\":1,\"ip\":5}}", "bad_type",
			"must be an IPv4 or IPv6 address, not an integer"},
		{"{\"method\":\"echo\",\"params\":{\"n\":1,\"mac\":\"x\"}}", "out_of_bounds",
			"MAC address"},
		{"{\"method\":\"one\"}", "missing_param", "x, y"},
		{"{\"method\":\"one\",\"params\":{\"x\":true,\"y\":true}}", "conflicting_params",
			"x, y"},
		{"{\"method\":\"write\",\"params\":{\"fail\":true}}", "exists",
			"port c1: is there already"},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++)
		expect_refused(cases[i].text, cases[i].code, cases[i].part);
	assert_int_equal(ctrl_bed.writes, 0);
	assert_int_equal(ctrl_bed.commits, 0);
}

static void test_id_comes_back(void **state)
{
	static const char text[] = "{\"id\":\"a\",\"method\":\"echo\",\"params\":{\"n\":3}}";
	int types[] = {ZMQ_DEALER, ZMQ_REQ};

	for (unsigned i = 0; i < ARRAY_SIZE(types); i++) {
		struct raw raw = raw_open(types[i]);
		json_t *answer = raw_call(&raw, text, strlen(text));

		assert_string_equal(json_string_value(json_object_get(answer, "id")), "a");
		assert_int_equal(
			json_integer_value(json_object_get(json_object_get(answer, "result"), "n")),
			3);
		json_decref(answer);
		raw_close(&raw);
	}
}

static void test_too_big(void **state)
{
	static const char read[] = "{\"method\":\"one\",\"params\":{\"x\":true}}";
	struct raw raw = raw_open(ZMQ_DEALER);
	size_t len = 20u << 20;
	char *text = malloc(len);
	json_t *answer;

	memset(text, '[', len);
	answer = raw_call(&raw, text, len);
	assert_string_equal(code_of(answer), "too_big");
	json_decref(answer);
	// The connection is as good as before.
	answer = raw_call(&raw, read, strlen(read));
	assert_string_equal(code_of(answer), "none");
	json_decref(answer);
	free(text);
	raw_close(&raw);
}

static void test_writes_wait(void **state)
{
	static const char write[] = "{\"id\":7,\"method\":\"write\"}";
	static const char read[] = "{\"id\":8,\"method\":\"one\",\"params\":{\"x\":true}}";
	struct raw raw = raw_open(ZMQ_DEALER);
	json_t *answer;

	ctrl_bed.held = 1;
	zmq_send(raw.socket, write, strlen(write), 0);
	zmq_send(raw.socket, write, strlen(write), 0);
	// A read passes the changes, and its answer is the first.
	answer = raw_call(&raw, read, strlen(read));
	assert_int_equal(json_integer_value(json_object_get(answer, "id")), 8);
	json_decref(answer);
	assert_int_equal(ctrl_bed.writes, 1); // the second did not begin
	usleep(50000);
	assert_int_equal(ctrl_bed.writes, 1);
	ctrl_bed.held = 0;
	for (int i = 1; i <= 2; i++) {
		answer = raw_receive(&raw);
		assert_non_null(answer);
		assert_int_equal(json_integer_value(json_object_get(
					 json_object_get(answer, "result"), "count")),
			i);
		json_decref(answer);
	}
	assert_int_equal(ctrl_bed.commits, 2);
	raw_close(&raw);
}

static void send_text(struct raw *raw, const char *text)
{
	assert_true(zmq_send(raw->socket, text, strlen(text), 0) >= 0);
}

static void expect_answer(struct raw *raw, int id, int count, const char *code)
{
	json_t *answer = raw_receive(raw);

	assert_non_null(answer);
	assert_string_equal(code_of(answer), code);
	assert_int_equal(json_integer_value(json_object_get(answer, "id")), id);
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(answer, "result"), "count")),
		count);
	json_decref(answer);
}

// Changes whose answers come later are under way together, and others are made meanwhile.
static void test_later(void **state)
{
	struct raw raw = raw_open(ZMQ_DEALER), gone = raw_open(ZMQ_DEALER);

	send_text(&gone, "{\"id\":9,\"method\":\"later\"}");
	for (int i = 0; i < 100 && ctrl_bed.nb_later < 1; i++)
		usleep(20000);
	raw_close(&gone);
	send_text(&raw, "{\"id\":1,\"method\":\"later\"}");
	send_text(&raw, "{\"id\":2,\"method\":\"later\"}");
	send_text(&raw, "{\"id\":3,\"method\":\"write\"}");
	expect_answer(&raw, 3, 1, "none");
	send_text(&raw, "{\"id\":4,\"method\":\"inside\"}");
	expect_answer(&raw, 4, 5, "none");
	assert_int_equal(ctrl_bed.nb_later, 3);
	assert_int_equal(ctrl_bed.commits, 1); // of `write`
	send_text(&raw, "{\"id\":5,\"method\":\"answer\"}");
	expect_answer(&raw, 2, 2, "none");
	expect_answer(&raw, 1, 1, "none");
	expect_answer(&raw, 5, 0, "none");
	send_text(&raw, "{\"id\":6,\"method\":\"later\"}");
	send_text(&raw, "{\"id\":7,\"method\":\"answer\",\"params\":{\"fail\":true}}");
	expect_answer(&raw, 6, 0, "exists");
	expect_answer(&raw, 7, 0, "none");
	raw_close(&raw);
}

// They take places of the queue.
static void test_later_busy(void **state)
{
	struct raw raw = raw_open(ZMQ_DEALER);

	for (int i = 0; i < 8; i++)
		send_text(&raw, "{\"id\":1,\"method\":\"later\"}");
	send_text(&raw, "{\"id\":2,\"method\":\"later\"}");
	expect_answer(&raw, 2, 0, "busy");
	send_text(&raw, "{\"id\":3,\"method\":\"answer\"}");
	for (int i = 8; i-- > 0;)
		expect_answer(&raw, 1, i, "none");
	expect_answer(&raw, 3, 0, "none");
	raw_close(&raw);
}

static void test_later_stopping(void **state)
{
	struct ctrl_server_opts opts = opts_of_test();
	struct raw raw;

	start(&opts);
	raw = raw_open(ZMQ_DEALER);
	send_text(&raw, "{\"id\":1,\"method\":\"later\"}");
	for (int i = 0; i < 100 && ctrl_bed.nb_later < 1; i++)
		usleep(20000);
	stop();
	expect_answer(&raw, 1, 0, "stopping");
	raw_close(&raw);
}

static void test_warning(void **state)
{
	static const char write[] = "{\"id\":7,\"method\":\"write\"}";
	struct raw raw = raw_open(ZMQ_DEALER);
	json_t *answer, *result;

	ctrl_bed.warn = 1;
	answer = raw_call(&raw, write, strlen(write));
	result = json_object_get(answer, "result");
	assert_int_equal(json_integer_value(json_object_get(result, "count")), 1);
	assert_string_equal(
		json_string_value(json_object_get(result, "warning")), "/x/state: not saved");
	json_decref(answer);
	raw_close(&raw);
}

static void test_busy_and_timeout(void **state)
{
	static const char write[] = "{\"id\":7,\"method\":\"write\"}";
	struct raw raw = raw_open(ZMQ_DEALER);
	unsigned busy = 0, late = 0;

	ctrl_bed.held = 1;
	for (int i = 0; i < 12; i++) // one runs, eight wait, three are too many
		zmq_send(raw.socket, write, strlen(write), 0);
	for (int i = 0; i < 4; i++) {
		json_t *answer = raw_receive(&raw);

		assert_non_null(answer);
		busy += !strcmp(code_of(answer), "busy");
		late += !strcmp(code_of(answer), "timeout");
		json_decref(answer);
	}
	assert_int_equal(busy, 3);
	assert_int_equal(late, 1);
	raw_close(&raw);
}

// A client that asks and never reads takes no more memory than is allowed, and the others can go
// on.
static void test_never_reads(void **state)
{
	static const char large[] = "{\"id\":1,\"method\":\"large\"}";
	static const char small[] = "{\"id\":2,\"method\":\"one\",\"params\":{\"x\":true}}";
	struct raw deaf = raw_open(ZMQ_DEALER), other = raw_open(ZMQ_DEALER);
	json_t *answer;
	int one = 1;

	// Its ZeroMQ reads ahead, but no more than this.
	zmq_disconnect(deaf.socket, deaf.address);
	zmq_setsockopt(deaf.socket, ZMQ_RCVHWM, &one, sizeof(one));
	assert_int_equal(zmq_connect(deaf.socket, deaf.address), 0);
	for (int i = 0; i < 100; i++)
		assert_true(zmq_send(deaf.socket, large, strlen(large), 0) > 0);
	for (int i = 0; i < 1000 && atomic_load(&ctrl_bed.larges) < 100; i++)
		usleep(20000);
	assert_int_equal(ctrl_bed.larges, 100);
	answer = raw_call(&other, large, strlen(large));
	assert_string_equal(code_of(answer), "busy");
	assert_non_null(strstr(message_of(answer), "do not read"));
	json_decref(answer);
	answer = raw_call(&other, small, strlen(small));
	assert_string_equal(code_of(answer), "none");
	json_decref(answer);
	raw_close(&deaf); // and what waited for it goes
	for (int i = 0; i < 500; i++) {
		char first[16];

		assert_true(zmq_send(other.socket, large, strlen(large), 0) > 0);
		if (zmq_recv(other.socket, first, sizeof(first), 0) > LARGE_BYTES)
			goto out;
		usleep(20000);
	}
	fail_msg("still busy");
out:
	raw_close(&other);
}

static struct ctrl_client *client_new(const struct ctrl_client_opts *opts)
{
	struct ctrl_client *client;
	struct err err = {0};

	if (ctrl_client_new(opts, &client, &err) < 0)
		fail_msg("%s: %s", err.path, err.reason);
	return client;
}

static json_t *wait_event(struct ctrl_client *client)
{
	struct err err = {0};
	json_t *event = NULL, *result;

	// Subscriptions take effect some time after they were made.
	for (int i = 0; i < 50 && !event; i++) {
		assert_int_equal(ctrl_client_call(client, "emit", NULL, &result, &err), 0);
		json_decref(result);
		ctrl_client_event(client, 100, &event, &err);
	}
	return event;
}

static void test_events(void **state)
{
	struct ctrl_client *client =
		client_new(&(struct ctrl_client_opts){.run_dir = ctrl_bed_dir, .timeout_ms = 3000});
	struct err err = {0};
	json_t *event;

	assert_int_equal(ctrl_client_subscribe(client, "port.", &err), 0);
	event = wait_event(client);
	assert_non_null(event);
	assert_string_equal(json_string_value(json_object_get(event, "event")), "port.up");
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(event, "data"), "port")), "c1");
	assert_true(json_is_string(json_object_get(event, "time")));
	assert_true(json_integer_value(json_object_get(event, "seq")) > 0);
	json_decref(event);
	ctrl_client_free(client);
}

static void test_client_errors(void **state)
{
	struct ctrl_client_opts opts = {.run_dir = ctrl_bed_dir, .timeout_ms = 100};
	struct ctrl_client *client;
	struct err err = {0};
	json_t *result;

	client = client_new(&opts);
	assert_int_equal(ctrl_client_call(client, "nope", NULL, &result, &err), -ENOSYS);
	assert_non_null(strstr(err.reason, "'nope'"));
	ctrl_bed.held = 1;
	err = (struct err){0};
	assert_int_equal(ctrl_client_call(client, "write", NULL, &result, &err), -ETIMEDOUT);
	ctrl_bed.held = 0;
	ctrl_client_free(client);
	opts.run_dir = "/tmp/no-such-run-dir";
	err = (struct err){0};
	assert_int_equal(ctrl_client_new(&opts, &client, &err), -ECONNREFUSED);
	assert_non_null(strstr(err.reason, "no switch answers at /tmp/no-such-run-dir"));
}

static void test_socket_mode(void **state)
{
	static const char *const names[] = {"ctl.sock", "events.sock"};

	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		struct stat st;
		char path[64];

		snprintf(path, sizeof(path), "%s/%s", ctrl_bed_dir, names[i]);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0660);
	}
}

// What cannot be is refused before anything is made.
static void test_long_run_dir(void **state)
{
	struct ctrl_tcp tcp = {0};
	char path[120];

	memset(path, 'r', sizeof(path));
	path[0] = '/';
	for (unsigned len = 90; len < 110; len++) {
		struct err err = {0};
		bool fits = len + strlen("/events.sock") < 108;

		path[len] = '\0';
		assert_int_equal(ctrl_server_check(path, &tcp, &err), fits ? 0 : -ENAMETOOLONG);
		assert_true(fits || strstr(err.reason, "--run-dir"));
		path[len] = 'r';
	}
}

static void test_tcp_without_keys(void **state)
{
	struct ctrl_server_opts opts = opts_of_test();
	struct loop *loop = loop_new();
	struct ctrl_server *server;
	struct err err = {0};

	opts.loop = loop;
	opts.tcp.listen = "tcp://127.0.0.1:35911";
	assert_int_equal(ctrl_server_new(&opts, &server, &err), -EPERM);
	assert_non_null(strstr(err.reason, "without keys"));
	loop_free(loop);
}

struct key_files {
	char server[64], client[64], stranger[64], server_pub[72], client_pub[72];
};

static void make_keys(struct key_files *k)
{
	struct err err = {0};

	snprintf(k->server, sizeof(k->server), "%s/server", ctrl_bed_dir);
	snprintf(k->client, sizeof(k->client), "%s/client", ctrl_bed_dir);
	snprintf(k->stranger, sizeof(k->stranger), "%s/stranger", ctrl_bed_dir);
	snprintf(k->server_pub, sizeof(k->server_pub), "%s.pub", k->server);
	snprintf(k->client_pub, sizeof(k->client_pub), "%s.pub", k->client);
	assert_int_equal(ctrl_keys_generate(k->server, &err), 0);
	assert_int_equal(ctrl_keys_generate(k->client, &err), 0);
	assert_int_equal(ctrl_keys_generate(k->stranger, &err), 0);
	assert_int_equal(ctrl_keys_generate(k->client, &err), -EEXIST);
}

static int call_tcp(const char *address, const char *key, const char *server_pub)
{
	struct ctrl_client_opts opts = {.connect = address,
		.secret_key_file = key,
		.server_key_file = server_pub,
		.timeout_ms = 1500};
	json_t *params = json_pack("{s:i}", "n", 5), *result = NULL;
	struct ctrl_client *client = client_new(&opts);
	struct err err = {0};
	int rc = ctrl_client_call(client, "echo", params, &result, &err);

	json_decref(params);
	json_decref(result);
	ctrl_client_free(client);
	return rc;
}

static void test_tcp_with_curve(void **state)
{
	struct ctrl_server_opts opts = opts_of_test();
	char address[64];
	struct key_files k;

	make_keys(&k);
	snprintf(address, sizeof(address), "tcp://127.0.0.1:%d", 20000 + getpid() % 10000);
	opts.tcp.listen = address;
	opts.tcp.secret_key_file = k.server;
	opts.tcp.client_keys_file = k.client_pub;
	start(&opts);
	assert_int_equal(call_tcp(address, k.client, k.server_pub), 0);
	assert_int_equal(call_tcp(address, k.stranger, k.server_pub), -EACCES);
	assert_int_equal(call_tcp(address, k.client, k.client_pub), -EPROTO);
	assert_int_equal(call_tcp("tcp://127.0.0.1:9", k.client, k.server_pub), -ECONNREFUSED);
	test_id_comes_back(NULL); // the local socket needs no keys
	stop();
	// A secret that others can read is refused.
	assert_int_equal(chmod(k.server, 0644), 0);
	{
		struct loop *loop = loop_new();
		struct ctrl_server *server;
		struct err err = {0};

		opts.loop = loop;
		assert_int_equal(ctrl_server_new(&opts, &server, &err), -EACCES);
		loop_free(loop);
	}
}

static void test_method_list(void **state)
{
	for (unsigned i = 0; i < NB_SWITCH_METHODS; i++) {
		const struct ctrl_method *m = &switch_methods[i];

		assert_ptr_equal(ctrl_method_find(switch_methods, NB_SWITCH_METHODS, m->name), m);
		assert_non_null(m->help);
		for (const struct ctrl_param *p = m->params; p->name; p++) {
			assert_non_null(p->help);
			assert_true(p->min <= p->max);
			assert_true(p->type != CTRL_LIST || p->item);
			assert_false(p->required && p->one_of);
		}
		assert_non_null(m->result);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wrong_values, setup, teardown),
		cmocka_unit_test_setup_teardown(test_id_comes_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_big, setup, teardown),
		cmocka_unit_test_setup_teardown(test_writes_wait, setup, teardown),
		cmocka_unit_test_setup_teardown(test_later, setup, teardown),
		cmocka_unit_test_setup_teardown(test_later_busy, setup, teardown),
		cmocka_unit_test(test_later_stopping),
		cmocka_unit_test_setup_teardown(test_warning, setup, teardown),
		cmocka_unit_test_setup_teardown(test_busy_and_timeout, setup, teardown),
		cmocka_unit_test_setup_teardown(test_never_reads, setup, teardown),
		cmocka_unit_test_setup_teardown(test_events, setup, teardown),
		cmocka_unit_test_setup_teardown(test_client_errors, setup, teardown),
		cmocka_unit_test_setup_teardown(test_socket_mode, setup, teardown),
		cmocka_unit_test(test_long_run_dir),
		cmocka_unit_test(test_tcp_without_keys),
		cmocka_unit_test(test_tcp_with_curve),
		cmocka_unit_test(test_method_list),
	};
	char command[64];
	int failed;

	if (!mkdtemp(ctrl_bed_dir))
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	snprintf(command, sizeof(command), "rm -rf %s", ctrl_bed_dir);
	return system(command) != 0 || failed;
}
