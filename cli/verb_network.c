// SPDX-License-Identifier: BSD-3-Clause
// Networks, in the words of Docker.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "cli/format.h"
#include "cli/network_ls.h"

static const struct cli_option driver = {"--driver", "DRIVER",
	"overlay: on all hosts of the cluster; bridge (the default): on this host",
	.words = "overlay bridge", .letter = 'd'};
static const struct cli_option subnet = {
	"--subnet", "CIDR", "a subnet, such as 10.1.0.0/16", .repeats = true};
static const struct cli_option ip_range = {"--ip-range", "CIDR",
	"the part of a subnet that addresses are given out from", .repeats = true};
static const struct cli_option gateway = {
	"--gateway", "ADDRESS", "gateway address of a subnet", .repeats = true};
static const struct cli_option aux_address = {
	"--aux-address", "NAME=ADDRESS", "an address that no container gets", .repeats = true};
static const struct cli_option ipv6 = {"--ipv6", NULL, "give containers IPv6 addresses as well"};
static const struct cli_option internal = {"--internal", NULL, "no access to the outside"};
static const struct cli_option dns = {"--dns", "ADDRESS[:PORT]",
	"server for all other names, instead of those of the hosts", .words = "ADDRESS",
	.repeats = true};
static const struct cli_option label = {"--label", "NAME[=VALUE]", "a label", .repeats = true};
static const struct cli_option opt = {"--opt", "NAME=VALUE",
	"an option of the driver, such as vni=42", .other = "--driver-opt", .letter = 'o',
	.repeats = true};
static const struct cli_option inspect_format = {
	"--format", "FORMAT", CLI_FORMAT_HELP, .letter = 'f'};
static const char *const inspect_fields[] = {"id", "name", "driver", "scope", "vni", "ipv6",
	"internal", "builtin", "subnets", "dns", "labels", "options", "created", "endpoints",
	"addresses", "blocks", NULL};
static const struct cli_option rm_force = {
	"--force", NULL, "ignore networks that do not exist", .letter = 'f'};
static const struct cli_option prune_force = {
	"--force", NULL, "skip the confirmation", .letter = 'f'};
static const struct cli_option prune_filter = {"--filter", "label=NAME[=VALUE]",
	"delete only networks with this label", .words = "label=", .repeats = true};

// Sends a flag only if it was given, as true or false.
static void set_flag(
	const struct cli *cli, const struct cli_option *option, json_t *params, const char *name)
{
	if (cli_given(cli, option))
		json_object_set_new(params, name, json_boolean(cli_flag(cli, option)));
}

// Adds a value that may be NULL.
static void set_value(json_t *params, const char *name, json_t *value)
{
	if (value)
		json_object_set_new(params, name, value);
}

static int create(struct cli *cli, int argc, char **argv)
{
	json_t *params, *aux = NULL, *labels = NULL, *options = NULL, *result;
	int rc;

	rc = cli_map(cli, &aux_address, &aux);
	if (rc == EXIT_DONE)
		rc = cli_map(cli, &label, &labels);
	if (rc == EXIT_DONE)
		rc = cli_map(cli, &opt, &options);
	params = json_pack("{s:s, s:s*}", "name", argv[0], "driver", cli_text(cli, &driver));
	set_value(params, "subnets", cli_list(cli, &subnet));
	set_value(params, "ip_ranges", cli_list(cli, &ip_range));
	set_value(params, "gateways", cli_list(cli, &gateway));
	set_value(params, "aux_addresses", aux);
	set_value(params, "dns", cli_list(cli, &dns));
	set_value(params, "labels", labels);
	set_value(params, "options", options);
	set_flag(cli, &ipv6, params, "ipv6");
	set_flag(cli, &internal, params, "internal");
	if (rc != EXIT_DONE) {
		json_decref(params);
		return rc;
	}
	rc = cli_call(cli, "network.create", params, &result);
	if (rc != EXIT_DONE)
		return rc;
	if (cli->json)
		cli_print_json(result);
	else
		printf("%s\n", member_text(result, "id"));
	json_decref(result);
	return EXIT_DONE;
}

// As Docker does it goes on with the others, but for --json: that is one result or error.
static int rm(struct cli *cli, int argc, char **argv)
{
	json_t *deleted = json_array(), *result;
	int status = EXIT_DONE;

	for (int i = 0; i < argc && (status == EXIT_DONE || !cli->json); i++) {
		json_t *params = json_pack("{s:s}", "name", argv[i]);

		set_flag(cli, &rm_force, params, "force");
		if (cli_call(cli, "network.rm", params, &result) != EXIT_DONE) {
			status = EXIT_REFUSED;
			continue;
		}
		json_array_append(deleted, json_object_get(result, "name"));
		json_decref(result);
		if (!cli->json)
			printf("%s\n", argv[i]);
	}
	if (cli->json && status == EXIT_DONE) {
		result = json_pack("{s:O}", "deleted", deleted);
		cli_print_json(result);
		json_decref(result);
	}
	json_decref(deleted);
	return status;
}

// ---- inspect, prune ----

