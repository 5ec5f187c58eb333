// SPDX-License-Identifier: BSD-3-Clause
#include "netd/dns/dns_server.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/hash.h"

#define EVENTS_MAX 8 // in one turn of the loop, so that other events do not wait long

// The server's sockets are behind one epoll fd, so a turn of the loop costs the same with one
// container and with thousands. Each event is worth one batch at most, and epoll_wait(2) goes
// round robin through those that stay ready: a client that floods waits in its own queue.
static void sources_ready(void *arg)
{
	struct server *server = arg;
	struct epoll_event events[EVENTS_MAX];
	int n;

	tcp_free_closed(server);
	n = epoll_wait(server->epoll_fd, events, EVENTS_MAX, 0);
	for (int i = 0; i < n; i++) {
		struct source *source = events[i].data.ptr;

		if (source->fd >= 0)
			source->ready(source, events[i].events);
	}
}

int server_watch(struct server *server, struct source *source, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = source};

	if (source->events == events)
		return 0;
	if (epoll_ctl(server->epoll_fd, EPOLL_CTL_MOD, source->fd, &event) < 0 &&
		epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, source->fd, &event) < 0)
		return -errno;
	source->events = events;
	return 0;
}

void source_close(struct source *source)
{
	if (source->fd >= 0)
		close(source->fd);
	source->fd = -1;
}

static int open_parts(struct server *server, struct err *err)
{
	int rc;

	server->loop = loop_new();
	if (!server->loop)
		return err_set_errno(err, -ENOMEM, "dns", "its loop");
	server->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (server->epoll_fd < 0)
		return err_set_errno(err, -errno, "dns", "its epoll");
	if (!loop_add_fd(server->loop, server->epoll_fd, sources_ready, server) ||
		udp_open(server) < 0 || tcp_open(server) < 0)
		return err_set_errno(err, -ENOMEM, "dns", "its sockets");
	rc = forward_new(server->loop, &server->conf, &server->forward, err);
	return rc < 0 ? err_set_errno(err, rc, "dns", "its servers") : 0;
}

int server_open(struct server *server, const struct dns_opts *opts, struct err *err)
{
	int rc;

	server->conf = *opts->conf;
	server->names = opts->names;
	server->epoll_fd = -1;
	TAILQ_INIT(&server->listeners);
	TAILQ_INIT(&server->asks);
	TAILQ_INIT(&server->waiting);
	TAILQ_INIT(&server->closed);
	rc = open_parts(server, err);
	if (rc < 0)
		server_close(server);
	return rc;
}

void server_close(struct server *server)
{
	struct dns_listener *listener;

	while ((listener = TAILQ_FIRST(&server->listeners))) {
		listener_close(listener);
		free(listener);
	}
	if (server->forward)
		forward_free(server->forward);
	tcp_close(server);
	udp_close(server);
	if (server->epoll_fd >= 0)
		close(server->epoll_fd);
	loop_free(server->loop);
}

// ---- listeners ----

void viewer_set(struct viewer *viewer, struct server *server, const struct dns_view *view)
{
	struct upstreams *old = viewer->upstreams;

	viewer->server = server;
	viewer->view = *view;
	viewer->upstreams =
		view->forwards ? upstreams_get(server->forward, view->servers, view->nb_servers)
			       : NULL;
	if (old) // only now: the new ones may be the same
		upstreams_put(old);
}

void viewer_clear(struct viewer *viewer)
{
	if (viewer->upstreams)
		upstreams_put(viewer->upstreams);
	viewer->upstreams = NULL;
}

static struct ip_addr bound_ip(int fd)
{
	struct ip_addr ip = {0};
	union sock_addr addr = {0};
	socklen_t addr_bytes = sizeof(addr);

	if (getsockname(fd, &addr.sa, &addr_bytes) < 0)
		return ip;
	if (addr.sa.sa_family == AF_INET) {
		ip.family = 4;
		memcpy(ip.byte, &addr.in.sin_addr, 4);
	} else if (addr.sa.sa_family == AF_INET6) {
		ip.family = 6;
		memcpy(ip.byte, &addr.in6.sin6_addr, 16);
	}
	return ip;
}

static bool is_loopback(const struct ip_addr *ip)
{
	static const uint8_t one[16] = {[15] = 1};

	return ip->family == 4 ? ip->byte[0] == 127 : !memcmp(ip->byte, one, sizeof(one));
}

static int watch_all(struct server *server, struct dns_listener *listener)
{
	int rc = 0;

	for (unsigned i = 0; i < listener->nb_udp && rc == 0; i++) {
		listener->udp[i].listener = listener;
		listener->udp[i].source.ready = udp_ready;
		rc = server_watch(server, &listener->udp[i].source, EPOLLIN);
	}
	listener->tcp.ready = tcp_ready;
	return rc < 0 ? rc : server_watch(server, &listener->tcp, EPOLLIN);
}

static void close_all(struct dns_listener *listener)
{
	viewer_clear(&listener->viewer);
	for (unsigned i = 0; i < listener->nb_udp; i++)
		source_close(&listener->udp[i].source);
	source_close(&listener->tcp);
}

int listener_open(struct server *server, struct dns_listener *listener)
{
	int rc;

	TAILQ_INIT(&listener->requests);
	TAILQ_INIT(&listener->conns);
	listener->client = hash_add(HASH_INIT, &listener, sizeof(struct dns_listener *));
	listener->ip = bound_ip(listener->tcp.fd);
	listener->one_client = is_loopback(&listener->ip);
	rc = watch_all(server, listener);
	if (rc < 0) {
		close_all(listener);
		return rc;
	}
	// 127.0.0.11 is another one in each namespace; in the host's it may be a server above.
	if (!listener->one_client)
		forward_own_add(server->forward, &listener->ip);
	TAILQ_INSERT_TAIL(&server->listeners, listener, entry);
	return 0;
}

void listener_close(struct dns_listener *listener)
{
	struct server *server = listener->viewer.server;

	TAILQ_REMOVE(&server->listeners, listener, entry);
	requests_cancel(&listener->requests);
	tcp_close_conns(listener);
	if (!listener->one_client)
		forward_own_del(server->forward, &listener->ip);
	close_all(listener);
}
