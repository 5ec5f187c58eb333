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
#include "ctrl/frames.h"
#include "ctrl/keys.h"
#include "ctrl/message.h"

#define PROBE_MS	   250
#define HEARTBEAT_MS	   5000
#define TIMEOUT_MS_DEFAULT 10000

// A socket, and for TCP what tells how its connection is.
struct channel {
	void *socket, *watch;
};

struct ctrl_client {
	char run_dir[PATH_MAX];
	const char *what, *program;
	char connect[256], connect_events[256]; // empty: the run directory
	struct ctrl_keys secret, server;
	unsigned timeout_ms;
	bool tells_timeout;
	void *zmq;
	struct channel requests, events;
	json_int_t next_id;
	json_t *error;
};

// ZeroMQ connects in the background and tries for ever, so ask the kernel whether someone listens.
static int probe_local(const struct ctrl_client *client, struct err *err)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd, rc = 0;

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
			"no permission to talk to the %s at %s (become root, or a member of the "
			"group of %s)",
			client->what, client->run_dir, addr.sun_path);
	if (rc < 0)
		return err_set(err, -ECONNREFUSED, NULL,
			"no %s answers at %s (is %s running? --run-dir chooses another)",
			client->what, client->run_dir, client->program);
	return 0;
}

static bool is_remote(const struct ctrl_client *client)
{
	return client->connect[0] || client->connect_events[0];
}

// What an event of a TCP connection means for who waits on it.
static int judge(uint16_t event, const char *address, struct err *err)
{
	switch (event) {
	case ZMQ_EVENT_CONNECT_RETRIED:
		return err_set(err, -ECONNREFUSED, address,
			"no switch answers there (was vswitchd started with --listen, and is the "
			"port open?)");
	case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
		return err_set(err, -EACCES, address,
			"the switch does not know your key; add your public key to its "
			"--client-keys file");
	case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
	case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
		return err_set(err, -EPROTO, address,
			"another server answers there than the one whose key is given "
			"(--server-key)");
	case ZMQ_EVENT_DISCONNECTED:
		return err_set(err, -ECONNRESET, address, "the switch went away");
	default:
		return 0;
	}
}

static int probe_remote(const struct channel *channel, struct err *err)
{
	char address[256];
	uint16_t event;
	int rc = 0;

	while (rc == 0 && (event = ctrl_watch_event(channel->watch, address, sizeof(address))))
		rc = judge(event, address, err);
	return rc;
}

static int open_watch(struct ctrl_client *client, struct channel *channel)
{
	const char *name = channel == &client->requests ? "inproc://requests" : "inproc://events";

	return ctrl_watch_open(client->zmq, channel->socket, name,
		ZMQ_EVENT_CONNECT_RETRIED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH |
			ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
			ZMQ_EVENT_DISCONNECTED,
		&channel->watch);
}

