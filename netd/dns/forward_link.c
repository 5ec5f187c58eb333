// SPDX-License-Identifier: BSD-3-Clause
#include "netd/dns/forward_link.h"

#include <ares.h>
#include <arpa/inet.h>
#include <errno.h>
#include <ldns/ldns.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include "base/loop.h"
#include "base/util.h"
#include "netd/dns/forward_message.h"

#define DNS_PORT    53
#define TRIES	    3
#define TRIES_PARTS 7 // each try waits twice as long as the one before: 1 + 2 + 4
#define WORN_AFTER  100
#define OPT_BYTES   11 // of an OPT record without options
#define PLAIN_PARTS 4  // after such a part of its time a question is sent without EDNS, too
#define PLAIN_AFTER 2  // questions that only this answered
#define PLAIN_US    (900 * 1000000ull) // then EDNS is tried again
#define SOCKETS_MAX 4		       // UDP, TCP, and new ones while the old ones close

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
	struct dns_server server;
	struct lane lanes[LANES];
	struct socket_watch sockets[SOCKETS_MAX];
	LIST_HEAD(, call) calls; // that are pending
	struct link_edns *edns;
	uint64_t plain_us;
	unsigned pending, asked;
	bool worn;
};

enum { WITH_EDNS, PLAIN, FORMS };

// A question in one of its forms.
struct form {
	struct call *call;
	enum lane_kind lane;
	bool sent, busy;
};

struct call {
	LIST_ENTRY(call) entry;
	struct link *link;
	link_fn *fn; // NULL: it was called
	void *arg;
	uint64_t sent_us;
	struct form forms[FORMS];
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

// c-ares knows no zones, so the socket is bound to the interface.
static int on_socket_made(ares_socket_t fd, int type, void *arg)
{
	struct lane *lane = arg;
	int index = dns_server_zone(&lane->link->server);

	if (!lane->link->server.zone[0])
		return 0;
	if (index == 0)
		return -1;
	return setsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &index, sizeof(index));
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
	ares_set_socket_configure_callback(lane->channel, on_socket_made, lane);
	return set_server(lane->channel, server);
}

struct link *link_new(struct loop *loop, const struct dns_server *server, uint32_t timeout_ms,
	struct link_edns *edns)
{
	struct link *link = calloc(1, sizeof(*link));

