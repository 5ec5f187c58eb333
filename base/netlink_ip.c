// SPDX-License-Identifier: BSD-3-Clause
// Addresses and routes of a device.
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/netlink.h"
#include "base/netlink_talk.h"

#define DUMP_TRIES 8

int nl_addr_parse(const char *text, struct nl_addr *ret_addr)
{
	struct nl_addr addr = {};
	const char *slash = strchr(text, '/');
	char host[INET6_ADDRSTRLEN], *end;
	unsigned long bits;

	if (!slash || (size_t)(slash - text) >= sizeof(host) || !slash[1])
		return -EINVAL;
	snprintf(host, sizeof(host), "%.*s", (int)(slash - text), text);
	addr.family = strchr(host, ':') ? AF_INET6 : AF_INET;
	addr.bytes = addr.family == AF_INET6 ? 16 : 4;
	bits = strtoul(slash + 1, &end, 10);
	if (*end || slash[1] < '0' || slash[1] > '9' || bits > addr.bytes * 8u)
		return -EINVAL;
	if (inet_pton(addr.family, host, addr.byte) != 1)
		return -EINVAL;
	addr.prefix_bits = bits;
	*ret_addr = addr;
	return 0;
}

static int change_addr(struct nl *nl, uint16_t type, uint16_t flags, int ifindex, const char *text)
{
	char buf[NL_BUFFER_BYTES];
	struct nlmsghdr *msg = nl_begin(nl, buf, type, NLM_F_ACK | flags);
	struct ifaddrmsg *info = mnl_nlmsg_put_extra_header(msg, sizeof(*info));
	struct nl_addr addr;
	uint32_t bcast;

	if (nl_addr_parse(text, &addr))
		return -EINVAL;
	info->ifa_family = addr.family;
	info->ifa_prefixlen = addr.prefix_bits;
	info->ifa_index = ifindex;
	info->ifa_flags = addr.family == AF_INET6 ? IFA_F_NODAD : 0;
	mnl_attr_put(msg, IFA_LOCAL, addr.bytes, addr.byte);
	mnl_attr_put(msg, IFA_ADDRESS, addr.bytes, addr.byte);
	if (type == RTM_NEWADDR && addr.family == AF_INET && addr.prefix_bits < 31) {
		memcpy(&bcast, addr.byte, sizeof(bcast));
		bcast |= htonl((uint32_t)(0xffffffffull >> addr.prefix_bits));
		mnl_attr_put(msg, IFA_BROADCAST, sizeof(bcast), &bcast);
	}
	return nl_talk(nl, msg, NULL, NULL);
}

int nl_addr_add(struct nl *nl, int ifindex, const char *text)
{
	return change_addr(nl, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, ifindex, text);
}

int nl_addr_del(struct nl *nl, int ifindex, const char *text)
{
	return change_addr(nl, RTM_DELADDR, 0, ifindex, text);
}

// ---- what is there ----

struct addr_query {
	int ifindex;
	nl_addr_fn *fn;
	void *arg;
};

static int read_addr(const struct nlmsghdr *msg, void *arg)
{
	const struct ifaddrmsg *info = mnl_nlmsg_get_payload(msg);
	const struct addr_query *query = arg;
	struct nl_addr addr = {.family = info->ifa_family, .prefix_bits = info->ifa_prefixlen};
	const struct nlattr *attr;
	bool has_local = false;

	if (msg->nlmsg_type != RTM_NEWADDR || (int)info->ifa_index != query->ifindex ||
		info->ifa_scope != RT_SCOPE_UNIVERSE)
		return MNL_CB_OK;
	mnl_attr_for_each(attr, msg, sizeof(*info))
	{
		bool local = mnl_attr_get_type(attr) == IFA_LOCAL;

		// The local address goes before the other one, which may be a peer's.
		if ((!local && (has_local || mnl_attr_get_type(attr) != IFA_ADDRESS)) ||
			mnl_attr_get_payload_len(attr) > sizeof(addr.byte))
			continue;
		addr.bytes = mnl_attr_get_payload_len(attr);
		memcpy(addr.byte, mnl_attr_get_payload(attr), addr.bytes);
		has_local = local;
	}
	query->fn(query->arg, &addr);
	return MNL_CB_OK;
}

int nl_addr_each(struct nl *nl, int ifindex, nl_addr_fn *fn, void *arg)
{
	struct addr_query query = {.ifindex = ifindex, .fn = fn, .arg = arg};
	char buf[NL_BUFFER_BYTES];
	struct nlmsghdr *msg = nl_begin(nl, buf, RTM_GETADDR, NLM_F_DUMP);

	mnl_nlmsg_put_extra_header(msg, sizeof(struct ifaddrmsg)); // of all families
	return nl_talk(nl, msg, read_addr, &query);
}

