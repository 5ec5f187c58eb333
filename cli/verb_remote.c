// SPDX-License-Identifier: BSD-3-Clause
// Remote VTEPs: how they are reached, and of which VNIs they are members.
#include <string.h>

#include "cli/table.h"
#include "cli/vni.h"

static void print_remotes(const struct cli *cli, const json_t *result)
{
	struct table table;
	json_t *remote;
	size_t i;

	table_init(&table, "VTEP REMOTE STATE >SINCE-S >SENT >RECEIVED >LOSS% >MIN-US >AVG-US "
			   ">MAX-US >PATH-MTU");
	json_array_foreach (json_object_get(result, "remotes"), i, remote) {
		const char *state = member_text(remote, "state");
		const json_t *us = json_object_get(remote, "round_trip_us");

		table_add(&table, "%s", member_text(remote, "vtep"));
		table_add(&table, "%s", member_text(remote, "ip"));
		table_add(&table, "%s", *state ? state : "-");
		table_add_age(&table, cli_age_s(remote, "since"));
		table_add_known(&table, remote, "sent");
		table_add_known(&table, remote, "received");
		table_add_known(&table, remote, "loss_percent");
		table_add_known(&table, us, "min");
		table_add_known(&table, us, "avg");
		table_add_known(&table, us, "max");
		table_add_known(&table, remote, "path_mtu");
	}
	table_print(&table);
}

static int ls(struct cli *cli, int argc, char **argv)
{
	return cli_show(cli, "tunnel.status", json_pack("{s:s*}", "vtep", argc ? argv[0] : NULL),
		print_remotes);
}

// A member of the flood list: the entry of the zero address.
static json_t *flood_params(const json_t *port, const char *address)
{
	const json_t *options = json_object_get(port, "options");

	return json_pack("{s:s, s:[{s:s, s:s, s:s, s:I}]}", "bridge", member_text(port, "bridge"),
		"entries", "mac", "00:00:00:00:00:00", "port", member_text(port, "name"), "tunnel",
		address, "vlan", (json_int_t)member_int(options, "tag"));
}

static int add(struct cli *cli, int argc, char **argv)
{
	json_t *port;
	int rc = cli_find_vni(cli, argv[0], &port);

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

static int rm(struct cli *cli, int argc, char **argv)
{
	json_t *port, *remotes;
	int rc = cli_find_vni(cli, argv[0], &port);

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

static const struct verb verbs[] = {
	{"remote ls", "[VTEP]", "list the remote VTEPs of a VTEP, or of all, with their state",
		.detail = "With heartbeat=MILLISECONDS, an option of VTEPs, shows whether they "
			  "answer, how many of the last 100 heartbeats were lost, and their round "
			  "trip. `unknown`: never answered, as with VTEPs that are not Causeway.",
		.max_args = 1, .run = ls},
	{"remote add", "VNI ADDRESS", "add a remote VTEP to a VNI",
		.detail = "The switch accepts frames from it, and floods to it.", .min_args = 2,
		.max_args = 2, .options = CLI_OPTIONS(&cli_force), .run = add},
	{"remote rm", "VNI ADDRESS", "remove a remote VTEP from a VNI", .min_args = 2,
		.max_args = 2, .options = CLI_OPTIONS(&cli_force), .run = rm},
	{},
};
const struct verb_group verb_group_remote = {
	"Remote VTEPs", "vsctl remote add 42 192.0.2.2", verbs};
