// SPDX-License-Identifier: BSD-3-Clause
#include "tests/unit/ctrl_bed.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
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

static const struct ctrl_param int_item = {.type = CTRL_INT, .min = 0, .max = 9};
static const struct ctrl_param echo_params[] = {
	{.name = "n", .type = CTRL_INT, .required = true, .min = 1, .max = 10, .help = "a number"},
	{.name = "list", .type = CTRL_LIST, .max = 3, .item = &int_item, .help = "digits"},
	{.name = "mac", .type = CTRL_MAC, .help = "an address"},
	{.name = "ip", .type = CTRL_IP, .help = "another"},
	{.name = "a", .type = CTRL_BOOL, .help = "with a b"}, {}};
static const struct ctrl_param one_params[] = {
	{.name = "x", .type = CTRL_BOOL, .one_of = 1, .help = "one"},
	{.name = "y", .type = CTRL_BOOL, .one_of = 1, .help = "other"}, {}};
static const struct ctrl_param write_params[] = {
	{.name = "fail", .type = CTRL_BOOL, .help = "fail"}, {}};
static const struct ctrl_param no_params[] = {{}};

static const struct ctrl_member echo_members[] = {{"n", CTRL_INT, "a number"},
	{"list", CTRL_LIST, "digits", .when = "when given"},
	{"mac", CTRL_MAC, "an address", .when = "when given"},
	{"ip", CTRL_IP, "another", .when = "when given"},
	{"a", CTRL_BOOL, "with a b", .when = "when given"}, {}};
static const struct ctrl_object echoed = {NULL, NULL, echo_members};
static const struct ctrl_member count_members[] = {{"count", CTRL_INT, "a number"}, {}};
static const struct ctrl_object counted = {NULL, NULL, count_members};
static const struct ctrl_member text_members[] = {{"text", CTRL_STRING, "a text"}, {}};
static const struct ctrl_object large_text = {NULL, NULL, text_members};
static const struct ctrl_member no_members[] = {{}};
static const struct ctrl_object nothing = {NULL, NULL, no_members};

static const struct ctrl_method methods[] = {
	{"echo", false, "Echoes", &echoed, echo_params},
	{"one", false, "One of two", &nothing, one_params},
	{"write", true, "Counts", &counted, write_params},
	{"emit", false, "Publishes an event", &nothing, no_params},
	{"large", false, "Answers a long text", &large_text, no_params},
	{"later", true, "Is answered by `answer`", &counted, no_params},
	{"answer", false, "Answers all of `later`, the last one first", &nothing, write_params},
	{"inside", true, "Is answered from inside its handler", &counted, no_params},
};

char ctrl_bed_dir[] = "/tmp/test_ctrl.XXXXXX";

struct ctrl_bed ctrl_bed;

static int handle_echo(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	*ret_result = json_deep_copy(params);
	return 0;
}

static int handle_one(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	return 0;
}

static int handle_write(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	if (json_is_true(json_object_get(params, "fail")))
		return err_set(err, -EEXIST, "port c1", "is there already");
	*ret_result = json_pack("{s:i}", "count", ++ctrl_bed.writes);
	return 0;
}

static int handle_emit(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	json_t *data = json_pack("{s:s}", "port", "c1");

	ctrl_server_event(ctrl_bed.server, "port.up", data);
	json_decref(data);
	return 0;
}

static int handle_large(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	static char text[LARGE_BYTES + 1];

	ctrl_bed.larges++;
	memset(text, 'x', LARGE_BYTES);
	*ret_result = json_pack("{s:s}", "text", text);
	return 0;
}

static int handle_later(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	assert_true(ctrl_bed.nb_later < ARRAY_SIZE(ctrl_bed.later));
	ctrl_bed.later[ctrl_bed.nb_later++] = ctrl_server_current(ctrl_bed.server);
	return CTRL_LATER;
}

static int handle_answer(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	struct err why = {.path = "port c1", .reason = "is there already"};
	bool fail = json_is_true(json_object_get(params, "fail"));

	while (ctrl_bed.nb_later) {
		json_t *result = json_pack("{s:i}", "count", (int)--ctrl_bed.nb_later);

		ctrl_server_reply(
			ctrl_bed.later[ctrl_bed.nb_later], fail ? -EEXIST : 0, result, &why);
		json_decref(result);
	}
	return 0;
}

