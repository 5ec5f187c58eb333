// SPDX-License-Identifier: BSD-3-Clause
#include "vswitch/ctl/switch_method.h"

#include "config/conf.h"
#include "ctrl/log_level.h"
#include "dp/dp_counters.h"
#include "vswitch/ctl/switch_result.h"

#define END                                                                                        \
	{                                                                                          \
	}

static const struct ctrl_param name_item = {.type = CTRL_NAME, .help = "the port"};
static const struct ctrl_param object_item = {.type = CTRL_OBJECT};

// Of methods that change what somebody may manage (handle_managed.c).
#define MANAGER                                                                                    \
	{.name = "manager",                                                                        \
		.type = CTRL_NAME,                                                                 \
		.help = "program that asks: what has it as `managed_by`, only it may change"},     \
	{                                                                                          \
		.name = "force", .type = CTRL_BOOL,                                                \
		.help = "also change what another program manages; this is logged"                 \
	}

static const struct ctrl_param status_params[] = {END};

static const struct ctrl_param bridge_add_params[] = {
	{.name = "bridge",
		.type = CTRL_OBJECT,
		.required = true,
		.help = "name and options of the bridge, as in the configuration file"},
	{.name = "may_exist",
		.type = CTRL_BOOL,
		.help = "succeed if the bridge already exists; leave it unchanged"},
	END};

static const struct ctrl_param bridge_del_params[] = {
	{.name = "name", .type = CTRL_NAME, .required = true, .help = "the bridge"},
	{.name = "if_exists", .type = CTRL_BOOL, .help = "succeed if it does not exist"}, MANAGER,
	END};

static const struct ctrl_param bridge_set_params[] = {
	{.name = "name", .type = CTRL_NAME, .required = true, .help = "the bridge"},
	{.name = "bridge",
		.type = CTRL_OBJECT,
		.required = true,
		.help = "the options that change, as in the configuration file"},
	MANAGER, END};

static const struct ctrl_param bridge_list_params[] = {END};

static const struct ctrl_param port_add_params[] = {
	{.name = "bridge", .type = CTRL_NAME, .required = true, .help = "the bridge"},
	{.name = "port",
		.type = CTRL_OBJECT,
		.one_of = 1,
		.help = "name, type and options of one port, as in the configuration file"},
	{.name = "ports",
		.type = CTRL_LIST,
		.one_of = 1,
		.min = 1,
		.max = 4096,
		.item = &object_item,
		.help = "the same for several ports"},
	{.name = "may_exist",
		.type = CTRL_BOOL,
		.help = "succeed for ports that already exist on that bridge; leave them "
			"unchanged"},
	MANAGER, END};

static const struct ctrl_param port_del_params[] = {
	{.name = "name", .type = CTRL_NAME, .one_of = 1, .help = "the port"},
	{.name = "names",
		.type = CTRL_LIST,
		.one_of = 1,
		.min = 1,
		.max = 4096,
		.item = &name_item,
		.help = "several ports"},
	{.name = "bridge", .type = CTRL_NAME, .help = "refuse unless the ports are on this bridge"},
	{.name = "if_exists", .type = CTRL_BOOL, .help = "succeed for ports that do not exist"},
	MANAGER, END};

static const struct ctrl_param port_set_params[] = {
	{.name = "name", .type = CTRL_NAME, .required = true, .help = "the port"},
	{.name = "port",
		.type = CTRL_OBJECT,
		.required = true,
		.help = "the options that change, as in the configuration file"},
	MANAGER, END};

static const struct ctrl_param port_list_params[] = {
	{.name = "bridge", .type = CTRL_NAME, .help = "only the ports of this bridge"}, END};

static const struct ctrl_param port_show_params[] = {
	{.name = "name", .type = CTRL_NAME, .required = true, .help = "the port"}, END};

static const struct ctrl_param vtep_add_params[] = {
	{.name = "vtep",
		.type = CTRL_OBJECT,
		.required = true,
		.help = "name and options of the VTEP, as in the configuration file"},
	{.name = "may_exist",
		.type = CTRL_BOOL,
		.help = "succeed if the VTEP already exists; leave it unchanged"},
	END};

static const struct ctrl_param vtep_del_params[] = {
	{.name = "name", .type = CTRL_NAME, .required = true, .help = "the VTEP"},
	{.name = "if_exists", .type = CTRL_BOOL, .help = "succeed if it does not exist"}, MANAGER,
	END};

static const struct ctrl_param vtep_set_params[] = {
	{.name = "name", .type = CTRL_NAME, .required = true, .help = "the VTEP"},
	{.name = "vtep",
		.type = CTRL_OBJECT,
		.required = true,
		.help = "the options that change, as in the configuration file"},
	MANAGER, END};

