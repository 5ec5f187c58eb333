// SPDX-License-Identifier: BSD-3-Clause
#include "netd/sandbox/sandbox_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/netlink.h"
#include "netd/dns/resolv.h"
#include "netd/sandbox/sandbox_gateway.h"
#include "netd/sandbox/sandbox_look.h"

#define IFNAMES_MAX    1000
// Of answers, as a container may have any number of addresses and routes: some 2500 of them.
#define LOOK_MAX_BYTES (256u << 10)
#define STALE_MAX      16 // addresses of an interface that are taken off in one go

// ---- namespaces ----

const char *sandbox_object(const char *text, char buf[SANDBOX_OBJECT_BYTES])
{
	snprintf(buf, SANDBOX_OBJECT_BYTES, "container %s", text);
	return buf;
}

static int find(struct sandbox *sb, const char *text, struct netns_id *ret_id, struct err *err)
{
	char object[SANDBOX_OBJECT_BYTES];
	int fd, rc;

	if (!text[0])
		return err_set(err, -EINVAL, "container", "its network namespace is not given");
	rc = netns_open(text, sandbox_object(text, object), &fd, err);
	if (rc < 0)
		return rc;
	rc = netns_identify(fd, ret_id);
	close(fd);
	if (rc < 0)
		return err_set_errno(err, rc, object, "cannot look at its network namespace");
	return 0;
}

// Engines delete the file of a namespace when the container goes: then nobody is in it any more.
static bool alive(struct sandbox *sb, const char *text, const struct netns_id *id)
{
	struct netns_id now;

	if (netns_kind(text) == NETNS_PID)
		return netns_alive(text, id);
	return find(sb, text, &now, NULL) == 0 && !netns_differs(id, &now);
}

int sandbox_open(const char *text, const struct netns_id *id, int *ret_fd, struct err *err)
{
	char object[SANDBOX_OBJECT_BYTES];
	struct netns_id now;
	int fd, rc;

	rc = netns_open(text, sandbox_object(text, object), &fd, err);
	if (rc < 0)
		return rc;
	rc = netns_identify(fd, &now);
	if (rc < 0)
		err_set_errno(err, rc, object, "cannot look at its network namespace");
	else if (id && id->ino && !netns_same(id, &now))
		rc = err_set(err, -ENOENT, object,
			"this is another network namespace now than when it was connected");
	if (rc < 0)
		close(fd);
	else
		*ret_fd = fd;
	return rc;
}

// Opens a netlink socket in the namespace; with `id`, only if it is that one.
static int open_in(const char *text, const struct netns_id *id, struct nl **ret_nl, struct err *err)
{
	char object[SANDBOX_OBJECT_BYTES];
	int fd, rc = sandbox_open(text, id, &fd, err);

	if (rc < 0)
		return rc;
	rc = nl_open(fd, ret_nl);
	close(fd);
	if (rc < 0)
		return netns_refused(rc, text, sandbox_object(text, object), err);
	return 0;
}

static int holds(struct sandbox *sb, const char *text, const char *port)
{
	struct nl_link link;
	struct nl *nl;
	int rc = open_in(text, NULL, &nl, NULL);

	if (rc < 0)
		return rc;
	nl_limit(nl, LOOK_MAX_BYTES);
	rc = sandbox_find_marked(nl, port, &link);
	nl_close(nl);
	return rc == 0 ? 1 : rc == -ENODEV ? 0 : rc;
}

static bool is_taken(const char *name, char (*taken)[16], unsigned nb_taken)
{
	for (unsigned i = 0; i < nb_taken; i++) {
		if (!strcmp(taken[i], name))
			return true;
	}
	return false;
}

