// SPDX-License-Identifier: BSD-3-Clause
// TAP devices inside a container's network namespace, with checksums and segmentation passed as
// metadata (IFF_VNET_HDR): segments of 64 KiB cross the switch whole.
//
// Namespaces. An open /dev/net/tun keeps the namespace that it was opened in alive. So a new device
// is made in the switch's own namespace and then moved: the descriptor does not hold the
// container's namespace, and deleting that deletes the device (read and write then say EBADFD, poll
// EPOLLERR). A device that is taken over after a restart can only be attached from inside its
// namespace, which then lives until the port is closed; tap_poll() notices when nobody else has it.
//
// Takeover. The device is marked by its alias, so it is found when it was renamed. While no switch
// is attached it has no carrier; attaching touches nothing but that.
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <rte_ethdev.h>

#include "base/log.h"
#include "base/netlink.h"
#include "base/netns.h"
#include "base/util.h"
#include "ports/device.h"
#include "ports/port_types.h"
#include "ports/tap_io.h"
#include "ports/vnet_hdr.h"

#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20 // Linux 6.2
#define TUN_F_USO6 0x40
#endif

#define TAP_OFFLOADS (TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN)
#define TAP_FLAGS    (IFF_TAP | IFF_NO_PI | IFF_VNET_HDR)

// ---- open ----

static int open_tun(const struct port *port, struct err *err)
{
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	if (errno == ENOENT || errno == ENODEV || errno == ENXIO)
		return err_set(err, -errno, port->path,
			"the kernel has no TAP devices: load them with 'modprobe tun'");
	return err_set_errno(err, -errno, port->path, "cannot open /dev/net/tun");
}

static int explain_setiff(int code, const struct port *port, const char *ifname, struct err *err)
{
	if (code == -EPERM)
		return err_set(err, code, port->path,
			"no permission to create or attach TAP device %s: CAP_NET_ADMIN is needed",
			ifname);
	if (code == -EBUSY)
		return err_set(err, code, port->path,
			"device %s is busy: another process (a second switch?) is attached to it",
			ifname);
	return err_set_errno(err, code, port->path, "cannot attach TAP device %s", ifname);
}

// Opens one more queue: of a new device `ifname` (a pattern as "x%d" is filled in), or of the one
// that is there.
static int add_queue(
	const struct port *port, struct tap *tap, char *ifname, int flags, struct err *err)
{
	struct ifreq ifr = {.ifr_flags = flags};
	int fd = open_tun(port, err), rc;

	if (fd < 0)
		return fd;
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", ifname);
	if (ioctl(fd, TUNSETIFF, &ifr) < 0) {
		rc = explain_setiff(-errno, port, ifname, err);
		close(fd);
		return rc;
	}
	snprintf(ifname, IFNAMSIZ, "%.*s", IFNAMSIZ - 1, ifr.ifr_name);
	tap->fd[tap->nb_fds++] = fd;
	return 0;
}

static int add_queues(const struct port *port, struct tap *tap, char *ifname, unsigned count,
	int flags, struct err *err)
{
	int rc = add_queue(port, tap, ifname, flags, err);

	for (unsigned i = 1; !rc && i < count; i++)
		rc = add_queue(port, tap, ifname, flags & ~IFF_TUN_EXCL, err);
	return rc;
}

static void close_queues(struct tap *tap)
{
	for (unsigned i = 0; i < tap->nb_fds; i++)
		close(tap->fd[i]);
	tap->nb_fds = 0;
}

// What holds for the device, whoever made it.
static int set_offloads(struct port *port, const struct tap *tap, struct err *err)
{
	int hdr_bytes = VNET_HDR_BYTES;

	port->dp.tx_offloads = RTE_ETH_TX_OFFLOAD_TCP_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM |
			       RTE_ETH_TX_OFFLOAD_TCP_TSO | RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
	if (ioctl(tap->fd[0], TUNSETVNETHDRSZ, &hdr_bytes) < 0)
		return err_set_errno(err, -errno, port->path, "the kernel refused TUNSETVNETHDRSZ");
	if (ioctl(tap->fd[0], TUNSETOFFLOAD, TAP_OFFLOADS | TUN_F_USO4 | TUN_F_USO6) == 0)
		port->dp.tx_offloads |= RTE_ETH_TX_OFFLOAD_UDP_TSO;
	else if (ioctl(tap->fd[0], TUNSETOFFLOAD, TAP_OFFLOADS) < 0)
		return err_set_errno(err, -errno, port->path, "the kernel refused TUNSETOFFLOAD");
	return 0;
}

static unsigned wanted_queues(const struct port *port)
{
	return port->conf.queues ? port->conf.queues : 1;
}

