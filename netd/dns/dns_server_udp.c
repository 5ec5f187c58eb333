// SPDX-License-Identifier: BSD-3-Clause
#include "netd/dns/dns_server.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define UDP_BATCH 32

// Messages that one system call receives or sends. The pointers are set once.
struct udp_batch {
	struct mmsghdr in[UDP_BATCH], out[UDP_BATCH];
	struct iovec in_iov[UDP_BATCH], out_iov[UDP_BATCH];
	union sock_addr from[UDP_BATCH];
	uint8_t rx[UDP_BATCH][DNS_UDP_BYTES], tx[UDP_BATCH][DNS_UDP_BYTES];
};

int udp_open(struct server *server)
{
	struct udp_batch *b = calloc(1, sizeof(*b));

	if (!b)
		return -ENOMEM;
	for (unsigned i = 0; i < UDP_BATCH; i++) {
		b->in_iov[i] = (struct iovec){b->rx[i], sizeof(b->rx[i])};
		b->in[i].msg_hdr.msg_iov = &b->in_iov[i];
		b->in[i].msg_hdr.msg_iovlen = 1;
		b->in[i].msg_hdr.msg_name = &b->from[i];
		b->in[i].msg_hdr.msg_namelen = sizeof(b->from[i]);
		b->out_iov[i].iov_base = b->tx[i];
		b->out[i].msg_hdr.msg_iov = &b->out_iov[i];
		b->out[i].msg_hdr.msg_iovlen = 1;
	}
	server->udp = b;
	return 0;
}

void udp_close(struct server *server)
{
	free(server->udp);
	server->udp = NULL;
}

static socklen_t addr_bytes(const union sock_addr *addr)
{
	return addr->sa.sa_family == AF_INET ? sizeof(addr->in) : sizeof(addr->in6);
}

static void late_reply(struct asker *asker, const struct reply *reply)
{
	struct dns_listener *listener = asker->arg;

	if (sendto(listener->udp[0].source.fd, reply->wire, reply->wire_bytes, MSG_DONTWAIT,
		    &asker->from.sa, addr_bytes(&asker->from)) < 0)
		listener->viewer.counters.dropped++;
}

static void send_batch(struct dns_listener *listener, struct udp_batch *b, unsigned count)
{
	unsigned done = 0;

	while (done < count) {
		int n = sendmmsg(
			listener->udp[0].source.fd, b->out + done, count - done, MSG_DONTWAIT);

		if (n > 0) {
			done += n;
			continue;
		}
		if (errno == EINTR)
			continue;
		listener->viewer.counters.dropped++; // of the first one: it cannot be sent
		done++;
	}
}

// Answers the datagram in slot `i`, if at once then in slot `out`. Returns whether it did.
static bool answer(struct asker *asker, struct udp_batch *b, unsigned i, unsigned out)
{
	struct reply reply;

	asker->from = b->from[i];
	asker->client = client_of(asker->arg, &asker->from);
	reply = question(asker, b->rx[i], b->in[i].msg_len, b->tx[out]);
	if (!reply.wire_bytes)
		return false;
	b->out_iov[out].iov_len = reply.wire_bytes;
	b->out[out].msg_hdr.msg_name = &b->from[i];
	b->out[out].msg_hdr.msg_namelen = b->in[i].msg_hdr.msg_namelen;
	return true;
}

void udp_ready(struct source *source, uint32_t events)
{
	struct dns_listener *listener = ((struct udp_socket *)source)->listener;
	struct udp_batch *b = listener->viewer.server->udp;
	struct asker asker = {.viewer = &listener->viewer,
		.requests = &listener->requests,
		.reply = late_reply,
		.arg = listener};
	unsigned count = 0;
	int n = recvmmsg(source->fd, b->in, UDP_BATCH, MSG_DONTWAIT, NULL);

	for (int i = 0; i < n; i++) {
		// A message longer than the size we announce was cut, so it is FORMERR.
		if (answer(&asker, b, i, count))
			count++;
		b->in[i].msg_hdr.msg_namelen = sizeof(b->from[i]);
	}
	send_batch(listener, b, count);
}
