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
	char words[64] = "";
	bool found = false;

	if (!argc)
		return help_all();
	snprintf(words, sizeof(words), "%s%s%s", argv[0], argc > 1 ? " " : "",
		argc > 1 ? argv[1] : "");
	for (unsigned g = 0; g < nb_verb_groups; g++) {
		for (const struct verb *verb = verb_groups[g]; verb->name; verb++) {
			size_t len = strlen(words);

			if (strncmp(verb->name, words, len) ||
				(verb->name[len] && verb->name[len] != ' '))
				continue;
			print_detail(verb);
			found = true;
		}
	}
	return found ? EXIT_DONE : cli_usage("unknown verb '%s'", words);
}

static int reference(struct cli *cli, int argc, char **argv)
{
	ctrl_reference_print(stdout, "The control channel of vswitchd", ctrl_switch_methods,
		CTRL_NB_SWITCH_METHODS);
	putchar('\n');
	schema_print_reference(stdout);
	return EXIT_DONE;
}

// The shell completes first and second words and options; the list comes from the tables.
static int completion(struct cli *cli, int argc, char **argv)
{
	if (strcmp(argv[0], "bash"))
		return cli_usage("completion is there for bash, not for '%s'", argv[0]);
	printf("_vsctl()\n{\n\tlocal verbs='");
	for (unsigned g = 0; g < nb_verb_groups; g++) {
		for (const struct verb *verb = verb_groups[g]; verb->name; verb++)
			printf("%s\n", verb->name);
	}
	printf("' options='");
	for (const struct cli_option *o = cli_options; o->name; o++)
		printf("%s ", o->name);
	printf("'\n%s",
		"\tlocal cur=${COMP_WORDS[COMP_CWORD]} i words=()\n"
		"\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
		"\t\tcase ${COMP_WORDS[i]} in\n"
		"\t\t--run-dir | --timeout | --connect | --connect-events | --key | --server-key)\n"
		"\t\t\t((i++)) ;;\n"
		"\t\t-*) ;;\n"
		"\t\t*) words+=(\"${COMP_WORDS[i]}\") ;;\n"
		"\t\tesac\n"
		"\tdone\n"
		"\tCOMPREPLY=()\n"
		"\tif [[ $cur == -* ]]; then\n"
		"\t\tmapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$cur\")\n"
		"\telif ((${#words[@]} == 0)); then\n"
		"\t\tmapfile -t COMPREPLY < <(compgen -W \"$(cut -d' ' -f1 <<<\"$verbs\")\" -- "
		"\"$cur\")\n"
		"\telif ((${#words[@]} == 1)) && [[ $verbs == *\"${words[0]} \"* ]]; then\n"
		"\t\tmapfile -t COMPREPLY < <(compgen -W \\\n"
		"\t\t\t\"$(sed -n \"s/^${words[0]} //p\" <<<\"$verbs\")\" -- \"$cur\")\n"
		"\telif [[ ${words[0]} == config ]]; then\n"
		"\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
		"\telse\n"
		"\t\tmapfile -t COMPREPLY < <(compgen -W \"$(vsctl list-br 2>/dev/null |\n"
		"\t\t\tawk 'NR > 1 { print $1 }'; vsctl list-ports 2>/dev/null |\n"
		"\t\t\tawk 'NR > 1 { print $1 }')\" -- \"$cur\")\n"
		"\tfi\n"
		"}\n"
		"complete -F _vsctl vsctl\n");
	return EXIT_DONE;
}

const struct verb verbs_help[] = {
	{"help", "[VERB]", "print help", NULL, 0, 2, 0, help},
	{"reference", "", "print the reference of methods and options, in Markdown", NULL, 0, 0, 0,
		reference},
	{"completion", "bash", "print the completion of the shell", NULL, 1, 1, 0, completion},
	{NULL},
};
