// SPDX-License-Identifier: BSD-3-Clause
// The one list of what the switch can be asked: a row here, its parameters in switch_method.c, its
// handler switch_handle_<function>() in vswitch/ctl/, its result in switch_result.c. A row without
// a handler does not link, one without a parameter table or a result does not compile.
#pragma once

#include "ctrl/method.h"

#define CTRL_PAGE_MAX	 20000	// entries of an answer
#define CTRL_ENTRIES_MAX 131072 // of a request

// X(symbol, function, name, READ or WRITE, help, result: switch_object_*)
#define SWITCH_METHODS(X)                                                                          \
	X(STATUS, status, "status", READ, "Tells what runs here and how it is.", status)           \
	X(BRIDGE_ADD, bridge_add, "bridge.add", WRITE, "Adds a bridge.", added)                    \
	X(BRIDGE_DEL, bridge_del, "bridge.del", WRITE, "Deletes a bridge and its ports.", deleted) \
	X(BRIDGE_SET, bridge_set, "bridge.set", WRITE, "Changes options of a bridge.", bridge)     \
	X(BRIDGE_LIST, bridge_list, "bridge.list", READ, "Lists the bridges.", bridges)            \
	X(PORT_ADD, port_add, "port.add", WRITE, "Adds ports to a bridge, all or none.",           \
		added_ports)                                                                       \
	X(PORT_DEL, port_del, "port.del", WRITE, "Deletes ports, all or none.", deleted_ports)     \
	X(PORT_SET, port_set, "port.set", WRITE, "Changes options of a port.", port)               \
	X(PORT_LIST, port_list, "port.list", READ, "Lists the ports of a bridge, or all.", ports)  \
	X(PORT_SHOW, port_show, "port.show", READ,                                                 \
		"Tells everything about one port, with all its options.", port)                    \
	X(VTEP_ADD, vtep_add, "vtep.add", WRITE, "Adds a VTEP.", added)                            \
	X(VTEP_DEL, vtep_del, "vtep.del", WRITE, "Deletes a VTEP that has no VNIs.", deleted)      \
	X(VTEP_SET, vtep_set, "vtep.set", WRITE,                                                   \
		"Changes options of a VTEP. This recreates it: its VNIs carry no traffic "         \
		"for a moment.",                                                                   \
		vtep)                                                                              \
	X(VTEP_LIST, vtep_list, "vtep.list", READ, "Lists the VTEPs.", vteps)                      \
	X(VTEP_SHOW, vtep_show, "vtep.show", READ,                                                 \
		"Tells everything about one VTEP, with all its options.", vtep)                    \
	X(TUNNEL_STATUS, tunnel_status, "tunnel.status", READ,                                     \
		"Tells how the remote VTEPs of one VTEP, or of all, are reached.", remotes)        \
	X(SHOW, show, "show", READ, "Tells everything about all bridges, ports and VTEPs.", show)  \
	X(FDB_SHOW, fdb_show, "fdb.show", READ,                                                    \
		"Lists forwarding entries by bridge, VLAN and MAC address, a page at a time.",     \
		fdb_page)                                                                          \
	X(FDB_ADD, fdb_add, "fdb.add", WRITE,                                                      \
		"Adds static forwarding entries, all or none; replaces those that exist.",         \
		added_count)                                                                       \
	X(FDB_DEL, fdb_del, "fdb.del", WRITE, "Deletes forwarding entries, all or none.",          \
		deleted_count)                                                                     \
	X(FDB_FLUSH, fdb_flush, "fdb.flush", WRITE,                                                \
		"Forgets the addresses learned on a bridge or port; keeps static entries.",        \
		nothing)                                                                           \
	X(NEIGH_ADD, neigh_add, "neigh.add", WRITE,                                                \
		"Adds neighbours that a bridge answers for, all or none; replaces those that "     \
		"exist.",                                                                          \
		added_count)                                                                       \
	X(NEIGH_DEL, neigh_del, "neigh.del", WRITE, "Deletes neighbours, all or none.",            \
		deleted_count)                                                                     \
	X(NEIGH_LIST, neigh_list, "neigh.list", READ,                                              \
		"Lists the neighbours of a bridge by VLAN and address, a page at a time.",         \
		neigh_page)                                                                        \
	X(STATS, stats, "stats", READ,                                                             \
		"Tells the counters of one port, of the ports of a bridge, or of all.", stats)     \
	X(DROPS, drops, "drops", READ, "Tells why packets were dropped, on one port or on all.",   \
		drops)                                                                             \
	X(WORKERS, workers, "workers", READ, "Tells what the worker threads do.", workers)         \
	X(EVENTS_LIST, events_list, "events.list", READ, "Lists the events.", events)              \
	X(CONFIG_SHOW, config_show, "config.show", READ, "Prints the running configuration.",      \
		config)                                                                            \
	X(LOG_SHOW, log_show, "log.show", READ, "Tells the level of the log.", log)                \
	X(LOG_SET, log_set, "log.set", WRITE, "Sets the level of the log, until the next start.",  \
		log)

enum switch_method {
#define X(symbol, fn, name, access, help, result) SWITCH_METHOD_##symbol,
	SWITCH_METHODS(X)
#undef X
		NB_SWITCH_METHODS
};

extern const struct ctrl_event switch_events[];
extern const struct ctrl_method switch_methods[NB_SWITCH_METHODS];

extern const struct ctrl_reference switch_reference; // the page of this channel
