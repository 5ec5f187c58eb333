// SPDX-License-Identifier: BSD-3-Clause
#include "vswitch/ctl/switch_result.h"

#include "ctrl/log_level.h"
#include "dp/dp_counters.h"

#define OBJECT(symbol, name, help)                                                                 \
	const struct ctrl_object switch_object_##symbol = {name, help, symbol##_members}

static const struct ctrl_member nothing_members[] = {{}};
OBJECT(nothing, NULL, NULL);

// ---- changes ----

static const struct ctrl_member added_members[] = {{"name", CTRL_NAME, "the object"},
	{"added", CTRL_BOOL, "false: may_exist was given and it already existed"}, {}};
OBJECT(added, NULL, NULL);

static const struct ctrl_member deleted_members[] = {{"name", CTRL_NAME, "the object"},
	{"deleted", CTRL_BOOL, "false: if_exists was given and it did not exist"}, {}};
OBJECT(deleted, NULL, NULL);

static const struct ctrl_member name_item = {.type = CTRL_NAME};

static const struct ctrl_member added_ports_members[] = {
	{"added", CTRL_LIST, "the ports that were added", .item = &name_item},
	{"existing", CTRL_LIST, "the ports that already existed", .item = &name_item}, {}};
OBJECT(added_ports, NULL, NULL);

static const struct ctrl_member deleted_ports_members[] = {
	{"deleted", CTRL_LIST, "the ports that were deleted", .item = &name_item},
	{"missing", CTRL_LIST, "the ports that did not exist", .item = &name_item}, {}};
OBJECT(deleted_ports, NULL, NULL);

static const struct ctrl_member added_count_members[] = {
	{"added", CTRL_INT, "number of entries"}, {}};
OBJECT(added_count, NULL, NULL);

static const struct ctrl_member deleted_count_members[] = {
	{"deleted", CTRL_INT, "number of entries"}, {}};
OBJECT(deleted_count, NULL, NULL);

// ---- bridges and ports ----

static const struct ctrl_member bridge_members[] = {{"name", CTRL_NAME, "the bridge"},
	{"options", CTRL_OBJECT, "its options, as in the configuration file"},
	{"ports", CTRL_INT, "number of its ports"}, {}};
OBJECT(bridge, "bridge", "A bridge");

static const struct ctrl_member bridge_item = {
	.type = CTRL_OBJECT, .object = &switch_object_bridge};
static const struct ctrl_member bridges_members[] = {
	{"bridges", CTRL_LIST, "the bridges", .item = &bridge_item}, {}};
OBJECT(bridges, NULL, NULL);

static const struct ctrl_member ip_item = {.type = CTRL_IP};
static const struct ctrl_member port_members[] = {{"name", CTRL_NAME, "the port"},
	{"bridge", CTRL_NAME, "its bridge"}, {"type", CTRL_STRING, "its type"},
	{"state", CTRL_STRING, "`up` or `down`"}, {"since", CTRL_TIME, "when the state changed"},
	{"reason", CTRL_STRING, "why it is down", .when = "while down"},
	{"options", CTRL_OBJECT, "its options, as in the configuration file"},
	{"remotes", CTRL_LIST, "remote VTEPs that receive flooded frames", .item = &ip_item,
		.when = "with type vxlan"},
	{"mtu", CTRL_INT,
		"with type vxlan, the MTU that it offers to its bridge; else the one that its "
		"device is to have",
		.when = "while up, when known"},
	{"device", CTRL_OBJECT, "what the port type reports of its device",
		.when = "from port.show and show, while up"},
	{}};
OBJECT(port, "port", "A port");

static const struct ctrl_member port_item = {.type = CTRL_OBJECT, .object = &switch_object_port};
static const struct ctrl_member ports_members[] = {
	{"ports", CTRL_LIST, "the ports", .item = &port_item}, {}};
OBJECT(ports, NULL, NULL);

// ---- VTEPs ----

