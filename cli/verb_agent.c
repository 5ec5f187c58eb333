// SPDX-License-Identifier: BSD-3-Clause
// How the network agent, the store and the other hosts are.
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/table.h"

static void print_hosts(const struct cli *cli, const json_t *result)
{
	struct table table;
	json_t *host;
	size_t i;

	table_init(&table, "HOST ADDRESS STATE >SINCE_S >ENDPOINTS");
	json_array_foreach (json_object_get(result, "hosts"), i, host) {
		table_add(&table, "%s%s", member_text(host, "name"),
			member_flag(host, "self") ? " (this one)" : "");
		table_add(&table, "%s", member_text(host, "address"));
		table_add(&table, "%s", member_text(host, "state"));
		if (json_object_get(host, "since_s"))
			table_add(&table, "%lld", member_int(host, "since_s"));
		else
			table_add(&table, "-");
		table_add(&table, "%lld", member_int(host, "endpoints"));
	}
	table_print(&table);
}

static int hosts(struct cli *cli, int argc, char **argv)
{
	return cli_show(cli, "hosts", NULL, print_hosts);
}

static void print_status(const struct cli *cli, const json_t *result)
{
	const json_t *store = json_object_get(result, "store");
	const char *reason = member_text(store, "reason");
	json_t *problem;
	size_t i;

	printf("vsnetd %s, pid %lld, up %.0f s, at %s\n", member_text(result, "version"),
		member_int(result, "pid"), json_number_value(json_object_get(result, "uptime_s")),
		member_text(result, "run_dir"));
	printf("host %s, tunnels end at %s, %s the cluster\n", member_text(result, "host"),
		member_text(result, "address"),
		member_flag(result, "member") ? "a member of" : "not (yet) known to");
	printf("store %s: %s%s%s\n", member_text(store, "type"),
		member_flag(store, "up") ? "answers" : "does not answer", *reason ? ": " : "",
		reason);
	printf("switch: %s\n", member_flag(result, "switch") ? "answers" : "does not answer");
	printf("hosts %lld, networks %lld, endpoints %lld (%lld here)\n",
		member_int(result, "hosts"), member_int(result, "networks"),
		member_int(result, "endpoints"), member_int(result, "endpoints_here"));
	printf("%s\n",
		member_flag(result, "settled") ? "nothing is under way" : "changes are under way");
	json_array_foreach (json_object_get(result, "problems"), i, problem)
		printf("problem: %s: %s\n", member_text(problem, "object"),
			member_text(problem, "reason"));
}

static int net_status(struct cli *cli, int argc, char **argv)
{
	return cli_show(cli, "status", NULL, print_status);
}

static void print_differences(const struct cli *cli, const json_t *differences)
{
	struct table table;
	json_t *d;
	size_t i;

	table_init(&table, "WHERE OBJECT DIFFERENCE WANTED ACTUAL REPAIRED");
	json_array_foreach (differences, i, d) {
		char *wanted = cli_value_text(json_object_get(d, "wanted"));
		char *actual = cli_value_text(json_object_get(d, "actual"));

		table_add(&table, "%s", member_text(d, "where"));
		table_add(&table, "%s", member_text(d, "object"));
		table_add(&table, "%s", member_text(d, "difference"));
		table_add(&table, "%s", wanted && *wanted ? wanted : "-");
		table_add(&table, "%s", actual && *actual ? actual : "-");
		table_add(&table, "%s", member_flag(d, "repaired") ? "yes" : "no");
		free(wanted);
		free(actual);
	}
	table_print(&table);
}

// Differences that stay are a failure.
static int audit(struct cli *cli, int argc, char **argv)
{
	json_t *result, *differences, *d;
	unsigned staying = 0;
	size_t i;
	int rc = cli_call(
		cli, "audit", json_pack("{s:b}", "repair", !!(cli->given & OPT_REPAIR)), &result);

	if (rc != EXIT_DONE)
		return rc;
	differences = json_object_get(result, "differences");
	json_array_foreach (differences, i, d)
		staying += !member_flag(d, "repaired");
	if (cli->json)
		cli_print_json(result);
	else if (json_array_size(differences))
		print_differences(cli, differences);
	else
		printf("store, agent and switch agree\n");
	json_decref(result);
	return staying ? EXIT_REFUSED : EXIT_DONE;
}

const struct verb verbs_agent[] = {
	{"hosts", "", "list the hosts of the cluster", NULL, 0, 0, 0, hosts, true},
	{"net-status", "", "how the network agent of this host is", NULL, 0, 0, 0, net_status,
		true},
	{"audit", "", "compare store, agent and switch of this host",
		"Exit status 1 when there are differences that were not mended.", 0, 0, OPT_REPAIR,
		audit, true},
	{NULL},
};
