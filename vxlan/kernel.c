// SPDX-License-Identifier: BSD-3-Clause
#include "vxlan/kernel.h"

#include <errno.h>
#include <ifaddrs.h>
#include <linux/in6.h>
#include <linux/udp.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <unistd.h>

#include <rte_ethdev.h>

#include "base/util.h"

#define SERVICE_US	 1000000
#define SOCKET_BUF_BYTES (8 * 1024 * 1024)
#define BIND_TRIES	 64 // random ports, for a socket that sends

// ---- sockets ----

static bool is_ip6(const struct vtep *vtep)
{
	return vtep->conf.address.family == 6;
}

// "10.0.0.1, network namespace c1"
static void where(const struct vtep *vtep, char *buf, size_t len_bytes)
{
	char ip[IP_TEXT_BYTES];

	snprintf(buf, len_bytes, "%s%s%s", ip_format(&vtep->conf.address, ip),
		vtep->conf.netns[0] ? " in network namespace " : "", vtep->conf.netns);
}

static int set_option(const struct vtep *vtep, int fd, int level, int option, int value,
	const char *name, struct err *err)
{
	if (setsockopt(fd, level, option, &value, sizeof(value)) == 0)
		return 0;
	return err_set_errno(err, -errno, vtep->path, "the kernel refused %s", name);
}

// Without CAP_NET_ADMIN, as much as the host allows.
static void set_buffer(int fd, int forced, int option)
{
	int bytes = SOCKET_BUF_BYTES;

	if (setsockopt(fd, SOL_SOCKET, forced, &bytes, sizeof(bytes)) < 0)
		setsockopt(fd, SOL_SOCKET, option, &bytes, sizeof(bytes));
}

// The options `name6` of IPv6 and `name4` of IPv4, of the families that the socket may speak.
static int set_both(const struct vtep *vtep, int fd, int option6, const char *name6, int option4,
	const char *name4, int value, struct err *err)
{
	int rc = 0;

	if (is_ip6(vtep))
		rc = set_option(vtep, fd, IPPROTO_IPV6, option6, value, name6, err);
	if (!rc && (!is_ip6(vtep) || vtep->mapped))
		rc = set_option(vtep, fd, IPPROTO_IP, option4, value, name4, err);
	return rc;
}

// DF on all packets, and no word of ICMP about sizes: the MTU is that of the device
// (ip_sk_use_pmtu(), ip6_setup_cork()).
static int set_dont_fragment(const struct vtep *vtep, int fd, struct err *err)
{
	_Static_assert((int)IPV6_PMTUDISC_PROBE == IP_PMTUDISC_PROBE, "one value for both");
	return set_both(vtep, fd, IPV6_MTU_DISCOVER, "IPV6_MTU_DISCOVER", IP_MTU_DISCOVER,
		"IP_MTU_DISCOVER", IP_PMTUDISC_PROBE, err);
}

static int open_socket(const struct vtep *vtep, int *ret_fd, struct err *err)
{
	int fd = socket(
		is_ip6(vtep) ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int rc = 0;

	if (fd < 0)
		return err_set_errno(err, -errno, vtep->path, "cannot open a UDP socket");
	if (is_ip6(vtep))
		rc = set_option(
			vtep, fd, IPPROTO_IPV6, IPV6_V6ONLY, !vtep->mapped, "IPV6_V6ONLY", err);
	if (!rc)
		rc = set_dont_fragment(vtep, fd, err);
	if (rc)
		close(fd);
	else
		*ret_fd = fd;
	return rc;
}

static int bind_socket(const struct vtep *vtep, int fd, uint16_t udp_port)
{
	const struct ip_addr *ip = &vtep->conf.address;
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(udp_port)};
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(udp_port)};
	int rc;

	memcpy(&in6.sin6_addr, ip->byte, sizeof(in6.sin6_addr));
	memcpy(&in.sin_addr, ip->byte, sizeof(in.sin_addr));
	rc = is_ip6(vtep) ? bind(fd, (struct sockaddr *)&in6, sizeof(in6))
			  : bind(fd, (struct sockaddr *)&in, sizeof(in));
	return rc < 0 ? -errno : 0;
}

