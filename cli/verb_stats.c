// SPDX-License-Identifier: BSD-3-Clause
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/util.h"
#include "cli/cli.h"
#include "cli/output.h"
#include "cli/table.h"

static const char *const counters[] = {
	"rx_packets", "tx_packets", "rx_bytes", "tx_bytes", "rx_dropped", "tx_dropped"};

static const struct cli_option watch = {
	"--watch", "[SECONDS]", "print rates every second, or every SECONDS, until interrupted"};
static const struct cli_option all = {"--all", NULL, "also show reasons that never occurred"};

static json_t *one_port(int argc, char **argv)
{
	return json_pack("{s:s*}", "port", argc ? argv[0] : NULL);
}

static void print_totals(const struct cli *cli, const json_t *result)
{
	struct table table;
	json_t *port;
	size_t i;

	table_init(&table, "PORT >rx_packets >tx_packets >rx_bytes >tx_bytes >rx_dropped "
			   ">tx_dropped");
	json_array_foreach (json_object_get(result, "ports"), i, port) {
		table_add(&table, "%s", member_text(port, "name"));
		for (unsigned c = 0; c < ARRAY_SIZE(counters); c++)
			table_add(&table, "%lld", member_int(port, counters[c]));
	}
	table_print(&table);
}

static const json_t *same_port(const json_t *result, const char *name)
{
	json_t *port;
	size_t i;

	json_array_foreach (json_object_get(result, "ports"), i, port) {
		if (!strcmp(member_text(port, "name"), name))
			return port;
	}
	return NULL;
}

// One object of rates for each port that was there both times.
static json_t *rates(const json_t *before, const json_t *now)
{
	double seconds = (member_int(now, "time_us") - member_int(before, "time_us")) / 1e6;
	json_t *list = json_array(), *port;
	size_t i;

	json_array_foreach (json_object_get(now, "ports"), i, port) {
		const json_t *old = same_port(before, member_text(port, "name"));
		json_t *row;

		if (!old)
			continue;
		row = json_pack("{s:s}", "name", member_text(port, "name"));
		for (unsigned c = 0; c < ARRAY_SIZE(counters); c++)
			json_object_set_new(row, counters[c],
				json_real((member_int(port, counters[c]) -
						  member_int(old, counters[c])) /
					  seconds));
		json_array_append_new(list, row);
	}
	return json_pack("{s:f, s:o}", "seconds", seconds, "ports_per_second", list);
}

static void print_rates(const json_t *rates)
{
	struct table table;
	json_t *port;
	size_t i;

	table_init(&table, "PORT >rx_packets/s >tx_packets/s >rx_Mbit/s >tx_Mbit/s >rx_dropped/s "
			   ">tx_dropped/s");
	json_array_foreach (json_object_get(rates, "ports_per_second"), i, port) {
		table_add(&table, "%s", member_text(port, "name"));
		for (unsigned c = 0; c < ARRAY_SIZE(counters); c++) {
			double value = json_number_value(json_object_get(port, counters[c]));

			if (c == 2 || c == 3)
				table_add(&table, "%.1f", value * 8 / 1e6);
			else
				table_add(&table, "%.0f", value);
		}
	}
	cli_output_clear();
	table_print(&table);
}

static int watch_ports(struct cli *cli, int argc, char **argv, double seconds)
{
	json_t *before, *now;
	int rc = cli_call(cli, "stats", one_port(argc, argv), &before);

	while (rc == EXIT_DONE) {
		json_t *change;

		usleep(seconds * 1e6);
		rc = cli_call(cli, "stats", one_port(argc, argv), &now);
		if (rc != EXIT_DONE)
			break;
		change = rates(before, now);
		if (cli->json)
			cli_print_line(change);
		else
			print_rates(change);
		fflush(stdout);
		json_decref(change);
		json_decref(before);
		before = now;
	}
	return rc;
}

static int stats(struct cli *cli, int argc, char **argv)
{
	double seconds = 1;

	if (cli_text(cli, &watch) && cli_seconds(watch.name, cli_text(cli, &watch), &seconds))
		return EXIT_USAGE;
	if (cli_given(cli, &watch))
		return watch_ports(cli, argc, argv, seconds);
	return cli_show(cli, "stats", one_port(argc, argv), print_totals);
}

static void print_drops(const struct cli *cli, const json_t *result)
{
	struct table table;
	json_t *row;
	size_t i;

	table_init(&table, "REASON DIRECTION >PACKETS MEANING");
	json_array_foreach (json_object_get(result, "drops"), i, row) {
		if (!member_int(row, "packets") && !cli_flag(cli, &all))
			continue;
		table_add(&table, "%s", member_text(row, "reason"));
		table_add(&table, "%s", member_text(row, "direction"));
		table_add(&table, "%lld", member_int(row, "packets"));
		table_add(&table, "%s", member_text(row, "help"));
	}
	table_print(&table);
}

static int drops(struct cli *cli, int argc, char **argv)
{
	return cli_show(cli, "drops", one_port(argc, argv), print_drops);
}

static const struct verb verbs[] = {
	{"stats", "[PORT]", "show the counters of the ports and VTEPs",
		.detail = "With --json, --watch prints one JSON value a line.", .max_args = 1,
		.options = CLI_OPTIONS(&watch), .run = stats},
	{"drops", "[PORT]", "show why packets were dropped", .max_args = 1,
		.options = CLI_OPTIONS(&all), .run = drops},
	{},
};
const struct verb_group verb_group_stats = {"Counters", "vsctl stats --watch", verbs};
