// SPDX-License-Identifier: BSD-3-Clause
#include "ctrl/server_priv.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/util.h"

#define LINGER_MS 200 // for answers that are on their way when the daemon stops

static int set_int(void *socket, int option, int value)
{
	return zmq_setsockopt(socket, option, &value, sizeof(value));
}

static int open_socket(struct ctrl_server *server, int type, const char *address, void **ret_socket,
	struct err *err)
{
	void *socket = zmq_socket(server->zmq, type);
	int64_t max_bytes = CTRL_TRANSPORT_MAX_BYTES;

	if (!socket)
		return err_set_errno(err, -errno, address, "cannot make a socket");
	*ret_socket = socket;
	set_int(socket, ZMQ_LINGER, LINGER_MS);
	set_int(socket, ZMQ_IPV6, 1);
	set_int(socket, ZMQ_RCVHWM, 16); // of each client: more wait on its side
	set_int(socket, ZMQ_HANDSHAKE_IVL, 5000);
	zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &max_bytes, sizeof(max_bytes));
	return 0;
}

static int bind_local(struct ctrl_server *server, void *socket, const char *name, struct err *err)
{
	char address[PATH_MAX];
	mode_t mask;
	int rc;

	snprintf(address, sizeof(address), "ipc://%s/%s", server->opts.run_dir, name);
	mask = umask(0117); // so that the socket is 0660 from its first moment
	rc = zmq_bind(socket, address) < 0 ? -errno : 0;
	umask(mask);
	if (rc < 0)
		return err_set(err, rc, address + 6, "cannot listen: %s", zmq_strerror(-rc));
	return 0;
}

static int use_curve(void *socket, const struct ctrl_keys *secret, struct err *err)
{
	if (set_int(socket, ZMQ_CURVE_SERVER, 1) < 0 ||
		zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, secret->key[0], CTRL_KEY_BYTES) < 0 ||
		zmq_setsockopt(socket, ZMQ_ZAP_DOMAIN, "causeway", 8) < 0)
		return err_set(err, -errno, NULL, "cannot use CURVE: %s", zmq_strerror(errno));
	return 0;
}

static int bind_tcp(
	void *socket, const char *address, const struct ctrl_keys *secret, struct err *err)
{
	int rc = use_curve(socket, secret, err);

	if (rc < 0)
		return rc;
	if (zmq_bind(socket, address) < 0)
		return err_set(err, -errno, address, "cannot listen: %s", zmq_strerror(errno));
	return 0;
}

static int add_listener(
	struct ctrl_server *server, struct listener *ep, loop_fn *on_request, struct err *err)
{
	ep->server = server;
	ep->handle = loop_add_socket(server->opts.loop, ep->socket, on_request, ep);
	ep->more = loop_add_timer(server->opts.loop, 0, on_request, ep);
	if (!ep->handle || !ep->more)
		return err_set(err, -ENOMEM, NULL, "out of memory");
	return 0;
}

static int check_keys(const struct ctrl_tcp *tcp, struct err *err)
{
	struct ctrl_keys keys = {0};
	int rc = ctrl_keys_read(tcp->secret_key_file, true, &keys, err);

	ctrl_keys_fini(&keys);
	if (rc == 0)
		rc = ctrl_keys_read(tcp->client_keys_file, false, &keys, err);
	ctrl_keys_fini(&keys);
	return rc;
}

static int check_tcp(const struct ctrl_tcp *tcp, struct err *err)
{
	const char *both[] = {tcp->listen, tcp->listen_events};
	const char *address = tcp->listen ? tcp->listen : tcp->listen_events;

	for (unsigned i = 0; i < ARRAY_SIZE(both); i++) {
		if (both[i] && strncmp(both[i], "tcp://", 6))
			return err_set(err, -EINVAL, both[i],
				"is not an address to listen on: tcp://ADDRESS:PORT is expected");
	}
	if (!address && !tcp->secret_key_file && !tcp->client_keys_file)
		return 0;
	if (!address)
		return err_set(err, -EINVAL, NULL,
			"keys are of use only with an address to listen on (--listen)");
	if (!tcp->secret_key_file || !tcp->client_keys_file)
		return err_set(err, -EPERM, address,
			"will not listen on TCP without keys: give the file of the server's "
			"secret key (--key) and the file of the clients' public keys "
			"(--client-keys); `vsctl key create FILE` makes keys");
	if (!zmq_has("curve"))
		return err_set(err, -EOPNOTSUPP, address,
			"will not listen on TCP: this libzmq was built without CURVE");
	return check_keys(tcp, err);
}

