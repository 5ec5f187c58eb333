// SPDX-License-Identifier: BSD-3-Clause
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/help.h"

#define COLUMN 36 // where the help of a row begins
#define WIDTH  96

static void new_line(int *at, int indent)
{
	printf("\n%*s", indent, "");
	*at = indent;
}

// Prints a text from column `at`; lines that follow begin at `indent`. A '\n' in it begins a new
// one.
static void print_text(const char *text, int at, int indent)
{
	while (*text) {
		int len = strcspn(text, " \n");

		if (at > indent && at + 1 + len > WIDTH)
			new_line(&at, indent);
		else if (at > indent)
			at += printf(" ");
		at += printf("%.*s", len, text);
		text += len;
		if (*text == '\n')
			new_line(&at, indent);
		text += *text != '\0';
	}
	putchar('\n');
}

static void print_row(const char *usage, const char *help)
{
	int at = printf("  %s", usage);

	if (at + 2 > COLUMN)
		printf("\n%*s", COLUMN, "");
	else
		printf("%*s", COLUMN - at, "");
	print_text(help, COLUMN, COLUMN);
}

static void print_verb(const struct verb *verb)
{
	char usage[160], help[200];

	snprintf(usage, sizeof(usage), "%s%s%s", verb->name, *verb->args ? " " : "", verb->args);
	snprintf(help, sizeof(help), "%s%s%s%s", verb->help, verb->other ? " (also: " : "",
		verb->other ? verb->other : "", verb->other ? ")" : "");
	print_row(usage, help);
}

static void print_option(const struct cli_option *o)
{
	char usage[128], help[200], letter[] = {'-', o->letter, ',', ' ', '\0'};

	snprintf(usage, sizeof(usage), "%s%s%s%s%s%s", o->letter ? letter : "", o->name,
		o->other ? ", " : "", o->other ? o->other : "", o->arg ? " " : "",
		o->arg ? o->arg : "");
	snprintf(help, sizeof(help), "%s%s", o->help, o->repeats ? "; may be repeated" : "");
	print_row(usage, help);
}

static void print_options(const struct cli_option *const *options)
{
	for (; options && *options; options++)
		print_option(*options);
}

static int help_all(void)
{
	printf("Usage: vsctl [OPTION...] VERB [ARGUMENT...]\n"
	       "       vsctl help VERB, vsctl VERB --help: the options of a verb\n"
	       "       vsctl help NOUN: all verbs of a noun, such as network\n");
	for (unsigned g = 0; g < nb_verb_groups; g++) {
		const struct verb_group *group = verb_groups[g];

		if (g == 0)
			printf("\n==== The switch and its objects, named as in ovs-vsctl ====\n");
		if (g == nb_switch_groups)
			printf("\n==== All else: NOUN VERB (ls, show, add, rm, ...) ====\n");
		printf("\n%s, such as `%s`:\n", group->title, group->example);
		for (const struct verb *verb = group->verbs; verb->name; verb++)
			print_verb(verb);
	}
	printf("\nOptions of every verb:\n");
	print_options(cli_globals);
	printf("\nExit status: 0 done, 1 refused or failed, 2 wrong usage.\n");
	return EXIT_DONE;
}

static void print_detail(const struct verb *verb)
{
	int at = printf("vsctl %s%s", verb->name, *verb->args ? " " : "");

	print_text(verb->args, at, at);
	if (verb->other)
		printf("also: vsctl %s\n", verb->other);
	print_text(verb->help, printf("  "), 2);
	if (verb->detail) {
		putchar('\n');
		print_text(verb->detail, 0, 0);
	}
	if (verb->options && verb->options[0])
		printf("\nOptions:\n");
	print_options(verb->options);
}

// All verbs of a noun.
static bool help_noun(const char *noun)
{
	bool found = false;

	for (unsigned g = 0; g < nb_verb_groups; g++) {
		for (const struct verb *verb = verb_groups[g]->verbs; verb->name; verb++) {
			if (!cli_begins_with(verb, noun))
				continue;
			if (found)
				putchar('\n');
			print_detail(verb);
			found = true;
		}
	}
	return found;
}

// ---- as JSON ----

static json_t *options_json(const struct cli_option *const *options)
{
	json_t *list = json_array();

	for (; options && *options; options++) {
		const struct cli_option *o = *options;
		char letter[] = {'-', o->letter, '\0'};

		json_array_append_new(
			list, json_pack("{s:s, s:s*, s:s*, s:s*, s:b, s:s}", "name", o->name,
				      "letter", o->letter ? letter : NULL, "other", o->other,
				      "argument", o->arg, "repeats", o->repeats, "help", o->help));
	}
	return list;
}

static void add_json(const struct verb *verb, void *list)
{
	json_array_append_new(
		list, json_pack("{s:s, s:s*, s:b, s:s, s:s, s:o}", "name", verb->name, "other",
			      verb->other, "of_agent", verb->of_agent, "arguments", verb->args,
			      "help", verb->help, "options", options_json(verb->options)));
}

static int help_json(const struct verb *verb)
{
	json_t *verbs = json_array(), *result;

	if (verb)
		add_json(verb, verbs);
	else
		cli_each_verb(add_json, verbs);
	result = json_pack("{s:o, s:o}", "verbs", verbs, "options", options_json(cli_globals));
	cli_print_json(result);
	json_decref(result);
	return EXIT_DONE;
}

int cli_help_of(struct cli *cli, int argc, char **argv)
{
	const struct verb *verb;
	int words;

	if (!argc)
		return cli->json ? help_json(NULL) : help_all();
	verb = cli_find_verb(argc, argv, &words);
	if (verb && cli->json)
		return help_json(verb);
	if (verb) {
		print_detail(verb);
		return EXIT_DONE;
	}
	return argc == 1 && help_noun(argv[0]) ? EXIT_DONE : cli_unknown_verb(argc, argv);
}

static const struct verb verbs[] = {
	{"help", "[VERB]", "print help on all verbs, a noun or a verb", .max_args = 2,
		.run = cli_help_of},
	{"completion", "bash", "print the completion of the shell",
		.detail = "For this shell: source <(vsctl completion bash)", .min_args = 1,
		.max_args = 1, .run = cli_completion},
	{},
};
const struct verb_group verb_group_help = {"vsctl itself", "vsctl help network create", verbs};
