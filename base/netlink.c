// SPDX-License-Identifier: BSD-3-Clause
#include "base/netlink.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/netlink_talk.h"
#include "base/netns.h"

#define NL_BUF_BYTES (32 * 1024)

struct nl {
	struct mnl_socket *sock;
	unsigned seq;
	unsigned portid;
	size_t max_bytes;				  // of an answer; 0: any
	bool spoiled;					  // the rest of an answer is still to come
	_Alignas(struct nlmsghdr) char buf[NL_BUF_BYTES]; // messages are read in place
};

int nl_open(int netns_fd, struct nl **ret_nl)
{
	struct nl *nl = calloc(1, sizeof(*nl));
	int home_fd, ret = 0;

	if (!nl)
		return -ENOMEM;
	home_fd = netns_enter(netns_fd);
	if (home_fd < 0) {
		free(nl);
		return home_fd;
	}
	nl->sock = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (!nl->sock)
		ret = -errno;
	netns_leave(home_fd);
	if (!ret && mnl_socket_bind(nl->sock, 0, MNL_SOCKET_AUTOPID) < 0)
		ret = -errno;
	if (ret) {
		nl_close(nl);
		return ret;
	}
	nl->portid = mnl_socket_get_portid(nl->sock);
	nl->seq = (unsigned)time(NULL);
	*ret_nl = nl;
	return 0;
}

void nl_close(struct nl *nl)
{
	if (!nl)
		return;
	if (nl->sock)
		mnl_socket_close(nl->sock);
	free(nl);
}

struct nlmsghdr *nl_begin(struct nl *nl, char *buf, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *msg = mnl_nlmsg_put_header(buf);

	msg->nlmsg_type = type;
	msg->nlmsg_flags = NLM_F_REQUEST | flags;
	msg->nlmsg_seq = ++nl->seq;
	return msg;
}

void nl_limit(struct nl *nl, size_t max_bytes)
{
	nl->max_bytes = max_bytes;
}

int nl_talk(struct nl *nl, struct nlmsghdr *msg, mnl_cb_t fn, void *arg)
{
	size_t all_bytes = 0;
	ssize_t len;
	int ret;

	if (nl->spoiled)
		return -EOVERFLOW;
	if (mnl_socket_sendto(nl->sock, msg, msg->nlmsg_len) < 0)
		return -errno;
	do {
		len = mnl_socket_recvfrom(nl->sock, nl->buf, sizeof(nl->buf));
		if (len < 0)
			return errno == EINTR ? -EAGAIN : -errno;
		ret = mnl_cb_run(nl->buf, len, nl->seq, nl->portid, fn, arg);
		all_bytes += len;
		nl->spoiled = ret > MNL_CB_STOP && nl->max_bytes && all_bytes > nl->max_bytes;
		if (nl->spoiled)
			return -EOVERFLOW;
	} while (ret > MNL_CB_STOP);
	return ret < 0 ? -errno : 0;
}

static void read_text(const struct nlattr *attr, char *buf, size_t len_bytes)
{
	snprintf(buf, len_bytes, "%.*s", (int)mnl_attr_get_payload_len(attr),
		(const char *)mnl_attr_get_payload(attr));
}

static void read_tun(const struct nlattr *data, struct nl_link *link)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, data)
	{
		if (mnl_attr_get_type(attr) == IFLA_TUN_MULTI_QUEUE)
			link->multi_queue = mnl_attr_get_u8(attr);
	}
}

static void read_linkinfo(const struct nlattr *info, struct nl_link *link)
{
	const struct nlattr *attr, *data = NULL;

	mnl_attr_for_each_nested(attr, info)
	{
		if (mnl_attr_get_type(attr) == IFLA_INFO_KIND)
			read_text(attr, link->kind, sizeof(link->kind));
		else if (mnl_attr_get_type(attr) == IFLA_INFO_DATA)
			data = attr;
	}
	if (data && strcmp(link->kind, "tun") == 0)
		read_tun(data, link);
}