static int handle_inside(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	json_t *result = json_pack("{s:i}", "count", 5);

	ctrl_server_reply(ctrl_server_current(ctrl_bed.server), 0, result, NULL);
	json_decref(result);
	return CTRL_LATER;
}

static ctrl_handler_fn *const handlers[] = {handle_echo, handle_one, handle_write, handle_emit,
	handle_large, handle_later, handle_answer, handle_inside};

static void commit(void *arg, struct err *warning)
{
	ctrl_bed.commits++;
	if (ctrl_bed.warn)
		err_set(warning, -ENOSPC, "/x/state", "not saved");
}

static bool settled(void *arg)
{
	return !ctrl_bed.held;
}

static void on_stop(void *arg)
{
	loop_stop(ctrl_bed.loop);
}

static void *serve(void *arg)
{
	assert_int_equal(loop_run(ctrl_bed.loop), 0);
	return NULL;
}

struct ctrl_server_opts opts_of_test(void)
{
	return (struct ctrl_server_opts){.loop = ctrl_bed.loop,
		.run_dir = ctrl_bed_dir,
		.program = "testd",
		.methods = methods,
		.handlers = handlers,
		.nb_methods = ARRAY_SIZE(methods),
		.commit = commit,
		.settled = settled,
		.settle_timeout_ms = 700,
		.queue_max = 8,
		.unread_max_bytes = 4 * LARGE_BYTES};
}

void start(const struct ctrl_server_opts *opts)
{
	struct err err = {0};
	struct ctrl_server_opts with_loop = *opts;

	ctrl_bed = (struct ctrl_bed){.loop = loop_new(), .stop_fd = eventfd(0, 0)};
	with_loop.loop = ctrl_bed.loop;
	if (ctrl_server_new(&with_loop, &ctrl_bed.server, &err) < 0)
		fail_msg("%s: %s", err.path, err.reason);
	ctrl_bed.stop = loop_add_fd(ctrl_bed.loop, ctrl_bed.stop_fd, on_stop, NULL);
	assert_int_equal(pthread_create(&ctrl_bed.thread, NULL, serve, NULL), 0);
}

void stop(void)
{
	assert_int_equal(eventfd_write(ctrl_bed.stop_fd, 1), 0);
	pthread_join(ctrl_bed.thread, NULL);
	ctrl_server_free(ctrl_bed.server);
	loop_free(ctrl_bed.loop);
	close(ctrl_bed.stop_fd);
}

int setup(void **state)
{
	struct ctrl_server_opts opts = opts_of_test();

	start(&opts);
	return 0;
}

int teardown(void **state)
{
	stop();
	return 0;
}

struct raw raw_open(int type)
{
	struct raw raw = {.zmq = zmq_ctx_new()};
	int wait_ms = 3000, linger = 0;

	raw.socket = zmq_socket(raw.zmq, type);
	zmq_setsockopt(raw.socket, ZMQ_RCVTIMEO, &wait_ms, sizeof(wait_ms));
	zmq_setsockopt(raw.socket, ZMQ_LINGER, &linger, sizeof(linger));
	snprintf(raw.address, sizeof(raw.address), "ipc://%s/ctl.sock", ctrl_bed_dir);
	assert_int_equal(zmq_connect(raw.socket, raw.address), 0);
	return raw;
}

void raw_close(struct raw *raw)
{
	zmq_close(raw->socket);
	zmq_ctx_term(raw->zmq);
}

json_t *raw_receive(struct raw *raw)
{
	char text[8192];
	int len = zmq_recv(raw->socket, text, sizeof(text), 0);

	if (len < 0)
		return NULL;
	return json_loadb(text, MIN_OF(len, (int)sizeof(text)), 0, NULL);
}

json_t *raw_call(struct raw *raw, const char *text, size_t len_bytes)
{
	json_t *answer;

	assert_true(zmq_send(raw->socket, text, len_bytes, 0) >= 0);
	answer = raw_receive(raw);
	assert_non_null(answer);
	return answer;
}

const char *code_of(const json_t *answer)
{
	const char *code =
		json_string_value(json_object_get(json_object_get(answer, "error"), "code"));

	return code ? code : "none";
}

const char *message_of(const json_t *answer)
{
	return json_string_value(json_object_get(json_object_get(answer, "error"), "message"));
}
