// SPDX-License-Identifier: BSD-3-Clause
#include "netd/dns/forward_udp.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <ldns/ldns.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/util.h"

#define DNS_PORT    53
#define SHARED_MAX  128 // above that, a question shares the port of others
#define SHARED_USES 16	// then a port takes no more questions, and is closed with the last one

struct udp_port {
	TAILQ_ENTRY(udp_port) entry; // of `shared`
	struct udp_ports *ports;
	struct loop_handle *handle;
	int fd;
	unsigned uses;
	bool is_shared;
	bool is_held; // in use although no question is left
	LIST_HEAD(, udp_ask) asks;
};

void udp_ports_init(struct udp_ports *ports, struct loop *loop, const struct dns_server *server)
{
	ports->loop = loop;
	ports->server = *server;
	ports->nb_shared = 0;
	TAILQ_INIT(&ports->shared);
}

// ---- ports ----

static void port_retire(struct udp_port *port)
{
	if (!port->is_shared)
		return;
	port->is_shared = false;
	TAILQ_REMOVE(&port->ports->shared, port, entry);
	port->ports->nb_shared--;
}

static void port_close_unused(struct udp_port *port)
{
	if (port->is_held || !LIST_EMPTY(&port->asks))
		return;
	port_retire(port);
	loop_del(port->ports->loop, port->handle);
	close(port->fd);
	free(port);
}

static int address_of(
	const struct dns_server *server, struct sockaddr_storage *ret_address, socklen_t *ret_len)
{
	struct sockaddr_in *in = (struct sockaddr_in *)ret_address;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret_address;
	uint16_t port = htons(server->port ? server->port : DNS_PORT);

	memset(ret_address, 0, sizeof(*ret_address));
	if (server->ip.family == 4) {
		in->sin_family = AF_INET;
		in->sin_port = port;
		memcpy(&in->sin_addr, server->ip.byte, sizeof(in->sin_addr));
		*ret_len = sizeof(*in);
		return 0;
	}
	in6->sin6_family = AF_INET6;
	in6->sin6_port = port;
	memcpy(&in6->sin6_addr, server->ip.byte, sizeof(in6->sin6_addr));
	in6->sin6_scope_id = dns_server_zone(server);
	*ret_len = sizeof(*in6);
	return server->zone[0] && !in6->sin6_scope_id ? -ENODEV : 0;
}

// Connected: the kernel lets answers in from this address and port only, and tells when nobody is
// there.
static int connected(const struct dns_server *server)
{
	struct sockaddr_storage address;
	socklen_t len;
	int fd, rc = address_of(server, &address, &len);

	if (rc < 0)
		return rc;
	fd = socket(address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&address, len) < 0) {
		rc = -errno;
		close(fd);
		return rc;
	}
	return fd;
}

static void on_ready(void *arg);

static int port_open(struct udp_ports *ports, struct udp_port **ret_port)
{
	struct udp_port *port = calloc(1, sizeof(*port));

	if (!port)
		return -ENOMEM;
	port->fd = connected(&ports->server);
	if (port->fd < 0) {
		int rc = port->fd;

		free(port);
		return rc;
	}
	port->ports = ports;
	LIST_INIT(&port->asks);
	port->handle = loop_add_fd(ports->loop, port->fd, on_ready, port);
	if (!port->handle) {
		close(port->fd);
		free(port);
		return -ENOMEM;
	}
	port->is_shared = true;
	TAILQ_INSERT_HEAD(&ports->shared, port, entry);
	ports->nb_shared++;
	*ret_port = port;
	return 0;
}

// Those that are shared take turns. That is also what is left when no socket can be had.
static int port_get(struct udp_ports *ports, struct udp_port **ret_port)
{
	struct udp_port *port = NULL;
	int rc = 0;

	if (ports->nb_shared < SHARED_MAX)
		rc = port_open(ports, &port);
	if (!port)
		port = TAILQ_FIRST(&ports->shared);
	if (!port)
		return rc;
	TAILQ_REMOVE(&ports->shared, port, entry);
	TAILQ_INSERT_TAIL(&ports->shared, port, entry);
	if (++port->uses == SHARED_USES)
		port_retire(port);
	*ret_port = port;
	return 0;
}

// ---- questions ----

