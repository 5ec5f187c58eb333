// SPDX-License-Identifier: BSD-3-Clause
// Random configurations: what is printed is read back as it was.
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "config/conf.h"
#include "tests/unit/config_bed.h"

// xorshift64*: the same configurations on every machine.
static uint64_t random_state;

static unsigned pick(unsigned below)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (random_state * 0x2545f4914f6cdd1dull >> 33) % below;
}

// Text that YAML readers stumble over: its signs, words, numbers, letters beyond ASCII.
static void pick_text(char *ret, size_t size_bytes)
{
	static const char *const parts[] = {"a", "eth0", ":", ": ", " #", "#", "-", "- ", "? ", "'",
		"\"", "\\", "{", "}", "[", "]", ",", "&x", "*x", "!", "|", ">", "%", "@", "`", "~",
		"null", "on", "1e3", "0x1", "12:34:56", "\xc3\xa4", "\xe2\x80\xa8",
		"\xf0\x9f\x90\xa7", "\xc2\x85", "\xef\xbb\xbf", "=", "<<", "...", "---", " ",
		"\\n"};
	unsigned count = 1 + pick(6);

	ret[0] = '\0';
	while (count-- > 0) {
		const char *part = parts[pick(ARRAY_SIZE(parts))];

		if (strlen(ret) + strlen(part) < size_bytes)
			strcat(ret, part);
	}
}

static void pick_vlans(struct conf_port *port)
{
	unsigned ranges = 1 + pick(5);

	port->has_trunks = true;
	while (ranges-- > 0) {
		unsigned first = pick(4095), last = first + (pick(2) ? pick(200) : 0);

		for (unsigned vid = first; vid <= last && vid <= CONF_VLAN_MAX; vid++)
			vlan_set_add(&port->trunks, vid);
	}
}

static void pick_device(struct conf_port *port)
{
	static const char *const ips[] = {
		"10.0.0.1/24", "fd00::1/64", "::ffff:1.2.3.4/128", "0.0.0.0/0"};

	if (pick(2)) {
		strcpy(port->netns, "/");
		pick_text(port->netns + 1, sizeof(port->netns) - 1);
	} else if (pick(2)) {
		sprintf(port->netns, "%u", 1 + pick(100000));
	}
	strcpy(port->ifname, "eth0");
	if (pick(2))
		strcpy(port->ifname, "1e3=~#!*&?|>%@`");
	if (port->type == CONF_PORT_VETH && pick(2))
		strcpy(port->host_ifname, "null");
	port->has_mac = pick(2);
	if (port->has_mac)
		port->mac = (struct mac){{0x12, pick(60), pick(60), pick(256), 1, 2}};
	for (unsigned i = pick(5); i > 0; i--)
		strcpy(port->ip[port->nb_ips++], ips[i - 1]);
}

static void pick_ip(struct ip_addr *ip)
{
	char text[IP_TEXT_BYTES];

	sprintf(text, pick(2) ? "10.0.%u.%u" : "fd00::%u:%u", pick(100), pick(100));
	ip_parse(text, ip);
}

static void pick_network(struct conf_port *port, unsigned index)
{
	port->vni = index;
	port->nb_remotes = pick(CONF_REMOTES_MAX + 1);
	for (unsigned i = 0; i < port->nb_remotes; i++) {
		pick_ip(&port->remote[i]);
		port->remote[i].byte[1] = i; // no two are equal
	}
	strcpy(port->vtep, "default");
	port->no_learning = pick(2);
	port->dscp = pick(CONF_DSCP_INHERIT + 1);
	port->ttl = pick(256);
}

static void pick_port(struct conf_port *port, unsigned index)
{
	static const char *const names[] = {"on", "null", "1e3.", "0x", "y@", "2001-12-1", "a_b-"};

	conf_port_init(port);
	sprintf(port->name, "%s%u", names[pick(ARRAY_SIZE(names))], index);
	port->type = pick(CONF_PORT_NB_TYPES);
	if (pick(2))
		port->tag = 1 + pick(4094);
	if (pick(2))
		pick_vlans(port);
	port->vlan_mode = CONF_VLAN_TRUNK;
	if (port->tag)
		port->vlan_mode = pick(2) ? CONF_VLAN_NATIVE_TAGGED : CONF_VLAN_NATIVE_UNTAGGED;
	if (port->tag && !port->has_trunks && pick(2))
		port->vlan_mode = CONF_VLAN_ACCESS;
	port->mtu = pick(2) ? 68 + pick(65535 - 67) : 0;
	port->fdb_limit = pick(2) * pick(16777217);
	if (port->type == CONF_PORT_VXLAN) {
		pick_network(port, index);
		return;
	}
	port->queues = pick(17);
	if (pick(8) == 0 && port->type != CONF_PORT_DPDK)
		port->mtu = CONF_MTU_AUTO;
	if (port->type == CONF_PORT_DPDK)
		pick_text(port->devargs, sizeof(port->devargs));
	else
		pick_device(port);
}