static int explain_bind(const struct vtep *vtep, int code, struct err *err)
{
	char place[sizeof(vtep->conf.netns) + 96];

	where(vtep, place, sizeof(place));
	if (code == -EADDRNOTAVAIL)
		return err_set(err, code, vtep->path, "this host has no address %s", place);
	if (code == -EADDRINUSE)
		return err_set(err, code, vtep->path,
			"UDP port %u of %s is taken: by another switch, or by a VXLAN device of "
			"the kernel",
			vtep->conf.udp_port, place);
	return err_set_errno(
		err, code, vtep->path, "cannot use UDP port %u of %s", vtep->conf.udp_port, place);
}

// Before the socket has an address, so that it never has a packet of theirs.
static int distrust_devices(const struct vtep *vtep, struct err *err)
{
	const struct vxlan_env *env = &vtep->env;
	int rc = kernel_distrust(vtep, env->distrusted, env->nb_distrusted);

	if (rc == -E2BIG)
		return err_set(err, rc, vtep->path,
			"too many devices of containers to keep their packets out; give them ports "
			"of type tap");
	return rc ? err_set_errno(err, rc, vtep->path,
			    "cannot keep out what comes in by devices of containers")
		  : 0;
}

static int open_rx(struct vtep *vtep, struct err *err)
{
	struct kernel *k = vtep->kernel;
	int rc = open_socket(vtep, &k->rx_fd, err);

	if (rc)
		return rc;
	set_buffer(k->rx_fd, SO_RCVBUFFORCE, SO_RCVBUF);
	// RFC 7348, section 4.1: a checksum of zero must be accepted (IPv6: RFC 6935).
	if (is_ip6(vtep))
		rc = set_option(
			vtep, k->rx_fd, IPPROTO_UDP, UDP_NO_CHECK6_RX, 1, "UDP_NO_CHECK6_RX", err);
	if (!rc)
		rc = set_option(vtep, k->rx_fd, IPPROTO_UDP, UDP_GRO, 1, "UDP_GRO", err);
	if (!rc)
		rc = set_both(vtep, k->rx_fd, IPV6_RECVTCLASS, "IPV6_RECVTCLASS", IP_RECVTOS,
			"IP_RECVTOS", 1, err);
	if (!rc)
		rc = distrust_devices(vtep, err);
	if (rc)
		return rc;
	rc = bind_socket(vtep, k->rx_fd, vtep->conf.udp_port);
	return rc ? explain_bind(vtep, rc, err) : 0;
}

// A source port that nobody has, of those that flows may have.
static int bind_any_port(const struct vtep *vtep, int fd, struct err *err)
{
	uint16_t number;
	int rc = -EADDRINUSE;

	for (unsigned i = 0; i < BIND_TRIES && rc == -EADDRINUSE; i++) {
		if (getrandom(&number, sizeof(number), 0) != sizeof(number))
			return err_set_errno(err, -errno, vtep->path, "cannot get a random number");
		rc = bind_socket(vtep, fd, vxlan_src_port(number));
	}
	return rc ? err_set_errno(err, rc, vtep->path, "cannot find a free UDP port to send from")
		  : 0;
}

static int open_tx(struct vtep *vtep, int *ret_fd, struct err *err)
{
	int rc = open_socket(vtep, ret_fd, err);

	if (rc)
		return rc;
	set_buffer(*ret_fd, SO_SNDBUFFORCE, SO_SNDBUF);
	// Whatever the host's own is; kernel_mark() adds what differs.
	rc = set_both(vtep, *ret_fd, IPV6_UNICAST_HOPS, "IPV6_UNICAST_HOPS", IP_TTL, "IP_TTL",
		VXLAN_TTL, err);
	if (rc)
		return rc;
	// Nobody reads what is sent to it.
	rc = set_option(vtep, *ret_fd, SOL_SOCKET, SO_RCVBUF, 0, "SO_RCVBUF", err);
	if (!rc && vtep->conf.no_checksum)
		rc = set_option(vtep, *ret_fd, SOL_SOCKET, SO_NO_CHECK, 1, "SO_NO_CHECK", err);
	return rc ? rc : bind_any_port(vtep, *ret_fd, err);
}

