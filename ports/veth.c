// SPDX-License-Identifier: BSD-3-Clause
// The host's end of a veth pair, through AF_PACKET with virtio-net headers (PACKET_VNET_HDR): as
// with taps, segments of 64 KiB and unfinished checksums cross the switch whole.
//
// Receiving is from a mapped ring, one frame a slot (TPACKET_V2: version 3 hands over blocks on a
// timer, which is latency). Transmitting is by sendmmsg(): a mapped transmit ring is given back
// when veth orphans the packet, while the receiver still reads its pages.
//
// Frames are copied out of the ring. Handing its slots on as buffers made TCP 3 % (one stream) to 8
// % (four) faster, but then a slow peer starves the ring of all others, a NIC cannot read the
// memory, and the ring must outlive the port.
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <rte_ethdev.h>

#include "base/log.h"
#include "base/netlink.h"
#include "base/netns.h"
#include "ports/device.h"
#include "ports/port_types.h"
#include "ports/veth_io.h"

#define GSO_MAX_BYTES 65536 // GSO_LEGACY_MAX_SIZE of include/linux/netdevice.h

// ---- open ----

static int set_option(int fd, int option, int value)
{
	return setsockopt(fd, SOL_PACKET, option, &value, sizeof(value)) < 0 ? -errno : 0;
}

