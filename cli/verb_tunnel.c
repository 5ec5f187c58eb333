// SPDX-License-Identifier: BSD-3-Clause
// VTEPs, and the VNIs on them.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/table.h"
#include "config/conf.h"

#define ITEMS_SHOWN 16 // of a list

// ---- VTEPs ----

static int add_vtep(struct cli *cli, int argc, char **argv)
{
	json_t *vtep;
	int rc = cli_object(cli, argv[0], conf_vtep_option, argc - 1, argv + 1, &vtep);

	if (rc != EXIT_DONE)
		return rc;
	return cli_change(cli, "vtep.add",
		json_pack("{s:o, s:b}", "vtep", vtep, "may_exist", !!(cli->given & OPT_MAY_EXIST)));
}

static int del_vtep(struct cli *cli, int argc, char **argv)
{
	return cli_change(cli, "vtep.del",
		json_pack("{s:s, s:b}", "name", argv[0], "if_exists",
			!!(cli->given & OPT_IF_EXISTS)));
}

static int set_vtep(struct cli *cli, int argc, char **argv)
{
	json_t *vtep;
	int rc = cli_object(cli, NULL, conf_vtep_option, argc - 1, argv + 1, &vtep);

	if (rc != EXIT_DONE)
		return rc;
	return cli_change(cli, "vtep.set", json_pack("{s:s, s:o}", "name", argv[0], "vtep", vtep));
}

// "any" where the host's own are meant.
static const char *address_of(const json_t *options)
{
	const char *address = member_text(options, "address");

	return *address ? address : "any";
}

static const char *underlay_of(const json_t *options)
{
	const char *underlay = member_text(options, "underlay");

	return *underlay ? underlay : "kernel";
}

// A cell with the number, or "-" where it is not known.
static void add_known(struct table *table, const json_t *obj, const char *name)
{
	if (json_object_get(obj, name))
		table_add(table, "%lld", member_int(obj, name));
	else
		table_add(table, "-");
}

static void print_vteps(const struct cli *cli, const json_t *result)
{
	struct table table;
	json_t *vtep;
	size_t i;

	table_init(&table, "VTEP UNDERLAY ADDRESS STATE >MTU >NETWORKS >REMOTES >UP >DOWN");
	json_array_foreach (json_object_get(result, "vteps"), i, vtep) {
		const json_t *options = json_object_get(vtep, "options");

		table_add(&table, "%s", member_text(vtep, "name"));
		table_add(&table, "%s", underlay_of(options));
		table_add(&table, "%s", address_of(options));
		table_add(&table, "%s", member_text(vtep, "state"));
		add_known(&table, vtep, "mtu");
		table_add(&table, "%lld", member_int(vtep, "vnis"));
		add_known(&table, vtep, "remotes");
		add_known(&table, vtep, "remotes_up");
		add_known(&table, vtep, "remotes_down");
	}
	table_print(&table);
}

static int list_vteps(struct cli *cli, int argc, char **argv)
{
	return cli_show(cli, "vtep.list", NULL, print_vteps);
}

static void print_section(const char *what, const json_t *obj)
{
	char *text = cli_options_text(obj);

	if (*text)
		printf("    %s: %s\n", what, text);
	free(text);
}

// ", up for 12 s, loss 0 %, round trip 85 us (61 to 240), path mtu 1500"
static void print_remote(const json_t *remote)
{
	const json_t *us = json_object_get(remote, "round_trip_us");

	printf("    remote %s", member_text(remote, "ip"));
	if (*member_text(remote, "state"))
		printf(", %s", member_text(remote, "state"));
	if (json_object_get(remote, "since_s"))
		printf(" for %.0f s", json_number_value(json_object_get(remote, "since_s")));
	if (json_object_get(remote, "since_s") && json_object_get(remote, "loss_percent"))
		printf(", loss %lld %%", member_int(remote, "loss_percent"));
	if (us)
		printf(", round trip %lld us (%lld to %lld)", member_int(us, "avg"),
			member_int(us, "min"), member_int(us, "max"));
	if (json_object_get(remote, "path_mtu"))
		printf(", path mtu %lld", member_int(remote, "path_mtu"));
	putchar('\n');
}