// An error may be of what was sent before, from a port that is shared.
static int send_it(struct udp_ask *ask)
{
	for (int i = 0; i < 2; i++) {
		if (send(ask->port->fd, ask->wire, ask->wire_bytes, 0) >= 0)
			return 0;
		if (errno == EAGAIN || errno == ENOBUFS)
			return 0; // lost, like a packet
		if (errno != ECONNREFUSED)
			return -errno;
	}
	return 0;
}

int udp_send(struct udp_ports *ports, struct udp_ask *ask)
{
	struct udp_port *port;
	int rc = port_get(ports, &port);

	if (rc < 0)
		return rc;
	ask->port = port;
	LIST_INSERT_HEAD(&port->asks, ask, entry);
	rc = send_it(ask);
	if (rc < 0)
		udp_end(ask);
	return rc;
}

void udp_resend(struct udp_ask *ask)
{
	send_it(ask);
}

void udp_end(struct udp_ask *ask)
{
	struct udp_port *port = ask->port;

	if (!port)
		return;
	LIST_REMOVE(ask, entry);
	ask->port = NULL;
	port_close_unused(port);
}

// ---- answers ----

static bool is_response(const uint8_t *wire, size_t len)
{
	return len >= LDNS_HEADER_SIZE && LDNS_QR_WIRE(wire) && LDNS_OPCODE_WIRE(wire) == 0;
}

static size_t question_bytes(const uint8_t *wire)
{
	size_t at = LDNS_HEADER_SIZE;

	while (wire[at])
		at += 1 + wire[at];
	return at + 1 + 2 * sizeof(uint16_t) - LDNS_HEADER_SIZE;
}

// False: it is no answer to the question.
static bool match_of(
	const struct udp_ask *ask, const uint8_t *wire, size_t len, enum udp_match *ret_match)
{
	const uint8_t *want = ask->wire + LDNS_HEADER_SIZE, *got = wire + LDNS_HEADER_SIZE;
	size_t bytes = question_bytes(ask->wire), name_bytes = bytes - 2 * sizeof(uint16_t);
	unsigned rcode = LDNS_RCODE_WIRE(wire);

	*ret_match = UDP_NO_QUESTION;
	if (LDNS_QDCOUNT(wire) == 0)
		return rcode == LDNS_RCODE_FORMERR || rcode == LDNS_RCODE_NOTIMPL;
	if (LDNS_QDCOUNT(wire) != 1 || len < LDNS_HEADER_SIZE + bytes ||
		memcmp(want + name_bytes, got + name_bytes, bytes - name_bytes) != 0)
		return false;
	*ret_match = memcmp(want, got, name_bytes) ? UDP_OTHER_CASE : UDP_SAME;
	// Lengths of labels are too small to be letters.
	for (size_t i = 0; i < name_bytes; i++)
		if (tolower(want[i]) != tolower(got[i]))
			return false;
	return true;
}

static struct udp_ask *find_ask(
	const struct udp_port *port, const uint8_t *wire, size_t len, enum udp_match *ret_match)
{
	struct udp_ask *ask;

	LIST_FOREACH (ask, &port->asks, entry)
		if (LDNS_ID_WIRE(ask->wire) == LDNS_ID_WIRE(wire) &&
			match_of(ask, wire, len, ret_match))
			return ask;
	return NULL;
}

// Nobody is there, for all whose questions left from this port.
static void port_failed(struct udp_port *port, int rc)
{
	struct udp_ask *ask;

	port_retire(port);
	port->is_held = true;
	while ((ask = LIST_FIRST(&port->asks))) {
		udp_end(ask);
		ask->fn(ask, rc, NULL, 0, UDP_NO_QUESTION);
	}
	port->is_held = false;
	port_close_unused(port);
}

static void on_ready(void *arg)
{
	struct udp_port *port = arg;
	uint8_t wire[DNS_UDP_BYTES];
	ssize_t len = recv(port->fd, wire, sizeof(wire), MSG_TRUNC);
	enum udp_match match;
	struct udp_ask *ask;

	if (len < 0) {
		if (errno != EAGAIN && errno != EINTR)
			port_failed(port, -errno);
		return;
	}
	if (!is_response(wire, len))
		return;
	ask = find_ask(port, wire, MIN_OF((size_t)len, sizeof(wire)), &match);
	if (!ask)
		return;
	if (len > (ssize_t)sizeof(wire))
		LDNS_TC_SET(wire);
	ask->fn(ask, 0, wire, MIN_OF((size_t)len, sizeof(wire)), match);
}
