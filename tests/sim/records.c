// SPDX-License-Identifier: BSD-3-Clause
#include "tests/sim/records.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

static void apply(struct replica *r, const char *key, char *value)
{
	static uint64_t revision;

	if (replica_apply(r, key, value, value ? strlen(value) : 0, ++revision, 0) < 0)
		abort();
	free(value);
}

struct ip_addr record_ip(const char *fmt, ...)
{
	struct ip_addr ip;
	char text[64];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (ip_parse(text, &ip) < 0)
		abort();
	return ip;
}

void record_host(struct replica *r, unsigned host, const struct ip_addr *vtep)
{
	struct host_record rec = {.udp_port = 4789, .mtu = 1500, .epoch = 1, .vtep = *vtep};
	char key[RECORD_KEY_BYTES];

	snprintf(rec.name, sizeof(rec.name), "h%u", host);
	snprintf(rec.id, sizeof(rec.id), "%032x", host + 1);
	apply(r, record_key_host(key, rec.name), host_record_print(&rec));
}

void record_host_gone(struct replica *r, unsigned host)
{
	char key[RECORD_KEY_BYTES], name[16];

	snprintf(name, sizeof(name), "h%u", host);
	apply(r, record_key_host(key, name), NULL);
}

static void net_id(unsigned net, char id[ID_BYTES])
{
	snprintf(id, ID_BYTES, "%08x%024x", 0xabcd0000 + net, net);
}

void record_net(struct replica *r, unsigned net, const char *mtu)
{
	record_net_with(r, net, "mtu", mtu);
}

void record_net_with(struct replica *r, unsigned net, const char *option, const char *value)
{
	static const char *const subnets[] = {"10.0.0.0/8", "fd00::/64", "172.30.0.0/16"};
	struct subnet subnet[ARRAY_SIZE(subnets)] = {};
	struct network_record rec = {.driver = "overlay",
		.vni = 5000 + net,
		.subnets = subnet,
		.nb_subnets = ARRAY_SIZE(subnets),
		.labels = json_object(),
		.options = value ? json_pack("{s:s}", option, value) : json_object()};
	char key[RECORD_KEY_BYTES];

	for (unsigned i = 0; i < ARRAY_SIZE(subnets); i++) {
		cidr_parse(subnets[i], &subnet[i].cidr);
		subnet[i].range = subnet[i].cidr;
	}
	subnet[0].gateway = record_ip("10.255.255.254");
	subnet[1].gateway = record_ip("fd00::ffff");
	snprintf(rec.name, sizeof(rec.name), "net%u", net);
	net_id(net, rec.id);
	apply(r, record_key_network(key, rec.name), network_record_print(&rec));
	json_decref(rec.labels);
	json_decref(rec.options);
}

struct replica_net *record_net_find(struct replica *r, unsigned net)
{
	char id[ID_BYTES];

	net_id(net, id);
	return replica_net_by_id(r, id);
}

static struct ip_addr ip_of(unsigned n)
{
	return record_ip("10.%u.%u.%u", n >> 16, n >> 8 & 255, n & 255);
}

struct endpoint_record record_endpoint_of(unsigned n, unsigned host, unsigned second, unsigned mac)
{
	static uint64_t seq;
	struct endpoint_record rec = {.nb_ips = second ? 2 : 1, .epoch = 1, .seq = ++seq};

	snprintf(rec.id, sizeof(rec.id), "%08x%024x", n, n);
	snprintf(rec.name, sizeof(rec.name), "c%u", n);
	snprintf(rec.host, sizeof(rec.host), "h%u", host);
	snprintf(rec.sandbox, sizeof(rec.sandbox), "c%u", n);
	snprintf(rec.ifname, sizeof(rec.ifname), "eth0");
	rec.mac = (struct mac){{0x02, 0, 0, mac >> 16, mac >> 8, mac}};
	rec.ips[0] = (struct cidr){ip_of(n), 8};
	if (second)
		rec.ips[1] = (struct cidr){record_ip("fd00::%x", second), 64};
	return rec;
}

void record_endpoint(struct replica *r, unsigned net, const struct endpoint_record *rec)
{
	char id[ID_BYTES], key[RECORD_KEY_BYTES];

	net_id(net, id);
	apply(r, record_key_endpoint(key, id, &rec->ips[0].ip), endpoint_record_print(rec));
}

void record_endpoint_gone(struct replica *r, unsigned net, unsigned n)
{
	char id[ID_BYTES], key[RECORD_KEY_BYTES];
	struct ip_addr ip = ip_of(n);

	net_id(net, id);
	apply(r, record_key_endpoint(key, id, &ip), NULL);
}
