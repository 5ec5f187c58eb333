// SPDX-License-Identifier: BSD-3-Clause
#include "ports/device.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_ethdev.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/netns.h"
#include "base/text_clean.h"
#include "base/util.h"

#define ALIAS_INSIDE ":inside"

void device_alias(const struct port *port, char *buf)
{
	snprintf(buf, NL_ALIAS_BYTES, NL_ALIAS_OURS "%.150s:%s", port->env->switch_id,
		port->conf.name);
}

void device_alias_inside(const struct port *port, char *buf)
{
	snprintf(buf, NL_ALIAS_BYTES, NL_ALIAS_OURS "%.150s:%s" ALIAS_INSIDE, port->env->switch_id,
		port->conf.name);
}

int device_ifname(const struct port *port, const char **ret_ifname, struct err *err)
{
	const struct conf_port *conf = &port->conf;
	const char *name = conf->ifname[0] ? conf->ifname : conf->name;

	if (strlen(name) >= IFNAMSIZ)
		return err_set(err, -EINVAL, port->path,
			"the name is longer than the 15 bytes of a device name: give ifname=");
	if (!name[0] || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
		strpbrk(name, "/: \t\n%"))
		return err_set(
			err, -EINVAL, port->path, "'%s' is not a device name: give ifname=", name);
	*ret_ifname = name;
	return 0;
}

void device_host_ifname(const struct port *port, char *buf)
{
	const char *name = port->conf.name;
	uint64_t hash = hash_add(HASH_INIT, port->env->switch_id, strlen(port->env->switch_id));

	if (port->conf.host_ifname[0]) {
		snprintf(buf, IFNAMSIZ, "%s", port->conf.host_ifname);
		return;
	}
	hash = hash_add(hash, name, strlen(name));
	snprintf(buf, IFNAMSIZ, "cw%.4s-%08x", name, (unsigned)hash);
}

int device_find(
	struct nl *nl, const struct port *port, const char *ifname, struct nl_link *ret_link)
{
	char alias[NL_ALIAS_BYTES];
	struct nl_link link;

	device_alias(port, alias);
	if (nl_link_by_name(nl, ifname, &link) || strcmp(link.alias, alias) != 0)
		return nl_link_by_alias(nl, alias, ret_link);
	*ret_link = link;
	return 0;
}

// The device is in the way. Only what a switch has made may be suggested to be deleted.
static int tell_taken(
	const struct port *port, const struct nl_link *link, const char *ifname, struct err *err)
{
	const struct conf_port *conf = &port->conf;
	bool is_named = netns_kind(conf->netns) == NETNS_NAME;

	if (!strncmp(link->alias, NL_ALIAS_OURS, strlen(NL_ALIAS_OURS)))
		return err_set(err, -EEXIST, port->path,
			"device %s already exists, made for another port or switch: give another "
			"ifname=, or if nothing uses it any more delete it with 'ip %s%s%slink del "
			"%s'",
			ifname, is_named ? "-n " : "", is_named ? conf->netns : "",
			is_named ? " " : "", ifname);
	if (conf->netns[0])
		return err_set(err, -EEXIST, port->path,
			"network namespace %s already has an interface %s: for a new device give "
			"another name with ifname=",
			conf->netns, ifname);
	return err_set(err, -EEXIST, port->path,
		"%s is an interface of this host: to attach it, use type=dpdk "
		"devargs=net_af_xdp0,iface=%s; for a new device give another name with ifname=, or "
		"its namespace with netns=",
		ifname, ifname);
}

int device_check_free(struct nl *nl, const struct port *port, const char *ifname, struct err *err)
{
	struct nl_link link;
	int rc = nl_link_by_name(nl, ifname, &link);

	if (rc == -ENODEV)
		return 0;
	if (rc)
		return err_set_errno(err, rc, port->path, "cannot look up device %s", ifname);
	return tell_taken(port, &link, ifname, err);
}

static int set_mtu(
	struct nl *nl, int ifindex, const struct port *port, uint16_t mtu, struct err *err)
{
	struct nl_link link = {};
	int rc;

	if (!mtu)
		return 0;
	rc = nl_link_change(nl, ifindex, &(struct nl_change){.mtu = mtu});
	if (!rc)
		return 0;
	nl_link_by_index(nl, ifindex, &link);
	return err_set_errno(err, rc, port->path, "mtu %u was refused; the device takes at most %u",
		mtu, link.mtu_max);
}

static int set_mac(struct nl *nl, int ifindex, const struct port *port,
	const struct conf_port *conf, struct err *err)
{
	int rc;

	if (!conf->has_mac)
		return 0;
	rc = nl_link_change(nl, ifindex, &(struct nl_change){.mac = &conf->mac});
	return rc ? err_set_errno(err, rc, port->path, "the device refused mac") : 0;
}

static bool has_ip(const struct conf_port *conf, const char *ip)
{
	for (unsigned i = 0; i < conf->nb_ips; i++)
		if (strcmp(conf->ip[i], ip) == 0)
			return true;
	return false;
}

// Adds those of `conf` that `old` (or NULL) has not. Those that were not there before are marked in
// `ret_added`, one bit each, on failure too.
static int add_ips(struct nl *nl, int ifindex, const struct port *port,
	const struct conf_port *conf, const struct conf_port *old, unsigned *ret_added,
	struct err *err)
{
	int rc;

