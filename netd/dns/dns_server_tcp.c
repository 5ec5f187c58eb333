// SPDX-License-Identifier: BSD-3-Clause
#include "netd/dns/dns_server.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/util.h"

#ifndef TCP_IDLE_US
#define TCP_IDLE_US 10000000ull
#endif
#define TCP_CONNS_MAX	  64	       // of one listener
#define TCP_TOTAL_MAX	  1024	       // of all: each is an fd of the agent
#define TCP_ACCEPTS	  8	       // in one turn
#define CONN_REQUESTS_MAX 16	       // that wait; with more it is not read
#define CONN_IN_BYTES	  4096	       // of one question
#define CONN_UNSENT_LOW	  (16u << 10)  // with more it is not read
#define CONN_UNSENT_MAX	  (192u << 10) // with more it is closed
#define LENGTH_BYTES	  2

// A connection. Several questions may wait at once; each is answered as soon as its answer has
// come.
struct conn {
	struct source source;
	TAILQ_ENTRY(conn) entry; // of its listener, or of those that are closed
	TAILQ_ENTRY(conn) wait_entry;
	struct dns_listener *listener;
	union sock_addr from;
	uint64_t client;
	uint64_t active_us; // of the last whole question, or of a reply that went out
	struct request_list requests;
	unsigned nb_requests;
	bool waits;	 // is in server->waiting
	bool eof;	 // the client asks nothing more
	bool broken;	 // to be closed
	uint8_t *unsent; // replies
	size_t unsent_bytes, unsent_capacity;
	size_t in_bytes;
	uint8_t in[LENGTH_BYTES + CONN_IN_BYTES];
};

static struct server *server_of(const struct conn *conn)
{
	return conn->listener->viewer.server;
}

// ---- its end ----

// Its memory stays for the events that are at hand.
static void conn_close(struct conn *conn)
{
	struct server *server = server_of(conn);

	requests_cancel(&conn->requests);
	source_close(&conn->source);
	if (conn->waits)
		TAILQ_REMOVE(&server->waiting, conn, wait_entry);
	TAILQ_REMOVE(&conn->listener->conns, conn, entry);
	conn->listener->nb_conns--;
	server->nb_conns--;
	free(conn->unsent);
	conn->unsent = NULL;
	TAILQ_INSERT_TAIL(&server->closed, conn, entry);
}

void tcp_free_closed(struct server *server)
{
	struct conn *conn;

	while ((conn = TAILQ_FIRST(&server->closed))) {
		TAILQ_REMOVE(&server->closed, conn, entry);
		free(conn);
	}
}

static void touch(struct conn *conn)
{
	conn->active_us = monotonic_us();
	TAILQ_REMOVE(&conn->listener->conns, conn, entry);
	TAILQ_INSERT_TAIL(&conn->listener->conns, conn, entry);
}

// ---- sending ----

static void put_reply(struct conn *conn, const struct reply *reply)
{
	size_t need = conn->unsent_bytes + LENGTH_BYTES + reply->wire_bytes;
	uint8_t *at;

	if (need > CONN_UNSENT_MAX) {
		conn->broken = true;
		return;
	}
	if (need > conn->unsent_capacity) {
		size_t capacity = MAX_OF(need, 2 * conn->unsent_capacity);

		at = realloc(conn->unsent, capacity);
		if (!at) {
			conn->broken = true;
			return;
		}
		conn->unsent = at;
		conn->unsent_capacity = capacity;
	}
	at = conn->unsent + conn->unsent_bytes;
	at[0] = reply->wire_bytes >> 8;
	at[1] = reply->wire_bytes;
	memcpy(at + LENGTH_BYTES, reply->wire, reply->wire_bytes);
	conn->unsent_bytes = need;
}

static void flush(struct conn *conn)
{
	ssize_t n;

	if (!conn->unsent_bytes || conn->broken)
		return;
	n = send(conn->source.fd, conn->unsent, conn->unsent_bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0) {
		conn->broken = errno != EAGAIN && errno != EINTR;
		return;
	}
	touch(conn);
	conn->unsent_bytes -= n;
	memmove(conn->unsent, conn->unsent + n, conn->unsent_bytes);
	if (conn->unsent_bytes)
		return;
	free(conn->unsent); // those that are idle hold nothing
	conn->unsent = NULL;
	conn->unsent_capacity = 0;
}

