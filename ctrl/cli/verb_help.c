// SPDX-License-Identifier: BSD-3-Clause
#include <stdio.h>
#include <string.h>

#include "config/schema.h"
#include "ctrl/cli/cli.h"
#include "ctrl/method.h"

static void print_verb(const struct verb *verb)
{
	char usage[128];

	snprintf(usage, sizeof(usage), "%s %s", verb->name, verb->args);
	printf("  %-38s %s\n", usage, verb->help);
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

		snprintf(usage, sizeof(usage), "%s%s%s", o->name, o->arg ? " " : "",
			o->arg ? o->arg : "");
		printf("  %-38s %s\n", usage, o->help);
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
		if (o->verb_option & verb->options)
			printf("  %s%s%s  %s\n", o->name, o->arg ? " " : "", o->arg ? o->arg : "",
				o->help);
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

static int reference(struct cli *cli, int argc, char **argv)
{
	bool control = !argc || !strcmp(argv[0], "control");
	bool config = !argc || !strcmp(argv[0], "config");

	if (!control && !config)
		return cli_usage("reference takes control or config, not '%s'", argv[0]);
	if (control)
		ctrl_reference_print(stdout, "The control channel of vswitchd", ctrl_switch_methods,
			CTRL_NB_SWITCH_METHODS, ctrl_switch_events);
	if (control && config)
		putchar('\n');
	if (config)
		schema_print_reference(stdout);
	return EXIT_DONE;
}

const struct verb verbs_help[] = {
	{"help", "[VERB]", "print help", NULL, 0, 2, 0, help},
	{"reference", "[control|config]",
		"print the reference of the control channel, or of the options",
		"In Markdown; both when none is named.", 0, 1, 0, reference},
	{"completion", "bash", "print the completion of the shell",
		"For this shell: source <(vsctl completion bash)", 1, 1, 0, cli_completion},
	{NULL},
};