static int choose_ifname(struct sandbox *sb, const char *text, char (*taken)[16], unsigned nb_taken,
	char ret_ifname[16], struct err *err)
{
	char object[SANDBOX_OBJECT_BYTES], name[16];
	struct nl_link link;
	struct nl *nl;
	int rc = open_in(text, NULL, &nl, err);

	if (rc < 0)
		return rc;
	if (ret_ifname[0]) {
		rc = nl_link_by_name(nl, ret_ifname, &link);
		nl_close(nl);
		// What the switch has made it takes back, or gives up.
		return rc == 0 && strncmp(link.alias, NL_ALIAS_OURS, strlen(NL_ALIAS_OURS)) != 0
			       ? -EEXIST
			       : 0;
	}
	for (unsigned i = 0; i < IFNAMES_MAX && rc == 0; i++) {
		snprintf(name, sizeof(name), "eth%u", i);
		if (!is_taken(name, taken, nb_taken))
			rc = nl_link_by_name(nl, name, &link);
	}
	nl_close(nl);
	if (rc == 0)
		return err_set(err, -ENOSPC, sandbox_object(text, object),
			"the names eth0 to eth%u are taken", IFNAMES_MAX - 1);
	if (rc != -ENODEV)
		return err_set_errno(
			err, rc, sandbox_object(text, object), "cannot list its interfaces");
	memcpy(ret_ifname, name, sizeof(name));
	return 0;
}

// ---- addresses and routes ----

struct job {
	const struct local_endpoint *le;
	struct nl *nl;
	int ifindex;
	char ifname[IFNAMSIZ]; // as the container calls it by now
	uint32_t mtu;
	char object[SANDBOX_OBJECT_BYTES];
	struct cidr stale[STALE_MAX]; // addresses that are to go
	unsigned nb_stale;
};

static struct nl_addr nl_addr_of(const struct ip_addr *ip, unsigned prefix)
{
	struct nl_addr addr = {.family = ip->family == 6 ? AF_INET6 : AF_INET,
		.bytes = ip->family == 6 ? 16 : 4,
		.prefix_bits = prefix};

	memcpy(addr.byte, ip->byte, addr.bytes);
	return addr;
}

static bool is_its(const struct local_endpoint *le, const struct cidr *cidr)
{
	for (unsigned i = 0; i < le->rec.nb_ips; i++) {
		if (cidr_equal(&le->rec.ips[i], cidr))
			return true;
	}
	return false;
}

static bool is_of_network(const struct network_record *net, const struct ip_addr *ip)
{
	for (unsigned i = 0; i < net->nb_subnets; i++) {
		if (cidr_has(&net->subnets[i].cidr, ip))
			return true;
	}
	return false;
}

// Addresses in the network's subnets are given out by nobody else: one that the record has not
// got is from an earlier record.
static void find_stale(void *arg, const struct nl_addr *addr)
{
	struct job *job = arg;
	struct cidr cidr = sandbox_cidr(addr);

	if (job->nb_stale < STALE_MAX && !is_its(job->le, &cidr) &&
		is_of_network(&job->le->net->rec, &cidr.ip))
		job->stale[job->nb_stale++] = cidr;
}

static void set_ip6_switch(const struct job *job, const char *key, const char *value)
{
	char file[96];
	int fd;

	snprintf(file, sizeof(file), "/proc/sys/net/ipv6/conf/%s/%s", job->ifname, key);
	fd = open(file, O_WRONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) // a kernel without IPv6
		return;
	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		log_warn("container %s: cannot write %s to %s: %s", job->le->rec.name, value, file,
			strerror(errno));
	if (fd >= 0)
		close(fd);
}

// IPv6 is off where the network has none: nobody could tell who says what. Where it has, routers of
// others are not believed (the switch drops what they send, too).
static void set_ip6(const struct job *job)
{
	bool on = endpoint_record_has_family(&job->le->rec, 6);
	int ns, home;

	if (netns_open(job->le->rec.sandbox, "", &ns, NULL) < 0)
		return;
	home = netns_enter(ns); // /proc/sys/net is that of the thread's namespace
	close(ns);
	if (home < 0)
		return;
	set_ip6_switch(job, "accept_ra", "0");
	set_ip6_switch(job, "accept_redirects", "0");
	set_ip6_switch(job, "disable_ipv6", on ? "0" : "1");
	netns_leave(home);
}

