// SPDX-License-Identifier: BSD-3-Clause
#include "cli/monitor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/table.h"

const struct cli_option cli_monitor_list = {
	"--list", NULL, "list the events that there are, and what they mean"};

static void print_event(struct cli *cli, const json_t *event)
{
	char *data;

	if (cli->json) {
		cli_print_line(event);
		return;
	}
	data = cli_options_text(json_object_get(event, "data"));
	printf("%s %s %s\n", member_text(event, "time"), member_text(event, "event"), data);
	free(data);
	fflush(stdout);
}

static void print_list(const struct cli *cli, const json_t *result)
{
	struct table table;
	json_t *event;
	size_t i;

	table_init(&table, "EVENT MEANING");
	json_array_foreach (json_object_get(result, "events"), i, event) {
		table_add(&table, "%s", member_text(event, "name"));
		table_add(&table, "%s", member_text(event, "help"));
	}
	table_print(&table);
}

int cli_monitor(struct cli *cli, int argc, char **argv)
{
	struct err err = {0};
	int rc;

	if (cli_flag(cli, &cli_monitor_list))
		return cli_show(cli, "events.list", NULL, print_list);
	rc = cli_connect(cli);
	if (rc != EXIT_DONE)
		return rc;
	rc = argc ? 0 : ctrl_client_subscribe(cli->client, "", &err);
	for (int i = 0; rc == 0 && i < argc; i++)
		rc = ctrl_client_subscribe(cli->client, argv[i], &err);
	while (rc == 0 || rc == -EAGAIN) {
		json_t *event;

		rc = ctrl_client_event(cli->client, 1000, &event, &err);
		if (rc == 0) {
			print_event(cli, event);
			json_decref(event);
		}
	}
	return cli_fail(cli, &err);
}

static const struct verb verbs[] = {
	{"monitor", "[EVENT...]", "print events of the switch as they happen",
		.detail = "With arguments, prints only events whose name begins with one of them, "
			  "such as port. or port.down. With --json, prints one JSON value a line.",
		.max_args = -1, .options = CLI_OPTIONS(&cli_monitor_list), .run = cli_monitor},
	{},
};
const struct verb_group verb_group_monitor = {"Events", "vsctl monitor port.", verbs};