// ---- routes ----

int nl_route_add(
	struct nl *nl, int ifindex, const struct nl_addr *to, const struct nl_addr *gateway)
{
	char buf[NL_BUFFER_BYTES];
	struct nlmsghdr *msg =
		nl_begin(nl, buf, RTM_NEWROUTE, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL);
	struct rtmsg *info = mnl_nlmsg_put_extra_header(msg, sizeof(*info));

	info->rtm_family = to->family;
	info->rtm_dst_len = to->prefix_bits;
	info->rtm_table = RT_TABLE_MAIN;
	info->rtm_protocol = RTPROT_STATIC;
	info->rtm_scope = gateway ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
	info->rtm_type = RTN_UNICAST;
	if (to->prefix_bits)
		mnl_attr_put(msg, RTA_DST, to->bytes, to->byte);
	mnl_attr_put_u32(msg, RTA_OIF, ifindex);
	if (gateway)
		mnl_attr_put(msg, RTA_GATEWAY, gateway->bytes, gateway->byte);
	return nl_talk(nl, msg, NULL, NULL);
}

struct route_query {
	int ifindex;
	const struct nl_addr *to;
	bool found;
};

static int read_route(const struct nlmsghdr *msg, void *arg)
{
	const struct rtmsg *info = mnl_nlmsg_get_payload(msg);
	struct route_query *query = arg;
	const struct nlattr *attr;
	bool is_dst = query->to->prefix_bits == 0, is_dev = false;

	if (msg->nlmsg_type != RTM_NEWROUTE || info->rtm_table != RT_TABLE_MAIN ||
		info->rtm_dst_len != query->to->prefix_bits)
		return MNL_CB_OK;
	mnl_attr_for_each(attr, msg, sizeof(*info))
	{
		if (mnl_attr_get_type(attr) == RTA_DST)
			is_dst = mnl_attr_get_payload_len(attr) == query->to->bytes &&
				 !memcmp(mnl_attr_get_payload(attr), query->to->byte,
					 query->to->bytes);
		else if (mnl_attr_get_type(attr) == RTA_OIF)
			is_dev = (int)mnl_attr_get_u32(attr) == query->ifindex;
	}
	query->found |= is_dst && is_dev;
	return MNL_CB_OK;
}

int nl_route_has(struct nl *nl, int ifindex, const struct nl_addr *to, bool *ret_has)
{
	int rc = -EINTR;

	for (unsigned i = 0; i < DUMP_TRIES && rc == -EINTR; i++) {
		struct route_query query = {.ifindex = ifindex, .to = to};
		char buf[NL_BUFFER_BYTES];
		struct nlmsghdr *msg = nl_begin(nl, buf, RTM_GETROUTE, NLM_F_DUMP);
		struct rtmsg *info = mnl_nlmsg_put_extra_header(msg, sizeof(*info));

		info->rtm_family = to->family;
		rc = nl_talk(nl, msg, read_route, &query);
		*ret_has = query.found;
	}
	return rc;
}

struct route_walk {
	nl_route_fn *fn;
	void *arg;
	bool all_tables;
};

static bool is_wanted(const struct route_walk *walk, const struct rtmsg *info)
{
	if (info->rtm_flags & RTM_F_CLONED)
		return false;
	if (walk->all_tables)
		return info->rtm_type != RTN_MULTICAST && info->rtm_type != RTN_BROADCAST &&
		       info->rtm_type != RTN_ANYCAST;
	if (info->rtm_table == RT_TABLE_LOCAL)
		return info->rtm_type == RTN_LOCAL;
	return info->rtm_table == RT_TABLE_MAIN && info->rtm_type == RTN_UNICAST;
}

static void read_nexthop(const struct nlattr *attr, struct nl_route *route)
{
	const struct rtnexthop *hop = mnl_attr_get_payload(attr);

	route->on_link = false; // several ways: by next hops
	if (mnl_attr_get_payload_len(attr) >= sizeof(*hop))
		route->ifindex = hop->rtnh_ifindex;
}

