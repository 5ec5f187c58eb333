// SPDX-License-Identifier: BSD-3-Clause
// The configuration of a switch as plain data: what the YAML file says, what the control channel
// carries and what the state file keeps. One schema (config/schema.h) describes the fields of
// these structures; parsing, checking and printing all come from it.
//
// Owned by whoever holds it, no threads. `struct conf_port` and `struct conf_bridge_opts` have no
// pointers and may be copied by assignment.
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/err.h"
#include "base/ip.h"
#include "base/mac.h"

#define CONF_NAME_BYTES	    64 // of a bridge or port, with its zero
#define CONF_WORKERS_MAX    64
#define CONF_PORT_IPS_MAX   4
#define CONF_GUARD_IPS_MAX  16
#define CONF_VLAN_MAX	    4094
#define CONF_FILE_MAX_BYTES (64u << 20)
#define CONF_MTU_AUTO	    1	       // conf_port.mtu: as large as the tunnels of the bridge take
#define CONF_VNI_NONE	    UINT32_MAX // conf_port.vni: not given
#define CONF_VTEPS_MAX	    64
#define CONF_VTEP_IMPLICIT  "default" // is made when a port needs one and there is none

// A set of VLAN identifiers 0..4095.
struct vlan_set {
	uint64_t word[4096 / 64];
};

static inline bool vlan_set_has(const struct vlan_set *set, unsigned vid)
{
	return set->word[vid / 64] >> (vid % 64) & 1;
}

static inline void vlan_set_add(struct vlan_set *set, unsigned vid)
{
	set->word[vid / 64] |= 1ull << (vid % 64);
}

enum conf_polling { CONF_POLLING_ADAPTIVE, CONF_POLLING_BUSY };
enum conf_hugepages { CONF_HUGEPAGES_AUTO, CONF_HUGEPAGES_ON, CONF_HUGEPAGES_OFF };

// How a port treats VLAN tags, in the words of Open vSwitch (vlan_mode, ovs-vswitchd.conf.db(5)).
enum conf_vlan_mode {
	CONF_VLAN_TRUNK,	   // tagged frames of `trunks` (all when empty); untagged is VLAN 0
	CONF_VLAN_ACCESS,	   // untagged only, in VLAN `tag`
	CONF_VLAN_NATIVE_TAGGED,   // trunk; untagged frames in belong to `tag`, it leaves tagged
	CONF_VLAN_NATIVE_UNTAGGED, // trunk; untagged frames in belong to `tag`, it leaves untagged
};

enum conf_port_type {
	CONF_PORT_TAP,
	CONF_PORT_VETH,
	CONF_PORT_DPDK,
	CONF_PORT_VXLAN,
	CONF_PORT_NB_TYPES
};

#define CONF_DSCP_INHERIT 64
#define CONF_TTL_INHERIT  0

#define CONF_REMOTES_MAX 16 // in a port's options; forwarding entries name any number

// Where a port plugs in. Text fields are empty when not given, numbers 0.
// What leaves by a port.
enum conf_filter {
	CONF_FILTER_NONE,    // all that is for it
	CONF_FILTER_GATEWAY, // what is for the gateway behind it (dp/gate.h), whose addresses
			     // `guard_ips` lists
};

struct conf_port {
	char name[CONF_NAME_BYTES]; // unique in the switch, VTEPs included
	enum conf_port_type type;

	enum conf_vlan_mode vlan_mode; // resolved: access when only `tag` is given, else trunk
	uint16_t tag;		       // 1..4094; 0: none
	bool has_trunks;	       // `trunks` was given
	struct vlan_set trunks;

	uint16_t mtu;	 // bytes of payload, 68..65535; 0: 1500 or the device's own; CONF_MTU_AUTO
	uint16_t queues; // receive queues; 0: one
	uint32_t fdb_limit;   // MACs learned on this port; 0: no limit but the bridge's
	uint32_t flood_limit; // frames that it may have flooded in a second; 0: any number
	bool isolated;	      // no frame goes from it to another isolated port
	char managed_by[CONF_NAME_BYTES]; // others are refused to change it; empty: nobody

	// tap, veth
	char netns[256]; // name under /run/netns, absolute path, or pid; empty: the switch's own
	char ifname[IFNAMSIZ];	    // name inside the namespace; empty: the port's name
	char host_ifname[IFNAMSIZ]; // veth: the switch's end; empty: derived from the port's name
	bool has_mac;
	struct mac mac;
	char ip[CONF_PORT_IPS_MAX][64]; // "10.0.0.1/24", "fd00::1/64": put on the device; set once
	unsigned nb_ips;
	bool guard; // frames from others than the port's own address and `guard_ips` are dropped
	bool no_router, no_dhcp_server;		// it may not play the role
	enum conf_filter filter;		// what it is given
	char guard_ips[CONF_GUARD_IPS_MAX][64]; // addresses and prefixes; none: only MACs count
	unsigned nb_guard_ips;
	char filter_from[CONF_GUARD_IPS_MAX][64]; // whom a gateway hears; none: anybody
	unsigned nb_filter_from;