static const struct ctrl_member vtep_members[] = {{"name", CTRL_NAME, "the VTEP"},
	{"state", CTRL_STRING, "`up` or `down`"}, {"since", CTRL_TIME, "when the state changed"},
	{"reason", CTRL_STRING, "why it is down", .when = "while down"},
	{"options", CTRL_OBJECT, "its options, as in the configuration file"},
	{"vnis", CTRL_INT, "number of its VNIs"},
	{"mtu", CTRL_INT, "MTU that it offers to its VNIs", .when = "while up"},
	{"remotes", CTRL_INT, "number of remote VTEPs", .when = "while up"},
	{"remotes_up", CTRL_INT, "number of those that answer",
		.when = "with heartbeats, while up"},
	{"remotes_down", CTRL_INT, "number of those that stopped answering",
		.when = "with heartbeats, while up"},
	{"tunnel", CTRL_OBJECT, "what it reports of itself and of its remote VTEPs",
		.when = "from vtep.show and show, while up"},
	{"device", CTRL_OBJECT, "what its own port reports of its device",
		.when = "from vtep.show and show, while up, with a port of its own"},
	{}};
OBJECT(vtep, "vtep", "A VTEP");

static const struct ctrl_member vtep_item = {.type = CTRL_OBJECT, .object = &switch_object_vtep};
static const struct ctrl_member vteps_members[] = {
	{"vteps", CTRL_LIST, "the VTEPs", .item = &vtep_item}, {}};
OBJECT(vteps, NULL, NULL);

static const struct ctrl_member round_trip_members[] = {{"min", CTRL_INT, "the shortest"},
	{"avg", CTRL_INT, "the average"}, {"max", CTRL_INT, "the longest"}, {}};
static const struct ctrl_object round_trip = {NULL, NULL, round_trip_members};

static const struct ctrl_member remote_members[] = {{"vtep", CTRL_NAME, "the VTEP of this switch"},
	{"ip", CTRL_IP, "address of the remote VTEP"},
	{"path_mtu", CTRL_INT,
		"MTU of the path to it: that of the route or the port, or what heartbeats found",
		.when = "when known"},
	{"state", CTRL_STRING, "`up`, `down`, or `unknown`: it never answered a heartbeat",
		.when = "with heartbeats"},
	{"since", CTRL_TIME, "when the state changed", .when = "with heartbeats, when not unknown"},
	{"sent", CTRL_INT, "heartbeats sent", .when = "with heartbeats"},
	{"received", CTRL_INT, "heartbeats answered", .when = "with heartbeats"},
	{"loss_percent", CTRL_INT, "share of the last 100 heartbeats that were not answered",
		.when = "with heartbeats"},
	{"round_trip_us", CTRL_OBJECT, "round-trip times of the last 100 heartbeats",
		.object = &round_trip, .when = "with heartbeats that were answered"},
	{}};
static const struct ctrl_object remote = {NULL, NULL, remote_members};
static const struct ctrl_member remote_item = {.type = CTRL_OBJECT, .object = &remote};
static const struct ctrl_member remotes_members[] = {
	{"remotes", CTRL_LIST, "the remote VTEPs", .item = &remote_item}, {}};
OBJECT(remotes, NULL, NULL);

// ---- forwarding entries and neighbours ----

static const struct ctrl_member static_fdb_members[] = {{"mac", CTRL_MAC, "destination address"},
	{"vlan", CTRL_INT, "its VLAN", .when = "when tagged"},
	{"port", CTRL_NAME, "the port it is behind"},
	{"tunnel", CTRL_IP, "the remote VTEP it is behind", .when = "with a port of type vxlan"},
	{}};
static const struct ctrl_object static_fdb = {NULL, NULL, static_fdb_members};
static const struct ctrl_member static_fdb_item = {.type = CTRL_OBJECT, .object = &static_fdb};