int ctrl_server_check(const char *run_dir, const struct ctrl_tcp *tcp, struct err *err)
{
	size_t max = sizeof(((struct sockaddr_un *)0)->sun_path) - sizeof("/events.sock");

	if (strlen(run_dir) > max)
		return err_set(err, -ENAMETOOLONG, run_dir,
			"the path of the run directory has %zu bytes, more than the %zu that leave "
			"room for the name of a socket in it; choose a shorter one (--run-dir)",
			strlen(run_dir), max);
	return check_tcp(tcp, err);
}

static int open_tcp(struct ctrl_server *server, loop_fn *on_request, struct err *err)
{
	const struct ctrl_tcp *opts = &server->opts.tcp;
	struct listener *ep = &server->requests[LISTENER_TCP];
	void **events = &server->events[LISTENER_TCP];
	struct ctrl_keys secret = {0};
	int rc;

	rc = ctrl_keys_read(opts->secret_key_file, true, &secret, err);
	if (rc == 0)
		rc = ctrl_zap_new(server, opts->client_keys_file, &server->zap, err);
	if (rc == 0 && opts->listen) {
		rc = open_socket(server, ZMQ_ROUTER, opts->listen, &ep->socket, err);
		if (rc == 0)
			rc = bind_tcp(ep->socket, opts->listen, &secret, err);
		if (rc == 0)
			rc = add_listener(server, ep, on_request, err);
	}
	if (rc == 0 && opts->listen_events) {
		rc = open_socket(server, ZMQ_PUB, opts->listen_events, events, err);
		if (rc == 0)
			rc = bind_tcp(*events, opts->listen_events, &secret, err);
	}
	ctrl_keys_fini(&secret);
	return rc;
}

static int open_local(struct ctrl_server *server, loop_fn *on_request, struct err *err)
{
	struct listener *ep = &server->requests[LISTENER_LOCAL];
	void **events = &server->events[LISTENER_LOCAL];
	int rc;

	rc = open_socket(server, ZMQ_ROUTER, "ctl.sock", &ep->socket, err);
	if (rc == 0)
		rc = bind_local(server, ep->socket, "ctl.sock", err);
	if (rc == 0)
		rc = add_listener(server, ep, on_request, err);
	if (rc == 0)
		rc = open_socket(server, ZMQ_PUB, "events.sock", events, err);
	if (rc == 0)
		rc = bind_local(server, *events, "events.sock", err);
	return rc;
}

int ctrl_sockets_open(struct ctrl_server *server, loop_fn *on_request, struct err *err)
{
	int rc = ctrl_server_check(server->opts.run_dir, &server->opts.tcp, err);

	if (rc < 0)
		return rc;
	server->zmq = zmq_ctx_new();
	if (!server->zmq)
		return err_set_errno(err, -errno, NULL, "cannot start ZeroMQ");
	if (server->opts.tcp.listen || server->opts.tcp.listen_events)
		rc = open_tcp(server, on_request, err);
	return rc < 0 ? rc : open_local(server, on_request, err);
}

// ZeroMQ leaves the files of its local sockets behind.
static void remove_local(const struct ctrl_server *server)
{
	static const char *const names[] = {"ctl.sock", "events.sock"};
	char path[PATH_MAX];

	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", server->opts.run_dir, names[i]);
		unlink(path);
	}
}

void ctrl_sockets_close(struct ctrl_server *server)
{
	for (unsigned i = 0; i < NB_LISTENERS; i++) {
		struct listener *ep = &server->requests[i];

		loop_del(server->opts.loop, ep->handle);
		loop_del(server->opts.loop, ep->more);
		if (ep->socket)
			zmq_close(ep->socket);
		if (server->events[i])
			zmq_close(server->events[i]);
	}
	ctrl_zap_free(server->zap, server->opts.loop);
	while (server->zmq && zmq_ctx_term(server->zmq) < 0 && errno == EINTR)
		;
	if (server->requests[LISTENER_LOCAL].socket)
		remove_local(server);
}
