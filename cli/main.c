// SPDX-License-Identifier: BSD-3-Clause
// The choice of the verb.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

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
		return cli_usage("--run-dir and --connect are two different switches");
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

// JSON carries nothing else.
static bool is_utf8(const char *text)
{
	json_t *string = json_string(text);

	json_decref(string);
	return string;
}

static int check_verb(const struct cli *cli, const struct verb *verb, int argc, char **argv)
{
	unsigned wrong = cli->given & ~verb->options;

	for (const struct cli_option *o = cli_options; o->name; o++) {
		if (o->verb_option & wrong)
			return cli_usage("%s has no option %s", verb->name, o->name);
	}
	for (int i = 0; i < argc; i++) {
		if (!is_utf8(argv[i]))
			return cli_usage("argument %d of %s is not UTF-8", i + 1, verb->name);
	}
	for (unsigned i = 0; i < cli->nb_values; i++) {
		if (!is_utf8(cli->values[i].text))
			return cli_usage(
				"the value of %s is not UTF-8", cli->values[i].option->name);
	}
	if (argc < verb->min_args || (verb->max_args >= 0 && argc > verb->max_args))
		return cli_usage("too %s arguments: vsctl %s %s",
			argc < verb->min_args ? "few" : "many", verb->name, verb->args);
	return EXIT_DONE;
}

static int run_verb(struct cli *cli, int argc, char **argv)
{
	const struct verb *verb;
	int words, rc;

	if (cli->help)
		return verbs_help[0].run(cli, argc, argv);
	if (argc < 1)
		return cli_usage("no verb is given");
	verb = cli_find_verb(argc, argv, &words);
	if (!verb)
		return cli_unknown_verb(argc, argv);
	argc -= words;
	argv += words;
	cli->of_agent = verb->of_agent;
	rc = check_verb(cli, verb, argc, argv);
	return rc == EXIT_DONE ? verb->run(cli, argc, argv) : rc;
}

int main(int argc, char **argv)
{
	struct cli cli = {.watch_s = 1};
	int rc;

	rc = cli_parse_options(&cli, &argc, argv);
	if (rc == EXIT_DONE)
		rc = complete_connect(&cli.connect);
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