static void print_hop(const json_t *hop)
{
	const char *mac = member_text(hop, "mac");

	printf("    next hop %s, %s%s%s\n", member_text(hop, "ip"), member_text(hop, "state"),
		*mac ? " at " : "", mac);
}

static void print_list(const json_t *list, void (*print)(const json_t *item))
{
	json_t *item;
	size_t i;

	json_array_foreach (list, i, item) {
		if (i < ITEMS_SHOWN)
			print(item);
	}
	if (json_array_size(list) > ITEMS_SHOWN)
		printf("    and %zu more\n", json_array_size(list) - ITEMS_SHOWN);
}

static void print_tunnel(const json_t *tunnel)
{
	json_t *rest = json_copy((json_t *)tunnel);

	json_object_del(rest, "remotes");
	json_object_del(rest, "next_hops");
	print_section("tunnel", rest);
	json_decref(rest);
	print_list(json_object_get(tunnel, "remotes"), print_remote);
	print_list(json_object_get(tunnel, "next_hops"), print_hop);
}

void cli_print_vtep(const json_t *vtep)
{
	printf("VTEP %s: %s", member_text(vtep, "name"), member_text(vtep, "state"));
	if (json_object_get(vtep, "mtu"))
		printf(", offers mtu %lld", member_int(vtep, "mtu"));
	printf(", VNIs %lld\n", member_int(vtep, "vnis"));
	if (*member_text(vtep, "reason"))
		printf("    reason: %s\n", member_text(vtep, "reason"));
	print_section("options", json_object_get(vtep, "options"));
	print_tunnel(json_object_get(vtep, "tunnel"));
	print_section("device", json_object_get(vtep, "device"));
}

static void print_one(const struct cli *cli, const json_t *result)
{
	cli_print_vtep(result);
}

static int show_vtep(struct cli *cli, int argc, char **argv)
{
	return cli_show(cli, "vtep.show", json_pack("{s:s}", "name", argv[0]), print_one);
}

// ---- remote VTEPs ----

static void print_status(const struct cli *cli, const json_t *result)
{
	struct table table;
	json_t *remote;
	size_t i;

	table_init(&table, "VTEP REMOTE STATE >SINCE-S >SENT >RECEIVED >LOSS% >MIN-US >AVG-US "
			   ">MAX-US >PATH-MTU");
	json_array_foreach (json_object_get(result, "remotes"), i, remote) {
		const char *state = member_text(remote, "state");
		const json_t *us = json_object_get(remote, "round_trip_us");
		const json_t *since = json_object_get(remote, "since_s");

		table_add(&table, "%s", member_text(remote, "vtep"));
		table_add(&table, "%s", member_text(remote, "ip"));
		table_add(&table, "%s", *state ? state : "-");
		if (since)
			table_add(&table, "%.0f", json_number_value(since));
		else
			table_add(&table, "-");
		add_known(&table, remote, "sent");
		add_known(&table, remote, "received");
		add_known(&table, remote, "loss_percent");
		add_known(&table, us, "min");
		add_known(&table, us, "avg");
		add_known(&table, us, "max");
		add_known(&table, remote, "path_mtu");
	}
	table_print(&table);
}

static int tunnel_status(struct cli *cli, int argc, char **argv)
{
	return cli_show(cli, "tunnel.status", json_pack("{s:s*}", "vtep", argc ? argv[0] : NULL),
		print_status);
}

// ---- VNIs: ports of type vxlan, by their number ----

// The options of a port, with the VLAN by the name that forwarding entries have for it.
static int vni_option(json_t *obj, const char *key, const char *value, struct err *err)
{
	return conf_port_option(obj, strcmp(key, "vlan") ? key : "tag", value, err);
}

