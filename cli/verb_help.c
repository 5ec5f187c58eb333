// SPDX-License-Identifier: BSD-3-Clause
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "config/schema.h"

static void print_verb(const struct verb *verb)
{
	char usage[128];

	snprintf(usage, sizeof(usage), "%s %s", verb->name, verb->args);
	printf("  %-38s %s\n", usage, verb->help);
}

static const char *option_usage(const struct cli_option *o, char buf[64])
{
	char letter[] = {'-', o->letter, ',', ' ', '\0'};

	snprintf(buf, 64, "%s%s%s%s", o->letter ? letter : "", o->name, o->arg ? " " : "",
		o->arg ? o->arg : "");
	return buf;
}

static int help_all(void)
{
	printf("Usage: vsctl [OPTION...] VERB [ARGUMENT...]\n\n");
	for (unsigned g = 0; g < nb_verb_groups; g++) {
		for (const struct verb *verb = verb_groups[g]; verb->name; verb++)
			print_verb(verb);
	}
	printf("\nOptions:\n");
	for (const struct cli_option *o = cli_options; o->name; o++) {
		char usage[64];

		printf("  %-38s %s\n", option_usage(o, usage), o->help);
	}
	printf("\nExit status: 0 done, 1 refused or failed, 2 wrong usage.\n");
	return EXIT_DONE;
}

static void print_detail(const struct verb *verb)
{
	printf("vsctl %s %s\n  %s\n", verb->name, verb->args, verb->help);
	if (verb->detail)
		printf("%s\n", verb->detail);
	for (const struct cli_option *o = cli_options; o->name; o++) {
		char usage[64];

		if (o->verb_option & verb->options)
			printf("  %s  %s\n", option_usage(o, usage), o->help);
	}
}

static int help(struct cli *cli, int argc, char **argv)
{
	const struct verb *verb;
	bool found = false;
	int words;

	if (!argc)
		return help_all();
	verb = cli_find_verb(argc, argv, &words);
	if (verb) {
		print_detail(verb);
		return EXIT_DONE;
	}
	for (unsigned g = 0; argc == 1 && g < nb_verb_groups; g++) {
		for (verb = verb_groups[g]; verb->name; verb++) {
			if (!cli_begins_with(verb, argv[0]))
				continue;
			print_detail(verb);
			found = true;
		}
	}
	return found ? EXIT_DONE : cli_unknown_verb(argc, argv);
}

const struct verb verbs_help[] = {
	{"help", "[VERB]", "print help", NULL, 0, 2, 0, help},
	{"completion", "bash", "print the completion of the shell",
		"For this shell: source <(vsctl completion bash)", 1, 1, 0, cli_completion},
	{NULL},
};