static void read_attr(const struct nlattr *attr, struct nl_link *link)
{
	switch (mnl_attr_get_type(attr)) {
	case IFLA_IFNAME:
		read_text(attr, link->ifname, sizeof(link->ifname));
		break;
	case IFLA_IFALIAS:
		read_text(attr, link->alias, sizeof(link->alias));
		break;
	case IFLA_ADDRESS:
		if (mnl_attr_get_payload_len(attr) == sizeof(link->mac))
			memcpy(&link->mac, mnl_attr_get_payload(attr), sizeof(link->mac));
		break;
	case IFLA_MTU:
		link->mtu = mnl_attr_get_u32(attr);
		break;
	case IFLA_MAX_MTU:
		link->mtu_max = mnl_attr_get_u32(attr);
		break;
	case IFLA_CARRIER:
		link->carrier = mnl_attr_get_u8(attr);
		break;
	case IFLA_LINK:
		link->peer_ifindex = mnl_attr_get_u32(attr);
		break;
	case IFLA_LINKINFO:
		read_linkinfo(attr, link);
		break;
	}
}

struct link_query {
	nl_link_fn *is_it; // NULL: any
	const void *arg;
	struct nl_link link;
	bool found;
};

static int read_link(const struct nlmsghdr *msg, void *arg)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(msg);
	struct link_query *query = arg;
	struct nl_link link = {.ifindex = info->ifi_index, .flags = info->ifi_flags};
	const struct nlattr *attr;

	if (msg->nlmsg_type != RTM_NEWLINK)
		return MNL_CB_OK;
	mnl_attr_for_each(attr, msg, sizeof(*info))
	{
		read_attr(attr, &link);
	}
	if (query->is_it && !query->is_it(query->arg, &link))
		return MNL_CB_OK;
	query->link = link;
	query->found = true;
	return MNL_CB_OK; // read on to the end of the answer
}

static int query_link(
	struct nl *nl, struct nlmsghdr *msg, struct link_query *query, struct nl_link *ret_link)
{
	int ret;

