// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"

static void print_event(struct cli *cli, const json_t *event)
{
	char *data;

	if (cli->json) {
		json_dumpf(event, stdout, JSON_COMPACT);
		putchar('\n');
	} else {
		data = cli_options_text(json_object_get(event, "data"));
		printf("%s %s %s\n", member_text(event, "time"), member_text(event, "event"), data);
		free(data);
	}
	fflush(stdout);
}

int cli_monitor(struct cli *cli, int argc, char **argv)
{
	struct err err = {0};
	int rc = cli_connect(cli);

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

const struct verb verbs_monitor[] = {
	{"monitor", "[EVENT...]", "print events as they happen",
		"Only events whose name begins with one of the arguments, such as port. or "
		"port.down.",
		0, -1, 0, cli_monitor},
	{NULL},
};
