// SPDX-License-Identifier: BSD-3-Clause
#include "ctrl/client.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <zmq.h>

#include "base/loop.h"
#include "base/util.h"
#include "ctrl/keys.h"
#include "ctrl/message.h"

#define PROBE_MS	   250
#define TIMEOUT_MS_DEFAULT 10000

struct ctrl_client {
	char run_dir[PATH_MAX];
	char connect[256], connect_events[256]; // empty: the run directory
	struct ctrl_keys secret, server;
	unsigned timeout_ms;
	void *zmq, *requests, *events;
	json_int_t next_id;
	json_t *error;
};

// ZeroMQ connects in the background and tries for ever, so ask the kernel whether someone listens.
static int probe(const struct ctrl_client *client, struct err *err)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd, rc = 0;

	if (client->connect[0] || client->connect_events[0])
		return 0;
	if (snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/ctl.sock", client->run_dir) >=
		(int)sizeof(addr.sun_path))
		return err_set(err, -ENAMETOOLONG, client->run_dir,
			"the path of the run directory is too long for a socket");
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_set_errno(err, -errno, NULL, "cannot make a socket");
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 && errno != EAGAIN)
		rc = -errno;
	close(fd);
	if (rc == -EACCES || rc == -EPERM)
		return err_set(err, -EACCES, NULL,
			"no permission to talk to the switch at %s (become root, or a member of "
			"the group of %s)",
			client->run_dir, addr.sun_path);
	if (rc < 0)
		return err_set(err, -ECONNREFUSED, NULL,
			"no switch answers at %s (is vswitchd running? --run-dir chooses another)",
			client->run_dir);
	return 0;
}

static int use_curve(struct ctrl_client *client, void *socket, struct err *err)
{
	char public_key[CTRL_KEY_BYTES];

	if (zmq_curve_public(public_key, client->secret.key[0]) < 0 ||
		zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, client->server.key[0], CTRL_KEY_BYTES) <
			0 ||
		zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, public_key, CTRL_KEY_BYTES) < 0 ||
		zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, client->secret.key[0], CTRL_KEY_BYTES) <
			0)
		return err_set(err, -errno, NULL, "cannot use CURVE: %s", zmq_strerror(errno));
	return 0;
}

static int open_socket(struct ctrl_client *client, int type, const char *remote, const char *name,
	void **ret_socket, struct err *err)
{
	char address[PATH_MAX + 32];
	int linger = 0, rc;
	void *socket;

	snprintf(address, sizeof(address), "ipc://%s/%s", client->run_dir, name);
	socket = zmq_socket(client->zmq, type);
	if (!socket)
		return err_set_errno(err, -errno, NULL, "cannot make a socket");
	zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof(linger));
	rc = client->connect[0] || client->connect_events[0] ? use_curve(client, socket, err) : 0;
	if (rc == 0 && type == ZMQ_SUB && client->connect[0] && !remote[0])
		rc = err_set(err, -EINVAL, client->connect,
			"no address of events is given (--connect-events tcp://HOST:PORT)");
	if (rc == 0 && zmq_connect(socket, remote[0] ? remote : address) < 0)
		rc = err_set(err, -errno, remote[0] ? remote : address, "cannot connect: %s",
			zmq_strerror(errno));
	if (rc < 0) {
		zmq_close(socket);
		return rc;
	}
	*ret_socket = socket;
	return 0;
}

static int read_keys(
	struct ctrl_client *client, const struct ctrl_client_opts *opts, struct err *err)
{
	int rc;

	if (!opts->connect && !opts->connect_events)
		return 0;
	if (!opts->secret_key_file || !opts->server_key_file)
		return err_set(err, -EINVAL, opts->connect,
			"TCP needs keys: the file of your secret key (--key) and of the server's "
			"public key (--server-key)");
	rc = ctrl_keys_read(opts->secret_key_file, true, &client->secret, err);
	return rc < 0 ? rc : ctrl_keys_read(opts->server_key_file, false, &client->server, err);
}

int ctrl_client_new(
	const struct ctrl_client_opts *opts, struct ctrl_client **ret_client, struct err *err)
{
	struct ctrl_client *client = calloc(1, sizeof(*client));
	int rc;

	if (!client)
		return err_set(err, -ENOMEM, NULL, "out of memory");
	client->timeout_ms = opts->timeout_ms ? opts->timeout_ms : TIMEOUT_MS_DEFAULT;
	snprintf(client->run_dir, sizeof(client->run_dir), "%s",
		opts->run_dir ? opts->run_dir : CTRL_RUN_DIR_DEFAULT);
	snprintf(
		client->connect, sizeof(client->connect), "%s", opts->connect ? opts->connect : "");
	snprintf(client->connect_events, sizeof(client->connect_events), "%s",
		opts->connect_events ? opts->connect_events : "");
	rc = probe(client, err);
	if (rc == 0)
		rc = read_keys(client, opts, err);
	if (rc < 0)
		goto err;
	client->zmq = zmq_ctx_new();
	if (!client->zmq) {
		rc = err_set_errno(err, -errno, NULL, "cannot start ZeroMQ");
		goto err;
	}
	*ret_client = client;
	return 0;

err:
	ctrl_client_free(client);
	return rc;
}

void ctrl_client_free(struct ctrl_client *client)
{
	if (!client)
		return;
	if (client->requests)
		zmq_close(client->requests);
	if (client->events)
		zmq_close(client->events);
	while (client->zmq && zmq_ctx_term(client->zmq) < 0 && errno == EINTR)
		;
	ctrl_keys_fini(&client->secret);
	ctrl_keys_fini(&client->server);
	json_decref(client->error);
	free(client);
}