static int open_sockets(struct vtep *vtep, struct err *err)
{
	struct kernel *k = vtep->kernel;
	int rc = open_rx(vtep, err);

	for (unsigned i = 0; !rc && i < KERNEL_TX_SOCKETS; i++)
		rc = open_tx(vtep, &k->tx_fd[i], err);
	return rc;
}

static void close_sockets(struct kernel *k)
{
	if (k->rx_fd >= 0)
		close(k->rx_fd);
	for (unsigned i = 0; i < KERNEL_TX_SOCKETS; i++)
		if (k->tx_fd[i] >= 0)
			close(k->tx_fd[i]);
}

// ---- MTU ----

static bool has_address(const struct ifaddrs *ifa, const struct ip_addr *ip)
{
	const struct sockaddr *sa = ifa->ifa_addr;

	if (!sa || sa->sa_family != (ip->family == 6 ? AF_INET6 : AF_INET))
		return false;
	return ip->family == 6
		       ? !memcmp(&((const struct sockaddr_in6 *)sa)->sin6_addr, ip->byte, 16)
		       : !memcmp(&((const struct sockaddr_in *)sa)->sin_addr, ip->byte, 4);
}

// The device that has the address, in the namespace of this thread; 0: none.
static int find_device(const struct ip_addr *ip)
{
	struct ifaddrs *list, *ifa;
	int ifindex = 0;

	if (getifaddrs(&list) < 0)
		return 0;
	for (ifa = list; ifa && !ifindex; ifa = ifa->ifa_next)
		if (has_address(ifa, ip))
			ifindex = if_nametoindex(ifa->ifa_name);
	freeifaddrs(list);
	return ifindex;
}

// Of a device; 0: not known.
static uint32_t mtu_of(const struct kernel *k, int ifindex)
{
	struct ifreq ifr = {.ifr_ifindex = ifindex};

	if (!ifindex || ioctl(k->rx_fd, SIOCGIFNAME, &ifr) < 0 ||
		ioctl(k->rx_fd, SIOCGIFMTU, &ifr) < 0 || ifr.ifr_mtu <= 0)
		return 0;
	return ifr.ifr_mtu;
}

static uint16_t kernel_device_mtu(const struct vtep *vtep)
{
	uint32_t mtu = mtu_of(vtep->kernel, vtep->kernel->ifindex);

	return MIN_OF(mtu, UINT16_MAX);
}

// A connected socket would tell what ICMP messages have made of the route.
static uint16_t kernel_path_mtu(const struct vtep *vtep, const struct ip_addr *ip)
{
	const struct kernel *k = vtep->kernel;
	const struct ip_addr *own = &vtep->conf.address;
	struct nl_way way;
	uint32_t mtu;

	if (nl_way_to(k->nl, ip, ip_is_any(own) ? NULL : own, &way) < 0)
		return 0;
	mtu = way.mtu;
	for (unsigned i = 0; i < way.nb_devices; i++) {
		uint32_t device = mtu_of(k, way.ifindex[i]);

		if (device && (!mtu || device < mtu))
			mtu = device;
	}
	return MIN_OF(mtu, UINT16_MAX);
}

// ---- open and close ----

static bool kernel_alive(const struct vtep *vtep)
{
	return !vtep->kernel->has_netns || netns_alive(vtep->conf.netns, &vtep->kernel->netns);
}

static int open_in_netns(struct vtep *vtep, struct err *err)
{
	struct kernel *k = vtep->kernel;
	int netns_fd, home_fd, rc = netns_open(vtep->conf.netns, vtep->path, &netns_fd, err);

	if (rc)
		return rc;
	k->has_netns = vtep->conf.netns[0] && netns_identify(netns_fd, &k->netns) == 0;
	home_fd = netns_enter(netns_fd);
	close(netns_fd);
	if (home_fd < 0)
		return netns_refused(home_fd, vtep->conf.netns, vtep->path, err);
	rc = open_sockets(vtep, err);
	if (!rc) {
		rc = nl_open(-1, &k->nl);
		if (rc)
			err_set_errno(err, rc, vtep->path, "cannot open a socket of rtnetlink");
	}
	if (!rc && !ip_is_any(&vtep->conf.address))
		k->ifindex = find_device(&vtep->conf.address);
	netns_leave(home_fd);
	return rc;
}