// The device, new in the switch's own namespace: marks it and moves it where it belongs.
static int place(
	const struct port *port, const char *now, const char *ifname, int netns_fd, struct err *err)
{
	char alias[NL_ALIAS_BYTES];
	struct nl_link link;
	struct nl *nl = NULL;
	int rc = nl_open(-1, &nl);

	device_alias(port, alias);
	if (!rc)
		rc = nl_link_by_name(nl, now, &link);
	if (!rc)
		rc = nl_link_change(nl, link.ifindex, &(struct nl_change){.alias = alias});
	if (!rc && strcmp(now, ifname) != 0)
		rc = nl_link_change(nl, link.ifindex,
			&(struct nl_change){.netns_fd = netns_fd, .ifname = ifname});
	nl_close(nl);
	return rc ? err_set_errno(err, rc, port->path, "cannot put device %s in place", ifname) : 0;
}

static int set_up(const struct port *port, struct nl *nl, const char *ifname, struct err *err)
{
	struct nl_link link;
	int rc = nl_link_by_name(nl, ifname, &link);

	if (rc)
		return err_set_errno(err, rc, port->path, "device %s vanished", ifname);
	return device_set_up(nl, link.ifindex, port, err);
}

static bool is_own_netns(int netns_fd)
{
	struct netns_id own, wanted;
	int fd;
	bool same;

	if (netns_open("", "", &fd, NULL))
		return false;
	same = !netns_identify(fd, &own) && !netns_identify(netns_fd, &wanted) &&
	       netns_same(&own, &wanted);
	close(fd);
	return same;
}

static int create(struct port *port, struct tap *tap, struct nl *nl, const char *ifname,
	int netns_fd, struct err *err)
{
	unsigned count = wanted_queues(port);
	int flags = TAP_FLAGS | (count > 1 ? IFF_MULTI_QUEUE : 0);
	char name[IFNAMSIZ] = "causeway%d"; // until it is moved
	int rc = device_check_free(nl, port, ifname, err);

	if (rc)
		return rc;
	if (is_own_netns(netns_fd)) {
		snprintf(name, sizeof(name), "%s", ifname);
		flags |= IFF_TUN_EXCL;
	}
	rc = add_queues(port, tap, name, count, flags, err);
	if (!rc)
		rc = set_offloads(port, tap, err);
	if (!rc)
		rc = place(port, name, ifname, netns_fd, err);
	if (!rc)
		rc = set_up(port, nl, ifname, err);
	// Last: until here a crash or a failure leaves nothing behind.
	if (!rc && ioctl(tap->fd[0], TUNSETPERSIST, 1) < 0)
		rc = err_set_errno(err, -errno, port->path, "the kernel refused TUNSETPERSIST");
	return rc;
}

// A device that was renamed between look-up and TUNSETIFF makes the latter create a second one.
static int check_attached(const struct port *port, struct nl *nl, const struct nl_link *want,
	const char *ifname, struct err *err)
{
	struct nl_link link;

	if (nl_link_by_name(nl, ifname, &link) == 0 && link.ifindex == want->ifindex)
		return 0;
	return err_set(err, -EAGAIN, port->path, "device %s was renamed in the meantime: try again",
		want->ifname);
}

static int take_over(struct port *port, struct tap *tap, struct nl *nl, int netns_fd,
	const struct nl_link *link, struct err *err)
{
	unsigned count = link->multi_queue ? wanted_queues(port) : 1;
	char name[IFNAMSIZ];
	int home_fd, rc;

	if (link->carrier) // TUNSETIFF itself tells only for a single queue
		return explain_setiff(-EBUSY, port, link->ifname, err);
	if (count < wanted_queues(port))
		log_warn("%s: %s was created with one queue and keeps it until the port is deleted",
			port->path, link->ifname);
	snprintf(name, sizeof(name), "%s", link->ifname);
	home_fd = netns_enter(netns_fd);
	if (home_fd < 0)
		return netns_refused(home_fd, port->conf.netns, port->path, err);
	rc = add_queues(
		port, tap, name, count, TAP_FLAGS | (link->multi_queue ? IFF_MULTI_QUEUE : 0), err);
	netns_leave(home_fd);
	if (!rc)
		rc = check_attached(port, nl, link, name, err);
	if (!rc)
		rc = set_offloads(port, tap, err);
	tap->taken_over = true;
	netns_identify(netns_fd, &tap->netns);
	return rc;
}

// What may leave: what was asked for goes first, since a container can set its device's, and a
// switch that is restarted meanwhile would go on with that.
static uint16_t mtu_of(const struct conf_port *conf, const struct nl_link *link)
{
	return conf->mtu ? conf->mtu : MIN_OF(link->mtu, (uint32_t)UINT16_MAX);
}