	// dpdk
	char devargs[1024]; // PCI address or virtual device, as DPDK's own applications take it

	// vxlan: a VNI on a VTEP
	uint32_t vni;				 // "key" to Open vSwitch; CONF_VNI_NONE
	char vtep[CONF_NAME_BYTES];		 // empty: until conf_port_settle() has chosen
	struct ip_addr remote[CONF_REMOTES_MAX]; // frames to all go to these, too
	unsigned nb_remotes;
	bool no_learning; // remote MACs are configured, none is learned
	uint8_t dscp;	  // of outer headers, 0..63; CONF_DSCP_INHERIT: that of the inner header
	uint8_t ttl;	  // of outer headers, 1..255; CONF_TTL_INHERIT
};

enum conf_underlay {
	CONF_UNDERLAY_KERNEL, // the host's own IP: UDP sockets
	CONF_UNDERLAY_PORT,   // a port that the VTEP has to itself
};

// A VTEP of this host.
struct conf_vtep {
	char name[CONF_NAME_BYTES];
	enum conf_underlay underlay;
	struct ip_addr
		address;   // kernel: 0.0.0.0 for any of IPv4; :: or none for any of both families
	uint16_t udp_port; // default VXLAN_UDP_PORT
	uint16_t mtu;	   // of the underlay; 0: as the route or the port has it
	bool no_checksum;  // no outer UDP checksum over IPv4
	uint32_t heartbeat_ms;		  // between heartbeats to each remote; 0: none
	char netns[256];		  // kernel: where its sockets are; as conf_port.netns
	char managed_by[CONF_NAME_BYTES]; // as conf_port.managed_by

	// port
	unsigned prefix; // of `address`, at least 1
	struct ip_addr gateway;
	bool has_gateway_mac;
	struct mac gateway_mac; // the gateway is there: nobody is asked
	// Type tap, veth or dpdk, and its options. Its name, mtu and netns are those above; `mac`
	// is the Ethernet address that the VTEP has on the wire.
	struct conf_port port;
};

// An address that a bridge answers for: requests to resolve it are answered by the switch.
struct conf_neigh {
	struct ip_addr ip;
	struct mac mac;
	uint16_t vlan; // 0: untagged
};

enum conf_neigh_unknown { CONF_NEIGH_FLOOD, CONF_NEIGH_DROP };

struct conf_bridge_opts {
	char name[CONF_NAME_BYTES];
	uint32_t ageing_s;  // learned MACs are forgotten after; 0: never. Default 300
	uint32_t fdb_limit; // learned MACs; default 65536
	enum conf_neigh_unknown neigh_unknown; // requests to resolve what is in no `neigh` entry
	char managed_by[CONF_NAME_BYTES];      // as conf_port.managed_by; its entries, too
};

// A forwarding entry that is configured, not learned.
struct conf_fdb {
	struct mac mac; // zero, with `tunnel`: frames to all go there, too (as with iproute2)
	uint16_t vlan;	// 0: untagged
	char port[CONF_NAME_BYTES]; // empty with `tunnel`, until it is known which it is
	struct ip_addr tunnel;	    // port of type vxlan: the remote VTEP
};

struct conf_bridge {
	struct conf_bridge_opts opts;
	struct conf_port *ports;
	unsigned nb_ports;
	struct conf_fdb *fdb;
	unsigned nb_fdb;
	struct conf_neigh *neigh;
	unsigned nb_neigh;
};

struct conf {
	// Of the process; a change takes a restart.
	unsigned workers[CONF_WORKERS_MAX]; // CPU of each worker
	unsigned nb_workers;		    // 0: one worker, on the last CPU it may use
	enum conf_polling polling;
	enum conf_hugepages hugepages;
	uint32_t mbufs;	    // packet buffers of 2 KiB; default 16384
	uint32_t big_mbufs; // packet buffers of 64 KiB, for segments and jumbo frames; default 512

	struct conf_vtep *vteps;
	unsigned nb_vteps;
	struct conf_bridge *bridges;
	unsigned nb_bridges;
};

// A mistake in a configuration file. `line` counts from 1.
struct conf_mistake {
	unsigned line;
	struct err err; // path: the key ("bridges.br0.ports.c1.tag"); reason: what is allowed
};

struct conf_mistakes {
	struct conf_mistake *list;
	unsigned count;
};

// ---- whole configurations ----

void conf_init(struct conf *conf); // defaults
void conf_fini(struct conf *conf);

// Parses and checks YAML. On failure returns -EINVAL (or -ENOMEM, -EFBIG) and every mistake found
// in `mistakes` (free with conf_mistakes_fini()); `ret_conf` is then untouched.
int conf_parse(
	const char *text, size_t len_bytes, struct conf *ret_conf, struct conf_mistakes *mistakes);