	mnl_attr_put_u32(msg, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	ret = nl_talk(nl, msg, read_link, query);
	if (ret)
		return ret;
	if (!query->found)
		return -ENODEV;
	*ret_link = query->link;
	return 0;
}

int nl_link_by_name(struct nl *nl, const char *ifname, struct nl_link *ret_link)
{
	char buf[NL_BUFFER_BYTES];
	struct nlmsghdr *msg = nl_begin(nl, buf, RTM_GETLINK, NLM_F_ACK);
	struct link_query query = {};

	mnl_nlmsg_put_extra_header(msg, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(msg, IFLA_IFNAME, ifname);
	return query_link(nl, msg, &query, ret_link);
}

int nl_link_by_index(struct nl *nl, int ifindex, struct nl_link *ret_link)
{
	char buf[NL_BUFFER_BYTES];
	struct nlmsghdr *msg = nl_begin(nl, buf, RTM_GETLINK, NLM_F_ACK);
	struct ifinfomsg *info = mnl_nlmsg_put_extra_header(msg, sizeof(*info));
	struct link_query query = {};

	info->ifi_index = ifindex;
	return query_link(nl, msg, &query, ret_link);
}

int nl_link_find(struct nl *nl, nl_link_fn *is_it, const void *arg, struct nl_link *ret_link)
{
	char buf[NL_BUFFER_BYTES];
	struct link_query query;
	struct nlmsghdr *msg;
	int ret;

	for (unsigned tries = 0; tries < 8; tries++) {
		query = (struct link_query){.is_it = is_it, .arg = arg};
		msg = nl_begin(nl, buf, RTM_GETLINK, NLM_F_DUMP);
		mnl_nlmsg_put_extra_header(msg, sizeof(struct ifinfomsg));
		ret = query_link(nl, msg, &query, ret_link);
		if (ret != -EINTR) // links came or went while the kernel listed them
			return ret;
	}
	return ret;
}

static bool has_alias(const void *arg, const struct nl_link *link)
{
	return strcmp(arg, link->alias) == 0;
}

int nl_link_by_alias(struct nl *nl, const char *alias, struct nl_link *ret_link)
{
	return nl_link_find(nl, has_alias, alias, ret_link);
}

static int send_change(struct nl *nl, struct nlmsghdr *msg)
{
	return nl_talk(nl, msg, NULL, NULL);
}

static void put_no_ip6(struct nlmsghdr *msg)
{
	struct nlattr *families = mnl_attr_nest_start(msg, IFLA_AF_SPEC);
	struct nlattr *inet6 = mnl_attr_nest_start(msg, AF_INET6);

	mnl_attr_put_u8(msg, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
	mnl_attr_nest_end(msg, inet6);
	mnl_attr_nest_end(msg, families);
}

int nl_link_change(struct nl *nl, int ifindex, const struct nl_change *change)
{
	char buf[NL_BUFFER_BYTES];
	struct nlmsghdr *msg = nl_begin(nl, buf, RTM_NEWLINK, NLM_F_ACK);
	struct ifinfomsg *info = mnl_nlmsg_put_extra_header(msg, sizeof(*info));

	info->ifi_index = ifindex;
	if (change->up || change->down) {
		info->ifi_change = IFF_UP;
		info->ifi_flags = change->up ? IFF_UP : 0;
	}
	if (change->mtu)
		mnl_attr_put_u32(msg, IFLA_MTU, change->mtu);
	if (change->mac)
		mnl_attr_put(msg, IFLA_ADDRESS, sizeof(*change->mac), change->mac);
	if (change->gso_max_bytes)
		mnl_attr_put_u32(msg, IFLA_GSO_MAX_SIZE, change->gso_max_bytes);
	if (change->alias)
		mnl_attr_put_strz(msg, IFLA_IFALIAS, change->alias);
	if (change->ifname)
		mnl_attr_put_strz(msg, IFLA_IFNAME, change->ifname);
	if (change->netns_fd > 0)
		mnl_attr_put_u32(msg, IFLA_NET_NS_FD, change->netns_fd);
	if (change->no_ip6_autoconf)
		put_no_ip6(msg);
	return send_change(nl, msg);
}

int nl_link_delete(struct nl *nl, int ifindex)
{
	char buf[NL_BUFFER_BYTES];
	struct nlmsghdr *msg = nl_begin(nl, buf, RTM_DELLINK, NLM_F_ACK);
	struct ifinfomsg *info = mnl_nlmsg_put_extra_header(msg, sizeof(*info));

	info->ifi_index = ifindex;
	return send_change(nl, msg);
}

static void put_veth_end(struct nlmsghdr *msg, const struct nl_veth_end *end)
{
	mnl_attr_put_strz(msg, IFLA_IFNAME, end->ifname);
	if (end->mac)
		mnl_attr_put(msg, IFLA_ADDRESS, sizeof(*end->mac), end->mac);
	if (end->mtu)
		mnl_attr_put_u32(msg, IFLA_MTU, end->mtu);
	if (end->netns_fd > 0)
		mnl_attr_put_u32(msg, IFLA_NET_NS_FD, end->netns_fd);
}

int nl_veth_add(struct nl *nl, const struct nl_veth_end *a, const struct nl_veth_end *b)
{
	char buf[NL_BUFFER_BYTES];
	struct nlmsghdr *msg =
		nl_begin(nl, buf, RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL);
	struct nlattr *info, *data, *peer;

	mnl_nlmsg_put_extra_header(msg, sizeof(struct ifinfomsg));
	put_veth_end(msg, a);
	info = mnl_attr_nest_start(msg, IFLA_LINKINFO);
	mnl_attr_put_strz(msg, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(msg, IFLA_INFO_DATA);
	peer = mnl_attr_nest_start(msg, VETH_INFO_PEER);
	mnl_nlmsg_put_extra_header(msg, sizeof(struct ifinfomsg));
	put_veth_end(msg, b);
	mnl_attr_nest_end(msg, peer);
	mnl_attr_nest_end(msg, data);
	mnl_attr_nest_end(msg, info);
	return send_change(nl, msg);
}