static int walk_route(const struct nlmsghdr *msg, void *arg)
{
	const struct rtmsg *info = mnl_nlmsg_get_payload(msg);
	const struct route_walk *walk = arg;
	struct nl_route route = {.to = {.family = info->rtm_family,
					 .prefix_bits = info->rtm_dst_len,
					 .bytes = info->rtm_family == AF_INET6 ? 16 : 4},
		.on_link = true,
		.is_local = info->rtm_type == RTN_LOCAL};
	const struct nlattr *attr;

	if (msg->nlmsg_type != RTM_NEWROUTE || !is_wanted(walk, info))
		return MNL_CB_OK;
	mnl_attr_for_each(attr, msg, sizeof(*info))
	{
		if (mnl_attr_get_type(attr) == RTA_DST &&
			mnl_attr_get_payload_len(attr) == route.to.bytes)
			memcpy(route.to.byte, mnl_attr_get_payload(attr), route.to.bytes);
		else if (mnl_attr_get_type(attr) == RTA_OIF)
			route.ifindex = mnl_attr_get_u32(attr);
		else if (mnl_attr_get_type(attr) == RTA_GATEWAY ||
			 mnl_attr_get_type(attr) == RTA_VIA)
			route.on_link = false;
		else if (mnl_attr_get_type(attr) == RTA_MULTIPATH)
			read_nexthop(attr, &route);
	}
	walk->fn(walk->arg, &route);
	return MNL_CB_OK;
}

static int walk_routes(struct nl *nl, unsigned family, struct route_walk *walk)
{
	char buf[NL_BUFFER_BYTES];
	struct nlmsghdr *msg = nl_begin(nl, buf, RTM_GETROUTE, NLM_F_DUMP);
	struct rtmsg *info = mnl_nlmsg_put_extra_header(msg, sizeof(*info));

	info->rtm_family = family;
	return nl_talk(nl, msg, walk_route, walk);
}

int nl_route_each(struct nl *nl, unsigned family, nl_route_fn *fn, void *arg)
{
	return walk_routes(nl, family, &(struct route_walk){.fn = fn, .arg = arg});
}

int nl_route_each_table(struct nl *nl, unsigned family, nl_route_fn *fn, void *arg)
{
	return walk_routes(
		nl, family, &(struct route_walk){.fn = fn, .arg = arg, .all_tables = true});
}

static void add_device(struct nl_way *way, int ifindex)
{
	if (ifindex && way->nb_devices < NL_WAY_DEVICES)
		way->ifindex[way->nb_devices++] = ifindex;
}

static void add_devices(struct nl_way *way, const struct nlattr *attr)
{
	const struct rtnexthop *hop = mnl_attr_get_payload(attr);
	int len = mnl_attr_get_payload_len(attr);

	for (; RTNH_OK(hop, len); len -= RTNH_ALIGN(hop->rtnh_len), hop = RTNH_NEXT(hop))
		add_device(way, hop->rtnh_ifindex);
}

static void read_metrics(const struct nlattr *metrics, struct nl_way *way)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, metrics)
	{
		if (mnl_attr_get_type(attr) == RTAX_MTU)
			way->mtu = mnl_attr_get_u32(attr);
	}
}

static int read_way(const struct nlmsghdr *msg, void *arg)
{
	struct nl_way *way = arg;
	const struct nlattr *attr;

	if (msg->nlmsg_type != RTM_NEWROUTE)
		return MNL_CB_OK;
	mnl_attr_for_each(attr, msg, sizeof(struct rtmsg))
	{
		if (mnl_attr_get_type(attr) == RTA_OIF)
			add_device(way, mnl_attr_get_u32(attr));
		else if (mnl_attr_get_type(attr) == RTA_MULTIPATH)
			add_devices(way, attr);
		else if (mnl_attr_get_type(attr) == RTA_METRICS)
			read_metrics(attr, way);
	}
	return MNL_CB_OK;
}

int nl_way_to(
	struct nl *nl, const struct ip_addr *to, const struct ip_addr *from, struct nl_way *ret_way)
{
	const unsigned bytes = to->family == 6 ? 16 : 4;
	char buf[NL_BUFFER_BYTES];
	struct nlmsghdr *msg = nl_begin(nl, buf, RTM_GETROUTE, NLM_F_ACK);
	struct rtmsg *info = mnl_nlmsg_put_extra_header(msg, sizeof(*info));
	struct nl_way way = {};
	int rc;

	info->rtm_family = to->family == 6 ? AF_INET6 : AF_INET;
	info->rtm_flags = RTM_F_FIB_MATCH; // the entry, not what it has become
	info->rtm_dst_len = bytes * 8;
	mnl_attr_put(msg, RTA_DST, bytes, to->byte);
	if (from && from->family == to->family) {
		info->rtm_src_len = bytes * 8;
		mnl_attr_put(msg, RTA_SRC, bytes, from->byte);
	}
	rc = nl_talk(nl, msg, read_way, &way);
	if (rc == 0)
		*ret_way = way;
	return rc;
}
