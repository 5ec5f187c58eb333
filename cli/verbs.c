// SPDX-License-Identifier: BSD-3-Clause
// The groups of verbs, and the verb of a command line. cli/meson.build has the list of groups.
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "cli/cli.h"

#define X(name) extern const struct verb_group verb_group_##name;
CLI_SWITCH_GROUPS(X)
CLI_NOUN_GROUPS(X)
#undef X

#define X(name) &verb_group_##name,
const struct verb_group *const verb_groups[] = {CLI_SWITCH_GROUPS(X) CLI_NOUN_GROUPS(X)};
#undef X
const unsigned nb_verb_groups = ARRAY_SIZE(verb_groups);

#define X(name) +1
const unsigned nb_switch_groups = 0 CLI_SWITCH_GROUPS(X);
#undef X

// Number of words of the name that begin `argv`; 0 when it is another name.
static int match(const char *name, int argc, char **argv)
{
	size_t len = name ? strcspn(name, " ") : 0;

	if (!name || argc < 1 || strlen(argv[0]) != len || strncmp(name, argv[0], len) != 0)
		return 0;
	if (!name[len])
		return 1;
	return argc >= 2 && !strcmp(name + len + 1, argv[1]) ? 2 : 0;
}

const struct verb *cli_find_verb(int argc, char **argv, int *ret_words)
{
	for (unsigned g = 0; g < nb_verb_groups; g++) {
		for (const struct verb *verb = verb_groups[g]->verbs; verb->name; verb++) {
			*ret_words = match(verb->name, argc, argv);
			if (!*ret_words)
				*ret_words = match(verb->other, argc, argv);
			if (*ret_words)
				return verb;
		}
	}
	return NULL;
}

bool cli_begins_with(const struct verb *verb, const char *word)
{
	size_t len = strlen(word);

	return !strncmp(verb->name, word, len) && verb->name[len] == ' ';
}

void cli_each_verb(void (*fn)(const struct verb *verb, void *arg), void *arg)
{
	for (unsigned g = 0; g < nb_verb_groups; g++) {
		for (const struct verb *verb = verb_groups[g]->verbs; verb->name; verb++)
			fn(verb, arg);
	}
}
