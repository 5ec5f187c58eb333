// SPDX-License-Identifier: BSD-3-Clause
// The table of verbs, and which of them was meant.
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "cli/cli.h"
#include "config/nearest.h"

const struct verb *const verb_groups[] = {verbs_show, verbs_bridge, verbs_port, verbs_tunnel,
	verbs_fdb, verbs_neigh, verbs_stats, verbs_worker, verbs_monitor, verbs_network,
	verbs_connect, verbs_dns, verbs_agent, verbs_config, verbs_help};
const unsigned nb_verb_groups = ARRAY_SIZE(verb_groups);

// Number of words of the verb's name that begin `argv`; 0 when it is another verb.
static int match(const struct verb *verb, int argc, char **argv)
{
	size_t len = strcspn(verb->name, " ");

	if (argc < 1 || strlen(argv[0]) != len || strncmp(verb->name, argv[0], len))
		return 0;
	if (!verb->name[len])
		return 1;
	return argc >= 2 && !strcmp(verb->name + len + 1, argv[1]) ? 2 : 0;
}

const struct verb *cli_find_verb(int argc, char **argv, int *ret_words)
{
	for (unsigned g = 0; g < nb_verb_groups; g++) {
		for (const struct verb *verb = verb_groups[g]; verb->name; verb++) {
			*ret_words = match(verb, argc, argv);
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

// The verb that is nearest to the words, and the second words of those that begin with the first.
static const struct verb *nearest(int argc, char **argv, char *seconds, size_t len_bytes)
{
	const char *word = nearest_renamed(argv[0]) ?: argv[0];
	unsigned best = NEAREST_FAR;
	const struct verb *found = NULL;
	struct text text = text_over(seconds, len_bytes);
	char two[64];

	snprintf(two, sizeof(two), "%s %s", word, argc > 1 ? argv[1] : "");
	for (unsigned g = 0; g < nb_verb_groups; g++) {
		for (const struct verb *verb = verb_groups[g]; verb->name; verb++) {
			const char *second = strchr(verb->name, ' ');
			unsigned distance = nearest_distance(second ? two : word, verb->name);

			if (distance < best) {
				best = distance;
				found = verb;
			}
			if (cli_begins_with(verb, argv[0]))
				text_add_item(&text, ", ", "%s", second + 1);
		}
	}
	return found;
}

int cli_unknown_verb(int argc, char **argv)
{
	char seconds[128];
	const struct verb *verb = nearest(argc, argv, seconds, sizeof(seconds));

	if (seconds[0] && argc < 2)
		return cli_usage("after '%s' comes one of: %s", argv[0], seconds);
	if (verb)
		return cli_usage("unknown verb '%s%s%s'; did you mean '%s'?", argv[0],
			seconds[0] ? " " : "", seconds[0] ? argv[1] : "", verb->name);
	if (seconds[0])
		return cli_usage("unknown verb '%s %s'; there are: %s", argv[0], argv[1], seconds);
	return cli_usage("unknown verb '%s'", argv[0]);
}
