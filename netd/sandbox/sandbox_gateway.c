// SPDX-License-Identifier: BSD-3-Clause
#include "netd/sandbox/sandbox_gateway.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/netlink.h"
#include "base/util.h"
#include "netd/sandbox/sandbox_look.h"

#define OBJECT_BYTES 160
#define STALE_MAX    64
#define DUMP_TRIES   8

struct job {
	const struct network_record *net;
	const char *ifname;
	struct nl *nl;
	struct nl_link link;
	char object[OBJECT_BYTES];

	struct cidr stale[STALE_MAX]; // addresses that are to go
	unsigned nb_stale;

	const struct subnet *in_use; // by another interface of the host
	struct nl_route by;
};

static bool has_ip6(const struct network_record *net)
{
	for (unsigned i = 0; i < net->nb_subnets; i++) {
		if (net->subnets[i].gateway.family == 6)
			return true;
	}
	return false;
}

// ---- what the host has ----

// A wider route over a next hop gives way to a longer prefix, as that is meant. What is on the link
// of another interface must not: other hosts are there, maybe those of the cluster.
static bool is_hindrance(const struct subnet *subnet, const struct nl_route *route)
{
	struct cidr to = sandbox_cidr(&route->to);

	if (route->is_local)
		return cidr_has(&subnet->cidr, &to.ip);
	return to.prefix && cidr_overlap(&to, &subnet->cidr) &&
	       (route->on_link || to.prefix >= subnet->cidr.prefix);
}

static void see_route(void *arg, const struct nl_route *route)
{
	struct job *job = arg;

	for (unsigned i = 0; i < job->net->nb_subnets; i++) {
		const struct subnet *subnet = &job->net->subnets[i];

		if (job->in_use || !subnet->gateway.family || !route->ifindex ||
			route->ifindex == job->link.ifindex || !is_hindrance(subnet, route))
			continue;
		job->in_use = subnet;
		job->by = *route;
	}
}

static int look_for_others(struct job *job)
{
	static const unsigned families[] = {AF_INET, AF_INET6};

	for (unsigned i = 0; i < 2; i++) {
		int rc = -EINTR;

		for (unsigned tries = 0; tries < DUMP_TRIES && rc == -EINTR; tries++)
			rc = nl_route_each(job->nl, families[i], see_route, job);
		if (rc < 0 && rc != -EAFNOSUPPORT)
			return rc;
	}
	return 0;
}

static int check_others(struct job *job, struct err *err)
{
	char subnet[CIDR_TEXT_BYTES], to[CIDR_TEXT_BYTES];
	struct nl_link other = {.ifname = "another one"};
	struct cidr cidr;
	int rc = look_for_others(job);

	if (rc < 0)
		return err_set_errno(err, rc, job->object, "cannot list the routes of the host");
	if (!job->in_use)
		return 0;
	nl_link_by_index(job->nl, job->by.ifindex, &other);
	cidr = sandbox_cidr(&job->by.to);
	cidr_format(&cidr, to);
	if (job->by.is_local) // without the length, which is that of an address
		to[strcspn(to, "/")] = '\0';
	return err_set(err, -EEXIST, job->object,
		"the host has %s %s by %s, which is in subnet %s: the network goes on without its "
		"gateway here; take that away, or make the network with another subnet",
		job->by.is_local ? "the address" : "a route to", to, other.ifname,
		cidr_format(&job->in_use->cidr, subnet));
}

// ---- what the kernel is told of the interface ----

#define SYSCTL_FILE_BYTES 96

struct sysctl {
	const char *family, *key, *value;
};

// Containers are no routers of the host, and it is none of theirs. A question for another address
// of the host is none for this interface. Two of these count together with those of "all", which is
// not ours: the greater arp_ignore and arp_announce, which is as good; and IPv4 takes redirects
// where either says so (include/linux/inetdevice.h), but none passes the filter of the switch.
static const struct sysctl tamed[] = {
	{"ipv4", "forwarding", "0"}, {"ipv4", "accept_redirects", "0"}, {"ipv4", "arp_ignore", "1"},
	{"ipv4", "arp_announce", "2"}, {"ipv6", "accept_ra", "0"},
	{"ipv6", "accept_redirects", "0"},
	{"ipv6", "addr_gen_mode", "1"}, // none: put_on_link_local()
};