static int print_inspected(const struct cli *cli, const json_t *list, int status)
{
	struct template t = {0};

	if (!cli_given(cli, &inspect_format)) {
		cli_print_json(list);
		return status;
	}
	cli_format_parse(cli, cli_text(cli, &inspect_format), inspect_fields, &t);
	return MAX_OF(cli_format_print(cli, &t, list, inspect_fields), status);
}

// A list, with --json or without, as Docker prints it.
static int inspect(struct cli *cli, int argc, char **argv)
{
	json_t *list, *result;
	struct template t;
	int status = cli_format_parse(cli, cli_text(cli, &inspect_format), inspect_fields, &t);

	if (status != EXIT_DONE)
		return status;
	list = json_array();
	for (int i = 0; i < argc && (status == EXIT_DONE || !cli->json); i++) {
		if (cli_call(cli, "network.inspect", json_pack("{s:s}", "name", argv[i]),
			    &result) == EXIT_DONE)
			json_array_append_new(list, result);
		else
			status = EXIT_REFUSED;
	}
	if (status == EXIT_DONE || !cli->json)
		status = print_inspected(cli, list, status);
	json_decref(list);
	return status;
}

static bool is_sure(void)
{
	char line[16];

	fprintf(stderr, "This deletes all networks that no container is connected to. "
			"Are you sure? [y/N] ");
	return fgets(line, sizeof(line), stdin) && (line[0] == 'y' || line[0] == 'Y');
}

static void print_deleted(const struct cli *cli, const json_t *result)
{
	json_t *name;
	size_t i;

	json_array_foreach (json_object_get(result, "deleted"), i, name)
		printf("%s\n", json_string_value(name));
}

// The labels that are asked for by --filter, as an object.
static int prune_labels(const struct cli *cli, json_t **ret_labels)
{
	json_t *list = cli_list(cli, &prune_filter), *value;
	json_t *labels = list ? json_object() : NULL;
	size_t i;

	json_array_foreach (list, i, value) {
		const char *text = json_string_value(value);
		const char *name = text + strlen("label=");
		size_t len = strcspn(name, "=");

		if (strncmp(text, "label=", 6) != 0 || len == 0) {
			json_decref(labels);
			json_decref(list);
			return cli_usage("--filter takes label=NAME[=VALUE], not '%s'", text);
		}
		json_object_setn_new(
			labels, name, len, json_string(name[len] ? name + len + 1 : ""));
	}
	json_decref(list);
	*ret_labels = labels;
	return EXIT_DONE;
}

static int confirm(const struct cli *cli)
{
	struct err err = {0};

	if (cli_flag(cli, &prune_force))
		return EXIT_DONE;
	if (!isatty(STDIN_FILENO))
		return cli_usage("network prune cannot ask without a terminal; give --force");
	if (is_sure())
		return EXIT_DONE;
	err_set(&err, -ECANCELED, "network prune", "was not confirmed");
	return cli_fail(cli, &err);
}

static int prune(struct cli *cli, int argc, char **argv)
{
	json_t *labels = NULL;
	int rc = prune_labels(cli, &labels);

	if (rc == EXIT_DONE)
		rc = confirm(cli);
	if (rc != EXIT_DONE) {
		json_decref(labels);
		return rc;
	}
	return cli_show(cli, "network.prune", json_pack("{s:o*}", "labels", labels), print_deleted);
}

static const struct verb verbs[] = {
	{"network ls", "", "list the networks", .other = "network list",
		.detail = CLI_NETWORK_LS_DETAIL, .options = cli_network_ls_options,
		.run = cli_network_ls, .of_agent = true},
	{"network create", "NETWORK", "create a network and print its id",
		.detail = "What is not given is chosen. Ranges, gateways and reserved addresses "
			  "belong to the subnet that they are in.\n"
			  "Options of the driver (-o): vni=ID, mtu=BYTES; spoof=allow|deny, "
			  "router=allow|deny, dhcp-server=allow|deny, flood-limit=COUNT for all "
			  "connections that do not say otherwise.",
		.min_args = 1, .max_args = 1,
		.options = CLI_OPTIONS(&driver, &subnet, &ip_range, &gateway, &aux_address, &ipv6,
			&internal, &dns, &label, &opt),
		.run = create, .of_agent = true, .wait_s = 10},
	{"network rm", "NETWORK...", "delete networks that no container is connected to",
		.other = "network remove",
		.detail = "If a network is refused, the others are deleted nevertheless.",
		.min_args = 1, .max_args = -1, .options = CLI_OPTIONS(&rm_force), .run = rm,
		.of_agent = true, .wait_s = 10},
	{"network inspect", "NETWORK...", "print networks with all details, of all hosts, as JSON",
		.min_args = 1, .max_args = -1, .options = CLI_OPTIONS(&inspect_format),
		.run = inspect, .of_agent = true},
	{"network prune", "", "delete all networks that no container is connected to",
		.options = CLI_OPTIONS(&prune_force, &prune_filter), .run = prune, .of_agent = true,
		.wait_s = 10},
	{},
};
const struct verb_group verb_group_network = {
	"Networks, as with docker", "vsctl network create -d overlay front", verbs};
