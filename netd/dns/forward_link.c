// SPDX-License-Identifier: BSD-3-Clause
#include "netd/dns/forward_link.h"

#include <ares.h>
#include <arpa/inet.h>
#include <errno.h>
#include <ldns/ldns.h>
#include <stdlib.h>
#include <string.h>

#include "base/loop.h"
#include "base/util.h"
#include "netd/dns/forward_message.h"

#define DNS_PORT    53
#define TRIES	    3
#define TRIES_PARTS 7 // each try waits twice as long as the one before: 1 + 2 + 4
#define WORN_AFTER  100
#define OPT_BYTES   11 // of an OPT record without options
#define SOCKETS_MAX 4  // UDP, TCP, and new ones while the old ones close

// Questions over UDP, and those that are asked again over TCP because their answer was cut.
enum lane_kind { LANE_UDP, LANE_TCP, LANES };

struct lane {
	struct link *link;
	ares_channel channel;
};

struct socket_watch {
	struct lane *lane;
	struct loop_handle *handle; // NULL: not used
	ares_socket_t fd;
	bool writes;
};

struct link {
	struct loop *loop;
	struct lane lanes[LANES];
	struct socket_watch sockets[SOCKETS_MAX];
	unsigned pending, asked;
	bool worn;
};

struct call {
	struct link *link;
	link_fn *fn;
	void *arg;
	enum lane_kind lane;
	bool plain; // sent without EDNS
	size_t wire_bytes;
	uint8_t wire[];
};

static void on_socket(void *arg)
{
	struct socket_watch *watch = arg;

	ares_process_fd(
		watch->lane->channel, watch->fd, watch->writes ? watch->fd : ARES_SOCKET_BAD);
}

static struct socket_watch *watch_of(struct link *link, ares_socket_t fd)
{
	struct socket_watch *unused = NULL;

	for (unsigned i = 0; i < SOCKETS_MAX; i++) {
		struct socket_watch *watch = &link->sockets[i];

		if (watch->handle && watch->fd == fd)
			return watch;
		if (!watch->handle)
			unused = watch;
	}
	return unused;
}

// Not watched when there is no memory: the question is then lost like a packet.
static void on_socket_state(void *arg, ares_socket_t fd, int readable, int writable)
{
	struct lane *lane = arg;
	struct link *link = lane->link;
	struct socket_watch *watch = watch_of(link, fd);

	if (!watch)
		return;
	if (!readable && !writable) {
		loop_del(link->loop, watch->handle);
		watch->handle = NULL;
		return;
	}
	if (!watch->handle) {
		watch->lane = lane;
		watch->fd = fd;
		watch->handle = loop_add_fd(link->loop, fd, on_socket, watch);
	}
	watch->writes = writable;
	if (watch->handle)
		loop_fd_events(
			watch->handle, (readable ? LOOP_READ : 0) | (writable ? LOOP_WRITE : 0));
}

static int set_server(ares_channel channel, const struct dns_server *server)
{
	uint16_t port = server->port ? server->port : DNS_PORT;
	struct ares_addr_port_node node = {.udp_port = port, .tcp_port = port};

	node.family = server->ip.family == 6 ? AF_INET6 : AF_INET;
	memcpy(&node.addr, server->ip.byte, server->ip.family == 6 ? 16 : 4);
	return ares_set_servers_ports(channel, &node);
}

// Over TCP nothing is lost, so the first try may take all of the time. The second one is for a
// server that closes the connection.
static int lane_open(struct link *link, enum lane_kind kind, const struct dns_server *server,
	uint32_t timeout_ms)
{
	// Everything is said here, so that c-ares looks into no file.
	struct in_addr nowhere = {htonl(INADDR_LOOPBACK)};
	struct lane *lane = &link->lanes[kind];
	struct ares_options options = {
		.flags = ARES_FLAG_NOCHECKRESP | ARES_FLAG_EDNS | ARES_FLAG_NOSEARCH |
			 ARES_FLAG_NOALIASES |
			 (kind == LANE_TCP ? ARES_FLAG_USEVC : ARES_FLAG_IGNTC),
		.timeout = kind == LANE_TCP ? timeout_ms : MAX_OF(timeout_ms / TRIES_PARTS, 1),
		.tries = kind == LANE_TCP ? 2 : TRIES,
		.servers = &nowhere,
		.nservers = 1,
		.lookups = "b",
		.ednspsz = MESSAGE_UDP_BYTES,
		.sock_state_cb = on_socket_state,
		.sock_state_cb_data = lane,
	};
	int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_NDOTS |
		   ARES_OPT_SERVERS | ARES_OPT_DOMAINS | ARES_OPT_LOOKUPS | ARES_OPT_SORTLIST |
		   ARES_OPT_EDNSPSZ | ARES_OPT_NOROTATE | ARES_OPT_SOCK_STATE_CB;
	int status;

	lane->link = link;
	status = ares_init_options(&lane->channel, &options, mask);
	if (status != ARES_SUCCESS) {
		lane->channel = NULL;
		return status;
	}
	return set_server(lane->channel, server);
}