	if (!link)
		return NULL;
	link->loop = loop;
	link->server = *server;
	link->edns = edns;
	link->plain_us = timeout_ms * 1000ull / PLAIN_PARTS;
	LIST_INIT(&link->calls);
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

// c-ares cuts by itself what is longer than was asked for.
static bool is_cut(const struct form *form, const uint8_t *wire, size_t len_bytes)
{
	return form->lane == LANE_UDP && (LDNS_TC_WIRE(wire) || len_bytes >= MESSAGE_UDP_BYTES);
}

static void on_end(void *arg, int status, int timeouts, unsigned char *wire, int len);

static void send_form(struct call *call, unsigned kind, enum lane_kind lane)
{
	struct form *form = &call->forms[kind];
	size_t len = call->wire_bytes;

	// An OPT record is the last one.
	call->wire[LDNS_ARCOUNT_OFF + 1] = kind == WITH_EDNS;
	if (kind == PLAIN) {
		len -= OPT_BYTES;
		// Both forms are under way at once, and c-ares knows them by their ids.
		call->wire[0] ^= form->sent ? 0 : 0x80;
	}
	form->call = call;
	form->lane = lane;
	form->sent = form->busy = true;
	ares_send(call->link->lanes[lane].channel, call->wire, len, on_end, form);
}

// What only the form without EDNS is answered to, again and again, goes to a server that drops
// EDNS, or refuses it with an answer that says nothing (RFC 6891, section 7).
static void learn(struct call *call, unsigned kind)
{
	struct link_edns *edns = call->link->edns;

	if (kind == WITH_EDNS)
		edns->lost = 0;
	else if (call->forms[WITH_EDNS].sent && ++edns->lost == PLAIN_AFTER)
		edns->plain_until_us = monotonic_us() + PLAIN_US;
}

static void tell(struct call *call, int rc, const uint8_t *wire, size_t len_bytes)
{
	link_fn *fn = call->fn;

	call->fn = NULL;
	if (fn)
		fn(call->arg, rc, wire, len_bytes);
}

// c-ares leaves EDNS out when a server says that it does not understand it, but only of the first
// question; of those that were under way beside it, we do.
static bool goes_on(struct call *call, struct form *form, const uint8_t *wire, size_t len_bytes)
{
	unsigned kind = form - call->forms;

	if (kind == WITH_EDNS && LDNS_RCODE_WIRE(wire) == LDNS_RCODE_FORMERR) {
		if (!call->forms[PLAIN].sent)
			send_form(call, PLAIN, LANE_UDP);
		return true;
	}
	if (!is_cut(form, wire, len_bytes))
		return false;
	send_form(call, kind, LANE_TCP);
	return true;
}

static void on_end(void *arg, int status, int timeouts, unsigned char *wire, int len)
{
	struct form *form = arg;
	struct call *call = form->call;
	int rc = len < LDNS_HEADER_SIZE && status == ARES_SUCCESS ? -EBADMSG : rc_of(status);

	form->busy = false;
	if (rc == 0 && LDNS_RCODE_WIRE(wire) != LDNS_RCODE_NOERROR)
		call->link->worn = true;
	if (rc == 0 && call->fn && !goes_on(call, form, wire, len)) {
		learn(call, form - call->forms);
		tell(call, 0, wire, len);
	} else if (rc == 0 && LDNS_RCODE_WIRE(wire) != LDNS_RCODE_FORMERR && !call->fn &&
		   form == &call->forms[WITH_EDNS]) {
		learn(call, WITH_EDNS); // slow, but it knows EDNS
	}
	if (call->forms[WITH_EDNS].busy || call->forms[PLAIN].busy)
		return;
	LIST_REMOVE(call, entry);
	call->link->pending--;
	tell(call, rc ? rc : -EBADMSG, NULL, 0);
	free(call);
}

void link_send(struct link *link, const uint8_t *wire, size_t wire_bytes, link_fn *fn, void *arg)
{
	bool is_plain = link->edns->lost >= PLAIN_AFTER;
	struct call *call = malloc(sizeof(*call) + wire_bytes);

	if (!call) {
		fn(arg, -ENOMEM, NULL, 0);
		return;
	}
	*call = (struct call){.link = link, .fn = fn, .arg = arg, .wire_bytes = wire_bytes};
	memcpy(call->wire, wire, wire_bytes);
	call->sent_us = monotonic_us();
	link->pending++;
	link->asked++;
	LIST_INSERT_HEAD(&link->calls, call, entry);
	if (is_plain && call->sent_us >= link->edns->plain_until_us) {
		link->edns->lost = 0;
		is_plain = false;
	}
	send_form(call, is_plain ? PLAIN : WITH_EDNS, LANE_UDP);
}

// A call that has waited so long for an answer with EDNS that it is sent without, too.
static struct call *find_unanswered(struct link *link, uint64_t now_us)
{
	struct call *call;

	LIST_FOREACH (call, &link->calls, entry) {
		if (call->fn && !call->forms[PLAIN].sent &&
			call->forms[WITH_EDNS].lane == LANE_UDP &&
			now_us - call->sent_us >= link->plain_us)
			return call;
	}
	return NULL;
}

void link_tick(struct link *link)
{
	uint64_t now_us = monotonic_us();
	struct call *call;

	for (int i = 0; i < LANES; i++)
		ares_process_fd(link->lanes[i].channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	// c-ares may end others while it sends, so the list is walked anew.
	while ((call = find_unanswered(link, now_us)))
		send_form(call, PLAIN, LANE_UDP);
}

unsigned link_pending(const struct link *link)
{
	return link->pending;
}

bool link_is_worn(const struct link *link)
{
	return link->worn || link->asked >= WORN_AFTER;
}