static struct kernel *kernel_new(const struct vtep *vtep)
{
	struct kernel *k = calloc(1, sizeof(*k));

	if (!k)
		return NULL;
	k->rx_fd = -1;
	for (unsigned i = 0; i < KERNEL_TX_SOCKETS; i++)
		k->tx_fd[i] = -1;
	// The kernel segments only what it may give a checksum.
	k->segments = !vtep->conf.no_checksum;
	k->rx.room = KERNEL_RX_TRAINS;
	k->tx = calloc(MAX_OF(vtep->env.nb_workers, 1), sizeof(*k->tx));
	if (!k->tx) {
		free(k);
		return NULL;
	}
	return k;
}

static void kernel_close(struct vtep *vtep)
{
	struct kernel *k = vtep->kernel;

	close_sockets(k);
	nl_close(k->nl);
	for (unsigned i = 0; i < KERNEL_RX_TRAINS; i++)
		rte_pktmbuf_free(k->rx.buf[i]);
	free(k->tx);
	free(k);
	vtep->kernel = NULL;
}

// Any address is that of both families, where the host has both.
static void choose_family(struct vtep *vtep)
{
	struct ip_addr *ip = &vtep->conf.address;

	if (!ip->family)
		ip->family = access("/proc/net/if_inet6", F_OK) < 0 ? 4 : 6;
	vtep->mapped = is_ip6(vtep) && ip_is_any(ip);
}

static int kernel_open(struct vtep *vtep, struct dp_port *lower, struct err *err)
{
	int rc;

	choose_family(vtep);
	vtep->kernel = kernel_new(vtep);
	if (!vtep->kernel)
		return err_set(err, -ENOMEM, vtep->path, "out of memory");
	rc = open_in_netns(vtep, err);
	if (rc) {
		kernel_close(vtep);
		return rc;
	}
	vtep->dp.rx = kernel_rx;
	vtep->dp.nb_rxq = 1;
	vtep->dp.rx_fd[0] = vtep->kernel->rx_fd;
	return 0;
}

static void kernel_vni_init(struct vni *vni)
{
	vni->dp.tx = kernel_tx;
	vni->dp.nb_txq = MAX_OF(vni->vtep->env.nb_workers, 1);
	vni->dp.tx_offloads = RTE_ETH_TX_OFFLOAD_TCP_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM |
			      RTE_ETH_TX_OFFLOAD_TCP_TSO | RTE_ETH_TX_OFFLOAD_UDP_TSO |
			      RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
}

static int kernel_send(
	struct vtep *vtep, uint16_t number, uint32_t vni, struct rte_mbuf *m, uint32_t flow)
{
	const struct vxlan_remote *remote = vxlan_table_remote(atomic_load(&vtep->table), number);
	uint8_t hdr[VXLAN_HDR_BYTES];
	struct iovec iov[] = {{hdr, sizeof(hdr)}, {rte_pktmbuf_mtod(m, void *), m->data_len}};
	union kernel_cmsg cmsg;
	struct msghdr msg = {.msg_iov = iov, .msg_iovlen = ARRAY_SIZE(iov), .msg_control = &cmsg};
	int rc = -ENOENT;

	vxlan_write(hdr, vni);
	if (remote) {
		msg.msg_name = (void *)&remote->sa;
		msg.msg_namelen = remote->sa_bytes;
		kernel_mark(
			&msg, remote, marking_of(vtep_marking(vtep, vni), VXLAN_FLOW_ANY, m, 0));
		rc = sendmsg(vtep->kernel->tx_fd[flow % KERNEL_TX_SOCKETS], &msg, MSG_DONTWAIT);
		rc = rc < 0 ? -errno : 0;
	}
	rte_pktmbuf_free(m);
	return rc;
}

static uint32_t kernel_service(struct vtep *vtep, uint64_t now_us)
{
	if (!kernel_alive(vtep))
		dp_port_fail(&vtep->dp, ENODEV);
	return SERVICE_US;
}

const struct vtep_underlay kernel_underlay = {
	.open = kernel_open,
	.close = kernel_close,
	.vni_init = kernel_vni_init,
	.device_mtu = kernel_device_mtu,
	.path_mtu = kernel_path_mtu,
	.distrust = kernel_distrust,
	.send = kernel_send,
	.service = kernel_service,
};
