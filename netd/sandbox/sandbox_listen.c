// SPDX-License-Identifier: BSD-3-Clause
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/netlink.h"
#include "base/util.h"
#include "netd/dns/dns.h"
#include "netd/sandbox/sandbox_priv.h"

#define TCP_BACKLOG 1024

union address {
	struct sockaddr any;
	struct sockaddr_in ip4;
	struct sockaddr_in6 ip6;
};

static socklen_t address_of(const struct ip_addr *ip, uint16_t port, union address *ret)
{
	*ret = (union address){0};
	if (ip->family == 6) {
		ret->ip6.sin6_family = AF_INET6;
		ret->ip6.sin6_port = htons(port);
		memcpy(&ret->ip6.sin6_addr, ip->byte, 16);
		return sizeof(ret->ip6);
	}
	ret->ip4.sin_family = AF_INET;
	ret->ip4.sin_port = htons(port);
	memcpy(&ret->ip4.sin_addr, ip->byte, 4);
	return sizeof(ret->ip4);
}

static int set_flag(int fd, int level, int option)
{
	return setsockopt(fd, level, option, &(int){1}, sizeof(int)) < 0 ? -errno : 0;
}

static bool is_shared(const struct sandbox_where *where)
{
	return where->ifname;
}

// Has the kernel choose among the sockets at this address by who sends: the last bits of the source
// address, so neighbours in a subnet have different ones. bpf(2), SO_ATTACH_REUSEPORT_CBPF in
// socket(7); the offsets are those of RFC 791 and RFC 8200.
static int set_spread(int fd, const struct sandbox_where *where)
{
	const struct sock_filter load =
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, SKF_NET_OFF + (where->ip.family == 6 ? 20 : 12));
	struct sock_filter code[] = {load, BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, DNS_UDP_MAX),
		BPF_STMT(BPF_RET | BPF_A, 0)};
	struct sock_fprog program = {.len = ARRAY_SIZE(code), .filter = code};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof(program)) < 0
		       ? -errno
		       : 0;
}

static int set_options(int fd, int type, const struct sandbox_where *where)
{
	bool is_ip6 = where->ip.family == 6;
	int rc = 0;

	if (type == SOCK_STREAM) // connections of an earlier listener may still be ending
		rc = set_flag(fd, SOL_SOCKET, SO_REUSEADDR);
	if (rc == 0 && is_ip6)
		rc = set_flag(fd, IPPROTO_IPV6, IPV6_V6ONLY);
	if (rc == 0 && is_shared(where) && type == SOCK_DGRAM)
		rc = set_flag(fd, SOL_SOCKET, SO_REUSEPORT);
	if (rc < 0 || !where->ifname)
		return rc;
	// The device may get its address later, and IPv6 takes a while to find it unique.
	rc = set_flag(fd, is_ip6 ? IPPROTO_IPV6 : IPPROTO_IP, is_ip6 ? IPV6_FREEBIND : IP_FREEBIND);
	if (rc == 0 && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, where->ifname,
			       strlen(where->ifname) + 1) < 0)
		rc = -errno;
	return rc;
}

static int open_socket(int type, const struct sandbox_where *where, int *ret_fd)
{
	union address address;
	socklen_t len = address_of(&where->ip, where->port, &address);
	int fd = socket(address.any.sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), rc;

	if (fd < 0)
		return -errno;
	rc = set_options(fd, type, where);
	if (rc == 0 && bind(fd, &address.any, len) < 0)
		rc = -errno;
	if (rc == 0 && type == SOCK_STREAM && listen(fd, TCP_BACKLOG) < 0)
		rc = -errno;
	if (rc < 0)
		close(fd);
	else
		*ret_fd = fd;
	return rc;
}

static int explain(int rc, const char *what, const struct sandbox_where *where, const char *object,
	struct err *err)
{
	char ip[IP_TEXT_BYTES];

	ip_format(&where->ip, ip);
	if (rc == -EADDRINUSE)
		return err_set(err, rc, object,
			"another program has %s port %u of %s; end it, or have it listen on "
			"another address ('ss -lnp' there names it)",
			what, where->port, ip);
	return err_set_errno(
		err, rc, object, "cannot listen on %s port %u of %s", what, where->port, ip);
}

static int open_udp(const struct sandbox_where *where, struct dns_sockets *sockets)
{
	unsigned count = is_shared(where) ? DNS_UDP_MAX : 1;
	int rc = 0;

	for (; sockets->nb_udp < count && rc == 0; sockets->nb_udp += rc == 0)
		rc = open_socket(SOCK_DGRAM, where, &sockets->udp[sockets->nb_udp]);
	return rc == 0 && count > 1 ? set_spread(sockets->udp[0], where) : rc;
}

// In the namespace that this thread is in.
static int listen_here(const struct sandbox_where *where, const char *object,
	struct dns_sockets *ret_sockets, struct err *err)
{
	struct dns_sockets sockets = {.tcp = -1};
	const char *what = "UDP";
	int rc = open_udp(where, &sockets);

	if (rc == 0) {
		what = "TCP";
		rc = open_socket(SOCK_STREAM, where, &sockets.tcp);
	}
	if (rc < 0) {
		dns_sockets_close(&sockets);
		return explain(rc, what, where, object, err);
	}
	*ret_sockets = sockets;
	return 0;
}

// Without it there is no 127.0.0.0/8.
static int set_lo_up(const struct sandbox_where *where, int ns, const char *object, struct err *err)
{
	struct nl_link link;
	struct nl *nl;
	int rc = nl_open(ns, &nl);

	if (rc < 0)
		return netns_refused(rc, where->sandbox, object, err);
	rc = nl_link_by_name(nl, "lo", &link);
	if (rc == 0 && !(link.flags & IFF_UP))
		rc = nl_link_change(nl, link.ifindex, &(struct nl_change){.up = true});
	nl_close(nl);
	return rc < 0 ? err_set_errno(err, rc, object, "cannot set its interface lo up") : 0;
}

static int listen_in(const struct sandbox_where *where, int ns, const char *object,
	struct dns_sockets *ret_sockets, struct err *err)
{
	int rc = set_lo_up(where, ns, object, err), home;

	if (rc < 0)
		return rc;
	home = netns_enter(ns);
	if (home < 0)
		return netns_refused(home, where->sandbox, object, err);
	rc = listen_here(where, object, ret_sockets, err);
	netns_leave(home);
	return rc;
}

int sandbox_listen(struct sandbox *sb, const struct sandbox_where *where,
	struct dns_sockets *ret_sockets, struct err *err)
{
	char object[SANDBOX_OBJECT_BYTES];
	int ns, rc;

	if (!where->sandbox) {
		snprintf(object, sizeof(object), "interface %s", where->ifname);
		return listen_here(where, object, ret_sockets, err);
	}
	rc = sandbox_open(where->sandbox, where->netns, &ns, err);
	if (rc < 0)
		return rc;
	rc = listen_in(where, ns, sandbox_object(where->sandbox, object), ret_sockets, err);
	close(ns);
	return rc;
}