static struct sysctl ip6_switch(bool on)
{
	return (struct sysctl){"ipv6", "disable_ipv6", on ? "0" : "1"};
}

static const char *sysctl_file(
	const char *ifname, const struct sysctl *ctl, char file[SYSCTL_FILE_BYTES])
{
	snprintf(file, SYSCTL_FILE_BYTES, "/proc/sys/net/%s/conf/%s/%s", ctl->family, ifname,
		ctl->key);
	return file;
}

// -ENOENT: a kernel without IPv6, which needs no taming; or the interface has gone.
static int sysctl_get(const char *ifname, const struct sysctl *ctl, char value[16])
{
	char file[SYSCTL_FILE_BYTES];
	int fd = open(sysctl_file(ifname, ctl, file), O_RDONLY | O_CLOEXEC), rc;
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, value, 15);
	rc = n < 0 ? -errno : 0;
	close(fd);
	value[n < 0 ? 0 : n] = '\0';
	value[strcspn(value, "\n")] = '\0';
	return rc;
}

static int sysctl_write(const char *ifname, const struct sysctl *ctl)
{
	char file[SYSCTL_FILE_BYTES];
	int fd = open(sysctl_file(ifname, ctl, file), O_WRONLY | O_CLOEXEC), rc;

	if (fd < 0)
		return -errno;
	rc = write(fd, ctl->value, strlen(ctl->value)) < 0 ? -errno : 0;
	close(fd);
	return rc;
}

// The kernel has none, or an MTU of less than 1280 took it away; then gateway_look() sees it come
// back.
static bool is_without_ip6(const char *ifname, const struct sysctl *ctl)
{
	char dir[SYSCTL_FILE_BYTES];

	snprintf(dir, sizeof(dir), "/proc/sys/net/ipv6/conf/%s", ifname);
	return !strcmp(ctl->family, "ipv6") && access(dir, F_OK) < 0;
}

// What counts is what the kernel says afterwards.
static int sysctl_set(const struct job *job, const struct sysctl *ctl, struct err *err)
{
	char file[SYSCTL_FILE_BYTES], now[16] = "";
	int rc;

	if (is_without_ip6(job->ifname, ctl) ||
		(sysctl_get(job->ifname, ctl, now) == 0 && !strcmp(now, ctl->value)))
		return 0;
	rc = sysctl_write(job->ifname, ctl);
	if (rc == 0)
		rc = sysctl_get(job->ifname, ctl, now);
	if (rc == 0 && strcmp(now, ctl->value) != 0)
		rc = -EIO;
	return rc == 0 ? 0
		       : err_set(err, rc, job->object,
				 "%s cannot be set to %s (%s), and without that the interface "
				 "stays "
				 "down; let vsnetd write below /proc/sys/net",
				 sysctl_file(job->ifname, ctl, file), ctl->value, strerror(-rc));
}

static int tame(struct job *job, struct err *err)
{
	const struct sysctl accept_ra = {"ipv6", "accept_ra", "0"};
	const struct sysctl on = ip6_switch(true), off = ip6_switch(false);
	bool is_new;
	char now[16] = "";
	int rc = 0;

	is_new = sysctl_get(job->ifname, &accept_ra, now) == 0 && strcmp(now, "0") != 0;
	for (unsigned i = 0; i < ARRAY_SIZE(tamed) && rc == 0; i++)
		rc = sysctl_set(job, &tamed[i], err);
	// Takes off what came until now: addresses, routes.
	if (rc == 0 && (is_new || !has_ip6(job->net)))
		rc = sysctl_set(job, &off, err);
	if (rc == 0 && has_ip6(job->net))
		rc = sysctl_set(job, &on, err);
	return rc;
}

static void look_at(const char *ifname, const struct sysctl *ctl, sandbox_look_fn *fn, void *arg)
{
	char now[16] = "";

	if (sysctl_get(ifname, ctl, now) == 0 && strcmp(now, ctl->value) != 0)
		fn(arg, &(struct sandbox_difference){.is_lost = true,
				.what = ctl->key,
				.wanted = ctl->value,
				.actual = now});
}