struct link *link_new(struct loop *loop, const struct dns_server *server, uint32_t timeout_ms)
{
	struct link *link = calloc(1, sizeof(*link));

	if (!link)
		return NULL;
	link->loop = loop;
	for (int i = 0; i < LANES; i++) {
		if (lane_open(link, i, server, timeout_ms) != ARES_SUCCESS) {
			link_free(link);
			return NULL;
		}
	}
	return link;
}

void link_free(struct link *link)
{
	if (!link)
		return;
	for (int i = 0; i < LANES; i++) {
		if (link->lanes[i].channel)
			ares_destroy(link->lanes[i].channel);
	}
	for (unsigned i = 0; i < SOCKETS_MAX; i++)
		loop_del(link->loop, link->sockets[i].handle);
	free(link);
}

static int rc_of(int status)
{
	switch (status) {
	case ARES_SUCCESS:
		return 0;
	case ARES_ETIMEOUT:
		return -ETIMEDOUT;
	case ARES_ECONNREFUSED:
		return -ECONNREFUSED;
	case ARES_EDESTRUCTION:
		return -ECANCELED;
	case ARES_ENOMEM:
		return -ENOMEM;
	default:
		return -EIO;
	}
}

// c-ares leaves EDNS out when a server does not understand it, but only of the first question that
// is told so; of those that were under way beside it, we do.
static bool is_for_us(const struct call *call, const uint8_t *wire)
{
	return !call->plain && LDNS_RCODE_WIRE(wire) == LDNS_RCODE_FORMERR;
}

// c-ares cuts by itself what is longer than was asked for.
static bool is_cut(const struct call *call, const uint8_t *wire, size_t len_bytes)
{
	return call->lane == LANE_UDP && (LDNS_TC_WIRE(wire) || len_bytes >= MESSAGE_UDP_BYTES);
}

static void on_end(void *arg, int status, int timeouts, unsigned char *wire, int len);

static void send_call(struct call *call)
{
	ares_send(call->link->lanes[call->lane].channel, call->wire,
		call->wire_bytes - (call->plain ? OPT_BYTES : 0), on_end, call);
}

static void on_end(void *arg, int status, int timeouts, unsigned char *wire, int len)
{
	struct call *call = arg;
	int rc = len < LDNS_HEADER_SIZE && status == ARES_SUCCESS ? -EBADMSG : rc_of(status);

	if (rc == 0 && LDNS_RCODE_WIRE(wire) != LDNS_RCODE_NOERROR)
		call->link->worn = true;
	if (rc == 0 && is_for_us(call, wire)) {
		call->plain = true;
		call->wire[LDNS_ARCOUNT_OFF + 1] = 0;
		send_call(call);
		return;
	}
	if (rc == 0 && is_cut(call, wire, len)) {
		call->lane = LANE_TCP;
		send_call(call);
		return;
	}
	call->link->pending--;
	call->fn(call->arg, rc, wire, rc == 0 ? len : 0);
	free(call);
}

void link_send(struct link *link, const uint8_t *wire, size_t wire_bytes, link_fn *fn, void *arg)
{
	struct call *call = malloc(sizeof(*call) + wire_bytes);

	if (!call) {
		fn(arg, -ENOMEM, NULL, 0);
		return;
	}
	*call = (struct call){.link = link, .fn = fn, .arg = arg, .wire_bytes = wire_bytes};
	memcpy(call->wire, wire, wire_bytes);
	link->pending++;
	link->asked++;
	send_call(call);
}

void link_tick(struct link *link)
{
	for (int i = 0; i < LANES; i++)
		ares_process_fd(link->lanes[i].channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

unsigned link_pending(const struct link *link)
{
	return link->pending;
}

bool link_is_worn(const struct link *link)
{
	return link->worn || link->asked >= WORN_AFTER;
}