static int vni_add(struct cli *cli, int argc, char **argv)
{
	json_t *port, *key = json_object();
	char name[CONF_NAME_BYTES];
	struct err err = {0};
	int rc;

	if (conf_port_option(key, "key", argv[1], &err) < 0) {
		json_decref(key);
		return cli_fail(cli, &err);
	}
	snprintf(name, sizeof(name), "vni%lld", member_int(key, "key"));
	rc = cli_object(cli, name, vni_option, argc - 2, argv + 2, &port);
	if (rc != EXIT_DONE) {
		json_decref(key);
		return rc;
	}
	json_object_update(port, key);
	json_object_set_new(port, "type", json_string("vxlan"));
	json_decref(key);
	return cli_change(cli, "port.add",
		json_pack("{s:s, s:o, s:b}", "bridge", argv[0], "port", port, "may_exist",
			!!(cli->given & OPT_MAY_EXIST)));
}

static bool is_network(const json_t *port, const char *key)
{
	const json_t *options = json_object_get(port, "options");
	char text[24];

	snprintf(text, sizeof(text), "%lld", member_int(options, "key"));
	return !strcmp(member_text(port, "type"), "vxlan") && (!key || !strcmp(text, key));
}

// The port of the VNI, in a new reference.
static int find_network(struct cli *cli, const char *key, json_t **ret_port)
{
	json_t *result, *port, *found = NULL;
	struct err err = {0};
	size_t i;
	int rc = cli_call(cli, "port.list", NULL, &result);

	if (rc != EXIT_DONE)
		return rc;
	json_array_foreach (json_object_get(result, "ports"), i, port) {
		if (!is_network(port, key))
			continue;
		if (found)
			err_set(&err, -EINVAL, key,
				"the ports %s and %s have this VNI, on different "
				"VTEPs; use the verbs for ports",
				member_text(found, "name"), member_text(port, "name"));
		found = port;
	}
	if (!found)
		err_set(&err, -ENOENT, key, "there is no such VNI (`vsctl vni list` lists them)");
	*ret_port = err.code ? NULL : json_incref(found);
	json_decref(result);
	return err.code ? cli_fail(cli, &err) : EXIT_DONE;
}

static int vni_del(struct cli *cli, int argc, char **argv)
{
	json_t *port;
	int rc = find_network(cli, argv[0], &port);

	if (rc != EXIT_DONE)
		return rc;
	rc = cli_change(cli, "port.del", json_pack("{s:s}", "name", member_text(port, "name")));
	json_decref(port);
	return rc;
}

// A member of the flood list: the entry of the zero address.
static json_t *flood_params(const json_t *port, const char *address)
{
	const json_t *options = json_object_get(port, "options");

	return json_pack("{s:s, s:[{s:s, s:s, s:s, s:I}]}", "bridge", member_text(port, "bridge"),
		"entries", "mac", "00:00:00:00:00:00", "port", member_text(port, "name"), "tunnel",
		address, "vlan", (json_int_t)member_int(options, "tag"));
}

static int vni_add_remote(struct cli *cli, int argc, char **argv)
{
	json_t *port;
	int rc = find_network(cli, argv[0], &port);

	if (rc != EXIT_DONE)
		return rc;
	rc = cli_change(cli, "fdb.add", flood_params(port, argv[1]));
	json_decref(port);
	return rc;
}

// The port's own remotes without the address; NULL when it is not among them.
static json_t *remotes_without(const json_t *port, const char *address)
{
	const json_t *remotes = json_object_get(json_object_get(port, "options"), "remote");
	json_t *list = json_array(), *remote;
	size_t i;

	json_array_foreach (remotes, i, remote) {
		if (strcmp(json_string_value(remote), address) != 0)
			json_array_append(list, remote);
	}
	if (json_array_size(list) < json_array_size(remotes))
		return list;
	json_decref(list);
	return NULL;
}

