// SPDX-License-Identifier: BSD-3-Clause
// What operations of several drivers are made of.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/member.h"
#include "netd/drivers/driver.h"
#include "netd/drivers/endpoint_options.h"
#include "netd/ipam/ipam.h"

// ---- choosing ----

static bool is_reserved(const struct subnet *subnet, const struct ip_addr *ip)
{
	for (unsigned i = 0; i < subnet->nb_aux; i++) {
		if (ip_equal(&subnet->aux[i].ip, ip))
			return true;
	}
	// The only one that containers can get.
	return subnet->range.prefix == (ip->family == 6 ? 128 : 32) &&
	       ip_equal(&subnet->range.ip, ip);
}

// The first address of each subnet that is not reserved, as with Docker.
static void choose_gateways(struct network_record *rec)
{
	for (unsigned i = 0; i < rec->nb_subnets; i++) {
		struct subnet *subnet = &rec->subnets[i];
		struct ip_addr ip = ip_add(&subnet->cidr.ip, 1), next;

		while (is_reserved(subnet, &ip))
			ip = ip_add(&ip, 1);
		next = ip_add(&ip, 1); // not the last one, which is for broadcasts
		if (!subnet->gateway.family && cidr_has(&subnet->cidr, &next))
			subnet->gateway = ip;
	}
}

int driver_choose_subnets(
	struct network_record *rec, const struct network_chooser *chooser, struct err *err)
{
	int rc = 0;

	if (!rec->nb_subnets)
		rc = chooser->subnet(chooser->arg, rec, 4, err);
	if (rc == 0 && rec->ipv6 && !network_record_has_family(rec, 6))
		rc = chooser->subnet(chooser->arg, rec, 6, err);
	if (rc == 0)
		choose_gateways(rec);
	return rc;
}

// ---- attaching ----

int driver_refuse(const struct network_record *rec, const char *reason, struct err *err)
{
	char path[NAME_BYTES + 16];

	snprintf(path, sizeof(path), "network %s", rec->name);
	return err_set(err, -EOPNOTSUPP, path, "%s", reason);
}

// ---- in the switch ----

// All addresses of the gateway have one MAC: that of its first IPv4 address, else of its first one.
void driver_plan_bridge(const struct network_record *rec, struct network_plan *plan)
{
	const char *mtu = network_option(rec, "mtu");
	const struct ip_addr *first = NULL;

	plan->mtu = mtu ? strtoul(mtu, NULL, 10) : 0;
	for (unsigned i = 0; i < rec->nb_subnets; i++) {
		const struct ip_addr *ip = &rec->subnets[i].gateway;

		plan->gateway.peers[plan->gateway.nb_peers++] = rec->subnets[i].cidr;
		if (!ip->family)
			continue;
		plan->gateway.ips[plan->gateway.nb_ips++] = *ip;
		if (!first || (first->family == 6 && ip->family == 4))
			first = ip;
	}
	if (first)
		plan->gateway.mac = ipam_mac(first);
}

// Frames a second that a container may have flooded: more than address resolution, mDNS and the
// like need. On a network of FLOOD_LIMIT_HOSTS others they are 4,000 packets a second through the
// tunnels; with more hosts there are fewer frames, not more packets.
#define FLOOD_LIMIT 500

// What the connection says, or else the network; NULL: neither.
static const char *option_of(const struct network_record *rec, const struct endpoint_record *ep,
	enum endpoint_option which)
{
	const char *text = endpoint_option(ep->options, which);

	return text ? text : network_option(rec, endpoint_options[which].name);
}

static bool allows(const struct network_record *rec, const struct endpoint_record *ep,
	enum endpoint_option which)
{
	const char *text = option_of(rec, ep, which);

	return text && !strcmp(text, "allow");
}

void driver_port_guard(
	const struct network_record *rec, const struct endpoint_record *ep, json_t *options)
{
	const char *limit = option_of(rec, ep, ENDPOINT_FLOOD_LIMIT);
	char text[IP_TEXT_BYTES];
	json_t *ips;

	json_object_set_new(options, "router", json_boolean(allows(rec, ep, ENDPOINT_ROUTER)));
	json_object_set_new(
		options, "dhcp_server", json_boolean(allows(rec, ep, ENDPOINT_DHCP_SERVER)));
	json_object_set_new(options, "flood_limit",
		json_integer(limit ? (json_int_t)strtoul(limit, NULL, 10) : FLOOD_LIMIT));
	if (allows(rec, ep, ENDPOINT_SPOOF))
		return;
	ips = json_array();
	for (unsigned i = 0; i < ep->nb_ips; i++)
		json_array_append_new(ips, json_string(ip_format(&ep->ips[i].ip, text)));
	json_object_set_new(options, "guard", json_true());
	json_object_set_new(options, "guard_ips", ips);
}

// ---- options ----

const char *network_option(const struct network_record *rec, const char *name)
{
	return member_text_or(rec->options, name, NULL);
}
