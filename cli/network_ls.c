// SPDX-License-Identifier: BSD-3-Clause
#include "cli/network_ls.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "cli/format.h"
#include "cli/table.h"

#define SHORT_ID 12 // digits

static const struct cli_option filter = {"--filter", "KEY=VALUE", "list only networks that match",
	.words = "driver= id= label= name= scope= type= dangling=", .letter = 'f', .repeats = true};
static const struct cli_option format = {
	"--format", "FORMAT", CLI_FORMAT_HELP, .words = "json table"};
static const struct cli_option no_trunc = {"--no-trunc", NULL, "print ids in full length"};
static const struct cli_option quiet = {"--quiet", NULL, "print ids only", .letter = 'q'};

const struct cli_option *const cli_network_ls_options[] = {
	&filter, &format, &no_trunc, &quiet, NULL};

static const char *const fields[] = {"id", "name", "driver", "scope", "subnets", "vni", "ipv6",
	"internal", "builtin", "labels", "created", "endpoints", "endpoints_here", NULL};

// ---- filters ----

static bool has_label(const json_t *network, const char *want)
{
	const json_t *labels = json_object_get(network, "labels");
	size_t len = strcspn(want, "=");
	const json_t *label = json_object_getn(labels, want, len);

	return label && (!want[len] || !strcmp(json_string_value(label), want + len + 1));
}

static bool has_name(const json_t *network, const char *want)
{
	return strstr(member_text(network, "name"), want);
}

static bool has_id(const json_t *network, const char *want)
{
	return strstr(member_text(network, "id"), want);
}

static bool has_driver(const json_t *network, const char *want)
{
	return !strcmp(member_text(network, "driver"), want);
}

static bool has_scope(const json_t *network, const char *want)
{
	return !strcmp(member_text(network, "scope"), want);
}

static bool has_type(const json_t *network, const char *want)
{
	return member_flag(network, "builtin") == !strcmp(want, "builtin");
}

static bool is_dangling(const json_t *network, const char *want)
{
	bool dangling = !member_int(network, "endpoints") && !member_flag(network, "builtin");

	return dangling == !strcmp(want, "true");
}

static const struct {
	const char *key;
	bool (*passes)(const json_t *network, const char *value);
	const char *values[2]; // NULL: any
} keys[] = {
	{"driver", has_driver},
	{"id", has_id},
	{"label", has_label},
	{"name", has_name},
	{"scope", has_scope, {"global", "local"}},
	{"type", has_type, {"builtin", "custom"}},
	{"dangling", is_dangling, {"true", "false"}},
};

// The row of a filter, and its value; ARRAY_SIZE(keys) when it is none.
static unsigned key_of(const char *text, const char **ret_value)
{
	size_t len = strcspn(text, "=");
	unsigned k = 0;

	while (k < ARRAY_SIZE(keys) &&
		(strlen(keys[k].key) != len || strncmp(keys[k].key, text, len) != 0))
		k++;
	if (!text[len])
		return ARRAY_SIZE(keys);
	*ret_value = text + len + 1;
	return k;
}

int cli_network_filters_check(const json_t *filters, struct err *err)
{
	const json_t *item;
	const char *value;
	size_t i;

	json_array_foreach (filters, i, item) {
		unsigned k = key_of(json_string_value(item), &value);

		if (k == ARRAY_SIZE(keys))
			return err_set(err, -EINVAL, "",
				"--filter takes driver=VALUE (or id, label, name, scope, type, "
				"dangling), not '%s'",
				json_string_value(item));
		if (keys[k].values[0] && strcmp(value, keys[k].values[0]) != 0 &&
			strcmp(value, keys[k].values[1]) != 0)
			return err_set(err, -EINVAL, "", "--filter %s takes %s or %s, not '%s'",
				keys[k].key, keys[k].values[0], keys[k].values[1], value);
	}
	return 0;
}

bool cli_network_passes(const json_t *filters, const json_t *network)
{
	unsigned given[ARRAY_SIZE(keys)] = {0}, passed[ARRAY_SIZE(keys)] = {0};
	const json_t *item;
	const char *value;
	size_t i;

	json_array_foreach (filters, i, item) {
		unsigned k = key_of(json_string_value(item), &value);

		given[k]++;
		passed[k] += keys[k].passes(network, value);
	}
	for (unsigned k = 0; k < ARRAY_SIZE(keys); k++) {
		bool all = keys[k].passes == has_label;

		if (given[k] && passed[k] < (all ? given[k] : 1))
			return false;
	}
	return true;
}

// ---- output ----

static void add_row(struct table *table, const json_t *network)
{
	char *subnets = cli_value_text(json_object_get(network, "subnets"));

	table_add(table, "%s", member_text(network, "id"));
	table_add(table, "%s", member_text(network, "name"));
	table_add(table, "%s", member_text(network, "driver"));
	table_add(table, "%s", member_text(network, "scope"));
	table_add(table, "%s", subnets);
	table_add(table, "%lld", member_int(network, "endpoints"));
	free(subnets);
}

static void print_table(const json_t *networks)
{
	struct table table;
	json_t *network;
	size_t i;

	table_init(&table, "ID NAME DRIVER SCOPE SUBNETS >ENDPOINTS");
	json_array_foreach (networks, i, network)
		add_row(&table, network);
	table_print(&table);
}

static void print_ids(const json_t *networks)
{
	json_t *network;
	size_t i;

	json_array_foreach (networks, i, network)
		printf("%s\n", member_text(network, "id"));
}

static void shorten_ids(json_t *networks)
{
	json_t *network;
	size_t i;

	json_array_foreach (networks, i, network)
		json_object_set_new(
			network, "id", json_sprintf("%.*s", SHORT_ID, member_text(network, "id")));
}

static int print_networks(const struct cli *cli, json_t *result, const struct template *t)
{
	json_t *networks = json_object_get(result, "networks");

	if (!cli->json && !cli_flag(cli, &no_trunc))
		shorten_ids(networks);
	if (cli->json)
		cli_print_json(result);
	else if (t->nb_pieces)
		return cli_format_print(cli, t, networks, fields);
	else if (cli_flag(cli, &quiet))
		print_ids(networks);
	else
		print_table(networks);
	return EXIT_DONE;
}

static void drop_filtered(json_t *networks, const json_t *filters)
{
	for (size_t i = json_array_size(networks); i-- > 0;) {
		if (!cli_network_passes(filters, json_array_get(networks, i)))
			json_array_remove(networks, i);
	}
}

static int check_options(const struct cli *cli, const json_t *filters, struct template *ret_t)
{
	const char *text = cli_text(cli, &format);
	struct err err = {0};

	if (cli_network_filters_check(filters, &err) < 0)
		return cli_usage("%s", err.reason);
	if (text && cli_flag(cli, &quiet))
		return cli_usage("--quiet and --format exclude each other");
	if (text && !strcmp(text, "table")) // Docker's word for what is printed anyway
		text = NULL;
	return cli_format_parse(cli, text, fields, ret_t);
}

int cli_network_ls(struct cli *cli, int argc, char **argv)
{
	json_t *filters = cli_list(cli, &filter), *result;
	struct template t = {0};
	int rc = check_options(cli, filters, &t);

	if (rc == EXIT_DONE)
		rc = cli_call(cli, "network.ls", NULL, &result);
	if (rc == EXIT_DONE) {
		drop_filtered(json_object_get(result, "networks"), filters);
		rc = print_networks(cli, result, &t);
		json_decref(result);
	}
	json_decref(filters);
	return rc;
}