static void pick_bridge(struct conf_bridge *bridge, unsigned index)
{
	conf_bridge_opts_init(&bridge->opts);
	sprintf(bridge->opts.name, "br%u", index);
	bridge->opts.ageing_s = pick(3) ? 300 : pick(1000);
	bridge->opts.fdb_limit = pick(3) ? 65536 : 1 + pick(1000);
	bridge->nb_ports = pick(8);
	bridge->ports = calloc(bridge->nb_ports + 1, sizeof(*bridge->ports));
	for (unsigned i = 0; i < bridge->nb_ports; i++)
		pick_port(&bridge->ports[i], 10 * index + i);
	bridge->nb_fdb = bridge->nb_ports ? pick(4) : 0;
	bridge->fdb = calloc(bridge->nb_fdb + 1, sizeof(*bridge->fdb));
	bridge->nb_neigh = pick(4);
	bridge->neigh = calloc(bridge->nb_neigh + 1, sizeof(*bridge->neigh));
	for (unsigned i = 0; i < bridge->nb_neigh; i++) {
		pick_ip(&bridge->neigh[i].ip);
		bridge->neigh[i].mac = (struct mac){{2, 0, 0, 0, i, pick(256)}};
		bridge->neigh[i].vlan = i;
	}
	bridge->opts.neigh_unknown = pick(2);
	for (unsigned i = 0; i < bridge->nb_fdb; i++) {
		const struct conf_port *port = &bridge->ports[pick(bridge->nb_ports)];
		struct conf_fdb *entry = &bridge->fdb[i];

		entry->mac = (struct mac){{2, 0, 0, 0, i, pick(256)}};
		entry->vlan = pick(2) * pick(4095);
		strcpy(entry->port, port->name);
		if (port->type == CONF_PORT_VXLAN)
			pick_ip(&entry->tunnel);
	}
}

static void pick_vtep(struct conf_vtep *vtep, unsigned index)
{
	conf_vtep_init(vtep);
	sprintf(vtep->name, index ? "yes%u" : "default", index);
	vtep->udp_port = pick(2) ? 4789 : 1 + pick(65535);
	vtep->mtu = pick(2) ? 0 : 576 + pick(10000);
	vtep->no_checksum = pick(2);
	vtep->heartbeat_ms = pick(2) * pick(60001);
	if (index == 0) // all networks are on it: any address
		return;
	pick_ip(&vtep->address);
	vtep->underlay = pick(2);
	if (vtep->underlay == CONF_UNDERLAY_KERNEL)
		return;
	vtep->prefix = 1 + pick(32);
	if (pick(2))
		vtep->gateway = vtep->address;
	vtep->port.type = pick(CONF_PORT_DPDK + 1);
	vtep->port.queues = pick(17);
	if (vtep->port.type == CONF_PORT_DPDK)
		pick_text(vtep->port.devargs, sizeof(vtep->port.devargs));
	else
		strcpy(vtep->port.ifname, "on");
}

static void pick_conf(struct conf *conf)
{
	conf_init(conf);
	conf->nb_vteps = pick(4);
	conf->vteps = calloc(conf->nb_vteps + 1, sizeof(*conf->vteps));
	for (unsigned i = 0; i < conf->nb_vteps; i++)
		pick_vtep(&conf->vteps[i], i);
	conf->nb_workers = pick(5);
	for (unsigned i = 0; i < conf->nb_workers; i++)
		conf->workers[i] = 10 * (conf->nb_workers - i) + pick(10);
	conf->polling = pick(2);
	conf->hugepages = pick(3);
	conf->mbufs = pick(2) ? 16384 : 1024 + pick(100000);
	conf->big_mbufs = pick(2) ? 512 : 64 + pick(1000);
	conf->nb_bridges = pick(4);
	conf->bridges = calloc(conf->nb_bridges + 1, sizeof(*conf->bridges));
	for (unsigned i = 0; i < conf->nb_bridges; i++)
		pick_bridge(&conf->bridges[i], i);
}

static void test_round_trips(void **state)
{
	for (unsigned seed = 1; seed <= 2000; seed++) {
		struct conf conf;

		random_state = seed * 0x9e3779b97f4a7c15ull;
		pick_conf(&conf);
		round_trip(&conf);
		conf_fini(&conf);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trips),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