static const struct ctrl_param vtep_list_params[] = {END};

static const struct ctrl_param vtep_show_params[] = {
	{.name = "name", .type = CTRL_NAME, .required = true, .help = "the VTEP"}, END};

static const struct ctrl_param tunnel_status_params[] = {
	{.name = "vtep", .type = CTRL_NAME, .help = "only the remotes of this VTEP"}, END};

static const struct ctrl_param show_params[] = {END};

static const struct ctrl_param fdb_show_params[] = {
	{.name = "bridge", .type = CTRL_NAME, .help = "only entries of this bridge"},
	{.name = "port", .type = CTRL_NAME, .help = "only entries of this port"},
	{.name = "vlan",
		.type = CTRL_INT,
		.max = CONF_VLAN_MAX,
		.help = "only entries of this VLAN; 0: untagged"},
	{.name = "limit",
		.type = CTRL_INT,
		.min = 1,
		.max = CTRL_PAGE_MAX,
		.help = "maximum number of entries; default: 1000"},
	{.name = "after",
		.type = CTRL_STRING,
		.min = 1,
		.max = 64,
		.help = "cursor `next` of the previous page"},
	END};

#define FDB_KEY                                                                                    \
	{.name = "mac", .type = CTRL_MAC, .required = true, .help = "destination address"},        \
	{                                                                                          \
		.name = "vlan", .type = CTRL_INT, .max = CONF_VLAN_MAX, .help = "0: untagged"      \
	}

static const struct ctrl_param fdb_entry_fields[] = {FDB_KEY,
	{.name = "port",
		.type = CTRL_NAME,
		.help = "port that it is behind; optional with tunnel when a single port of type "
			"vxlan carries the VLAN"},
	{.name = "tunnel",
		.type = CTRL_IP,
		.help = "remote VTEP that it is behind. The address 00:00:00:00:00:00 stands for "
			"flooded frames and may have several"},
	END};
static const struct ctrl_param fdb_key_fields[] = {FDB_KEY,
	{.name = "port", .type = CTRL_NAME, .help = "port of the entry, for the zero address"},
	{.name = "tunnel",
		.type = CTRL_IP,
		.help = "required for the zero address; other entries are deleted only if they are "
			"behind this VTEP"},
	END};
static const struct ctrl_param fdb_entry = {.type = CTRL_OBJECT, .fields = fdb_entry_fields};
static const struct ctrl_param fdb_key = {.type = CTRL_OBJECT, .fields = fdb_key_fields};

static const struct ctrl_param fdb_add_params[] = {
	{.name = "bridge", .type = CTRL_NAME, .required = true, .help = "the bridge"},
	{.name = "entries",
		.type = CTRL_LIST,
		.required = true,
		.min = 1,
		.max = CTRL_ENTRIES_MAX,
		.item = &fdb_entry,
		.help = "the entries"},
	MANAGER, END};

static const struct ctrl_param fdb_del_params[] = {
	{.name = "bridge", .type = CTRL_NAME, .required = true, .help = "the bridge"},
	{.name = "entries",
		.type = CTRL_LIST,
		.required = true,
		.min = 1,
		.max = CTRL_ENTRIES_MAX,
		.item = &fdb_key,
		.help = "the entries"},
	{.name = "if_exists", .type = CTRL_BOOL, .help = "succeed for entries that do not exist"},
	MANAGER, END};

static const struct ctrl_param fdb_flush_params[] = {
	{.name = "bridge", .type = CTRL_NAME, .one_of = 1, .help = "all entries of this bridge"},
	{.name = "port", .type = CTRL_NAME, .one_of = 1, .help = "all entries of this port"},
	MANAGER, END};

#define NEIGH_KEY                                                                                  \
	{.name = "ip", .type = CTRL_IP, .required = true, .help = "address that is asked for"},    \
	{                                                                                          \
		.name = "vlan", .type = CTRL_INT, .max = CONF_VLAN_MAX, .help = "0: untagged"      \
	}

static const struct ctrl_param neigh_entry_fields[] = {
	NEIGH_KEY, {.name = "mac", .type = CTRL_MAC, .required = true, .help = "the answer"}, END};
static const struct ctrl_param neigh_key_fields[] = {NEIGH_KEY, END};
static const struct ctrl_param neigh_entry = {.type = CTRL_OBJECT, .fields = neigh_entry_fields};
static const struct ctrl_param neigh_key = {.type = CTRL_OBJECT, .fields = neigh_key_fields};

