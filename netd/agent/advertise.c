// SPDX-License-Identifier: BSD-3-Clause
#include "netd/agent/advertise.h"

#include <errno.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"

#define SETTLE_US 200000 // changes come in groups

struct advertise {
	struct loop *loop;
	char text[64];
	struct ip_addr now;
	advertise_fn *fn;
	void *arg;
	int fd;
	struct loop_handle *handle, *timer;
};

// ---- where it is ----

static bool take_address(const struct sockaddr *addr, struct ip_addr *ret_ip)
{
	struct ip_addr ip = {0};

	if (addr->sa_family == AF_INET) {
		ip.family = 4;
		memcpy(ip.byte, &((const struct sockaddr_in *)addr)->sin_addr, 4);
	} else if (addr->sa_family == AF_INET6) {
		const struct in6_addr *in = &((const struct sockaddr_in6 *)addr)->sin6_addr;

		if (IN6_IS_ADDR_LINKLOCAL(in))
			return false;
		ip.family = 6;
		memcpy(ip.byte, in, 16);
	} else {
		return false;
	}
	*ret_ip = ip;
	return true;
}

// The first address of the interface, of IPv4 when it has one.
static int interface_address(const char *name, struct ip_addr *ret_ip, struct err *err)
{
	struct ifaddrs *list, *ifa;
	struct ip_addr found = {0}, ip;

	if (getifaddrs(&list) < 0)
		return err_set_errno(err, -errno, NULL, "the addresses of this host");
	for (ifa = list; ifa; ifa = ifa->ifa_next) {
		if (!ifa->ifa_addr || strcmp(ifa->ifa_name, name) ||
			!take_address(ifa->ifa_addr, &ip))
			continue;
		if (!found.family || (found.family == 6 && ip.family == 4))
			found = ip;
	}
	freeifaddrs(list);
	if (found.family) {
		*ret_ip = found;
		return 0;
	}
	if (!if_nametoindex(name))
		return err_set(err, -ENODEV, "cluster-advertise",
			"'%s' is neither an address nor an interface of this host", name);
	return err_set(err, -EADDRNOTAVAIL, "cluster-advertise",
		"interface %s has no address; give it one, or write another here", name);
}

// The interface of the best default route of IPv4, else of IPv6. Columns: proc(5), and
// rt6_info_route() in net/ipv6/route.c.
static bool default_interface(char ret_name[IF_NAMESIZE])
{
	char line[512], name[32];
	unsigned best = -1u, metric, flags;
	unsigned long destination, mask;
	FILE *file = fopen("/proc/net/route", "re");

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%31s %lx %*x %x %*d %*d %u %lx", name, &destination, &flags,
			    &metric, &mask) != 5 ||
			destination || mask || !(flags & 1) || metric >= best)
			continue;
		best = metric;
		snprintf(ret_name, IF_NAMESIZE, "%.15s", name);
	}
	if (file)
		fclose(file);
	if (best != -1u)
		return true;
	file = fopen("/proc/net/ipv6_route", "re");
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%*32[0]%*[ ]00 %*s %*s %*s %x %*x %*x %x %31s", &metric, &flags,
			    name) != 3 ||
			!(flags & 1) || !strcmp(name, "lo") || metric >= best)
			continue;
		best = metric;
		snprintf(ret_name, IF_NAMESIZE, "%.15s", name);
	}
	if (file)
		fclose(file);
	return best != -1u;
}

static int find_default(struct ip_addr *ret_ip, char ret_where[ADVERTISE_WHERE_BYTES])
{
	char name[IF_NAMESIZE];

	if (default_interface(name) && interface_address(name, ret_ip, NULL) == 0) {
		snprintf(ret_where, ADVERTISE_WHERE_BYTES, "interface %s of the default route",
			name);
		return 0;
	}
	ip_parse("127.0.0.1", ret_ip);
	snprintf(ret_where, ADVERTISE_WHERE_BYTES,
		"there is no default route; no other host reaches it");
	return 0;
}

