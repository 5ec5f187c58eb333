// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/read_lines.h"
#include "cli/table.h"
#include "config/conf.h"

#define PAGE 10000

static void print_entries(struct cli *cli, struct table *table, const json_t *entries, bool *first)
{
	json_t *e;
	size_t i;

	json_array_foreach (entries, i, e) {
		if (cli->json) {
			fputs(*first ? "\n" : ",\n", stdout);
			json_dumpf(e, stdout, JSON_COMPACT);
			*first = false;
			continue;
		}
		table_add(table, "%s", member_text(e, "bridge"));
		table_add(table, "%lld", member_int(e, "vlan"));
		table_add(table, "%s", member_text(e, "mac"));
		table_add(table, "%s", member_text(e, "port"));
		table_add(table, "%s", *member_text(e, "tunnel") ? member_text(e, "tunnel") : "-");
		table_add(table, "%s", member_text(e, "kind"));
		table_add(table, "%lld", member_int(e, "age_s"));
	}
	if (!cli->json)
		table_print(table);
}

// Prints page after page, so that a million entries need no more memory than one page.
static int fdb_show(struct cli *cli, int argc, char **argv)
{
	char after[64] = "";
	struct table table;
	bool first = true;
	json_t *result;

	table_init(&table, "BRIDGE >VLAN MAC PORT TUNNEL KIND >AGE");
	do {
		json_t *params = json_pack("{s:i, s:s*, s:s*}", "limit", PAGE, "bridge",
			argc ? argv[0] : NULL, "after", after[0] ? after : NULL);
		int rc = cli_call(cli, "fdb.show", params, &result);

		if (rc != EXIT_DONE)
			return rc;
		if (cli->json && !after[0])
			fputs("{\"entries\": [", stdout);
		cli->error_begin = "\n], "; // of one that a later page is answered with
		print_entries(cli, &table, json_object_get(result, "entries"), &first);
		snprintf(after, sizeof(after), "%s", member_text(result, "next"));
		json_decref(result);
	} while (after[0]);
	if (cli->json)
		fputs(first ? "]}\n" : "\n]}\n", stdout);
	return EXIT_DONE;
}

// Only what follows the address.
static int option(json_t *obj, const char *key, const char *value, struct err *err)
{
	if (strcmp(key, "vlan") && strcmp(key, "tunnel") && strcmp(key, "port"))
		return err_set(err, -EINVAL, "",
			"unknown option '%.60s'; there are vlan, tunnel and port", key);
	return conf_fdb_option(obj, key, value, err);
}

// An entry of the address and the options, such as vlan=10.
static int make_entry(struct cli *cli, const char *mac, int argc, char **argv, json_t **ret_entry)
{
	int rc = cli_object(cli, NULL, option, argc, argv, ret_entry);

	if (rc == EXIT_DONE)
		json_object_set_new(*ret_entry, "mac", json_string(mac));
	return rc;
}

static int fdb_add(struct cli *cli, int argc, char **argv)
{
	const char *port = strchr(argv[2], '=') ? NULL : argv[2];
	int skip = port ? 3 : 2;
	json_t *entry;
	int rc = make_entry(cli, argv[1], argc - skip, argv + skip, &entry);

	if (rc != EXIT_DONE)
		return rc;
	if (port)
		json_object_set_new(entry, "port", json_string(port));
	return cli_change(
		cli, "fdb.add", json_pack("{s:s, s:[o]}", "bridge", argv[0], "entries", entry));
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

static int fdb_load(struct cli *cli, int argc, char **argv)
{
	json_t *entries;
	int rc = cli_load(cli, argv[1], entry_of_line, &entries);

	if (rc != EXIT_DONE)
		return rc;
	return cli_change(
		cli, "fdb.add", json_pack("{s:s, s:o}", "bridge", argv[0], "entries", entries));
}

static int fdb_del(struct cli *cli, int argc, char **argv)
{
	json_t *entry;
	int rc = make_entry(cli, argv[1], argc - 2, argv + 2, &entry);

	if (rc != EXIT_DONE)
		return rc;
	return cli_change(cli, "fdb.del",
		json_pack("{s:s, s:[o], s:b}", "bridge", argv[0], "entries", entry, "if_exists",
			!!(cli->given & OPT_IF_EXISTS)));
}

static int fdb_flush(struct cli *cli, int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[0], "port"))
		return cli_usage("'%s %s' is neither BRIDGE nor port PORT", argv[0], argv[1]);
	return cli_change(cli, "fdb.flush",
		json_pack("{s:s}", argc == 2 ? "port" : "bridge", argv[argc - 1]));
}

const struct verb verbs_fdb[] = {
	{"fdb show", "[BRIDGE]", "list forwarding entries", NULL, 0, 1, 0, fdb_show},
	{"fdb add", "BRIDGE MAC [PORT] [tunnel=ADDRESS] [vlan=ID]", "add a static forwarding entry",
		"tunnel= names the remote VTEP behind a port of type vxlan, which may "
		"be "
		"left out when one\nsuch port carries the VLAN. The address 00:00:00:00:00:00 "
		"stands "
		"for frames to all, and may have several.",
		3, 5, 0, fdb_add},
	{"fdb del", "BRIDGE MAC [tunnel=ADDRESS] [port=PORT] [vlan=ID]",
		"delete a static forwarding entry", NULL, 2, 5, OPT_IF_EXISTS, fdb_del},
	{"fdb load", "BRIDGE FILE", "add the static entries of a file, all or none",
		"A line is MAC ADDRESS|PORT [port=PORT] [vlan=ID], or a JSON object. ADDRESS is a "
		"remote tunnel\nendpoint. -: standard input.",
		2, 2, 0, fdb_load},
	{"fdb flush", "BRIDGE | port PORT", "forget what was learned on a bridge or port", NULL, 1,
		2, 0, fdb_flush},
	{NULL},
};
