// SPDX-License-Identifier: BSD-3-Clause
#include "netd/dns/forward_tcp.h"

#include <ares.h>
#include <arpa/inet.h>
#include <errno.h>
#include <ldns/ldns.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/loop.h"

#define DNS_PORT    53
#define TRIES	    2 // the second one is for a server that closes the connection
#define SOCKETS_MAX 3 // new ones while the old ones close

struct socket_watch {
	struct tcp *tcp;
	struct loop_handle *handle; // NULL: not used
	ares_socket_t fd;
	bool writes;
};

struct tcp {
	struct loop *loop;
	struct dns_server server;
	ares_channel channel;
	struct socket_watch sockets[SOCKETS_MAX];
};

// ---- sockets ----

static void on_socket(void *arg)
{
	struct socket_watch *watch = arg;

	ares_process_fd(
		watch->tcp->channel, watch->fd, watch->writes ? watch->fd : ARES_SOCKET_BAD);
}

static struct socket_watch *watch_of(struct tcp *tcp, ares_socket_t fd)
{
	struct socket_watch *unused = NULL;

	for (unsigned i = 0; i < SOCKETS_MAX; i++) {
		struct socket_watch *watch = &tcp->sockets[i];

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
	struct tcp *tcp = arg;
	struct socket_watch *watch = watch_of(tcp, fd);

	if (!watch)
		return;
	if (!readable && !writable) {
		loop_del(tcp->loop, watch->handle);
		watch->handle = NULL;
		return;
	}
	if (!watch->handle) {
		watch->tcp = tcp;
		watch->fd = fd;
		watch->handle = loop_add_fd(tcp->loop, fd, on_socket, watch);
	}
	watch->writes = writable;
	if (watch->handle)
		loop_fd_events(
			watch->handle, (readable ? LOOP_READ : 0) | (writable ? LOOP_WRITE : 0));
}

// c-ares knows no zones, so the socket is bound to the interface.
static int on_socket_made(ares_socket_t fd, int type, void *arg)
{
	struct tcp *tcp = arg;
	int index = dns_server_zone(&tcp->server);

	if (!tcp->server.zone[0])
		return 0;
	if (index == 0)
		return -1;
	return setsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &index, sizeof(index));
}

// ---- the channel ----

static int set_server(struct tcp *tcp)
{
	const struct dns_server *server = &tcp->server;
	uint16_t port = server->port ? server->port : DNS_PORT;
	struct ares_addr_port_node node = {.udp_port = port, .tcp_port = port};

	node.family = server->ip.family == 6 ? AF_INET6 : AF_INET;
	memcpy(&node.addr, server->ip.byte, server->ip.family == 6 ? 16 : 4);
	return ares_set_servers_ports(tcp->channel, &node);
}

// Over TCP nothing is lost, so the first try may take all of the time.
static int channel_open(struct tcp *tcp, uint32_t timeout_ms)
{
	// Everything is said here, so that c-ares looks into no file.
	struct in_addr nowhere = {htonl(INADDR_LOOPBACK)};
	struct ares_options options = {
		.flags = ARES_FLAG_NOCHECKRESP | ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES |
			 ARES_FLAG_USEVC,
		.timeout = timeout_ms,
		.tries = TRIES,
		.servers = &nowhere,
		.nservers = 1,
		.lookups = "b",
		.sock_state_cb = on_socket_state,
		.sock_state_cb_data = tcp,
	};
	int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_NDOTS |
		   ARES_OPT_SERVERS | ARES_OPT_DOMAINS | ARES_OPT_LOOKUPS | ARES_OPT_SORTLIST |
		   ARES_OPT_NOROTATE | ARES_OPT_SOCK_STATE_CB;
	int status = ares_init_options(&tcp->channel, &options, mask);

	if (status != ARES_SUCCESS) {
		tcp->channel = NULL;
		return status;
	}
	ares_set_socket_configure_callback(tcp->channel, on_socket_made, tcp);
	return set_server(tcp);
}

struct tcp *tcp_new(struct loop *loop, const struct dns_server *server, uint32_t timeout_ms)
{
	struct tcp *tcp = calloc(1, sizeof(*tcp));

	if (!tcp)
		return NULL;
	tcp->loop = loop;
	tcp->server = *server;
	if (channel_open(tcp, timeout_ms) == ARES_SUCCESS)
		return tcp;
	tcp_free(tcp);
	return NULL;
}

void tcp_free(struct tcp *tcp)
{
	if (!tcp)
		return;
	if (tcp->channel)
		ares_destroy(tcp->channel);
	for (unsigned i = 0; i < SOCKETS_MAX; i++)
		loop_del(tcp->loop, tcp->sockets[i].handle);
	free(tcp);
}

// ---- questions ----

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

static void on_end(void *arg, int status, int timeouts, unsigned char *wire, int len)
{
	struct tcp_ask *ask = arg;
	int rc = rc_of(status);

	if (rc == 0 && len < LDNS_HEADER_SIZE)
		rc = -EBADMSG;
	ask->fn(ask, rc, wire, rc == 0 ? len : 0);
}

void tcp_send(struct tcp *tcp, const uint8_t *wire, size_t wire_bytes, struct tcp_ask *ask)
{
	ares_send(tcp->channel, wire, wire_bytes, on_end, ask);
}

void tcp_tick(struct tcp *tcp)
{
	ares_process_fd(tcp->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}