// Cuts ":PORT" off. False when there is none.
static bool cut_port(char *text)
{
	char *colon = strrchr(text, ':');

	if (!colon || colon == text || strspn(colon + 1, "0123456789") != strlen(colon + 1))
		return false;
	*colon = '\0';
	return true;
}

int advertise_find(const char *text, struct ip_addr *ret_ip, char ret_where[ADVERTISE_WHERE_BYTES],
	struct err *err)
{
	char name[64];
	int rc;

	if (!text[0])
		return find_default(ret_ip, ret_where);
	snprintf(ret_where, ADVERTISE_WHERE_BYTES, "cluster-advertise: %.60s", text);
	if (ip_parse(text, ret_ip) == 0 || interface_address(text, ret_ip, NULL) == 0)
		return 0;
	snprintf(name, sizeof(name), "%s", text);
	cut_port(name);
	rc = ip_parse(name, ret_ip);
	return rc == 0 ? 0 : interface_address(name, ret_ip, err);
}

// ---- when it changes ----

static void on_netlink(void *arg)
{
	struct advertise *watch = arg;
	char buf[8192];

	// What it says does not matter; lost messages (ENOBUFS) neither.
	while (recv(watch->fd, buf, sizeof(buf), MSG_DONTWAIT) > 0 || errno == ENOBUFS)
		errno = 0;
	loop_timer_set(watch->timer, SETTLE_US);
}

static void on_timer(void *arg)
{
	struct advertise *watch = arg;
	char where[ADVERTISE_WHERE_BYTES], text[IP_TEXT_BYTES];
	struct err err = {0};
	struct ip_addr ip;

	loop_timer_set(watch->timer, 0);
	if (advertise_find(watch->text, &ip, where, &err) < 0) {
		log_warn("%s: %s; %s is kept", err.path, err.reason, ip_format(&watch->now, text));
		return;
	}
	if (ip_equal(&ip, &watch->now))
		return;
	log_info("tunnels end at %s from now on (%s)", ip_format(&ip, text), where);
	watch->now = ip;
	watch->fn(watch->arg, &ip);
}

static int open_netlink(struct advertise *watch, struct err *err)
{
	struct sockaddr_nl addr = {
		.nl_family = AF_NETLINK, .nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR};

	if (!watch->text[0])
		addr.nl_groups |= RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE;
	watch->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (watch->fd < 0 || bind(watch->fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return err_set_errno(err, -errno, NULL, "cannot watch the addresses of this host");
	return 0;
}

int advertise_watch(struct loop *loop, const char *text, const struct ip_addr *now,
	advertise_fn *fn, void *arg, struct advertise **ret_watch, struct err *err)
{
	struct advertise *watch = calloc(1, sizeof(*watch));
	int rc;

	if (!watch)
		return err_set(err, -ENOMEM, NULL, "out of memory");
	watch->loop = loop;
	watch->now = *now;
	watch->fn = fn;
	watch->arg = arg;
	watch->fd = -1;
	snprintf(watch->text, sizeof(watch->text), "%s", text);
	rc = open_netlink(watch, err);
	if (rc < 0)
		goto err;
	watch->handle = loop_add_fd(loop, watch->fd, on_netlink, watch);
	// Once at the start as well: it may have changed before the socket was there.
	watch->timer = loop_add_timer(loop, SETTLE_US, on_timer, watch);
	if (!watch->handle || !watch->timer) {
		rc = err_set(err, -ENOMEM, NULL, "out of memory");
		goto err;
	}
	*ret_watch = watch;
	return 0;

err:
	advertise_free(watch);
	return rc;
}

void advertise_free(struct advertise *watch)
{
	if (!watch)
		return;
	loop_del(watch->loop, watch->handle);
	loop_del(watch->loop, watch->timer);
	if (watch->fd >= 0)
		close(watch->fd);
	free(watch);
}
