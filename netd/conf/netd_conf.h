// SPDX-License-Identifier: BSD-3-Clause
// The configuration of vsnetd as plain data: what its YAML file says. The schema is
// config/'s (rows in netd/conf/netd_schema.c), so mistakes are told with line and key.
#pragma once

#include "netd/dns/dns.h"
#include "netd/ipam/ipam.h"
#include "netd/record/record.h"

#define NETD_POOLS_MAX 32

struct netd_conf {
	char host[NAME_BYTES];	    // default: the host name
	char cluster_store[1024];   // URL; empty: LMDB in the state folder
	char cluster_advertise[64]; // address, or interface (its first address); empty: the
				    // address of the default route's interface
	// cluster-store-opts
	uint32_t ttl_s;	      // of the host's lease; default 15, at least 2
	uint32_t heartbeat_s; // heartbeats through tunnels, default 1; 0: none
	uint32_t grace_s;     // a silent host is kept for after its lease; default 60
	uint32_t timeout_ms;  // of a request to the store; default 3000
	char ca_file[256], cert_file[256], key_file[256];
	char user[128], password[128], token[256];
	char password_file[256], token_file[256]; // see netd_secret.h

	uint32_t quarantine_s;	  // of a released address; default 30
	uint32_t address_reserve; // free addresses that a host wants to own in a network; default
				  // 128
	uint32_t vni_first, vni_last;	   // vni-range, default 4096-1048575
	uint16_t udp_port;		   // of VXLAN
	uint32_t mtu;			   // of the underlay; 0: as the route has it
	struct pool pools[NETD_POOLS_MAX]; // default-address-pools
	unsigned nb_pools;
	struct dns_conf dns;
	struct network_record *networks; // to be there at start
	unsigned nb_networks;
};

struct conf_mistakes;

void netd_conf_init(struct netd_conf *conf); // defaults
void netd_conf_fini(struct netd_conf *conf);
// As conf_parse(): -EINVAL with all mistakes.
int netd_conf_parse(const char *text, size_t len_bytes, struct netd_conf *ret_conf,
	struct conf_mistakes *mistakes);
