// SPDX-License-Identifier: BSD-3-Clause
// A command line from its words to the run of its verb.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "cli/cli.h"
#include "cli/globals.h"
#include "cli/help.h"
#include "cli/output.h"

static const char *from_environment(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

// What the options leave open. Where the switch is comes from one place: --run-dir is not joined
// by an address of the environment.
static int complete_connect(struct ctrl_client_opts *opts)
{
	if (opts->run_dir && (opts->connect || opts->connect_events))
		return cli_usage("--run-dir and --connect name two different switches");
	if (!opts->run_dir && !opts->connect && !opts->connect_events) {
		opts->connect = from_environment("CAUSEWAY_CONNECT");
		opts->connect_events = from_environment("CAUSEWAY_CONNECT_EVENTS");
	}
	if (!opts->run_dir)
		opts->run_dir = from_environment("CAUSEWAY_RUN_DIR");
	if (!opts->secret_key_file)
		opts->secret_key_file = from_environment("CAUSEWAY_KEY");
	if (!opts->server_key_file)
		opts->server_key_file = from_environment("CAUSEWAY_SERVER_KEY");
	return EXIT_DONE;
}

static int take_globals(struct cli *cli)
{
	const char *timeout = cli_text(cli, &cli_timeout);
	double seconds = 0;

	cli->json = cli_flag(cli, &cli_json);
	if (cli->json)
		cli_output_json();
	cli->connect = (struct ctrl_client_opts){
		.run_dir = cli_text(cli, &cli_run_dir),
		.connect = cli_text(cli, &cli_connect_to),
		.connect_events = cli_text(cli, &cli_connect_events),
		.secret_key_file = cli_text(cli, &cli_key),
		.server_key_file = cli_text(cli, &cli_server_key),
	};
	if (timeout && cli_seconds("--timeout", timeout, &seconds) != EXIT_DONE)
		return EXIT_USAGE;
	if (timeout)
		cli->connect.timeout_ms = MAX_OF(1, seconds * 1000);
	return complete_connect(&cli->connect);
}

// JSON carries nothing else.
static bool is_utf8(const char *text)
{
	json_t *string = json_string(text);

	json_decref(string);
	return string;
}

static int check_words(const struct cli *cli, int argc, char **argv)
{
	const struct verb *verb = cli->verb;

	for (int i = 0; i < argc; i++) {
		if (!is_utf8(argv[i]))
			return cli_usage("argument %d of %s is not UTF-8", i + 1, verb->name);
	}
	for (unsigned i = 0; i < cli->nb_values; i++) {
		if (cli->values[i].text && !is_utf8(cli->values[i].text))
			return cli_usage(
				"the value of %s is not UTF-8", cli->values[i].option->name);
	}
	if (argc < verb->min_args || (verb->max_args >= 0 && argc > verb->max_args))
		return cli_usage("too %s arguments: vsctl %s%s%s",
			argc < verb->min_args ? "few" : "many", verb->name, *verb->args ? " " : "",
			verb->args);
	return EXIT_DONE;
}

static int run_verb(struct cli *cli, int argc, char **argv)
{
	int words, rc;

	if (cli_flag(cli, &cli_version)) {
		printf("vsctl %s\n", CAUSEWAY_VERSION);
		return EXIT_DONE;
	}
	if (cli_flag(cli, &cli_help))
		return cli_help_of(cli, argc, argv);
	if (argc < 1)
		return cli_usage("no verb is given");
	if (!cli->verb)
		return cli_unknown_verb(argc, argv);
	cli_find_verb(argc, argv, &words);
	cli->argc = argc - words;
	cli->argv = argv + words;
	rc = check_words(cli, argc - words, argv + words);
	return rc == EXIT_DONE ? cli->verb->run(cli, argc - words, argv + words) : rc;
}

int cli_main(int argc, char **argv)
{
	struct cli cli = {0};
	int rc;

	rc = cli_parse(&cli, &argc, argv);
	if (rc == EXIT_DONE)
		rc = take_globals(&cli);
	if (rc == EXIT_DONE)
		rc = run_verb(&cli, argc - 1, argv + 1);
	ctrl_client_free(cli.client);
	free(cli.values);
	if (fflush(stdout) < 0 || ferror(stdout)) {
		fprintf(stderr, "vsctl: cannot write the output: %s\n", strerror(errno));
		rc = EXIT_REFUSED;
	}
	return rc;
}
