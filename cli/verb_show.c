// SPDX-License-Identifier: BSD-3-Clause
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"

static void print_status(const struct cli *cli, const json_t *result)
{
	const json_t *fdb = json_object_get(result, "fdb");
	const json_t *state = json_object_get(result, "state");

	printf("vswitchd %s, pid %lld, up %.0f s, at %s\n", member_text(result, "version"),
		member_int(result, "pid"), cli_age_s(result, "started"),
		member_text(result, "run_dir"));
	printf("workers %lld, bridges %lld, ports %lld (%lld up), forwarding entries %lld\n",
		member_int(result, "workers"), member_int(result, "bridges"),
		member_int(result, "ports"), member_int(result, "ports_up"),
		member_int(fdb, "entries"));
	if (*member_text(state, "reason"))
		printf("the running configuration is not saved: %s\n",
			member_text(state, "reason"));
}

static int status(struct cli *cli, int argc, char **argv)
{
	return cli_show(cli, "status", NULL, print_status);
}

static void print_port(const json_t *port, const char *indent)
{
	char *options = cli_conf_text(json_object_get(port, "options"));
	char *device = cli_options_text(json_object_get(port, "device"));

	printf("%sPort %s: %s, %s\n", indent, member_text(port, "name"), member_text(port, "type"),
		member_text(port, "state"));
	if (*member_text(port, "reason"))
		printf("%s    reason: %s\n", indent, member_text(port, "reason"));
	if (*options)
		printf("%s    options: %s\n", indent, options);
	if (*device)
		printf("%s    device: %s\n", indent, device);
	free(options);
	free(device);
}

static void print_entry(const json_t *entry)
{
	const char *tunnel = member_text(entry, "tunnel");

	printf("    Static entry %s vlan %lld: port %s%s%s\n", member_text(entry, "mac"),
		member_int(entry, "vlan"), member_text(entry, "port"), *tunnel ? " tunnel " : "",
		tunnel);
}

static void print_bridge(const json_t *bridge)
{
	char *options = cli_conf_text(json_object_get(bridge, "options"));
	const json_t *item;
	size_t i;

	printf("Bridge %s\n    options: %s\n", member_text(bridge, "name"), options);
	json_array_foreach (json_object_get(bridge, "ports"), i, item)
		print_port(item, "    ");
	json_array_foreach (json_object_get(bridge, "fdb"), i, item)
		print_entry(item);
	if (member_int(bridge, "fdb_more"))
		printf("    and %lld more static entries (`vsctl fdb ls` lists them)\n",
			member_int(bridge, "fdb_more"));
	if (member_int(bridge, "neigh"))
		printf("    Neighbours: %lld (`vsctl neigh ls` lists them)\n",
			member_int(bridge, "neigh"));
	free(options);
}

static void print_bridges(const struct cli *cli, const json_t *result)
{
	json_t *bridge, *vtep;
	size_t i;

	json_array_foreach (json_object_get(result, "vteps"), i, vtep)
		cli_print_vtep(vtep);
	json_array_foreach (json_object_get(result, "bridges"), i, bridge)
		print_bridge(bridge);
}

static void print_one_port(const struct cli *cli, const json_t *result)
{
	print_port(result, "");
}

static int show(struct cli *cli, int argc, char **argv)
{
	if (!argc)
		return cli_show(cli, "show", NULL, print_bridges);
	return cli_show(cli, "port.show", json_pack("{s:s}", "name", argv[0]), print_one_port);
}

static const struct verb verbs[] = {
	{"status", "", "show the version, the number of objects and the state of the switch",
		.run = status},
	{"show", "[PORT]", "show all bridges, ports and VTEPs, or one port, with all details",
		.max_args = 1, .run = show},
	{},
};
const struct verb_group verb_group_show = {"The switch", "vsctl show", verbs};