	*ret_added = 0;
	for (unsigned i = 0; i < conf->nb_ips; i++) {
		if (old && has_ip(old, conf->ip[i]))
			continue;
		rc = nl_addr_add(nl, ifindex, conf->ip[i]);
		if (!rc)
			*ret_added |= 1u << i;
		else if (rc != -EEXIST)
			return err_set_errno(
				err, rc, port->path, "the device refused ip %s", conf->ip[i]);
	}
	return 0;
}

int device_set_up(struct nl *nl, int ifindex, const struct port *port, struct err *err)
{
	const struct conf_port *conf = &port->conf;
	unsigned added;
	int rc = set_mac(nl, ifindex, port, conf, err);

	if (!rc)
		rc = set_mtu(nl, ifindex, port, conf->mtu, err);
	if (rc)
		return rc;
	rc = nl_link_change(nl, ifindex, &(struct nl_change){.up = true});
	if (rc)
		return err_set_errno(err, rc, port->path, "cannot set the device up");
	return add_ips(nl, ifindex, port, conf, NULL, &added, err);
}

void device_follow_mtu(struct nl *nl, const struct nl_link *link, const struct port *port)
{
	uint32_t mtu = port->conf.mtu;
	int rc;

	if (!mtu || mtu == link->mtu)
		return;
	rc = nl_link_change(nl, link->ifindex, &(struct nl_change){.mtu = mtu});
	if (rc)
		log_warn("%s: %s keeps mtu %u instead of %u: %s", port->path, link->ifname,
			link->mtu, mtu, strerror(-rc));
}

static bool mac_differs(const struct conf_port *a, const struct conf_port *b)
{
	return a->has_mac != b->has_mac || memcmp(&a->mac, &b->mac, sizeof(a->mac)) != 0;
}

// Takes back what device_change() did to a device that was as `was` says.
static void undo_change(struct nl *nl, const struct nl_link *was, const struct port *port,
	const struct conf_port *conf, unsigned added)
{
	const struct conf_port *old = &port->conf;

	for (unsigned i = 0; i < conf->nb_ips; i++)
		if (added & 1u << i)
			nl_addr_del(nl, was->ifindex, conf->ip[i]);
	if (conf->mtu != old->mtu)
		nl_link_change(nl, was->ifindex, &(struct nl_change){.mtu = was->mtu});
	if (mac_differs(conf, old))
		nl_link_change(nl, was->ifindex, &(struct nl_change){.mac = &was->mac});
	// A device whose MTU was below 1280 for a moment has lost those of IPv6.
	if (conf->mtu && conf->mtu < MTU_MIN_IPV6)
		add_ips(nl, was->ifindex, port, old, NULL, &added, NULL);
}

int device_change(struct nl *nl, int ifindex, const struct port *port, const struct conf_port *conf,
	struct err *err)
{
	const struct conf_port *old = &port->conf;
	struct nl_link was;
	unsigned added = 0;
	int rc = nl_link_by_index(nl, ifindex, &was);

	if (rc)
		return err_set_errno(err, rc, port->path, "the device cannot be found");
	if (conf->mtu != old->mtu)
		rc = set_mtu(nl, ifindex, port, conf->mtu ? conf->mtu : 1500, err);
	if (!rc && mac_differs(conf, old))
		rc = set_mac(nl, ifindex, port, conf, err);
	if (!rc)
		rc = add_ips(nl, ifindex, port, conf, old, &added, err);
	if (rc)
		undo_change(nl, &was, port, conf, added);
	for (unsigned i = 0; !rc && i < old->nb_ips; i++)
		if (!has_ip(conf, old->ip[i])) // one that is gone already is as wanted
			nl_addr_del(nl, ifindex, old->ip[i]);
	return rc;
}

// A container may call its device what it likes, in any bytes.
static json_t *ifname_json(const char *ifname)
{
	json_t *name = json_string(ifname);
	char clean[IFNAMSIZ];

	if (name)
		return name;
	snprintf(clean, sizeof(clean), "%s", ifname);
	text_clean(clean);
	return json_string(clean);
}

void device_describe(const struct nl_link *link, json_t *obj)
{
	char mac[MAC_TEXT_BYTES];

	json_object_set_new(obj, "ifindex", json_integer(link->ifindex));
	json_object_set_new(obj, "ifname", ifname_json(link->ifname));
	json_object_set_new(obj, "mac", json_string(mac_format(&link->mac, mac)));
	json_object_set_new(obj, "mtu", json_integer(link->mtu));
	json_object_set_new(
		obj, "link", json_string(link->flags & IFF_UP && link->carrier ? "up" : "down"));
}

void offloads_describe(uint64_t tx_offloads, json_t *obj)
{
	static const struct {
		uint64_t flag;
		const char *name;
	} names[] = {
		{RTE_ETH_TX_OFFLOAD_TCP_CKSUM, "tcp_csum"},
		{RTE_ETH_TX_OFFLOAD_UDP_CKSUM, "udp_csum"},
		{RTE_ETH_TX_OFFLOAD_TCP_TSO, "tso"},
		{RTE_ETH_TX_OFFLOAD_UDP_TSO, "uso"},
		{RTE_ETH_TX_OFFLOAD_MULTI_SEGS, "sg"},
	};
	json_t *list = json_array();

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (tx_offloads & names[i].flag)
			json_array_append_new(list, json_string(names[i].name));
	json_object_set_new(obj, "offloads", list);
}