void gateway_look(
	const char *ifname, const struct network_record *net, sandbox_look_fn *fn, void *arg)
{
	const struct sysctl ip6 = ip6_switch(has_ip6(net));

	for (unsigned i = 0; i < ARRAY_SIZE(tamed); i++)
		look_at(ifname, &tamed[i], fn, arg);
	look_at(ifname, &ip6, fn, arg);
}

// ---- addresses ----

static bool is_gateway(const struct network_record *net, const struct cidr *cidr)
{
	for (unsigned i = 0; i < net->nb_subnets; i++) {
		if (ip_equal(&net->subnets[i].gateway, &cidr->ip) &&
			net->subnets[i].cidr.prefix == cidr->prefix)
			return true;
	}
	return false;
}

static void see_address(void *arg, const struct nl_addr *addr)
{
	struct job *job = arg;
	struct cidr cidr = sandbox_cidr(addr);

	if (job->nb_stale < STALE_MAX && !is_gateway(job->net, &cidr))
		job->stale[job->nb_stale++] = cidr;
}

static int take_off(struct job *job, struct err *err)
{
	char text[CIDR_TEXT_BYTES];
	int rc = nl_addr_each(job->nl, job->link.ifindex, see_address, job);

	for (unsigned i = 0; i < job->nb_stale && rc == 0; i++) {
		rc = nl_addr_del(job->nl, job->link.ifindex, cidr_format(&job->stale[i], text));
		if (rc == -EADDRNOTAVAIL) // went with another one
			rc = 0;
	}
	return rc < 0 ? err_set_errno(err, rc, job->object, "cannot take its old addresses off")
		      : 0;
}

static int put_on(struct job *job, const char *address, struct err *err)
{
	int rc = nl_addr_add(job->nl, job->link.ifindex, address);

	return rc < 0 && rc != -EEXIST ? err_set_errno(err, rc, job->object,
						 "cannot give it the address %s", address)
				       : 0;
}

// The kernel asks for neighbours from a link-local address. This is the one that the switch's guard
// lets pass, made from the MAC (RFC 4291, appendix A), without asking whether others have it: on
// other hosts they do.
static int put_on_link_local(struct job *job, struct err *err)
{
	const uint8_t *mac = job->link.mac.byte;
	struct cidr cidr = {.ip = {.family = 6,
				    .byte = {0xfe, 0x80, [8] = mac[0] ^ 2, mac[1], mac[2], 0xff,
					    0xfe, mac[3], mac[4], mac[5]}},
		.prefix = 64};
	char text[CIDR_TEXT_BYTES];

	return put_on(job, cidr_format(&cidr, text), err);
}

static int set_addresses(struct job *job, struct err *err)
{
	int rc = take_off(job, err);

	if (rc == 0 && has_ip6(job->net))
		rc = put_on_link_local(job, err);
	for (unsigned i = 0; i < job->net->nb_subnets && rc == 0; i++) {
		const struct subnet *subnet = &job->net->subnets[i];
		struct cidr cidr = {subnet->gateway, subnet->cidr.prefix};
		char text[CIDR_TEXT_BYTES];

		if (subnet->gateway.family)
			rc = put_on(job, cidr_format(&cidr, text), err);
	}
	return rc;
}

static int configure(struct job *job, struct err *err)
{
	int rc = nl_link_by_name(job->nl, job->ifname, &job->link);

	if (rc < 0)
		return err_set_errno(err, rc, job->object, "there is no such interface");
	rc = tame(job, err);
	if (rc < 0) {
		nl_link_change(job->nl, job->link.ifindex, &(struct nl_change){.down = true});
		return rc;
	}
	rc = check_others(job, err);
	if (rc == 0)
		rc = set_addresses(job, err);
	if (rc == 0 && !(job->link.flags & IFF_UP))
		rc = nl_link_change(job->nl, job->link.ifindex, &(struct nl_change){.up = true});
	return rc < 0 ? err_set_errno(err, rc, job->object, "cannot set it up") : 0;
}

int gateway_configure(const char *ifname, const struct network_record *net, struct err *err)
{
	struct job job = {.net = net, .ifname = ifname};
	int rc;

	snprintf(job.object, sizeof(job.object), "gateway of network %s (%s)", net->name, ifname);
	rc = nl_open(-1, &job.nl);
	if (rc < 0)
		return err_set_errno(err, rc, job.object, "cannot ask the kernel");
	rc = configure(&job, err);
	nl_close(job.nl);
	return rc;
}