// Waits until `socket` is readable. -EAGAIN at `deadline_us`.
static int wait_readable(
	const struct ctrl_client *client, void *socket, uint64_t deadline_us, struct err *err)
{
	for (;;) {
		uint64_t now_us = monotonic_us();
		long left_ms = now_us >= deadline_us ? 0 : (deadline_us - now_us + 999) / 1000;
		zmq_pollitem_t item = {socket, -1, ZMQ_POLLIN, 0};
		int rc;

		if (zmq_poll(&item, 1, MIN_OF(left_ms, PROBE_MS)) > 0)
			return 0;
		rc = probe(client, NULL);
		if (rc < 0)
			return err_set(err, -ECONNRESET, NULL, "the switch at %s went away",
				client->run_dir);
		if (left_ms <= PROBE_MS)
			return -EAGAIN;
	}
}

// Receives the frames of one message; returns the last one parsed and the first as text.
static json_t *receive(void *socket, char *first, size_t first_bytes)
{
	json_t *object = NULL;
	zmq_msg_t msg;
	bool more = true;

	first[0] = '\0';
	for (unsigned i = 0; more; i++) {
		zmq_msg_init(&msg);
		if (zmq_msg_recv(&msg, socket, ZMQ_DONTWAIT) < 0)
			more = false;
		else
			more = zmq_msg_more(&msg);
		if (i == 0)
			snprintf(first, first_bytes, "%.*s", (int)zmq_msg_size(&msg),
				(char *)zmq_msg_data(&msg));
		if (!more)
			object = json_loadb(zmq_msg_data(&msg), zmq_msg_size(&msg), 0, NULL);
		zmq_msg_close(&msg);
	}
	return object;
}

static int take_error(struct ctrl_client *client, json_t *error, struct err *err)
{
	const char *code = json_string_value(json_object_get(error, "code"));
	const char *message = json_string_value(json_object_get(error, "message"));

	client->error = json_incref(error);
	return err_set(err, ctrl_error_to_errno(code ? code : ""), NULL, "%s",
		message ? message : "the switch refused, without a reason");
}

static int take_answer(struct ctrl_client *client, json_t *answer, const char *method,
	json_t **ret_result, struct err *err)
{
	json_t *error = json_object_get(answer, "error");
	json_t *result = json_object_get(answer, "result");

	if (error)
		return take_error(client, error, err);
	if (!result)
		return err_set(
			err, -EPROTO, method, "the answer has neither a result nor an error");
	*ret_result = json_incref(result);
	return 0;
}

static int wait_answer(struct ctrl_client *client, json_int_t id, const char *method,
	json_t **ret_result, struct err *err)
{
	uint64_t deadline_us = monotonic_us() + client->timeout_ms * UINT64_C(1000);

	for (;;) {
		char first[16];
		json_t *answer, *got;
		int rc = wait_readable(client, client->requests, deadline_us, err);

		if (rc == -EAGAIN)
			return err_set(err, -ETIMEDOUT, NULL, "%s: no answer from %s within %g s",
				method, client->connect[0] ? client->connect : client->run_dir,
				client->timeout_ms / 1000.0);
		if (rc < 0)
			return rc;
		answer = receive(client->requests, first, sizeof(first));
		got = json_object_get(answer, "id");
		// The answer to an earlier call that timed out is passed over.
		if (json_is_integer(got) && json_integer_value(got) != id) {
			json_decref(answer);
			continue;
		}
		rc = take_answer(client, answer, method, ret_result, err);
		json_decref(answer);
		return rc;
	}
}

int ctrl_client_call(struct ctrl_client *client, const char *method, const json_t *params,
	json_t **ret_result, struct err *err)
{
	json_int_t id = ++client->next_id;
	char *text;
	int rc = 0;

	json_decref(client->error);
	client->error = NULL;
	if (!client->requests)
		rc = open_socket(
			client, ZMQ_DEALER, client->connect, "ctl.sock", &client->requests, err);
	if (rc < 0)
		return rc;
	text = ctrl_request_text(id, method, params);
	if (!text)
		return err_set(err, -ENOMEM, method, "cannot make the request: out of memory");
	if (zmq_send(client->requests, text, strlen(text), ZMQ_DONTWAIT) < 0)
		rc = err_set(err, -errno, method, "cannot send: %s", zmq_strerror(errno));
	free(text);
	return rc < 0 ? rc : wait_answer(client, id, method, ret_result, err);
}

const json_t *ctrl_client_error(const struct ctrl_client *client)
{
	return client->error;
}

int ctrl_client_subscribe(struct ctrl_client *client, const char *prefix, struct err *err)
{
	int rc = 0;

	if (!client->events)
		rc = open_socket(client, ZMQ_SUB, client->connect_events, "events.sock",
			&client->events, err);
	if (rc == 0 && zmq_setsockopt(client->events, ZMQ_SUBSCRIBE, prefix, strlen(prefix)) < 0)
		rc = err_set_errno(err, -errno, prefix, "cannot subscribe");
	return rc;
}

int ctrl_client_event(
	struct ctrl_client *client, unsigned timeout_ms, json_t **ret_event, struct err *err)
{
	char name[128];
	json_t *event;
	int rc;

	rc = wait_readable(
		client, client->events, monotonic_us() + timeout_ms * UINT64_C(1000), err);
	if (rc < 0)
		return rc;
	event = receive(client->events, name, sizeof(name));
	if (!event || json_object_set_new(event, "event", json_string(name)) < 0) {
		json_decref(event);
		return err_set(err, -EPROTO, NULL, "an event could not be read");
	}
	*ret_event = event;
	return 0;
}