void conf_mistakes_fini(struct conf_mistakes *mistakes);

// Whether the CPUs of `workers` are there and this process may use them: what a file alone does not
// tell. -EINVAL names the first that is not.
int conf_workers_check(const struct conf *conf, struct err *err);

// Prints YAML that conf_parse() takes back to an equal configuration; fields at their default are
// left out. NULL when out of memory; the caller frees.
char *conf_print(const struct conf *conf);

// ---- single objects, as the control channel carries them ----

// Keys are in snake_case here and have one spelling; on and off are booleans.
//
// Binds the JSON object onto `port` or `opts`, whose present values are kept where `obj` has no
// such key (so the same call creates and changes); null puts a key back to its default, and so does
// an empty list. The VLAN mode follows `tag` and `trunks` until it is given. Unknown keys, wrong
// types, values out of bounds and options that the port's type does not have are refused; `path`
// names the object in the error. On failure the structure is untouched.
int conf_port_bind(const json_t *obj, const char *path, struct conf_port *port, struct err *err);
int conf_bridge_bind(
	const json_t *obj, const char *path, struct conf_bridge_opts *opts, struct err *err);
int conf_vtep_bind(const json_t *obj, const char *path, struct conf_vtep *vtep, struct err *err);

// Whether an existing object of `old` can become `now`, which has the same name: -EOPNOTSUPP names
// the key that cannot change.
int conf_port_check_change(
	const struct conf_port *old, const struct conf_port *now, struct err *err);
int conf_bridge_check_change(
	const struct conf_bridge_opts *old, const struct conf_bridge_opts *now, struct err *err);
int conf_vtep_check_change(
	const struct conf_vtep *old, const struct conf_vtep *now, struct err *err);

void conf_port_init(struct conf_port *port); // defaults, no name
void conf_bridge_opts_init(struct conf_bridge_opts *opts);
void conf_vtep_init(struct conf_vtep *vtep);

// New JSON objects; fields at their default are left out unless `all`. NULL when out of memory.
json_t *conf_port_to_json(const struct conf_port *port, bool all);
json_t *conf_bridge_opts_to_json(const struct conf_bridge_opts *opts, bool all);
json_t *conf_vtep_to_json(const struct conf_vtep *vtep, bool all);
json_t *conf_fdb_to_json(const struct conf_fdb *entry);

// For command lines: turns `key=value` text into a member of `obj` with the type that the schema
// gives the key; an empty value becomes null, the default. -EINVAL with the keys that exist, or the
// values allowed, in `err`.
int conf_port_option(json_t *obj, const char *key, const char *value, struct err *err);
int conf_bridge_option(json_t *obj, const char *key, const char *value, struct err *err);
int conf_vtep_option(json_t *obj, const char *key, const char *value, struct err *err);
int conf_fdb_option(json_t *obj, const char *key, const char *value, struct err *err);
int conf_neigh_option(json_t *obj, const char *key, const char *value, struct err *err);

// ---- VNIs and their VTEPs ----

// Whether frames of the VLAN (0: untagged) pass the port.
bool conf_port_carries(const struct conf_port *port, unsigned vlan);

// Whether the VTEP can have a remote VTEP at `ip`: -EAFNOSUPPORT with the reason.
int conf_vtep_reaches(const struct conf_vtep *vtep, const struct ip_addr *ip, struct err *err);

// Chooses the VTEP of a vxlan port out of all there are: the one it names; else the only one,
// or of several that named `default`. Without any it is the implicit one, which is not in the list:
// `ret_index` is then `count`. Writes its name into the port, and checks the port's remotes. On
// failure -EINVAL, -ENOENT or -EAFNOSUPPORT, with the key as the error's path.
int conf_port_settle(struct conf_port *port, const struct conf_vtep *const *list, unsigned count,
	unsigned *ret_index, struct err *err);

// The ports of a bridge, for the forwarding entries of one list.
struct conf_fdb_ports {
	const char *bridge;
	const struct conf_port **port;
	unsigned count;
	// What was found last: entries of a list have the same port, mostly.
	const struct conf_port *named, *chosen;
	unsigned chosen_vlan;
};

// Chooses the port of a forwarding entry with `tunnel` that names none: the only vxlan port of the
// bridge that carries the VLAN. Checks one that is named. On failure -EINVAL or -ENOENT, with the
// key as the error's path.
int conf_fdb_settle(struct conf_fdb *entry, struct conf_fdb_ports *ports, struct err *err);

// Whether `name` may name a bridge or port: 1..63 bytes of letters, digits, '.', '_', '-', '@',
// not beginning with '-' or '.'.
int conf_name_check(const char *name, const char *what, struct err *err);

const char *conf_port_type_name(enum conf_port_type type);
