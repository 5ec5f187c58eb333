// SPDX-License-Identifier: BSD-3-Clause
// Networks, in the words of Docker.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/table.h"

#define SHORT_ID 12 // digits

static void set_flag(const struct cli *cli, unsigned option, json_t *params, const char *name)
{
	if (cli->given & option)
		json_object_set_new(params, name, json_true());
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

	rc = cli_option_map(cli, OPT_AUX_ADDRESS, &aux);
	if (rc == EXIT_DONE)
		rc = cli_option_map(cli, OPT_LABEL, &labels);
	if (rc == EXIT_DONE)
		rc = cli_option_map(cli, OPT_OPT, &options);
	params = json_pack(
		"{s:s, s:s*}", "name", argv[0], "driver", cli_option_text(cli, OPT_DRIVER));
	set_value(params, "subnets", cli_option_list(cli, OPT_SUBNET));
	set_value(params, "ip_ranges", cli_option_list(cli, OPT_IP_RANGE));
	set_value(params, "gateways", cli_option_list(cli, OPT_GATEWAY));
	set_value(params, "aux_addresses", aux);
	set_value(params, "dns", cli_option_list(cli, OPT_DNS));
	set_value(params, "labels", labels);
	set_value(params, "options", options);
	set_flag(cli, OPT_IPV6, params, "ipv6");
	set_flag(cli, OPT_INTERNAL, params, "internal");
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

		set_flag(cli, OPT_FORCE, params, "force");
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

// ---- ls ----

static bool has_label(const json_t *network, const char *want)
{
	const json_t *labels = json_object_get(network, "labels");
	size_t len = strcspn(want, "=");
	char name[256];

	snprintf(name, sizeof(name), "%.*s", (int)len, want);
	if (!want[len])
		return json_object_get(labels, name);
	return json_object_get(labels, name) && !strcmp(member_text(labels, name), want + len + 1);
}

static bool passes_one(const json_t *network, const char *key, size_t len, const char *value)
{
	if (!strncmp(key, "label", len))
		return has_label(network, value);
	if (!strncmp(key, "name", len))
		return strstr(member_text(network, "name"), value);
	if (!strncmp(key, "id", len))
		return !strncmp(member_text(network, "id"), value, strlen(value));
	return !strcmp(
		member_text(network, strncmp(key, "scope", len) ? "driver" : "scope"), value);
}

// As with Docker: of one key any value will do, but of `label` all have to; keys all have to.
static bool passes(const struct cli *cli, const json_t *network)
{
	for (unsigned i = 0; i < cli->nb_values; i++) {
		const char *filter = cli->values[i].text;
		size_t len = strcspn(filter, "=");
		bool any = passes_one(network, filter, len, filter + len + 1);

		for (unsigned k = 0; k < cli->nb_values && strncmp(filter, "label=", 6); k++) {
			const char *other = cli->values[k].text;

			any |= !strncmp(other, filter, len + 1) &&
			       passes_one(network, other, len, other + len + 1);
		}
		if (!any)
			return false;
	}
	return true;
}

static int check_filters(const struct cli *cli, const char *const *keys)
{
	for (unsigned i = 0; i < cli->nb_values; i++) {
		const char *filter = cli->values[i].text;
		size_t len = strcspn(filter, "=");
		bool known = false;

		for (unsigned k = 0; keys[k]; k++)
			known |= strlen(keys[k]) == len && !strncmp(keys[k], filter, len);
		if (!known || !filter[len])
			return cli_usage("--filter takes %s=VALUE%s, not '%s'", keys[0],
				keys[1] ? " (or name, label, scope, id)" : "", filter);
	}
	return EXIT_DONE;
}

static void add_network_row(struct table *table, const json_t *network)
{
	char *subnets = cli_value_text(json_object_get(network, "subnets"));

	table_add(table, "%.*s", SHORT_ID, member_text(network, "id"));
	table_add(table, "%s", member_text(network, "name"));
	table_add(table, "%s", member_text(network, "driver"));
	table_add(table, "%s", member_text(network, "scope"));
	table_add(table, "%s", subnets);
	table_add(table, "%lld", member_int(network, "endpoints"));
	free(subnets);
}

static void print_networks(const struct cli *cli, const json_t *result)
{
	struct table table;
	json_t *network;
	size_t i;

	if (!(cli->given & OPT_QUIET))
		table_init(&table, "ID NAME DRIVER SCOPE SUBNETS >ENDPOINTS");
	json_array_foreach (json_object_get(result, "networks"), i, network) {
		if (cli->given & OPT_QUIET)
			printf("%.*s\n", SHORT_ID, member_text(network, "id"));
		else
			add_network_row(&table, network);
	}
	if (!(cli->given & OPT_QUIET))
		table_print(&table);
}

static int ls(struct cli *cli, int argc, char **argv)
{
	static const char *const keys[] = {"driver", "name", "label", "scope", "id", NULL};
	json_t *result, *networks;
	int rc = check_filters(cli, keys);

	if (rc == EXIT_DONE)
		rc = cli_call(cli, "network.ls", NULL, &result);
	if (rc != EXIT_DONE)
		return rc;
	networks = json_object_get(result, "networks");
	for (size_t i = json_array_size(networks); i-- > 0;) {
		if (!passes(cli, json_array_get(networks, i)))
			json_array_remove(networks, i);
	}
	if (cli->json)
		cli_print_json(result);
	else
		print_networks(cli, result);
	json_decref(result);
	return EXIT_DONE;
}

// ---- inspect, prune ----

// A list, with --json or without, as Docker prints it.
static int inspect(struct cli *cli, int argc, char **argv)
{
	json_t *list = json_array(), *result;
	int status = EXIT_DONE;

	for (int i = 0; i < argc && (status == EXIT_DONE || !cli->json); i++) {
		if (cli_call(cli, "network.inspect", json_pack("{s:s}", "name", argv[i]),
			    &result) == EXIT_DONE)
			json_array_append_new(list, result);
		else
			status = EXIT_REFUSED;
	}
	if (status == EXIT_DONE || !cli->json)
		cli_print_json(list);
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

static int prune(struct cli *cli, int argc, char **argv)
{
	static const char *const keys[] = {"label", NULL};
	json_t *labels = NULL;
	int rc = check_filters(cli, keys);

	for (unsigned i = 0; rc == EXIT_DONE && i < cli->nb_values; i++) {
		const char *label = cli->values[i].text + strlen("label=");
		size_t len = strcspn(label, "=");
		char name[256];

		snprintf(name, sizeof(name), "%.*s", (int)len, label);
		if (!labels)
			labels = json_object();
		json_object_set_new(labels, name, json_string(label[len] ? label + len + 1 : ""));
	}
	if (rc == EXIT_DONE && !(cli->given & OPT_FORCE)) {
		if (!isatty(STDIN_FILENO))
			rc = cli_usage("network prune asks on a terminal only; give --force");
		else if (!is_sure())
			rc = EXIT_REFUSED;
	}
	if (rc != EXIT_DONE) {
		json_decref(labels);
		return rc;
	}
	return cli_show(cli, "network.prune", json_pack("{s:o*}", "labels", labels), print_deleted);
}

const struct verb verbs_network[] = {
	{"network create", "NETWORK", "make a network; prints its id",
		"What is not given is chosen. With several subnets, ranges, gateways and reserved "
		"addresses\nfind theirs by themselves. Options (-o): vni=ID, mtu=BYTES, "
		"spoof=allow|deny.",
		1, 1,
		OPT_DRIVER | OPT_SUBNET | OPT_IP_RANGE | OPT_GATEWAY | OPT_AUX_ADDRESS | OPT_IPV6 |
			OPT_INTERNAL | OPT_DNS | OPT_LABEL | OPT_OPT,
		create, true},
	{"network rm", "NETWORK...", "delete networks that no container is connected to", NULL, 1,
		-1, OPT_FORCE, rm, true},
	{"network ls", "", "list the networks",
		"Filters: driver=NAME, name=PART, label=NAME[=VALUE], scope=global|local, "
		"id=BEGINNING.",
		0, 0, OPT_QUIET | OPT_FILTER, ls, true},
	{"network inspect", "NETWORK...", "everything of networks, on all hosts, as JSON", NULL, 1,
		-1, 0, inspect, true},
	{"network prune", "", "delete all networks that no container is connected to",
		"Filter: label=NAME[=VALUE].", 0, 0, OPT_FORCE | OPT_FILTER, prune, true},
	{NULL},
};