static const struct ctrl_member fdb_entry_members[] = {{"bridge", CTRL_NAME, "the bridge"},
	{"vlan", CTRL_INT, "0: untagged"},
	{"mac", CTRL_MAC, "destination address; zero: a member of a flood list"},
	{"port", CTRL_NAME, "the port it is behind"},
	{"tunnel", CTRL_IP, "the remote VTEP it is behind", .when = "with a port of type vxlan"},
	{"kind", CTRL_STRING, "`static` or `learned`"},
	{"seen", CTRL_TIME, "when a frame last came from it, to the second",
		.when = "when learned"},
	{}};
static const struct ctrl_object fdb_entry = {NULL, NULL, fdb_entry_members};
static const struct ctrl_member fdb_item = {.type = CTRL_OBJECT, .object = &fdb_entry};

#define NEXT                                                                                       \
	{                                                                                          \
		"next", CTRL_STRING, "cursor of the next page", .when = "when there is one"        \
	}

static const struct ctrl_member fdb_page_members[] = {
	{"entries", CTRL_LIST, "a page of entries", .item = &fdb_item}, NEXT, {}};
OBJECT(fdb_page, NULL, NULL);

static const struct ctrl_member neighbour_members[] = {{"vlan", CTRL_INT, "0: untagged"},
	{"ip", CTRL_IP, "address that is asked for"}, {"mac", CTRL_MAC, "the answer"}, {}};
static const struct ctrl_object neighbour = {NULL, NULL, neighbour_members};
static const struct ctrl_member neighbour_item = {.type = CTRL_OBJECT, .object = &neighbour};
static const struct ctrl_member neigh_page_members[] = {
	{"entries", CTRL_LIST, "a page of neighbours", .item = &neighbour_item}, NEXT, {}};
OBJECT(neigh_page, NULL, NULL);

// ---- everything ----

static const struct ctrl_member full_bridge_members[] = {{"name", CTRL_NAME, "the bridge"},
	{"options", CTRL_OBJECT, "its options, as in the configuration file"},
	{"ports", CTRL_LIST, "its ports", .item = &port_item},
	{"fdb", CTRL_LIST, "the first of its static forwarding entries", .item = &static_fdb_item},
	{"fdb_more", CTRL_INT, "number of the other static entries", .when = "when there are any"},
	{"neigh", CTRL_INT, "number of its neighbours"}, {}};
static const struct ctrl_object full_bridge = {NULL, NULL, full_bridge_members};
static const struct ctrl_member full_bridge_item = {.type = CTRL_OBJECT, .object = &full_bridge};
static const struct ctrl_member show_members[] = {
	{"bridges", CTRL_LIST, "the bridges", .item = &full_bridge_item},
	{"vteps", CTRL_LIST, "the VTEPs", .item = &vtep_item}, {}};
OBJECT(show, NULL, NULL);

static const struct ctrl_member config_members[] = {
	{"yaml", CTRL_STRING, "text of a configuration file"}, {}};
OBJECT(config, NULL, NULL);

// ---- status and counters ----

#define COUNTER(name, kind, unit, help) {#name, CTRL_INT, help},

static const struct ctrl_member table_members[] = {DP_FDB_COUNTERS(COUNTER){}};
static const struct ctrl_object table = {NULL, NULL, table_members};

static const struct ctrl_member saving_members[] = {
	{"saved", CTRL_BOOL, "whether the last attempt to save it worked"},
	{"pending", CTRL_BOOL, "whether changes wait to be saved"},
	{"saves", CTRL_INT, "how often it was saved"},
	{"reason", CTRL_STRING, "why it is not saved", .when = "while it cannot be saved"}, {}};
static const struct ctrl_object saving = {NULL, NULL, saving_members};