static int make(struct port *port, struct tap *tap, struct err *err)
{
	const char *ifname;
	struct nl_link link;
	struct nl *nl = NULL;
	int netns_fd, rc = device_ifname(port, &ifname, err);

	if (!rc)
		rc = netns_open(port->conf.netns, port->path, &netns_fd, err);
	if (rc)
		return rc;
	rc = nl_open(netns_fd, &nl);
	if (rc)
		netns_refused(rc, port->conf.netns, port->path, err);
	else
		rc = device_find(nl, port, ifname, &link);
	if (rc == -ENODEV)
		rc = create(port, tap, nl, ifname, netns_fd, err);
	else if (rc)
		err_set_errno(err, rc, port->path, "cannot look into network namespace %s",
			port->conf.netns);
	else
		rc = take_over(port, tap, nl, netns_fd, &link, err);
	if (!rc)
		rc = device_find(nl, port, ifname, &link);
	if (!rc) {
		if (tap->taken_over)
			device_follow_mtu(nl, &link, port);
		tap->ifindex = link.ifindex;
		port->own_ifindex = port->conf.netns[0] ? 0 : link.ifindex;
		port->has_mac = true;
		port->mac = link.mac;
		port->dp.mtu = mtu_of(&port->conf, &link);
	}
	nl_close(nl);
	close(netns_fd);
	return rc;
}

static int tap_open(struct port *port, struct err *err)
{
	struct tap *tap = calloc(1, sizeof(*tap));
	int rc;

	if (!tap)
		return err_set(err, -ENOMEM, port->path, "out of memory");
	rc = make(port, tap, err);
	if (rc) {
		close_queues(tap);
		free(tap);
		return err_set_errno(err, rc, port->path, "cannot create the TAP device");
	}
	port->priv = tap;
	port->dp.rx = tap_rx;
	port->dp.tx = tap_tx;
	port->dp.nb_rxq = tap->nb_fds;
	// Any number of workers may write to one descriptor.
	port->dp.nb_txq = MAX_OF(port->env->nb_workers, 1);
	for (unsigned i = 0; i < tap->nb_fds; i++)
		port->dp.rx_fd[i] = tap->fd[i];
	return 0;
}

// ---- the rest ----

static void tap_close(struct port *port, bool remove)
{
	struct tap *tap = port->priv;

	if (remove) // fails only when the device is gone already
		ioctl(tap->fd[0], TUNSETPERSIST, 0);
	close_queues(tap);
	free(tap);
}

// A socket in the namespace where the device is now, and the device. Works without the
// namespace's name. The caller closes `ret_nl`.
static int find_device(const struct tap *tap, struct nl **ret_nl, struct nl_link *ret_link)
{
	struct ifreq ifr = {};
	int netns_fd, rc;

	if (ioctl(tap->fd[0], TUNGETIFF, &ifr) < 0)
		return -errno;
	netns_fd = ioctl(tap->fd[0], TUNGETDEVNETNS);
	if (netns_fd < 0)
		return -errno;
	rc = nl_open(netns_fd, ret_nl);
	close(netns_fd);
	if (rc)
		return rc;
	rc = nl_link_by_name(*ret_nl, ifr.ifr_name, ret_link);
	if (rc)
		nl_close(*ret_nl);
	return rc;
}

static int tap_change(struct port *port, const struct conf_port *conf, struct err *err)
{
	struct nl_link link;
	struct nl *nl;
	int rc = find_device(port->priv, &nl, &link);

	if (rc)
		return err_set_errno(err, rc, port->path, "the device cannot be found");
	rc = device_change(nl, link.ifindex, port, conf, err);
	if (!nl_link_by_index(nl, link.ifindex, &link))
		port->dp.mtu = mtu_of(rc ? &port->conf : conf, &link);
	nl_close(nl);
	// Not what the device has by now: a container can change that, and a guard would follow.
	if (!rc && conf->has_mac)
		port->mac = conf->mac;
	return rc;
}

static void tap_describe(const struct port *port, json_t *obj)
{
	struct nl_link link;
	struct nl *nl;

	json_object_set_new(obj, "driver", json_string("tun"));
	if (port->conf.netns[0])
		json_object_set_new(obj, "netns", json_string(port->conf.netns));
	offloads_describe(port->dp.tx_offloads, obj);
	if (find_device(port->priv, &nl, &link)) {
		json_object_set_new(obj, "link", json_string("down"));
		return;
	}
	device_describe(&link, obj);
	nl_close(nl);
}

static void tap_poll(struct port *port)
{
	const struct tap *tap = port->priv;

	if (tap->taken_over && port->conf.netns[0] && !netns_alive(port->conf.netns, &tap->netns))
		dp_port_fail(&port->dp, ENODEV);
}

const struct port_type port_tap = {
	.open = tap_open,
	.close = tap_close,
	.change = tap_change,
	.describe = tap_describe,
	.poll = tap_poll,
};