// Called by forward.h, which is not to be called back here: the rest is for wake().
static void late_reply(struct asker *asker, const struct reply *reply)
{
	struct conn *conn = asker->arg;
	struct server *server = server_of(conn);

	conn->nb_requests--;
	put_reply(conn, reply);
	if (conn->waits)
		return;
	conn->waits = true;
	TAILQ_INSERT_TAIL(&server->waiting, conn, wait_entry);
	loop_timer_once(server->resume, 0);
}

// ---- receiving ----

static bool is_full(const struct conn *conn)
{
	return conn->nb_requests >= CONN_REQUESTS_MAX || conn->unsent_bytes > CONN_UNSENT_LOW;
}

static void ask(struct conn *conn, const uint8_t *wire, size_t wire_bytes)
{
	struct asker asker = {.viewer = &conn->listener->viewer,
		.requests = &conn->requests,
		.reply = late_reply,
		.arg = conn,
		.from = conn->from,
		.client = conn->client,
		.is_tcp = true};
	struct reply reply = question(&asker, wire, wire_bytes, server_of(conn)->reply);

	if (reply.later)
		conn->nb_requests++;
	else if (reply.wire_bytes)
		put_reply(conn, &reply);
}

// Answers the questions that have arrived in full, as far as the limits allow. Returns whether it
// answered any.
static bool ask_all(struct conn *conn)
{
	size_t done = 0;

	while (!conn->broken && !is_full(conn) && conn->in_bytes - done >= LENGTH_BYTES) {
		const uint8_t *at = conn->in + done;
		size_t wire_bytes = at[0] << 8 | at[1];

		if (wire_bytes > CONN_IN_BYTES)
			conn->broken = true;
		if (conn->in_bytes - done < LENGTH_BYTES + wire_bytes)
			break;
		ask(conn, at + LENGTH_BYTES, wire_bytes);
		done += LENGTH_BYTES + wire_bytes;
	}
	if (!done)
		return false;
	conn->in_bytes -= done;
	memmove(conn->in, conn->in + done, conn->in_bytes);
	touch(conn);
	return true;
}

static void receive(struct conn *conn)
{
	size_t room = sizeof(conn->in) - conn->in_bytes;
	ssize_t n = recv(conn->source.fd, conn->in + conn->in_bytes, room, MSG_DONTWAIT);

	if (n > 0)
		conn->in_bytes += n;
	else if (n == 0)
		conn->eof = true;
	else
		conn->broken = errno != EAGAIN && errno != EINTR;
}

// ---- its turn ----

// Does as much as possible now and waits for the rest, or closes the connection.
static void go_on(struct conn *conn)
{
	uint32_t events;

	while (ask_all(conn))
		flush(conn);
	flush(conn);
	if (conn->broken || (conn->eof && !conn->nb_requests && !conn->unsent_bytes)) {
		conn_close(conn);
		return;
	}
	events = (conn->eof || is_full(conn) ? 0 : EPOLLIN) | (conn->unsent_bytes ? EPOLLOUT : 0);
	if (server_watch(server_of(conn), &conn->source, events) < 0)
		conn_close(conn);
}

static void conn_ready(struct source *source, uint32_t events)
{
	struct conn *conn = (void *)((char *)source - offsetof(struct conn, source));

	if (events & (EPOLLERR | EPOLLHUP))
		conn->broken = true;
	else if (events & EPOLLIN)
		receive(conn);
	go_on(conn);
}

// Those that have got late replies.
static void wake(void *arg)
{
	struct server *server = arg;
	struct conn *conn;

	while ((conn = TAILQ_FIRST(&server->waiting))) {
		TAILQ_REMOVE(&server->waiting, conn, wait_entry);
		conn->waits = false;
		go_on(conn);
	}
}

// ---- connections that come, and those that are in the way ----