static int set_addresses(struct job *job, struct err *err)
{
	const struct endpoint_record *rec = &job->le->rec;
	char text[CIDR_TEXT_BYTES];
	int rc;

	set_ip6(job);
	rc = nl_addr_each(job->nl, job->ifindex, find_stale, job);
	for (unsigned i = 0; i < job->nb_stale && rc == 0; i++) {
		rc = nl_addr_del(job->nl, job->ifindex, cidr_format(&job->stale[i], text));
		if (rc == -EADDRNOTAVAIL) // went with another one
			rc = 0;
	}
	if (rc < 0)
		return err_set_errno(err, rc, job->object, "cannot take its old addresses off");
	for (unsigned i = 0; i < rec->nb_ips; i++) {
		rc = nl_addr_add(job->nl, job->ifindex, cidr_format(&rec->ips[i], text));
		if (rc < 0 && rc != -EEXIST && rec->ips[i].ip.family == 6 &&
			job->mtu < MTU_MIN_IPV6)
			return err_set(err, rc, job->object,
				"it has an MTU of %u: IPv6 takes %u at least, and its address %s "
				"comes back with that",
				job->mtu, MTU_MIN_IPV6, text);
		if (rc < 0 && rc != -EEXIST)
			return err_set_errno(
				err, rc, job->object, "cannot give it the address %s", text);
	}
	return 0;
}

static int add_route(
	struct job *job, const struct cidr *to, const struct ip_addr *gateway, struct err *err)
{
	struct nl_addr dst = nl_addr_of(&to->ip, to->prefix), via;
	char text[CIDR_TEXT_BYTES];
	bool is_there = false;
	int rc;

	if (gateway)
		via = nl_addr_of(gateway, gateway->family == 6 ? 128 : 32);
	rc = nl_route_add(job->nl, job->ifindex, &dst, gateway ? &via : NULL);
	if (rc != -EEXIST)
		return rc < 0 ? err_set_errno(err, rc, job->object, "cannot have a route to %s",
					cidr_format(to, text))
			      : 0;
	rc = nl_route_has(job->nl, job->ifindex, &dst, &is_there);
	// Another way to a subnet does as well; not so for what is asked for by an option.
	if (rc < 0 || is_there || !gateway)
		return rc;
	return err_set(err, -EEXIST, job->object,
		"the container has a default route by another interface already");
}

static int set_routes(struct job *job, struct err *err)
{
	struct sandbox_want want;
	int rc;

	sandbox_want_endpoint(job->le, 0, &want);
	rc = sandbox_look_routes(job->nl, job->ifindex, &want);
	if (rc < 0)
		return err_set_errno(err, rc, job->object, "cannot list the routes");
	for (unsigned i = 0; i < want.nb_routes && rc == 0; i++) {
		const struct sandbox_route *route = &want.routes[i];

		if (!route->found)
			rc = add_route(
				job, &route->to, route->via.family ? &route->via : NULL, err);
	}
	return rc;
}

static int find_link(struct nl *nl, const struct local_endpoint *le, struct nl_link *ret_link)
{
	char port[LOCAL_ENDPOINT_PORT_BYTES];
	int rc;

	nl_limit(nl, LOOK_MAX_BYTES);
	rc = sandbox_find(nl, local_endpoint_port(le, port), le->rec.ifname, ret_link);
	nl_limit(nl, 0);
	return rc;
}

static int set_up(struct job *job, struct err *err)
{
	struct nl_link link;
	int rc = find_link(job->nl, job->le, &link);

	if (rc < 0)
		return err_set_errno(err, rc, job->object, "there is no such interface");
	job->ifindex = link.ifindex;
	memcpy(job->ifname, link.ifname, sizeof(job->ifname));
	job->mtu = link.mtu;
	if (link.flags & IFF_UP)
		return 0;
	rc = nl_link_change(job->nl, link.ifindex, &(struct nl_change){.up = true});
	return rc < 0 ? err_set_errno(err, rc, job->object, "cannot set it up") : 0;
}

