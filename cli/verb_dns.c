// SPDX-License-Identifier: BSD-3-Clause
// Names of containers and hosts, as this host answers them.
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/table.h"

static const struct cli_option from = {
	"--from", "CONTAINER", "ask as this container of this host does"};
static const struct cli_option in_network = {
	"--network", "NETWORK", "ask as a container that is in this network alone"};

static void add_text(struct table *table, const char *text)
{
	table_add(table, "%s", *text ? text : "-");
}

static void print_names(const struct cli *cli, const json_t *result)
{
	struct table table;
	json_t *name, *problem;
	size_t i;

	table_init(&table, "NETWORK NAME ALIAS-OF ADDRESSES HOST STATE");
	json_array_foreach (json_object_get(result, "names"), i, name) {
		char *addresses = cli_value_text(json_object_get(name, "addresses"));

		add_text(&table, member_text(name, "network"));
		add_text(&table, member_text(name, "name"));
		add_text(&table, member_text(name, "alias_of"));
		add_text(&table, addresses);
		add_text(&table, member_text(name, "host"));
		add_text(&table, member_flag(name, "suspended") ? "suspended" : "present");
		free(addresses);
	}
	table_print(&table);
	json_array_foreach (json_object_get(result, "problems"), i, problem)
		printf("problem: %s: %s\n", member_text(problem, "object"),
			member_text(problem, "reason"));
}

static int ls(struct cli *cli, int argc, char **argv)
{
	return cli_show(
		cli, "dns.ls", json_pack("{s:s*}", "network", argc ? argv[0] : NULL), print_names);
}

static void print_records(const json_t *records)
{
	json_t *record;
	size_t i;

	json_array_foreach (records, i, record)
		printf("%s\n", json_string_value(record));
}

static void print_answer(const struct cli *cli, const json_t *result)
{
	char *flags = cli_value_text(json_object_get(result, "flags"));
	const char *server = member_text(result, "server");
	json_t *error;
	size_t i;

	print_records(json_object_get(result, "answer"));
	print_records(json_object_get(result, "authority"));
	json_array_foreach (json_object_get(result, "errors"), i, error)
		printf("; extended error %s\n", json_string_value(error));
	printf("; %s, flags %s, from %s%s%s, %lld us\n", member_text(result, "rcode"),
		flags && *flags ? flags : "none", member_text(result, "source"), *server ? " " : "",
		server, member_int(result, "us"));
	free(flags);
}

static int query(struct cli *cli, int argc, char **argv)
{
	if (cli_given(cli, &from) && cli_given(cli, &in_network))
		return cli_usage("--from and --network exclude each other: a container sees all "
				 "of its networks");
	return cli_show(cli, "dns.query",
		json_pack("{s:s, s:s*, s:s*, s:s*}", "name", argv[0], "type",
			argc > 1 ? argv[1] : NULL, "container", cli_text(cli, &from), "network",
			cli_text(cli, &in_network)),
		print_answer);
}

static void print_item(const char *section, const json_t *item)
{
	char *text = json_is_object(item) ? cli_options_text(item) : cli_value_text(item);

	printf("%s: %s\n", section, text && *text ? text : "-");
	free(text);
}

static void print_stats(const struct cli *cli, const json_t *result)
{
	const char *section;
	json_t *value, *item;
	size_t i;

	json_object_foreach ((json_t *)result, section, value) {
		if (!json_is_array(value))
			print_item(section, value);
		json_array_foreach (value, i, item)
			print_item(section, item);
	}
}

static int stats(struct cli *cli, int argc, char **argv)
{
	return cli_show(cli, "dns.stats", NULL, print_stats);
}

static int flush(struct cli *cli, int argc, char **argv)
{
	return cli_change(cli, "dns.flush", NULL);
}

static const struct verb verbs[] = {
	{"dns ls", "[NETWORK]", "list the names that this host answers",
		.detail = "Lists the hosts, and the names in one network, or in all networks that "
			  "containers of this host are connected to. The names of a host that does "
			  "not reach the store are marked `suspended`.",
		.max_args = 1, .run = ls, .of_agent = true},
	{"dns query", "NAME|ADDRESS [TYPE]", "ask for a name as a container would",
		.detail = "TYPE is a record type. The default is A for a name, and PTR, which "
			  "gives the names of an address, for an address.",
		.min_args = 1, .max_args = 2, .options = CLI_OPTIONS(&from, &in_network),
		.run = query, .of_agent = true},
	{"dns stats", "", "show counters of questions, answers, cache and servers", .run = stats,
		.of_agent = true},
	{"dns flush", "", "forget the cached answers of other servers", .run = flush,
		.of_agent = true},
	{},
};
const struct verb_group verb_group_dns = {"Names", "vsctl dns query web --from c1", verbs};
