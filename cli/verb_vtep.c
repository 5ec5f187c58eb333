// SPDX-License-Identifier: BSD-3-Clause
// VTEPs.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/table.h"
#include "config/conf.h"

#define ITEMS_SHOWN 16 // of a list

static int add_vtep(struct cli *cli, int argc, char **argv)
{
	json_t *vtep;
	int rc = cli_object(cli, argv[0], conf_vtep_option, argc - 1, argv + 1, &vtep);

	if (rc != EXIT_DONE)
		return rc;
	return cli_change(cli, "vtep.add",
		json_pack("{s:o, s:b}", "vtep", vtep, "may_exist", cli_flag(cli, &cli_may_exist)));
}

static int del_vtep(struct cli *cli, int argc, char **argv)
{
	return cli_change(cli, "vtep.del",
		json_pack(
			"{s:s, s:b}", "name", argv[0], "if_exists", cli_flag(cli, &cli_if_exists)));
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

static void print_vteps(const struct cli *cli, const json_t *result)
{
	struct table table;
	json_t *vtep;
	size_t i;

	table_init(&table, "VTEP UNDERLAY ADDRESS STATE >MTU >VNIS >REMOTES >UP >DOWN");
	json_array_foreach (json_object_get(result, "vteps"), i, vtep) {
		const json_t *options = json_object_get(vtep, "options");

		table_add(&table, "%s", member_text(vtep, "name"));
		table_add(&table, "%s", underlay_of(options));
		table_add(&table, "%s", address_of(options));
		table_add(&table, "%s", member_text(vtep, "state"));
		table_add_known(&table, vtep, "mtu");
		table_add(&table, "%lld", member_int(vtep, "vnis"));
		table_add_known(&table, vtep, "remotes");
		table_add_known(&table, vtep, "remotes_up");
		table_add_known(&table, vtep, "remotes_down");
	}
	table_print(&table);
}

static int list_vteps(struct cli *cli, int argc, char **argv)
{
	return cli_show(cli, "vtep.list", NULL, print_vteps);
}

// Takes the text over.
static void print_section(const char *what, char *text)
{

	if (*text)
		printf("    %s: %s\n", what, text);
	free(text);
}

// ", up for 12 s, loss 0 %, round trip 85 us (61 to 240), path mtu 1500"
static void print_remote(const json_t *remote)
{
	const json_t *us = json_object_get(remote, "round_trip_us");
	double age_s = cli_age_s(remote, "since");

	printf("    remote %s", member_text(remote, "ip"));
	if (*member_text(remote, "state"))
		printf(", %s", member_text(remote, "state"));
	if (age_s >= 0)
		printf(" for %.0f s", age_s);
	if (age_s >= 0 && json_object_get(remote, "loss_percent"))
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
	print_section("tunnel", cli_options_text(rest));
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
	print_section("options", cli_conf_text(json_object_get(vtep, "options")));
	print_tunnel(json_object_get(vtep, "tunnel"));
	print_section("device", cli_options_text(json_object_get(vtep, "device")));
}

static void print_one(const struct cli *cli, const json_t *result)
{
	cli_print_vtep(result);
}

static int show_vtep(struct cli *cli, int argc, char **argv)
{
	return cli_show(cli, "vtep.show", json_pack("{s:s}", "name", argv[0]), print_one);
}

static const struct verb verbs[] = {
	{"add-vtep", "NAME [KEY=VALUE...]", "create a VTEP, a tunnel endpoint of VXLAN",
		.detail = "The options, such as address=10.0.0.1 or underlay=port, are those of "
			  "the configuration file; `vswitchd --reference config` lists them.",
		.min_args = 1, .max_args = -1, .options = CLI_OPTIONS(&cli_may_exist),
		.run = add_vtep},
	{"del-vtep", "VTEP", "delete a VTEP that has no VNIs", .min_args = 1, .max_args = 1,
		.options = CLI_OPTIONS(&cli_if_exists, &cli_force), .run = del_vtep},
	{"set-vtep", "VTEP KEY=VALUE...", "change options of a VTEP",
		.detail = "The switch recreates the VTEP; traffic of its VNIs stops for a moment.",
		.min_args = 2, .max_args = -1, .options = CLI_OPTIONS(&cli_force), .run = set_vtep},
	{"list-vteps", "", "list the VTEPs", .run = list_vteps},
	{"show-vtep", "VTEP", "show one VTEP with all details", .min_args = 1, .max_args = 1,
		.run = show_vtep},
	{},
};
const struct verb_group verb_group_vtep = {"VTEPs", "vsctl add-vtep te0 address=192.0.2.1", verbs};
