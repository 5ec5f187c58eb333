// SPDX-License-Identifier: BSD-3-Clause
// The guard of a port: the addresses that its frames may come from, and the roles that it may play.
// Open vSwitch and OVN call it port security.
//
// The source MAC must be the port's own; so must those that ARP and neighbour discovery tell, and
// the IP addresses that a frame says it is from must be among those listed. Without a list only
// MAC addresses count. Beyond the list pass: the link-local address that is made from the MAC (RFC
// 4291, appendix A; another one has to be listed), ARP probes, DHCP clients from 0.0.0.0, and what
// a host without an address may send from :: (multicast listener reports, router solicitations, and
// the detection of duplicates of an address that is allowed). Protocols that are neither IP nor ARP
// pass with the right MAC.
//
// Roles. A port that is no router sends no router advertisements and no redirects (RFC 4861, RFC
// 1256, RFC 792): others would send it their packets. A port that is no DHCP server sends nothing
// to DHCP clients (RFC 2131, RFC 8415). In fragments the first one counts: without it the others
// are worth nothing. It must have all headers (RFC 7112).
//
// Immutable once a snapshot has it.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/ip.h"
#include "base/mac.h"
#include "config/conf.h"

struct dp_guard_ip4 {
	uint32_t net, mask; // in wire order
};

struct dp_guard_ip6 {
	uint64_t net[2], mask[2]; // in wire order
};

struct dp_ips {
	uint16_t nb_ip4, nb_ip6;
	struct dp_guard_ip4 ip4[CONF_GUARD_IPS_MAX];
	struct dp_guard_ip6
		ip6[CONF_GUARD_IPS_MAX + 1]; // a guard's: with the link-local one of the MAC
};

struct dp_guard {
	uint64_t mac;	 // as in struct dp_batch
	bool any_source; // only roles are checked
	bool any_ip;	 // nothing is listed
	bool router, dhcp_server;
	struct dp_ips ips;
};

// A guard that lists nothing and allows all roles.
void dp_guard_init(struct dp_guard *guard, const struct mac *mac);

// Adds the addresses that share the first `prefix` bits of `ip` to the list. May be called
// CONF_GUARD_IPS_MAX times.
void dp_guard_allow(struct dp_guard *guard, const struct ip_addr *ip, unsigned prefix);

// The same for a list alone.
void dp_ips_add(struct dp_ips *ips, const struct ip_addr *ip, unsigned prefix);

// Whether the list has an address; in wire order.
static inline bool dp_ips_has_ip4(const struct dp_ips *ips, uint32_t ip)
{
	bool found = false;

	for (unsigned i = 0; i < ips->nb_ip4; i++)
		found |= (ip & ips->ip4[i].mask) == ips->ip4[i].net;
	return found;
}

static inline bool dp_ips_has_ip6(const struct dp_ips *ips, const uint8_t *at)
{
	bool found = false;
	uint64_t ip[2];

	memcpy(ip, at, sizeof(ip));
	for (unsigned i = 0; i < ips->nb_ip6; i++) {
		const struct dp_guard_ip6 *e = &ips->ip6[i];

		found |= !(((ip[0] & e->mask[0]) ^ e->net[0]) | ((ip[1] & e->mask[1]) ^ e->net[1]));
	}
	return found;
}

static inline bool dp_guard_has_ip4(const struct dp_guard *g, uint32_t ip)
{
	return g->any_ip | dp_ips_has_ip4(&g->ips, ip);
}

static inline bool dp_guard_has_ip6(const struct dp_guard *g, const uint8_t *at)
{
	return g->any_ip | dp_ips_has_ip6(&g->ips, at);
}
