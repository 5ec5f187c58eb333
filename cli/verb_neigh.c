// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <string.h>

#include "base/mac.h"
#include "cli/entries.h"
#include "config/conf.h"

static void add_row(struct table *table, const json_t *e)
{
	table_add(table, "%lld", member_int(e, "vlan"));
	table_add(table, "%s", member_text(e, "ip"));
	table_add(table, "%s", member_text(e, "mac"));
}

// Only what follows the addresses.
static int option(json_t *obj, const char *key, const char *value, struct err *err)
{
	if (strcmp(key, "vlan") != 0)
		return err_set(
			err, -EINVAL, "", "unknown option '%.60s'; the only option is vlan", key);
	return conf_neigh_option(obj, key, value, err);
}

// "10.0.0.9 02:00:00:00:00:09 vlan=10"; the addresses in either order.
static json_t *entry_of_line(char **word, unsigned count, struct err *err)
{
	json_t *entry = json_object();
	struct mac mac;
	unsigned first;

	if (count < 2) {
		err_set(err, -EINVAL, "", "a line is ADDRESS MAC [vlan=ID], or a JSON object");
		goto err;
	}
	first = mac_parse(word[0], &mac) == 0;
	if (conf_neigh_option(entry, "ip", word[first], err) < 0 ||
		conf_neigh_option(entry, "mac", word[!first], err) < 0 ||
		cli_line_options(entry, option, word + 2, count - 2, err) < 0)
		goto err;
	return entry;

err:
	json_decref(entry);
	return NULL;
}

static const struct entry_kind neigh = {
	.list = "neigh.list",
	.add = "neigh.add",
	.del = "neigh.del",
	.headings = ">VLAN ADDRESS MAC",
	.option = option,
	.of_line = entry_of_line,
	.add_row = add_row,
};

static int ls(struct cli *cli, int argc, char **argv)
{
	return cli_entries_ls(cli, &neigh, argv[0]);
}

static int add(struct cli *cli, int argc, char **argv)
{
	json_t *entry;
	int rc = cli_entry(cli, &neigh, argc - 3, argv + 3, &entry);

	if (rc != EXIT_DONE)
		return rc;
	json_object_set_new(entry, "ip", json_string(argv[1]));
	json_object_set_new(entry, "mac", json_string(argv[2]));
	return cli_entry_add(cli, &neigh, argv[0], entry);
}

static int load(struct cli *cli, int argc, char **argv)
{
	return cli_entries_load(cli, &neigh, argv[0], argv[1]);
}

static int rm(struct cli *cli, int argc, char **argv)
{
	json_t *entry;
	int rc = cli_entry(cli, &neigh, argc - 2, argv + 2, &entry);

	if (rc != EXIT_DONE)
		return rc;
	json_object_set_new(entry, "ip", json_string(argv[1]));
	return cli_entry_rm(cli, &neigh, argv[0], entry);
}

static const struct verb verbs[] = {
	{"neigh ls", "BRIDGE", "list the neighbours that a bridge answers ARP and ND for",
		.min_args = 1, .max_args = 1, .run = ls},
	{"neigh add", "BRIDGE ADDRESS MAC [vlan=ID]", "add a neighbour", .min_args = 3,
		.max_args = 4, .options = CLI_OPTIONS(&cli_force), .run = add},
	{"neigh rm", "BRIDGE ADDRESS [vlan=ID]", "delete a neighbour", .min_args = 2, .max_args = 3,
		.options = CLI_OPTIONS(&cli_if_exists, &cli_force), .run = rm},
	{"neigh load", "BRIDGE FILE", "add the neighbours of a file, all or none",
		.detail = "A line is ADDRESS MAC [vlan=ID], or a JSON object. FILE - is standard "
			  "input.",
		.min_args = 2, .max_args = 2, .options = CLI_OPTIONS(&cli_force), .run = load},
	{},
};
const struct verb_group verb_group_neigh = {
	"Neighbours", "vsctl neigh add br0 10.0.0.9 02:00:00:00:00:09", verbs};