static const struct ctrl_member status_members[] = {{"version", CTRL_STRING, "of vswitchd"},
	{"pid", CTRL_INT, "its process"}, {"started", CTRL_TIME, "when it started"},
	{"run_dir", CTRL_STRING, "folder of its sockets"},
	{"workers", CTRL_INT, "number of worker threads"},
	{"bridges", CTRL_INT, "number of bridges"}, {"ports", CTRL_INT, "number of ports"},
	{"ports_up", CTRL_INT, "number of ports that are up"},
	{"fdb", CTRL_OBJECT, "the forwarding table", .object = &table},
	{"state", CTRL_OBJECT, "the running configuration on disk", .object = &saving}, {}};
OBJECT(status, NULL, NULL);

static const struct ctrl_member count_item = {.type = CTRL_INT};
static const struct ctrl_member counters_members[] = {{"name", CTRL_NAME, "the port or VTEP"},
	{"bridge", CTRL_NAME, "its bridge", .when = "with ports"},
	{"state", CTRL_STRING, "`up` or `down`"},
	{"drops", CTRL_MAP, "dropped packets by reason", .item = &count_item},
	DP_PORT_COUNTERS(COUNTER){}};
static const struct ctrl_object counters = {NULL, NULL, counters_members};
static const struct ctrl_member counters_item = {.type = CTRL_OBJECT, .object = &counters};
static const struct ctrl_member stats_members[] = {
	{"time_us", CTRL_INT, "when they were read, by a monotonic clock"},
	{"ports", CTRL_LIST, "counters of ports and VTEPs", .item = &counters_item}, {}};
OBJECT(stats, NULL, NULL);

static const struct ctrl_member drop_members[] = {{"reason", CTRL_STRING, "the reason"},
	{"direction", CTRL_STRING, "`rx` or `tx`"}, {"packets", CTRL_INT, "packets dropped for it"},
	{"help", CTRL_STRING, "what the reason means"}, {}};
static const struct ctrl_object drop = {NULL, NULL, drop_members};
static const struct ctrl_member drop_item = {.type = CTRL_OBJECT, .object = &drop};
static const struct ctrl_member drops_members[] = {
	{"drops", CTRL_LIST, "all reasons", .item = &drop_item}, {}};
OBJECT(drops, NULL, NULL);

static const struct ctrl_member batch_members[] = {{"from", CTRL_INT, "packets at least"},
	{"to", CTRL_INT, "packets at most"}, {"batches", CTRL_INT, "batches of that size"}, {}};
static const struct ctrl_object batch = {NULL, NULL, batch_members};
static const struct ctrl_member batch_item = {.type = CTRL_OBJECT, .object = &batch};

static const struct ctrl_member stage_members[] = {
	{"name", CTRL_STRING, "the stage"}, DP_STAGE_COUNTERS(COUNTER){}};
static const struct ctrl_object stage = {NULL, NULL, stage_members};
static const struct ctrl_member stage_item = {.type = CTRL_OBJECT, .object = &stage};

static const struct ctrl_member worker_members[] = {{"worker", CTRL_INT, "its number"},
	{"cpu", CTRL_INT, "the CPU it is pinned to"},
	{"batch_sizes", CTRL_LIST, "batches by size", .item = &batch_item},
	{"stages", CTRL_LIST, "stages of the pipeline", .item = &stage_item},
	DP_WORKER_COUNTERS(COUNTER){}};
static const struct ctrl_object worker = {NULL, NULL, worker_members};
static const struct ctrl_member worker_item = {.type = CTRL_OBJECT, .object = &worker};
static const struct ctrl_member workers_members[] = {
	{"time_us", CTRL_INT, "when they were read, by a monotonic clock"},
	{"cycles_per_second", CTRL_INT, "rate of the cycle counter"},
	{"workers", CTRL_LIST, "the worker threads", .item = &worker_item}, {}};
OBJECT(workers, NULL, NULL);

const struct ctrl_object switch_object_log = {NULL, NULL, ctrl_log_members};
const struct ctrl_object switch_object_events = {NULL, NULL, ctrl_events_members};

const struct ctrl_object *const switch_objects[] = {
	&switch_object_bridge, &switch_object_port, &switch_object_vtep, NULL};