static int configure(struct sandbox *sb, const struct local_endpoint *le, struct err *err)
{
	struct job job = {.le = le};
	int rc = open_in(le->rec.sandbox, &le->netns, &job.nl, err);

	if (rc < 0)
		return rc;
	snprintf(job.object, sizeof(job.object), "interface %s of container %.100s", le->rec.ifname,
		le->rec.sandbox);
	rc = set_up(&job, err);
	if (rc == 0)
		rc = set_addresses(&job, err);
	if (rc == 0)
		rc = set_routes(&job, err);
	nl_close(job.nl);
	return rc;
}

// ---- looking ----

static int look_in(struct nl *nl, const struct sandbox_want *want, const char *object,
	sandbox_look_fn *fn, void *arg, struct err *err)
{
	int rc = sandbox_look(nl, want, fn, arg);

	if (rc == -ENODEV)
		return err_set(err, rc, object, "there is no interface %s", want->ifname);
	return rc < 0 ? err_set_errno(err, rc, object, "cannot look at interface %s", want->ifname)
		      : 0;
}

static int look(struct sandbox *sb, const struct local_endpoint *le, uint32_t mtu,
	sandbox_look_fn *fn, void *arg, struct err *err)
{
	char object[SANDBOX_OBJECT_BYTES];
	struct sandbox_want want;
	struct nl *nl;
	int rc = open_in(le->rec.sandbox, &le->netns, &nl, err);

	if (rc < 0)
		return rc;
	nl_limit(nl, LOOK_MAX_BYTES);
	sandbox_want_endpoint(le, mtu, &want);
	rc = look_in(nl, &want, sandbox_object(le->rec.sandbox, object), fn, arg, err);
	nl_close(nl);
	return rc;
}

static int look_gateway(struct sandbox *sb, const char *ifname, const struct network_record *net,
	uint32_t mtu, sandbox_look_fn *fn, void *arg, struct err *err)
{
	struct sandbox_want want;
	struct nl *nl;
	int rc = nl_open(-1, &nl);

	if (rc < 0)
		return err_set_errno(err, rc, ifname, "cannot ask the kernel");
	sandbox_want_gateway(ifname, net, mtu, &want);
	rc = look_in(nl, &want, "the host", fn, arg, err);
	nl_close(nl);
	if (rc == 0)
		gateway_look(ifname, net, fn, arg);
	return rc;
}

static int set_link(struct sandbox *sb, const struct local_endpoint *le, const char *ifname,
	const struct mac *mac, uint32_t mtu, struct err *err)
{
	const struct nl_change change = {.up = true, .mac = mac, .mtu = mtu};
	struct nl_link link;
	struct nl *nl;
	int rc = le ? open_in(le->rec.sandbox, &le->netns, &nl, err) : nl_open(-1, &nl);

	if (rc < 0)
		return err_set_errno(err, rc, ifname, "cannot ask the kernel");
	rc = le ? find_link(nl, le, &link) : nl_link_by_name(nl, ifname, &link);
	if (rc == 0)
		rc = nl_link_change(nl, link.ifindex, &change);
	nl_close(nl);
	return rc < 0 ? err_set_errno(err, rc, ifname, "cannot set the interface up") : 0;
}

static int gateway(
	struct sandbox *sb, const char *ifname, const struct network_record *net, struct err *err)
{
	return gateway_configure(ifname, net, err);
}

static int set_resolv(
	struct sandbox *sb, const char *netns, const struct resolv *resolv, struct err *err)
{
	return resolv ? resolv_write(netns, resolv, err) : resolv_remove(netns, err);
}

static const struct sandbox_ops ops = {
	.find = find,
	.alive = alive,
	.holds = holds,
	.ifname = choose_ifname,
	.configure = configure,
	.gateway = gateway,
	.look = look,
	.look_gateway = look_gateway,
	.set_link = set_link,
	.listen = sandbox_listen,
	.resolv = set_resolv,
};

struct sandbox sandbox_kernel = {.ops = &ops};