static void close_channel(struct channel *channel)
{
	if (channel->watch)
		zmq_close(channel->watch);
	if (channel->socket)
		zmq_close(channel->socket);
	*channel = (struct channel){0};
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

static int set_int(void *socket, int option, int value)
{
	return zmq_setsockopt(socket, option, &value, sizeof(value));
}

static int open_remote(
	struct ctrl_client *client, struct channel *channel, const char *address, struct err *err)
{
	int rc;

	if (!address[0])
		return err_set(err, -EINVAL,
			client->connect[0] ? client->connect : client->connect_events,
			"%s is not given (%s tcp://HOST:PORT)",
			channel == &client->events ? "the address of the events"
						   : "the address for requests",
			channel == &client->events ? "--connect-events" : "--connect");
	if (strncmp(address, "tcp://", 6))
		return err_set(err, -EINVAL, address, "is no address: tcp://HOST:PORT is expected");
	set_int(channel->socket, ZMQ_HEARTBEAT_IVL, HEARTBEAT_MS);
	rc = use_curve(client, channel->socket, err);
	if (rc == 0)
		rc = open_watch(client, channel);
	if (rc == 0 && zmq_connect(channel->socket, address) < 0)
		rc = -errno;
	if (rc < 0)
		err_set(err, rc, address, "cannot connect: %s", zmq_strerror(-rc));
	return rc;
}

static int open_local(
	struct ctrl_client *client, struct channel *channel, const char *name, struct err *err)
{
	char address[PATH_MAX + 32];

	snprintf(address, sizeof(address), "ipc://%s/%s", client->run_dir, name);
	if (zmq_connect(channel->socket, address) < 0)
		return err_set(err, -errno, address, "cannot connect: %s", zmq_strerror(errno));
	return 0;
}

static int open_channel(struct ctrl_client *client, struct channel *channel, struct err *err)
{
	bool events = channel == &client->events;
	int rc;

	channel->socket = zmq_socket(client->zmq, events ? ZMQ_SUB : ZMQ_DEALER);
	if (!channel->socket)
		return err_set_errno(err, -errno, NULL, "cannot make a socket");
	set_int(channel->socket, ZMQ_LINGER, 0);
	if (is_remote(client))
		rc = open_remote(
			client, channel, events ? client->connect_events : client->connect, err);
	else
		rc = open_local(client, channel, events ? "events.sock" : "ctl.sock", err);
	if (rc < 0)
		close_channel(channel);
	return rc;
}

static int read_keys(
	struct ctrl_client *client, const struct ctrl_client_opts *opts, struct err *err)
{
	int rc;

	if (!opts->secret_key_file || !opts->server_key_file)
		return err_set(err, -EINVAL, opts->connect ? opts->connect : opts->connect_events,
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
	client->what = opts->what ? opts->what : "switch";
	client->program = opts->program ? opts->program : "vswitchd";
	client->tells_timeout = opts->tells_timeout;
	client->timeout_ms = opts->timeout_ms ? opts->timeout_ms : TIMEOUT_MS_DEFAULT;
	snprintf(client->run_dir, sizeof(client->run_dir), "%s",
		opts->run_dir ? opts->run_dir : CTRL_RUN_DIR_DEFAULT);
	snprintf(
		client->connect, sizeof(client->connect), "%s", opts->connect ? opts->connect : "");
	snprintf(client->connect_events, sizeof(client->connect_events), "%s",
		opts->connect_events ? opts->connect_events : "");
	rc = is_remote(client) ? read_keys(client, opts, err) : probe_local(client, err);
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
	close_channel(&client->requests);
	close_channel(&client->events);
	while (client->zmq && zmq_ctx_term(client->zmq) < 0 && errno == EINTR)
		;
	ctrl_keys_fini(&client->secret);
	ctrl_keys_fini(&client->server);
	json_decref(client->error);
	free(client);
}

static int probe(const struct ctrl_client *client, const struct channel *channel, struct err *err)
{
	if (channel->watch)
		return probe_remote(channel, err);
	if (probe_local(client, NULL) < 0)
		return err_set(err, -ECONNRESET, NULL, "the %s at %s went away", client->what,
			client->run_dir);
	return 0;
}

// Waits until the channel is readable. -EAGAIN at `deadline_us`.
static int wait_readable(const struct ctrl_client *client, const struct channel *channel,
	uint64_t deadline_us, struct err *err)
{
	for (;;) {
		uint64_t now_us = monotonic_us();
		long left_ms = now_us >= deadline_us ? 0 : (deadline_us - now_us + 999) / 1000;
		zmq_pollitem_t items[] = {
			{channel->socket, -1, ZMQ_POLLIN, 0}, {channel->watch, -1, ZMQ_POLLIN, 0}};
		int rc;

		zmq_poll(items, channel->watch ? 2 : 1, MIN_OF(left_ms, PROBE_MS));
		if (items[0].revents)
			return 0;
		rc = probe(client, channel, err);
		if (rc < 0)
			return rc;
		if (left_ms <= PROBE_MS)
			return -EAGAIN;
	}
}

static int take_answer(
	struct ctrl_client *client, const json_t *answer, json_t **ret_result, struct err *err)
{
	json_t *result, *error = NULL;
	int rc = ctrl_frames_answer(answer, client->what, &result, &error, err);

	client->error = json_incref(error);
	if (rc == 0)
		*ret_result = json_incref(result);
	return rc;
}

static int wait_answer(
	struct ctrl_client *client, json_int_t id, json_t **ret_result, struct err *err)
{
	uint64_t deadline_us = monotonic_us() + client->timeout_ms * UINT64_C(1000);

	for (;;) {
		char first[16];
		json_t *answer = NULL, *got;
		int rc = wait_readable(client, &client->requests, deadline_us, err);

		if (rc == -EAGAIN)
			return err_set(err, -ETIMEDOUT, NULL,
				"no answer from the %s at %s within %g s; the request may still "
				"take effect, and --timeout waits for longer",
				client->what,
				client->connect[0] ? client->connect : client->run_dir,
				client->timeout_ms / 1000.0);
		if (rc < 0)
			return rc;
		if (ctrl_frames_receive(client->requests.socket, first, sizeof(first), &answer) < 0)
			continue;
		got = json_object_get(answer, "id");
		// The answer to an earlier call that timed out is passed over.
		if (json_is_integer(got) && json_integer_value(got) != id) {
			json_decref(answer);
			continue;
		}
		rc = take_answer(client, answer, ret_result, err);
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
	if (!client->requests.socket)
		rc = open_channel(client, &client->requests, err);
	if (rc < 0)
		return rc;
	text = ctrl_request_text(
		id, method, params, client->tells_timeout ? client->timeout_ms : 0);
	if (!text)
		return err_set(err, -ENOMEM, NULL, "cannot make the request: out of memory");
	if (zmq_send(client->requests.socket, text, strlen(text), ZMQ_DONTWAIT) < 0)
		rc = err_set(err, -errno, NULL, "cannot send the request: %s", zmq_strerror(errno));
	free(text);
	return rc < 0 ? rc : wait_answer(client, id, ret_result, err);
}

const json_t *ctrl_client_error(const struct ctrl_client *client)
{
	return client->error;
}

int ctrl_client_subscribe(struct ctrl_client *client, const char *prefix, struct err *err)
{
	int rc = 0;

	if (!client->events.socket)
		rc = open_channel(client, &client->events, err);
	if (rc == 0 &&
		zmq_setsockopt(client->events.socket, ZMQ_SUBSCRIBE, prefix, strlen(prefix)) < 0)
		rc = err_set_errno(err, -errno, prefix, "cannot subscribe");
	return rc;
}

int ctrl_client_event(
	struct ctrl_client *client, unsigned timeout_ms, json_t **ret_event, struct err *err)
{
	char name[128];
	json_t *event = NULL;
	int rc;

	rc = wait_readable(
		client, &client->events, monotonic_us() + timeout_ms * UINT64_C(1000), err);
	if (rc < 0)
		return rc;
	rc = ctrl_frames_receive(client->events.socket, name, sizeof(name), &event);
	if (rc < 0 || !event || json_object_set_new(event, "event", json_string(name)) < 0) {
		json_decref(event);
		return err_set(err, -EPROTO, NULL, "an event could not be read");
	}
	*ret_event = event;
	return 0;
}
