// SPDX-License-Identifier: BSD-3-Clause
// The network agent of this host.
#include <stdio.h>
#include <stdlib.h>

#include "cli/log.h"
#include "cli/monitor.h"
#include "cli/table.h"

static const struct cli_option repair = {"--repair", NULL, "repair the differences"};

static void print_problem(const json_t *problem)
{
	const char *remedy = member_text(problem, "remedy");

	printf("problem: %s: %s (for %.0f s)\n", member_text(problem, "object"),
		member_text(problem, "reason"), cli_age_s(problem, "since"));
	if (*remedy)
		printf("  remedy: %s\n", remedy);
}

static void print_store(const json_t *store)
{
	const char *reason = member_text(store, "reason"), *refuses = member_text(store, "refuses");

	printf("store %s: %s for %.0f s%s%s%s%s\n", member_text(store, "type"),
		member_flag(store, "up") ? "answers" : "does not answer", cli_age_s(store, "since"),
		*reason ? ": " : "", reason, *refuses ? "; refuses changes: " : "", refuses);
}

static void print_status(const struct cli *cli, const json_t *result)
{
	json_t *problem;
	size_t i;

	printf("vsnetd %s, pid %lld, up %.0f s, at %s\n", member_text(result, "version"),
		member_int(result, "pid"), cli_age_s(result, "started"),
		member_text(result, "run_dir"));
	printf("host %s, VTEP address %s, %s of the cluster\n", member_text(result, "host"),
		member_text(result, "address"),
		member_flag(result, "member") ? "a member" : "not yet a member");
	print_store(json_object_get(result, "store"));
	printf("switch: %s for %.0f s\n",
		member_flag(result, "switch") ? "answers" : "does not answer",
		cli_age_s(result, "switch_since"));
	printf("hosts %lld, networks %lld, endpoints %lld (%lld here)\n",
		member_int(result, "hosts"), member_int(result, "networks"),
		member_int(result, "endpoints"), member_int(result, "endpoints_here"));
	printf("%s\n",
		member_flag(result, "settled") ? "no changes are pending" : "changes are pending");
	json_array_foreach (json_object_get(result, "problems"), i, problem)
		print_problem(problem);
}

// What is wrong is a failure: the verb is a health check.
static int show(struct cli *cli, int argc, char **argv)
{
	json_t *result;
	bool healthy;
	int rc = cli_call(cli, "status", NULL, &result);

	if (rc != EXIT_DONE)
		return rc;
	if (cli->json)
		cli_print_json(result);
	else
		print_status(cli, result);
	healthy = member_flag(result, "healthy");
	json_decref(result);
	return healthy ? EXIT_DONE : EXIT_REFUSED;
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
		cli, "audit", json_pack("{s:b}", "repair", cli_flag(cli, &repair)), &result);

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
		printf("store, agent, switch and interfaces agree\n");
	json_decref(result);
	return staying ? EXIT_REFUSED : EXIT_DONE;
}

static const struct verb verbs[] = {
	{"agent show", "", "show the state of the network agent and of its store",
		.other = "net-status",
		.detail =
			"The exit status is 1 if something is wrong: the store or the switch does "
			"not answer, the cluster does not know this host, or there are problems.",
		.run = show, .of_agent = true},
	{"agent audit", "", "compare store, agent, switch and interfaces of this host",
		.other = "audit",
		.detail = "The exit status is 1 if there are differences that were not repaired.",
		.options = CLI_OPTIONS(&repair), .run = audit, .of_agent = true},
	{"agent monitor", "[EVENT...]", "print events of networks, hosts and the store",
		.detail = "With arguments, prints only events whose name begins with one of them, "
			  "such as endpoint. or host.suspended. With --json, prints one JSON value "
			  "a line.",
		.max_args = -1, .options = CLI_OPTIONS(&cli_monitor_list), .run = cli_monitor,
		.of_agent = true},
	{"agent log", "[error|warn|info|debug]", "show or set the level of the agent's log",
		.detail = CLI_LOG_DETAIL, .max_args = 1, .run = cli_log, .of_agent = true},
	{},
};
const struct verb_group verb_group_agent = {"The network agent", "vsctl agent audit", verbs};