// Closes the connection of the listener that was silent for longest, rather one that waits for
// nothing.
static void make_room(struct dns_listener *listener)
{
	struct conn *conn;

	TAILQ_FOREACH (conn, &listener->conns, entry)
		if (!conn->nb_requests && !conn->unsent_bytes)
			break;
	if (!conn)
		conn = TAILQ_FIRST(&listener->conns);
	if (conn)
		conn_close(conn);
}

static struct dns_listener *busiest(struct server *server)
{
	struct dns_listener *listener, *most = TAILQ_FIRST(&server->listeners);

	TAILQ_FOREACH (listener, &server->listeners, entry)
		if (listener->nb_conns > most->nb_conns)
			most = listener;
	return most;
}

static void need_sweep(struct server *server)
{
	if (!server->sweeps)
		loop_timer_set(server->sweep, TCP_IDLE_US / 8);
	server->sweeps = true;
}

static void accepted(struct dns_listener *listener, int fd, const union sock_addr *from)
{
	struct server *server = listener->viewer.server;
	struct conn *conn = calloc(1, sizeof(*conn));
	int on = 1;

	if (!conn) {
		close(fd);
		return;
	}
	if (listener->nb_conns >= TCP_CONNS_MAX)
		make_room(listener);
	else if (server->nb_conns >= TCP_TOTAL_MAX)
		make_room(busiest(server));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	conn->source.fd = fd;
	conn->source.ready = conn_ready;
	conn->listener = listener;
	conn->from = *from;
	conn->client = client_of(listener, from);
	conn->active_us = monotonic_us();
	TAILQ_INIT(&conn->requests);
	TAILQ_INSERT_TAIL(&listener->conns, conn, entry);
	listener->nb_conns++;
	server->nb_conns++;
	need_sweep(server);
	if (server_watch(server, &conn->source, EPOLLIN) < 0)
		conn_close(conn);
}

// Out of fds or memory: the client that waits would be told again at once, for ever. It has to wait
// for the next sweep.
static void pause_listener(struct dns_listener *listener)
{
	struct server *server = listener->viewer.server;

	make_room(busiest(server));
	server_watch(server, &listener->tcp, 0);
	need_sweep(server);
}

void tcp_ready(struct source *source, uint32_t events)
{
	struct dns_listener *listener =
		(void *)((char *)source - offsetof(struct dns_listener, tcp));

	for (unsigned i = 0; i < TCP_ACCEPTS; i++) {
		union sock_addr from = {0};
		socklen_t from_bytes = sizeof(from);
		int fd = accept4(source->fd, &from.sa, &from_bytes, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0)
			accepted(listener, fd, &from);
		else if (errno == EAGAIN)
			return;
		else if (errno != EINTR && errno != ECONNABORTED) {
			pause_listener(listener);
			return;
		}
	}
}

static void close_idle(struct dns_listener *listener, uint64_t now_us)
{
	struct conn *conn, *next;

	for (conn = TAILQ_FIRST(&listener->conns); conn; conn = next) {
		next = TAILQ_NEXT(conn, entry);
		if (now_us - conn->active_us < TCP_IDLE_US)
			return; // those behind it were active later
		if (!conn->nb_requests)
			conn_close(conn);
	}
}

static void sweep(void *arg)
{
	struct server *server = arg;
	uint64_t now_us = monotonic_us();
	struct dns_listener *listener;

	TAILQ_FOREACH (listener, &server->listeners, entry) {
		close_idle(listener, now_us);
		server_watch(server, &listener->tcp, EPOLLIN);
	}
	server->sweeps = server->nb_conns;
	if (!server->sweeps)
		loop_timer_set(server->sweep, 0);
}

int tcp_open(struct server *server)
{
	server->resume = loop_add_timer(server->loop, 0, wake, server);
	server->sweep = loop_add_timer(server->loop, 0, sweep, server);
	return server->resume && server->sweep ? 0 : -ENOMEM;
}

void tcp_close(struct server *server)
{
	tcp_free_closed(server);
}

void tcp_close_conns(struct dns_listener *listener)
{
	struct conn *conn;

	while ((conn = TAILQ_FIRST(&listener->conns)))
		conn_close(conn);
}
