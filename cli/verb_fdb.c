// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <string.h>

#include "base/ip.h"
#include "cli/entries.h"
#include "config/conf.h"

static void add_row(struct table *table, const json_t *e)
{
	table_add(table, "%s", member_text(e, "bridge"));
	table_add(table, "%lld", member_int(e, "vlan"));
	table_add(table, "%s", member_text(e, "mac"));
	table_add(table, "%s", member_text(e, "port"));
	table_add(table, "%s", *member_text(e, "tunnel") ? member_text(e, "tunnel") : "-");
	table_add(table, "%s", member_text(e, "kind"));
	table_add_age(table, cli_age_s(e, "seen"));
}

// Only what follows the address.
static int option(json_t *obj, const char *key, const char *value, struct err *err)
{
	if (strcmp(key, "vlan") && strcmp(key, "tunnel") && strcmp(key, "port"))
		return err_set(err, -EINVAL, "",
			"unknown option '%.60s'; the options are vlan, tunnel and port", key);
	return conf_fdb_option(obj, key, value, err);
}

// "02:00:00:00:00:09 10.0.0.2 vlan=10": behind a port of type vxlan; or its name for the address.
static json_t *entry_of_line(char **word, unsigned count, struct err *err)
{
	json_t *entry = json_object();
	struct ip_addr ip;

	if (count < 2) {
		err_set(err, -EINVAL, "",
			"a line is MAC ADDRESS|PORT [port=PORT] [vlan=ID], or a JSON object");
		goto err;
	}
	if (conf_fdb_option(entry, "mac", word[0], err) < 0 ||
		conf_fdb_option(
			entry, ip_parse(word[1], &ip) < 0 ? "port" : "tunnel", word[1], err) < 0 ||
		cli_line_options(entry, option, word + 2, count - 2, err) < 0)
		goto err;
	return entry;

err:
	json_decref(entry);
	return NULL;
}

static const struct entry_kind fdb = {
	.list = "fdb.show",
	.add = "fdb.add",
	.del = "fdb.del",
	.headings = "BRIDGE >VLAN MAC PORT TUNNEL KIND >AGE",
	.option = option,
	.of_line = entry_of_line,
	.add_row = add_row,
};

static int ls(struct cli *cli, int argc, char **argv)
{
	return cli_entries_ls(cli, &fdb, argc ? argv[0] : NULL);
}

static int add(struct cli *cli, int argc, char **argv)
{
	const char *port = strchr(argv[2], '=') ? NULL : argv[2];
	int skip = port ? 3 : 2;
	json_t *entry;
	int rc = cli_entry(cli, &fdb, argc - skip, argv + skip, &entry);

	if (rc != EXIT_DONE)
		return rc;
	json_object_set_new(entry, "mac", json_string(argv[1]));
	if (port)
		json_object_set_new(entry, "port", json_string(port));
	return cli_entry_add(cli, &fdb, argv[0], entry);
}

static int load(struct cli *cli, int argc, char **argv)
{
	return cli_entries_load(cli, &fdb, argv[0], argv[1]);
}

static int rm(struct cli *cli, int argc, char **argv)
{
	json_t *entry;
	int rc = cli_entry(cli, &fdb, argc - 2, argv + 2, &entry);

	if (rc != EXIT_DONE)
		return rc;
	json_object_set_new(entry, "mac", json_string(argv[1]));
	return cli_entry_rm(cli, &fdb, argv[0], entry);
}

static int flush(struct cli *cli, int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[0], "port"))
		return cli_usage("'%s %s' is neither BRIDGE nor port PORT", argv[0], argv[1]);
	return cli_change(cli, "fdb.flush",
		json_pack("{s:s}", argc == 2 ? "port" : "bridge", argv[argc - 1]));
}

static const struct verb verbs[] = {
	{"fdb ls", "[BRIDGE]", "list forwarding entries", .max_args = 1, .run = ls},
	{"fdb add", "BRIDGE MAC [PORT] [tunnel=ADDRESS] [vlan=ID]", "add a static forwarding entry",
		.detail = "tunnel= names the remote VTEP behind a port of type vxlan. PORT may be "
			  "left out when only one such port carries the VLAN. An entry for the "
			  "address 00:00:00:00:00:00 adds the remote VTEP to those that broadcast, "
			  "multicast and unknown frames are sent to; there may be several.",
		.min_args = 3, .max_args = 5, .options = CLI_OPTIONS(&cli_force), .run = add},
	{"fdb rm", "BRIDGE MAC [tunnel=ADDRESS] [port=PORT] [vlan=ID]",
		"delete a static forwarding entry", .min_args = 2, .max_args = 5,
		.options = CLI_OPTIONS(&cli_if_exists, &cli_force), .run = rm},
	{"fdb load", "BRIDGE FILE", "add the static entries of a file, all or none",
		.detail = "A line is MAC ADDRESS|PORT [port=PORT] [vlan=ID], where ADDRESS is a "
			  "remote VTEP, or a JSON object. FILE - is standard input.",
		.min_args = 2, .max_args = 2, .options = CLI_OPTIONS(&cli_force), .run = load},
	{"fdb flush", "BRIDGE | port PORT", "forget the learned entries of a bridge or port",
		.min_args = 1, .max_args = 2, .options = CLI_OPTIONS(&cli_force), .run = flush},
	{},
};
const struct verb_group verb_group_fdb = {
	"Forwarding entries", "vsctl fdb add br0 02:00:00:00:00:09 c1 vlan=10", verbs};