static int vni_del_remote(struct cli *cli, int argc, char **argv)
{
	json_t *port, *remotes;
	int rc = find_network(cli, argv[0], &port);

	if (rc != EXIT_DONE)
		return rc;
	remotes = remotes_without(port, argv[1]);
	if (remotes)
		rc = cli_change(cli, "port.set",
			json_pack("{s:s, s:{s:o}}", "name", member_text(port, "name"), "port",
				"remote", remotes));
	else
		rc = cli_change(cli, "fdb.del", flood_params(port, argv[1]));
	json_decref(port);
	return rc;
}

static void print_networks(const struct cli *cli, const json_t *result)
{
	struct table table;
	json_t *port;
	size_t i;

	table_init(&table, ">VNI PORT BRIDGE >VLAN VTEP STATE >MTU REMOTES");
	json_array_foreach (json_object_get(result, "ports"), i, port) {
		const json_t *options = json_object_get(port, "options");
		char *remotes;

		if (!is_network(port, NULL))
			continue;
		remotes = cli_value_text(json_object_get(port, "remotes"));
		table_add(&table, "%lld", member_int(options, "key"));
		table_add(&table, "%s", member_text(port, "name"));
		table_add(&table, "%s", member_text(port, "bridge"));
		table_add(&table, "%lld", member_int(options, "tag"));
		table_add(&table, "%s", member_text(options, "vtep"));
		table_add(&table, "%s", member_text(port, "state"));
		table_add(&table, "%lld", member_int(port, "mtu"));
		table_add(&table, "%s", remotes);
		free(remotes);
	}
	table_print(&table);
}

static int vni_list(struct cli *cli, int argc, char **argv)
{
	return cli_show(cli, "port.list", json_pack("{s:s*}", "bridge", argc ? argv[0] : NULL),
		print_networks);
}

const struct verb verbs_tunnel[] = {
	{"add-vtep", "NAME [KEY=VALUE...]", "make a VTEP",
		"Options such as address=10.0.0.1 or underlay=port are those of the configuration "
		"file; `vswitchd\n--reference config` lists them.",
		1, -1, OPT_MAY_EXIST, add_vtep},
	{"del-vtep", "VTEP", "delete a VTEP that has no VNIs", NULL, 1, 1, OPT_IF_EXISTS, del_vtep},
	{"set-vtep", "VTEP KEY=VALUE...", "change options of a VTEP",
		"It is made anew for it: its VNIs are without traffic for a moment.", 2, -1, 0,
		set_vtep},
	{"list-vteps", "", "list the VTEPs", NULL, 0, 0, 0, list_vteps},
	{"show-vtep", "VTEP", "everything of one VTEP", NULL, 1, 1, 0, show_vtep},
	{"tunnel-status", "[VTEP]", "how remote VTEPs are reached",
		"With heartbeat=MILLISECONDS, an option of VTEPs: whether they answer, "
		"and "
		"of the last 100 heartbeats\nhow many were lost and how long the round trip took. "
		"A "
		"remote of another make never answers: it is unknown.",
		0, 1, 0, tunnel_status},
	{"vni add", "BRIDGE VNI [vlan=ID] [KEY=VALUE...]", "add a VNI to a bridge",
		"Adds a port vniVNI of type vxlan. Options such as remote=10.0.0.2,10.0.0.3 and "
		"vtep=NAME are those\nof ports.",
		2, -1, OPT_MAY_EXIST, vni_add},
	{"vni del", "VNI", "delete a VNI", NULL, 1, 1, 0, vni_del},
	{"vni list", "[BRIDGE]", "list the VNIs of a bridge, or all", NULL, 0, 1, 0, vni_list},
	{"vni add-remote", "VNI ADDRESS", "add a remote VTEP to a VNI",
		"Frames of it are taken, and it gets those to all.", 2, 2, 0, vni_add_remote},
	{"vni del-remote", "VNI ADDRESS", "delete a remote VTEP of a VNI", NULL, 2, 2, 0,
		vni_del_remote},
	{NULL},
};
