// SPDX-License-Identifier: BSD-3-Clause
// The one list of what the switch can be asked: a row here, its parameters in method.c, its
// handler switch_handle_<function>() in vswitch/ctl/. A row without a handler does not link, one
// without a parameter table does not compile.
#pragma once

#include "ctrl/method.h"

#define CTRL_PAGE_MAX	 20000	// entries of an answer
#define CTRL_ENTRIES_MAX 131072 // of a request

// X(symbol, function, name, READ or WRITE, help, what the result is)
#define SWITCH_METHODS(X)                                                                          \
	X(STATUS, status, "status", READ, "Tells what runs here and how it is.",                   \
		"version, pid, uptime_s, run_dir, workers, bridges, ports, ports_up, "             \
		"fdb, state: saved, pending (changes wait to be saved), saves, reason (when the "  \
		"configuration is not saved)")                                                     \
	X(BRIDGE_ADD, bridge_add, "bridge.add", WRITE, "Makes a bridge.",                          \
		"name, added (false: may_exist was given and it was there)")                       \
	X(BRIDGE_DEL, bridge_del, "bridge.del", WRITE, "Deletes a bridge and its ports.",          \
		"name, deleted (false: if_exists was given and it was not there)")                 \
	X(BRIDGE_SET, bridge_set, "bridge.set", WRITE, "Changes options of a bridge.",             \
		"the bridge, as bridge.list has it")                                               \
	X(BRIDGE_LIST, bridge_list, "bridge.list", READ, "Lists the bridges.",                     \
		"bridges: a list of name, options, ports (their number)")                          \
	X(PORT_ADD, port_add, "port.add", WRITE, "Adds ports to a bridge, all or none.",           \
		"added and existing: lists of names")                                              \
	X(PORT_DEL, port_del, "port.del", WRITE, "Deletes ports, all or none.",                    \
		"deleted and missing: lists of names")                                             \
	X(PORT_SET, port_set, "port.set", WRITE, "Changes options of a port.",                     \
		"the port, as port.list has it")                                                   \
	X(PORT_LIST, port_list, "port.list", READ, "Lists the ports of a bridge, or all.",         \
		"ports: a list of name, bridge, type, state, since_s, reason (when down), "        \
		"remotes (type vxlan: VTEPs that get frames to all), mtu (of these, "              \
		"when up), options")                                                               \
	X(PORT_SHOW, port_show, "port.show", READ, "Tells everything of one port.",                \
		"as in port.list, all options, and device: what the port type tells of it")        \
	X(VTEP_ADD, vtep_add, "vtep.add", WRITE, "Makes a VTEP.",                                  \
		"name, added (false: may_exist was given and it was there)")                       \
	X(VTEP_DEL, vtep_del, "vtep.del", WRITE, "Deletes a VTEP that has no VNIs.",               \
		"name, deleted (false: if_exists was given and it was not there)")                 \
	X(VTEP_SET, vtep_set, "vtep.set", WRITE,                                                   \
		"Changes options of a VTEP, which is made anew for it: its networks "              \
		"are without traffic for a moment.",                                               \
		"the VTEP, as vtep.list has it")                                                   \
	X(VTEP_LIST, vtep_list, "vtep.list", READ, "Lists the VTEPs.",                             \
		"VTEPs: a list of name, state, since_s, reason (when down), options, "             \
		"vnis (their number); when up mtu (offered to them), remotes (their "              \
		"number), and with heartbeats remotes_up and remotes_down")                        \
	X(VTEP_SHOW, vtep_show, "vtep.show", READ, "Tells everything of one VTEP.",                \
		"as in vtep.list, all options; when up tunnel: what it tells of itself, its "      \
		"remotes among it, and device: the same of its port")                              \
	X(TUNNEL_STATUS, tunnel_status, "tunnel.status", READ,                                     \
		"Tells how the remote VTEPs of a VTEP, or of all, are reached.",                   \
		"remotes: a list of VTEP, ip, path_mtu (when known), and with heartbeats "         \
		"state (unknown: has never answered, up, down), since_s (not of unknown), sent, "  \
		"received, loss_percent and round_trip_us (min, avg, max) of the last 100")        \
	X(SHOW, show, "show", READ,                                                                \
		"Tells everything of all bridges, their ports and the tunnel "                     \
		"vteps.",                                                                          \
		"bridges: a list of name, options, ports (as in port.show), the first static "     \
		"entries fdb, fdb_more (the number of others), neigh (the number of neighbours); " \
		"VTEPs: as vtep.show, with the "                                                   \
		"options that are given")                                                          \
	X(FDB_SHOW, fdb_show, "fdb.show", READ,                                                    \
		"Lists forwarding entries, sorted by bridge, VLAN and MAC, a page at a time.",     \
		"entries: a list of bridge, vlan, mac, port, tunnel (the remote VTEP, "            \
		"with ports of type vxlan), kind, age_s; next: the cursor of the next page, when " \
		"there is one. The zero address stands for a member of a flood list")              \
	X(FDB_ADD, fdb_add, "fdb.add", WRITE,                                                      \
		"Adds static forwarding entries, all or none; one that is there is replaced.",     \
		"added: their number")                                                             \
	X(FDB_DEL, fdb_del, "fdb.del", WRITE, "Deletes forwarding entries, all or none.",          \
		"deleted: their number")                                                           \
	X(FDB_FLUSH, fdb_flush, "fdb.flush", WRITE,                                                \
		"Forgets what was learned on a bridge or port; static entries stay.", "nothing")   \
	X(NEIGH_ADD, neigh_add, "neigh.add", WRITE,                                                \
		"Adds neighbours that a bridge answers for, all or none; one that is there is "    \
		"replaced.",                                                                       \
		"added: their number")                                                             \
	X(NEIGH_DEL, neigh_del, "neigh.del", WRITE, "Deletes neighbours, all or none.",            \
		"deleted: their number")                                                           \
	X(NEIGH_LIST, neigh_list, "neigh.list", READ,                                              \
		"Lists the neighbours of a bridge, sorted by VLAN and address, a page at a time.", \
		"entries: a list of vlan, ip, mac; next: the cursor of the next page, when there " \
		"is one")                                                                          \
	X(STATS, stats, "stats", READ, "Counters of one port, the ports of a bridge, or all.",     \
		"time_us (monotonic) and ports: a list of name, bridge (none: a tunnel "           \
		"VTEP), state, rx_packets, "                                                       \
		"tx_packets, rx_bytes, tx_bytes, rx_dropped, tx_dropped, drops (by reason)")       \
	X(DROPS, drops, "drops", READ,                                                             \
		"Why packets were dropped: on one port, or on all there are.",                     \
		"drops: a list of reason, direction, packets, help")                               \
	X(WORKERS, workers, "workers", READ, "What the worker threads do.",                        \
		"time_us (monotonic), cycles_per_second, and workers: a list of worker, cpu, "     \
		"queues, rounds, empty_rounds, sleeps, packets, batches, batch_sizes (from, to: "  \
		"packets; batches), busy_cycles, idle_cycles, stages (name, calls, packets; "      \
		"cycles of cycles_packets packets, sampled)")                                      \
	X(EVENTS_LIST, events_list, "events.list", READ, "Lists the events.",                      \
		"events: a list of name, data, help")                                              \
	X(CONFIG_SHOW, config_show, "config.show", READ, "The running configuration.",             \
		"yaml: the text of a configuration file")

enum switch_method {
#define X(symbol, fn, name, access, help, result) SWITCH_METHOD_##symbol,
	SWITCH_METHODS(X)
#undef X
		NB_SWITCH_METHODS
};

extern const struct ctrl_event switch_events[];
extern const struct ctrl_method switch_methods[NB_SWITCH_METHODS];

extern const struct ctrl_reference switch_reference; // the page of this channel
