// SPDX-License-Identifier: BSD-3-Clause
#include <stdio.h>
#include <string.h>

#include "config/schema.h"
#include "ctrl/cli/cli.h"
#include "ctrl/method.h"
#include "ctrl/net_method.h"

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

static const struct ctrl_reference reference_switch = {
	.title = "The control channel of vswitchd",
	.run_dir = "RUN_DIR",
	.example_method = "port.add",
	.example_object = "port c1",
	.changes =
		"Methods that change something run one\nat a time, in the order in which they "
		"came, and are answered when the change took effect in every\nworker; methods "
		"that only read are answered at once, also while a change is on its way. The "
		"result\nof a change may have a member `warning`: a text for people, such as that "
		"the change is in effect\nbut could not be saved.",
	.methods = ctrl_switch_methods,
	.count = CTRL_NB_SWITCH_METHODS,
	.events = ctrl_switch_events,
};

static const struct ctrl_reference reference_net = {
	.title = "The control channel of vsnetd",
	.run_dir = "RUN_DIR/net",
	.example_method = "network.connect",
	.example_object = "network front",
	.changes =
		"Methods that change something are answered\nwhen the change is made: in the "
		"store, and in the switch and the container where it concerns this\nhost. Many "
		"may be under way at once, and are answered in any order. The result of a change "
		"may\nhave a member `warning`: a text for people, such as that the other hosts "
		"will know later.",
	.methods = ctrl_net_methods,
	.count = CTRL_NB_NET_METHODS,
	.events = ctrl_net_events,
};

static int reference(struct cli *cli, int argc, char **argv)
{
	bool control = !argc || !strcmp(argv[0], "control");
	bool net = !argc || !strcmp(argv[0], "net");
	bool config = !argc || !strcmp(argv[0], "config");

	if (!control && !net && !config)
		return cli_usage("reference takes control, net or config, not '%s'", argv[0]);
	if (control)
		ctrl_reference_print(stdout, &reference_switch);
	if (!argc)
		putchar('\n');
	if (net)
		ctrl_reference_print(stdout, &reference_net);
	if (!argc)
		putchar('\n');
	if (config)
		schema_print_reference(stdout);
	return EXIT_DONE;
}

const struct verb verbs_help[] = {
	{"help", "[VERB]", "print help", NULL, 0, 2, 0, help},
	{"reference", "[control|net|config]",
		"print the reference of the control channels, or of the options",
		"In Markdown: control is that of vswitchd, net of vsnetd; all when none is named. "
		"The options\nof vsnetd: vsnetd --reference.",
		0, 1, 0, reference},
	{"completion", "bash", "print the completion of the shell",
		"For this shell: source <(vsctl completion bash)", 1, 1, 0, cli_completion},
	{NULL},
};