static int open_ring(struct veth *veth)
{
	struct tpacket_req req = {BLOCK_BYTES, BLOCKS, FRAME_BYTES, FRAMES};
	struct sockaddr_ll addr = {.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = veth->ifindex};
	int rc;

	if ((rc = set_option(veth->fd, PACKET_VERSION, TPACKET_V2)) < 0 ||
		(rc = set_option(veth->fd, PACKET_VNET_HDR, 1)) < 0 ||
		(rc = set_option(veth->fd, PACKET_IGNORE_OUTGOING, 1)) < 0 ||
		(rc = set_option(veth->fd, PACKET_QDISC_BYPASS, 1)) < 0)
		return rc;
	if (setsockopt(veth->fd, SOL_PACKET, PACKET_RX_RING, &req, sizeof(req)) < 0)
		return -errno;
	veth->ring = mmap(NULL, RING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, veth->fd, 0);
	if (veth->ring == MAP_FAILED) {
		veth->ring = NULL;
		return -errno;
	}
	return bind(veth->fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 ? -errno : 0;
}

// Opens the packet socket on the host's end.
static int attach(const struct port *port, struct veth *veth, struct err *err)
{
	int sndbuf_bytes = 4 << 20;
	int rc;

	veth->fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (veth->fd < 0)
		return err_set_errno(err, -errno, port->path,
			"cannot open a packet socket (CAP_NET_RAW is needed)");
	setsockopt(veth->fd, SOL_SOCKET, SO_SNDBUF, &sndbuf_bytes, sizeof(sndbuf_bytes));
	rc = open_ring(veth);
	return rc < 0 ? err_set_errno(err, rc, port->path, "cannot create the packet ring") : 0;
}

// The container's end has a mark as well, for vsnetd: another than the host's, as both may be in
// one namespace.
static void mark_inside(const struct port *port, struct nl *inside, const struct nl_link *link)
{
	char alias[NL_ALIAS_BYTES];

	device_alias_inside(port, alias);
	if (strcmp(link->alias, alias) != 0)
		nl_link_change(inside, link->ifindex, &(struct nl_change){.alias = alias});
}

static int make_pair(const struct port *port, struct nl *host, int netns_fd, struct err *err)
{
	struct nl_veth_end a = {.mtu = port->conf.mtu}, b = {.mtu = port->conf.mtu};
	char alias[NL_ALIAS_BYTES], name[IFNAMSIZ];
	struct nl *inside = NULL;
	struct nl_link link;
	bool made = false;
	int rc;

	rc = device_ifname(port, &b.ifname, err);
	if (rc)
		return rc;
	rc = nl_open(netns_fd, &inside);
	if (rc)
		return netns_refused(rc, port->conf.netns, port->path, err);
	device_host_ifname(port, name);
	device_alias(port, alias);
	a.ifname = name;
	b.mac = port->conf.has_mac ? &port->conf.mac : NULL;
	b.netns_fd = netns_fd;
	rc = device_check_free(inside, port, b.ifname, err);
	if (!rc) {
		rc = nl_veth_add(host, &a, &b);
		made = rc == 0;
	}
	// The kernel takes no alias with the creation.
	if (!rc)
		rc = nl_link_by_name(host, name, &link);
	if (!rc)
		rc = nl_link_change(host, link.ifindex, &(struct nl_change){.alias = alias});
	if (!rc)
		rc = nl_link_by_name(inside, b.ifname, &link);
	if (!rc)
		mark_inside(port, inside, &link);
	if (!rc)
		rc = device_set_up(inside, link.ifindex, port, err);
	nl_close(inside);
	if (rc)
		err_set_errno(err, rc, port->path, "cannot create the veth pair %s", name);
	if (rc && made && nl_link_by_name(host, name, &link) == 0)
		nl_link_delete(host, link.ifindex);
	return rc;
}

// Finds or makes the host's end.
static int find_host_end(const struct port *port, struct veth *veth, struct nl *nl,
	struct nl_link *ret_link, struct err *err)
{
	char name[IFNAMSIZ];
	int netns_fd, rc;

	if (!port->conf.netns[0]) {
		const char *ifname = port->conf.host_ifname;

		rc = ifname[0] ? 0 : device_ifname(port, &ifname, err);
		if (!rc && (rc = nl_link_by_name(nl, ifname, ret_link)) < 0)
			err_set_errno(err, rc, port->path,
				"there is no device %s; give netns= to have a pair created",
				ifname);
		return rc;
	}
	veth->made = true;
	device_host_ifname(port, name);
	if (device_find(nl, port, name, ret_link) == 0)
		return 0;
	rc = netns_open(port->conf.netns, port->path, &netns_fd, err);
	if (rc)
		return rc;
	rc = make_pair(port, nl, netns_fd, err);
	close(netns_fd);
	return rc ? rc : device_find(nl, port, name, ret_link);
}

// The host's own network stack is to leave the device alone: it would see every frame that the
// switch reads, answer what is for an address of the host, and route.
static void take_stack_off(const struct port *port, struct nl *nl, const struct nl_link *link)
{
	int rc = nl_stack_off(nl, link->ifindex);

	if (rc < 0)
		log_warn("%s: the host's network stack also sees what %s receives: the kernel "
			 "lacks sch_ingress or cls_bpf (%s)",
			port->path, link->ifname, strerror(-rc));
}

// Whether `link`, which has the index of the host end's peer, is that peer: the container may have
// moved it elsewhere, and another device have its index.
static bool is_peer(const struct nl_link *link, const struct nl_link *host_end)
{
	return strcmp(link->kind, "veth") == 0 && link->peer_ifindex == host_end->ifindex;
}

// Finds the container's end in the port's namespace, whatever the container calls it by now. The
// caller closes `ret_nl`.
static int open_inside(const struct port *port, const struct nl_link *host_end, struct nl **ret_nl,
	struct nl_link *ret_link, struct err *err)
{
	int netns_fd, rc = netns_open(port->conf.netns, port->path, &netns_fd, err);
	struct nl *nl = NULL;

	if (rc)
		return rc;
	rc = nl_open(netns_fd, &nl);
	close(netns_fd);
	if (rc)
		return netns_refused(rc, port->conf.netns, port->path, err);
	rc = nl_link_by_index(nl, host_end->peer_ifindex, ret_link);
	if (rc == 0 && !is_peer(ret_link, host_end))
		rc = -ENODEV;
	if (rc) {
		nl_close(nl);
		return err_set(err, rc, port->path,
			"the container's end is not in network namespace %s any more: move it "
			"back, or delete the port and add it again",
			port->conf.netns);
	}
	*ret_nl = nl;
	return 0;
}

// The container's end may be out of reach: moved, or in a namespace without a name by now.
static void find_mac(struct port *port, const struct nl_link *host_end)
{
	struct nl_link link;
	struct nl *nl;

	port->mac = port->conf.mac;
	port->has_mac = port->conf.has_mac;
	if (port->has_mac || !port->conf.netns[0] ||
		open_inside(port, host_end, &nl, &link, NULL) < 0)
		return;
	port->mac = link.mac;
	port->has_mac = true;
	nl_close(nl);
}

// Of a pair that was left behind. The container's end may be out of reach, as above.
static void follow_mtu(const struct port *port, struct nl *host, const struct nl_link *host_end)
{
	struct nl *inside;
	struct nl_link link;

	device_follow_mtu(host, host_end, port);
	if (open_inside(port, host_end, &inside, &link, NULL) < 0)
		return;
	device_follow_mtu(inside, &link, port);
	mark_inside(port, inside, &link); // older switches did not
	nl_close(inside);
}

// What another program takes away (tc qdisc del) is put back.
static void keep_stack_off(const struct port *port, struct nl *nl, int ifindex)
{
	char name[IFNAMSIZ] = "";

	if (nl_stack_off(nl, ifindex) == 1)
		log_warn("%s: another program gave %s back to the host's network stack (tc qdisc, "
			 "clsact): it is taken off again",
			port->path, if_indextoname(ifindex, name) ? name : "the device");
}

// The container has made its segments larger than IP's length field can say (BIG TCP). Nothing but
// its own interface could cut them. The alias goes along because that is a change for which the
// kernel looks at the device anew on behalf of the connections that there are.
static void cap_segments(const struct port *port, struct nl *nl, int ifindex)
{
	char alias[NL_ALIAS_BYTES];
	struct nl_link host_end, link;
	struct err err = {0};
	struct nl *inside;
	int rc = -ENODEV;

	if (port->conf.netns[0] && nl_link_by_index(nl, ifindex, &host_end) == 0 &&
		open_inside(port, &host_end, &inside, &link, &err) == 0) {
		device_alias_inside(port, alias);
		rc = nl_link_change(inside, link.ifindex,
			&(struct nl_change){.gso_max_bytes = GSO_MAX_BYTES, .alias = alias});
		nl_close(inside);
	}
	if (rc == 0)
		log_info("%s: segments of more than 64 KiB came (BIG TCP): gso_max_size of the "
			 "container's interface is %u again",
			port->path, GSO_MAX_BYTES);
	else
		log_warn("%s: segments of more than 64 KiB come (BIG TCP) and are dropped: set "
			 "gso_max_size and gso_ipv4_max_size of the other end to %u",
			port->path, GSO_MAX_BYTES);
}

// Once a second.
static void veth_poll(struct port *port)
{
	struct veth *veth = port->priv;
	struct nl *nl;

	if (!veth || nl_open(-1, &nl) < 0)
		return;
	keep_stack_off(port, nl, veth->ifindex);
	if (atomic_exchange_explicit(&veth->oversized, false, memory_order_relaxed))
		cap_segments(port, nl, veth->ifindex);
	nl_close(nl);
}

static int make(struct port *port, struct veth *veth, struct err *err)
{
	struct nl_link link = {};
	struct nl *nl = NULL;
	int rc = nl_open(-1, &nl);

	if (rc)
		return err_set_errno(err, rc, port->path, "cannot open a netlink socket");
	rc = find_host_end(port, veth, nl, &link, err);
	if (!rc) {
		take_stack_off(port, nl, &link);
		rc = nl_link_change(
			nl, link.ifindex, &(struct nl_change){.up = true, .no_ip6_autoconf = true});
	}
	if (!rc) {
		if (veth->made) {
			follow_mtu(port, nl, &link);
			nl_link_by_index(nl, link.ifindex, &link);
		}
		veth->ifindex = link.ifindex;
		port->own_ifindex = link.ifindex; // the host's stack may yet see what it receives
		port->dp.mtu = RTE_MIN(link.mtu, (uint32_t)UINT16_MAX);
		find_mac(port, &link);
		rc = attach(port, veth, err);
	}
	nl_close(nl);
	return rc;
}

static void let_go(struct veth *veth, bool remove)
{
	struct nl *nl;

	rte_pktmbuf_free_bulk(veth->cut + veth->cut_first, veth->cut_end - veth->cut_first);
	if (veth->ring)
		munmap(veth->ring, RING_BYTES);
	if (veth->fd >= 0)
		close(veth->fd);
	if (remove && veth->ifindex && nl_open(-1, &nl) == 0) {
		if (veth->made)
			nl_link_delete(nl, veth->ifindex);
		else
			nl_stack_on(nl, veth->ifindex);
		nl_close(nl);
	}
	free(veth);
}

// Whether packet sockets take VIRTIO_NET_HDR_GSO_UDP_L4. Nothing tells but sending one, which the
// container would see; Linux 6.2 was the first to (include/linux/virtio_net.h).
static bool takes_uso(void)
{
	unsigned major = 0, minor = 0;
	struct utsname name;

	if (uname(&name) < 0 || sscanf(name.release, "%u.%u", &major, &minor) != 2)
		return false;
	return major > 6 || (major == 6 && minor >= 2);
}

static int veth_open(struct port *port, struct err *err)
{
	struct veth *veth = calloc(1, sizeof(*veth));
	int rc;

	if (!veth)
		return err_set(err, -ENOMEM, port->path, "out of memory");
	veth->fd = -1;
	rc = make(port, veth, err);
	if (rc) {
		let_go(veth, true);
		return err_set_errno(err, rc, port->path, "cannot create the veth port");
	}
	port->priv = veth;
	port->dp.rx = veth_rx;
	port->dp.tx = veth_tx;
	port->dp.nb_rxq = 1;
	// Any number of workers may write to one socket.
	port->dp.nb_txq = RTE_MAX(port->env->nb_workers, 1);
	port->dp.rx_fd[0] = veth->fd;
	port->dp.tx_offloads = RTE_ETH_TX_OFFLOAD_TCP_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM |
			       RTE_ETH_TX_OFFLOAD_TCP_TSO | RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
	if (takes_uso())
		port->dp.tx_offloads |= RTE_ETH_TX_OFFLOAD_UDP_TSO;
	return 0;
}

// ---- the rest ----

static void veth_close(struct port *port, bool remove)
{
	let_go(port->priv, remove);
}

static int change_inside(const struct port *port, const struct nl_link *host_end,
	const struct conf_port *conf, struct err *err)
{
	struct nl_link link;
	struct nl *nl;
	int rc = open_inside(port, host_end, &nl, &link, err);

	if (rc)
		return rc;
	rc = device_change(nl, link.ifindex, port, conf, err);
	nl_close(nl);
	return rc ? err_set_errno(err, rc, port->path, "cannot change the container's end") : 0;
}

// Both ends, or none.
static int veth_change(struct port *port, const struct conf_port *conf, struct err *err)
{
	struct veth *veth = port->priv;
	uint32_t mtu = conf->mtu ? conf->mtu : RTE_ETHER_MTU;
	bool set_mtu = conf->mtu != port->conf.mtu;
	struct nl_link was;
	struct nl *nl;
	int rc = nl_open(-1, &nl);

	if (rc)
		return err_set_errno(err, rc, port->path, "cannot open a netlink socket");
	rc = nl_link_by_index(nl, veth->ifindex, &was);
	if (!rc && set_mtu)
		rc = nl_link_change(nl, veth->ifindex, &(struct nl_change){.mtu = mtu});
	if (rc)
		err_set_errno(err, rc, port->path, "the host's end refused mtu %u", mtu);
	else if (port->conf.netns[0])
		rc = change_inside(port, &was, conf, err);
	if (rc && set_mtu)
		nl_link_change(nl, veth->ifindex, &(struct nl_change){.mtu = was.mtu});
	else if (set_mtu)
		port->dp.mtu = RTE_MIN(mtu, (uint32_t)UINT16_MAX);
	nl_close(nl);
	if (!rc && conf->has_mac) {
		port->mac = conf->mac;
		port->has_mac = true;
	}
	return rc;
}

static void veth_describe(const struct port *port, json_t *obj)
{
	const struct veth *veth = port->priv;
	struct nl_link link;
	struct nl *nl;

	json_object_set_new(obj, "driver", json_string("veth"));
	if (port->conf.netns[0])
		json_object_set_new(obj, "netns", json_string(port->conf.netns));
	offloads_describe(port->dp.tx_offloads, obj);
	if (nl_open(-1, &nl))
		return;
	if (nl_link_by_index(nl, veth->ifindex, &link) == 0)
		device_describe(&link, obj);
	else
		json_object_set_new(obj, "link", json_string("down"));
	nl_close(nl);
}

const struct port_type port_veth = {
	.open = veth_open,
	.close = veth_close,
	.change = veth_change,
	.describe = veth_describe,
	.poll = veth_poll,
};
