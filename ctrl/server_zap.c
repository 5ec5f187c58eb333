// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "ctrl/server_priv.h"

// The frames of a question (RFC 27, section "ZAP 1.0").
enum { ZAP_VERSION, ZAP_ID, ZAP_DOMAIN, ZAP_ADDRESS, ZAP_IDENTITY, ZAP_MECHANISM, ZAP_KEY, ZAP_NB };

#define WARN_US 1000000

struct zap {
	void *socket;
	struct loop_handle *handle;
	struct ctrl_keys clients;
	uint64_t warned_us; // when the last warning was logged
};

struct question {
	char frame[ZAP_NB][256];
	int len_bytes[ZAP_NB];
	unsigned count;
};

static int receive(void *socket, struct question *q)
{
	int more = 1;
	size_t size = sizeof(more);

	memset(q, 0, sizeof(*q));
	while (more) {
		char frame[256];
		int len = zmq_recv(socket, frame, sizeof(frame), ZMQ_DONTWAIT);

		if (len < 0)
			return -errno;
		if (q->count < ZAP_NB && len <= (int)sizeof(frame)) {
			memcpy(q->frame[q->count], frame, len);
			q->len_bytes[q->count] = len;
		}
		q->count++;
		zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &size);
	}
	return 0;
}

static bool is_allowed(const struct zap *zap, const struct question *q, char key[CTRL_KEY_BYTES])
{
	key[0] = '\0';
	if (q->count != ZAP_NB || q->len_bytes[ZAP_KEY] != 32 || q->len_bytes[ZAP_MECHANISM] != 5 ||
		memcmp(q->frame[ZAP_MECHANISM], "CURVE", 5))
		return false;
	return zmq_z85_encode(key, (const uint8_t *)q->frame[ZAP_KEY], 32) &&
	       ctrl_keys_have(&zap->clients, key);
}

static void send_frame(void *socket, const char *data, size_t len_bytes, int flags)
{
	zmq_send(socket, data, len_bytes, flags | ZMQ_DONTWAIT);
}

// A client that is refused may come again at once, and so may many.
static void warn_refused(struct zap *zap, const struct question *q)
{
	if (zap->warned_us && monotonic_us() - zap->warned_us < WARN_US)
		return;
	zap->warned_us = monotonic_us();
	log_warn("control channel: a client with an unknown key was refused, from %.*s",
		q->len_bytes[ZAP_ADDRESS], q->frame[ZAP_ADDRESS]);
}

static void on_question(void *arg)
{
	struct zap *zap = arg;
	struct question q;

	while (receive(zap->socket, &q) == 0) {
		char key[CTRL_KEY_BYTES];
		bool allowed = is_allowed(zap, &q, key);

		if (!allowed)
			warn_refused(zap, &q);
		send_frame(zap->socket, "1.0", 3, ZMQ_SNDMORE);
		send_frame(zap->socket, q.frame[ZAP_ID], q.len_bytes[ZAP_ID], ZMQ_SNDMORE);
		send_frame(zap->socket, allowed ? "200" : "400", 3, ZMQ_SNDMORE);
		send_frame(zap->socket, allowed ? "OK" : "NO", 2, ZMQ_SNDMORE);
		send_frame(zap->socket, key, strlen(key), ZMQ_SNDMORE); // its name in the log
		send_frame(zap->socket, "", 0, 0);
	}
}

int ctrl_zap_new(struct ctrl_server *server, const char *client_keys_file, struct zap **ret_zap,
	struct err *err)
{
	struct zap *zap = calloc(1, sizeof(*zap));
	int rc;

	if (!zap)
		return err_set(err, -ENOMEM, NULL, "out of memory");
	rc = ctrl_keys_read(client_keys_file, false, &zap->clients, err);
	if (rc < 0)
		goto err;
	zap->socket = zmq_socket(server->zmq, ZMQ_REP);
	if (!zap->socket || zmq_bind(zap->socket, "inproc://zeromq.zap.01") < 0) {
		rc = err_set_errno(err, -errno, NULL, "cannot check the keys of clients");
		goto err;
	}
	zap->handle = loop_add_socket(server->opts.loop, zap->socket, on_question, zap);
	if (!zap->handle) {
		rc = err_set(err, -ENOMEM, NULL, "out of memory");
		goto err;
	}
	*ret_zap = zap;
	return 0;

err:
	ctrl_zap_free(zap, server->opts.loop);
	return rc;
}

void ctrl_zap_free(struct zap *zap, struct loop *loop)
{
	if (!zap)
		return;
	loop_del(loop, zap->handle);
	if (zap->socket)
		zmq_close(zap->socket);
	ctrl_keys_fini(&zap->clients);
	free(zap);
}
