// SPDX-License-Identifier: BSD-3-Clause
#include "netd/sandbox/sandbox_look.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "netd/drivers/endpoint_options.h"
#include "netd/drivers/network.h"

#define DUMP_TRIES 8

// ---- what is wanted ----

static void want_route(struct sandbox_want *want, const struct cidr *to, const struct ip_addr *via)
{
	struct sandbox_route *route = &want->routes[want->nb_routes];

	if (want->nb_routes == SANDBOX_ROUTES_MAX)
		return;
	*route = (struct sandbox_route){.to = *to};
	cidr_mask(&route->to);
	if (via)
		route->via = *via;
	for (unsigned i = 0; i < want->nb_routes; i++) {
		if (cidr_equal(&want->routes[i].to, &route->to))
			return;
	}
	want->nb_routes++;
}

// One of each family at most: the first gateway.
static void want_default(
	struct sandbox_want *want, const struct network_record *net, unsigned family)
{
	struct cidr all = {.ip.family = family};

	for (unsigned i = 0; i < net->nb_subnets; i++) {
		if (net->subnets[i].gateway.family == family) {
			want_route(want, &all, &net->subnets[i].gateway);
			return;
		}
	}
}

static bool is_prefix(const struct cidr *cidr)
{
	return cidr->prefix < (cidr->ip.family == 6 ? 128 : 32);
}

void sandbox_want_endpoint(
	const struct local_endpoint *le, uint32_t mtu, struct sandbox_want *ret_want)
{
	const struct network_record *net = &le->net->rec;
	const struct endpoint_record *rec = &le->rec;
	bool is_way_out = !net->internal &&
			  endpoint_option_is(rec->options, ENDPOINT_DEFAULT_ROUTE, "true", false);

	*ret_want = (struct sandbox_want){
		.ifname = rec->ifname, .has_mac = true, .mac = rec->mac, .mtu = mtu};
	local_endpoint_port(le, ret_want->port);
	for (unsigned i = 0; i < rec->nb_ips; i++) {
		ret_want->addresses[ret_want->nb_addresses++] = rec->ips[i];
		if (is_prefix(&rec->ips[i])) // the kernel makes it with the address
			want_route(ret_want, &rec->ips[i], NULL);
	}
	// Without an address of its family nothing could answer.
	for (unsigned i = 0; i < net->nb_subnets; i++) {
		if (endpoint_record_has_family(rec, net->subnets[i].cidr.ip.family))
			want_route(ret_want, &net->subnets[i].cidr, NULL);
	}
	for (unsigned family = 4; family <= 6 && is_way_out; family += 2) {
		if (endpoint_record_has_family(rec, family))
			want_default(ret_want, net, family);
	}
}

// Without routes: the kernel makes them with the addresses, and a host may have a great many
// others.
void sandbox_want_gateway(const char *ifname, const struct network_record *net, uint32_t mtu,
	struct sandbox_want *ret_want)
{
	*ret_want = (struct sandbox_want){.ifname = ifname, .mtu = mtu};
	ret_want->has_mac = network_gateway_mac(net, &ret_want->mac);
	for (unsigned i = 0; i < net->nb_subnets; i++) {
		const struct subnet *subnet = &net->subnets[i];

		if (subnet->gateway.family)
			ret_want->addresses[ret_want->nb_addresses++] =
				(struct cidr){subnet->gateway, subnet->cidr.prefix};
	}
}

// ---- what is there ----

struct cidr sandbox_cidr(const struct nl_addr *addr)
{
	struct cidr cidr = {
		.ip.family = addr->family == AF_INET6 ? 6 : 4, .prefix = addr->prefix_bits};

	memcpy(cidr.ip.byte, addr->byte, addr->bytes);
	return cidr;
}

struct look {
	const struct sandbox_want *want;
	bool has[RECORD_SUBNETS_MAX];
	sandbox_look_fn *fn;
	void *arg;
};

static void see_address(void *arg, const struct nl_addr *addr)
{
	struct look *look = arg;
	struct cidr cidr = sandbox_cidr(addr);

	for (unsigned i = 0; i < look->want->nb_addresses; i++)
		look->has[i] |= cidr_equal(&look->want->addresses[i], &cidr);
}

struct look_routes {
	struct sandbox_want *want;
	int ifindex;
};

static void see_route(void *arg, const struct nl_route *route)
{
	struct look_routes *look = arg;
	struct cidr to = sandbox_cidr(&route->to);

	for (unsigned i = 0; i < look->want->nb_routes && !route->is_local; i++) {
		struct sandbox_route *want = &look->want->routes[i];

		if (cidr_equal(&want->to, &to) &&
			(!want->via.family || route->ifindex == look->ifindex))
			want->found = true;
	}
}