static const struct ctrl_param neigh_add_params[] = {
	{.name = "bridge", .type = CTRL_NAME, .required = true, .help = "the bridge"},
	{.name = "entries",
		.type = CTRL_LIST,
		.required = true,
		.min = 1,
		.max = CTRL_ENTRIES_MAX,
		.item = &neigh_entry,
		.help = "the neighbours"},
	MANAGER, END};

static const struct ctrl_param neigh_del_params[] = {
	{.name = "bridge", .type = CTRL_NAME, .required = true, .help = "the bridge"},
	{.name = "entries",
		.type = CTRL_LIST,
		.required = true,
		.min = 1,
		.max = CTRL_ENTRIES_MAX,
		.item = &neigh_key,
		.help = "the neighbours"},
	{.name = "if_exists",
		.type = CTRL_BOOL,
		.help = "succeed for neighbours that do not exist"},
	MANAGER, END};

static const struct ctrl_param neigh_list_params[] = {
	{.name = "bridge", .type = CTRL_NAME, .required = true, .help = "the bridge"},
	{.name = "limit",
		.type = CTRL_INT,
		.min = 1,
		.max = CTRL_PAGE_MAX,
		.help = "maximum number of entries; default: 1000"},
	{.name = "after",
		.type = CTRL_STRING,
		.min = 1,
		.max = 64,
		.help = "cursor `next` of the previous page"},
	END};

static const struct ctrl_param stats_params[] = {
	{.name = "port", .type = CTRL_NAME, .help = "only this port, or VTEP"},
	{.name = "bridge", .type = CTRL_NAME, .help = "only ports of this bridge"}, END};

static const struct ctrl_param drops_params[] = {
	{.name = "port", .type = CTRL_NAME, .help = "only this port, or VTEP"}, END};

static const struct ctrl_param workers_params[] = {END};
static const struct ctrl_param events_list_params[] = {END};

static const struct ctrl_param config_show_params[] = {END};
static const struct ctrl_param log_show_params[] = {END};
#define log_set_params ctrl_log_set_params

enum { READ, WRITE };

const struct ctrl_method switch_methods[NB_SWITCH_METHODS] = {
#define X(symbol, fn, name_, access, help_, result_)                                               \
	[SWITCH_METHOD_##symbol] = {.name = name_,                                                 \
		.is_write = access == WRITE,                                                       \
		.help = help_,                                                                     \
		.result = &switch_object_##result_,                                                \
		.params = fn##_params},
	SWITCH_METHODS(X)
#undef X
};

const struct ctrl_event switch_events[] = {{"bridge.add", "bridge", "a bridge was added"},
	{"bridge.set", "bridge", "options of a bridge were changed"},
	{"bridge.del", "bridge", "a bridge was deleted, and its ports with it"},
	{"port.add", "port, bridge", "a port was added"},
	{"port.set", "port, bridge", "options of a port were changed"},
	{"port.del", "port, bridge", "a port was deleted without its bridge"},
	{"port.down", "port, bridge, reason", "a port lost its device or namespace"},
	{"port.up", "port, bridge", "a port has its device again and works"},
	{"vtep.add", "vtep", "a VTEP was added"},
	{"vtep.set", "vtep", "options of a VTEP were changed"},
	{"vtep.del", "vtep", "a VTEP was deleted"},
	{"vtep.down", "vtep, reason", "a VTEP lost its underlay"},
	{"vtep.up", "vtep", "a VTEP has its underlay again and works"},
	{"vtep.mtu", "vtep, mtu", "a VTEP offers another MTU to its VNIs"},
	{"remote.up", "vtep, remote, reason", "a remote VTEP answers heartbeats"},
	{"remote.down", "vtep, remote, reason", "a remote VTEP stopped answering heartbeats"},
	{"remote.mtu", "vtep, remote, reason",
		"heartbeats show that the path to a remote VTEP carries less, or more, than "
		"before"},
	{"state.unsaved", "reason", "the running configuration cannot be saved; saving is retried"},
	{"state.saved", "nothing", "the running configuration is saved again"}, {}};

const struct ctrl_reference switch_reference = {
	.title = "The control channel of vswitchd",
	.run_dir = "RUN_DIR",
	.example_method = "port.add",
	.example_object = "port c1",
	.changes =
		"Methods that change something run one\nat a time, in the order in which they "
		"came, and are answered when the change took effect in every\nworker; methods "
		"that only read are answered at once, also while a change is on its way. The "
		"result\nof a change may have a member `warning`: a text for people, such as that "
		"the change is in effect\nbut could not be saved. Options are those of the "
		"configuration file, with keys in snake_case\n(`fdb_limit`), and true or false "
		"for on and off.",
	.methods = switch_methods,
	.count = NB_SWITCH_METHODS,
	.objects = switch_objects,
	.events = switch_events,
	.counters = dp_counter_groups,
};
