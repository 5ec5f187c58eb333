// SPDX-License-Identifier: BSD-3-Clause
// The options and the choice of the verb.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "config/nearest.h"
#include "ctrl/cli/cli.h"

const struct cli_option cli_options[] = {
	{"--run-dir", "DIR", "the switch's run directory ($CAUSEWAY_RUN_DIR, /run/causeway)", 0},
	{"--json", NULL, "print JSON for programs", 0},
	{"--timeout", "SECONDS", "wait so long for an answer (10)", 0},
	{"--connect", "tcp://HOST:PORT", "a switch elsewhere ($CAUSEWAY_CONNECT); needs both keys",
		0},
	{"--connect-events", "tcp://HOST:PORT",
		"its events, for monitor ($CAUSEWAY_CONNECT_EVENTS)", 0},
	{"--key", "FILE", "your secret key ($CAUSEWAY_KEY)", 0},
	{"--server-key", "FILE", "the switch's public key ($CAUSEWAY_SERVER_KEY)", 0},
	{"--may-exist", NULL, "what is there already is no error", OPT_MAY_EXIST},
	{"--if-exists", NULL, "what is not there is no error", OPT_IF_EXISTS},
	{"--all", NULL, "rows of zeros too", OPT_ALL},
	{"--watch", "[SECONDS]", "print rates again and again", OPT_WATCH},
	{"--version", NULL, "print the version", 0},
	{"--help", NULL, "print this help, or that of the verb", 0},
	{NULL},
};

static int set_option(struct cli *cli, const struct cli_option *option, const char *value)
{
	const char *name = option->name + 2;
	double seconds = 0;
	int rc = EXIT_DONE;

	cli->given |= option->verb_option;
	if (!strcmp(name, "run-dir"))
		cli->connect.run_dir = value;
	else if (!strcmp(name, "connect"))
		cli->connect.connect = value;
	else if (!strcmp(name, "connect-events"))
		cli->connect.connect_events = value;
	else if (!strcmp(name, "key"))
		cli->connect.secret_key_file = value;
	else if (!strcmp(name, "server-key"))
		cli->connect.server_key_file = value;
	else if (!strcmp(name, "json"))
		cli->json = true;
	else if (!strcmp(name, "help"))
		cli->help = true;
	else if (!strcmp(name, "timeout"))
		rc = cli_seconds(option->name, value, &seconds);
	else if (!strcmp(name, "watch") && value)
		rc = cli_seconds(option->name, value, &cli->watch_s);
	if (seconds)
		cli->connect.timeout_ms = MAX_OF(1, seconds * 1000);
	return rc;
}

static const struct cli_option *find_option(const char *arg, size_t len)
{
	for (const struct cli_option *o = cli_options; o->name; o++) {
		if (strlen(o->name) == len && !strncmp(o->name, arg, len))
			return o;
	}
	return NULL;
}

static int unknown_option(const char *arg, size_t len)
{
	unsigned best = NEAREST_FAR;
	const char *nearest = NULL;
	char word[64];

	snprintf(word, sizeof(word), "%.*s", (int)len, arg);
	for (const struct cli_option *o = cli_options; o->name; o++) {
		unsigned distance = nearest_distance(word, o->name);

		if (distance < best) {
			best = distance;
			nearest = o->name;
		}
	}
	if (nearest)
		return cli_usage("unknown option '%s'; did you mean '%s'?", word, nearest);
	return cli_usage("unknown option '%s'", word);
}

static bool is_number(const char *text)
{
	return text && *text && text[strspn(text, "0123456789.")] == '\0';
}

// Takes the option at argv[*i], and its value from the same or the next argument.
static int parse_option(struct cli *cli, int argc, char **argv, int *i)
{
	char *equals = strchr(argv[*i], '=');
	size_t len = equals ? (size_t)(equals - argv[*i]) : strlen(argv[*i]);
	const struct cli_option *option = find_option(argv[*i], len);
	const char *value = equals ? equals + 1 : NULL;

	if (!option)
		return unknown_option(argv[*i], len);
	if (value && !option->arg)
		return cli_usage("%s takes no value", option->name);
	if (!value && option->arg && (option->arg[0] != '[' || is_number(argv[*i + 1]))) {
		if (*i + 1 >= argc)
			return cli_usage("%s needs a value: %s", option->name, option->arg);
		value = argv[++*i];
	}
	return set_option(cli, option, value);
}

// Options may stand anywhere before "--"; what is left stays in argv.
static int parse_options(struct cli *cli, int *argc, char **argv)
{
	int kept = 1;

	for (int i = 1; i < *argc; i++) {
		int rc = EXIT_DONE;

		if (!strcmp(argv[i], "--")) {
			while (++i < *argc)
				argv[kept++] = argv[i];
			break;
		}
		if (!strcmp(argv[i], "--version")) {
			printf("vsctl %s\n", CAUSEWAY_VERSION);
			exit(EXIT_DONE);
		}
		if (!strcmp(argv[i], "-h"))
			cli->help = true;
		else if (argv[i][0] == '-' && argv[i][1])
			rc = parse_option(cli, *argc, argv, &i);
		else
			argv[kept++] = argv[i];
		if (rc != EXIT_DONE)
			return rc;
	}
	argv[kept] = NULL;
	*argc = kept;
	return EXIT_DONE;
}

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
	if (argc < verb->min_args || (verb->max_args >= 0 && argc > verb->max_args))
		return cli_usage("too %s arguments: vsctl %s %s",
			argc < verb->min_args ? "few" : "many", verb->name, verb->args);
	return EXIT_DONE;
}

int main(int argc, char **argv)
{
	struct cli cli = {.watch_s = 1};
	const struct verb *verb;
	int words, rc;

	rc = parse_options(&cli, &argc, argv);
	if (rc == EXIT_DONE)
		rc = complete_connect(&cli.connect);
	if (rc != EXIT_DONE)
		return rc;
	if (cli.help)
		return verbs_help[0].run(&cli, argc - 1, argv + 1);
	if (argc < 2)
		return cli_usage("no verb is given");
	verb = cli_find_verb(argc - 1, argv + 1, &words);
	if (!verb)
		return cli_unknown_verb(argc - 1, argv + 1);
	argc -= 1 + words;
	argv += 1 + words;
	rc = check_verb(&cli, verb, argc, argv);
	if (rc == EXIT_DONE)
		rc = verb->run(&cli, argc, argv);
	ctrl_client_free(cli.client);
	if (fflush(stdout) < 0 || ferror(stdout)) {
		fprintf(stderr, "vsctl: cannot write the output: %s\n", strerror(errno));
		rc = EXIT_REFUSED;
	}
	return rc;
}