static bool wants_family(const struct sandbox_want *want, unsigned family)
{
	for (unsigned i = 0; i < want->nb_routes; i++) {
		if (want->routes[i].to.ip.family == family)
			return true;
	}
	return false;
}

int sandbox_look_routes(struct nl *nl, int ifindex, struct sandbox_want *want)
{
	struct look_routes look = {.want = want, .ifindex = ifindex};

	for (unsigned family = 4; family <= 6; family += 2) {
		int rc = -EINTR; // the table has changed meanwhile

		if (!wants_family(want, family))
			continue;
		for (unsigned tries = 0; tries < DUMP_TRIES && rc == -EINTR; tries++)
			rc = nl_route_each(nl, family == 6 ? AF_INET6 : AF_INET, see_route, &look);
		if (rc < 0 && rc != -EAFNOSUPPORT)
			return rc;
	}
	return 0;
}

// ---- differences ----

static void tell(const struct look *look, bool is_lost, const char *what, const char *wanted,
	const char *actual)
{
	look->fn(look->arg, &(struct sandbox_difference){is_lost, what, wanted, actual});
}

static void compare_link(const struct look *look, const struct nl_link *link)
{
	const struct sandbox_want *want = look->want;
	char wanted[32], actual[32];

	if (!(link->flags & IFF_UP))
		tell(look, false, "link", "up", "down");
	if (want->has_mac && memcmp(&want->mac, &link->mac, sizeof(link->mac)) != 0)
		tell(look, false, "MAC address", mac_format(&want->mac, wanted),
			mac_format(&link->mac, actual));
	if (want->mtu && want->mtu != link->mtu) {
		snprintf(wanted, sizeof(wanted), "%u", want->mtu);
		snprintf(actual, sizeof(actual), "%u", link->mtu);
		tell(look, false, "MTU", wanted, actual);
	}
}

static int compare_addresses(struct look *look, struct nl *nl, int ifindex)
{
	char text[CIDR_TEXT_BYTES];
	int rc = nl_addr_each(nl, ifindex, see_address, look);

	for (unsigned i = 0; i < look->want->nb_addresses && rc == 0; i++) {
		if (!look->has[i])
			tell(look, true, "address", cidr_format(&look->want->addresses[i], text),
				"");
	}
	return rc;
}

static int compare_routes(struct look *look, struct nl *nl, int ifindex)
{
	struct sandbox_want want = *look->want;
	char text[CIDR_TEXT_BYTES];
	int rc = sandbox_look_routes(nl, ifindex, &want);

	for (unsigned i = 0; i < want.nb_routes && rc == 0; i++) {
		if (!want.routes[i].found)
			tell(look, true, "route", cidr_format(&want.routes[i].to, text), "");
	}
	return rc;
}

// "causeway:<switch>:<port>", and for the container's end of a veth pair ":inside".
static bool has_mark(const void *arg, const struct nl_link *link)
{
	const char *port = arg, *at = strstr(link->alias, port);
	size_t len = strlen(port);

	return strncmp(link->alias, NL_ALIAS_OURS, strlen(NL_ALIAS_OURS)) == 0 && at &&
	       at[-1] == ':' && (!at[len] || at[len] == ':');
}

int sandbox_find_marked(struct nl *nl, const char *port, struct nl_link *ret_link)
{
	return nl_link_find(nl, has_mark, port, ret_link);
}

int sandbox_find(struct nl *nl, const char *port, const char *ifname, struct nl_link *ret_link)
{
	struct nl_link named;
	int named_rc = nl_link_by_name(nl, ifname, &named), rc;

	if (named_rc == 0 && !has_mark(port, &named)) {
		rc = nl_link_find(nl, has_mark, port, ret_link);
		// Switches of before did not mark the container's end of a veth pair.
		if (rc != -ENODEV || strcmp(named.kind, "veth") != 0 || named.alias[0])
			return rc;
	} else if (named_rc == -ENODEV) {
		return nl_link_find(nl, has_mark, port, ret_link);
	}
	*ret_link = named;
	return named_rc;
}

int sandbox_look(struct nl *nl, const struct sandbox_want *want, sandbox_look_fn *fn, void *arg)
{
	struct look look = {.want = want, .fn = fn, .arg = arg};
	struct nl_link link;
	int rc = want->port[0] ? sandbox_find(nl, want->port, want->ifname, &link)
			       : nl_link_by_name(nl, want->ifname, &link);

	if (rc < 0)
		return rc;
	compare_link(&look, &link);
	// The kernel takes much of it from a link that is down, which somebody may want so.
	if (!(link.flags & IFF_UP))
		return 0;
	rc = compare_addresses(&look, nl, link.ifindex);
	if (rc == 0)
		rc = compare_routes(&look, nl, link.ifindex);
	return rc == -EOVERFLOW ? 0 : rc;
}
