// SPDX-License-Identifier: BSD-3-Clause
// "Did you mean": the verb or option that a command line was a slip for. Verbs are compared word
// by word: a word of the vocabulary is not a slip for another one, but may stand for one that means
// the same (list for ls). What destroys is only suggested to who has written that.
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "cli/cli.h"
#include "config/nearest.h"

#define WORDS_MAX  6
#define WORD_BYTES 24

struct words {
	unsigned count;
	char word[WORDS_MAX][WORD_BYTES];
};

// Words that mean the same; those of the first lines destroy.
#define DESTROYING 5
static const char *const same[][10] = {
	{"del", "rm", "delete", "remove", "destroy", "erase", "kill"},
	{"prune"},
	{"flush", "clear"},
	{"disconnect", "detach"},
	{"leave"},
	{"add", "create", "new", "make", "insert"},
	{"ls", "list", "show", "get", "inspect", "status"},
	{"set", "change", "modify"},
	{"load", "import", "read"},
	{"connect", "attach"},
	{"join"},
	{"br", "bridge", "bridges"},
	{"port", "ports", "interface", "interfaces"},
	{"vtep", "vteps"},
	{"fdb", "mac"},
	{"neigh", "neighbour", "neighbours", "neighbor", "arp"},
	{"host", "hosts", "node"},
	{"network", "networks", "net"},
	{"worker", "workers", "thread"},
	{"drops", "drop"},
	{"stats", "counters", "statistics"},
	{"monitor", "watch", "events"},
	{"config", "conf"},
};

static void split(const char *text, struct words *words)
{
	while (*text && words->count < WORDS_MAX) {
		size_t len = strcspn(text, " -_");

		if (len)
			snprintf(words->word[words->count++], WORD_BYTES, "%.*s", (int)len, text);
		text += len + (text[len] != '\0');
	}
}

static int group_of(const char *word)
{
	for (unsigned g = 0; g < ARRAY_SIZE(same); g++) {
		for (unsigned i = 0; i < ARRAY_SIZE(same[g]) && same[g][i]; i++) {
			if (!strcmp(same[g][i], word))
				return g;
		}
	}
	return -1;
}

static bool destroys(const struct words *words)
{
	for (unsigned i = 0; i < words->count; i++) {
		int group = group_of(words->word[i]);

		if (group >= 0 && group < DESTROYING)
			return true;
	}
	return false;
}

struct known {
	const char *word;
	bool found;
};

static void look_for(const struct verb *verb, void *arg)
{
	struct words words = {0};
	struct known *known = arg;

	split(verb->name, &words);
	for (unsigned i = 0; i < words.count; i++)
		known->found |= !strcmp(words.word[i], known->word);
}

static bool is_known(const char *word)
{
	struct known known = {word, group_of(word) >= 0};

	cli_each_verb(look_for, &known);
	return known.found;
}

// How far a word is from one of a verb's name.
static unsigned word_distance(const char *typed, const char *word)
{
	int group = group_of(word);
	unsigned best;

	if (!strcmp(typed, word))
		return 0;
	if (group >= 0 && group == group_of(typed))
		return 1;
	if (is_known(typed))
		return NEAREST_FAR;
	best = nearest_distance(typed, word);
	for (unsigned i = 0; group >= DESTROYING && i < ARRAY_SIZE(same[group]) && same[group][i];
		i++) {
		unsigned other = nearest_distance(typed, same[group][i]);

		best = other == NEAREST_FAR ? best : MIN_OF(best, other + 1);
	}
	return best;
}

// Whether a word is the name without what separates its words, such as addbr.
static bool is_run_together(const struct words *typed, const struct words *words)
{
	char text[WORDS_MAX * WORD_BYTES] = "";

	for (unsigned i = 0; i < words->count; i++)
		strcat(text, words->word[i]);
	return typed->count == 1 && !strcmp(typed->word[0], text);
}

static unsigned distance(const struct words *typed, const char *name)
{
	struct words words = {0};
	unsigned sum = 0;

	split(name, &words);
	if (is_run_together(typed, &words))
		return words.count > 1;
	if (words.count != typed->count || (destroys(&words) && !destroys(typed)))
		return NEAREST_FAR;
	for (unsigned i = 0; i < words.count; i++) {
		unsigned one = word_distance(typed->word[i], words.word[i]);

		if (one == NEAREST_FAR)
			return NEAREST_FAR;
		sum += one;
	}
	return sum;
}

struct search {
	struct words one, two; // the first word of the command line, and the first two
	unsigned best;
	const struct verb *found;
};

static void compare(const struct verb *verb, void *arg)
{
	struct search *search = arg;
	unsigned two = distance(&search->two, verb->name);
	unsigned one = strchr(verb->name, ' ') ? NEAREST_FAR : distance(&search->one, verb->name);
	unsigned far = MIN_OF(one, two);

	if (far < search->best) {
		search->best = far;
		search->found = verb;
	}
}

// A noun alone asks for a list: networks is network ls.
static void compare_noun(const struct verb *verb, void *arg)
{
	struct search *search = arg;
	struct words words = {0};
	const char *typed = search->one.word[0];
	char plural[WORD_BYTES + 1];

	split(verb->name, &words);
	if (search->found || search->one.count != 1 || words.count != 2 ||
		strcmp(words.word[1], "ls") != 0)
		return;
	snprintf(plural, sizeof(plural), "%ss", words.word[0]);
	if (!strcmp(typed, plural) ||
		(group_of(typed) >= 0 && group_of(typed) == group_of(words.word[0])))
		search->found = verb;
}

const struct verb *cli_suggest_verb(int argc, char **argv)
{
	struct search search = {.best = NEAREST_FAR};

	split(argv[0], &search.one);
	split(argv[0], &search.two);
	if (argc > 1)
		split(argv[1], &search.two);
	cli_each_verb(compare, &search);
	if (argc < 2)
		cli_each_verb(compare_noun, &search);
	return search.found;
}

// ---- options ----

struct option_search {
	const char *word;
	unsigned best;
	const struct cli_option *found;
};

static void compare_options(const struct cli_option *const *options, struct option_search *search)
{
	for (; options && *options; options++) {
		unsigned far = nearest_distance(search->word, (*options)->name);

		if ((*options)->other)
			far = MIN_OF(far, nearest_distance(search->word, (*options)->other));
		if (far < search->best) {
			search->best = far;
			search->found = *options;
		}
	}
}

static void compare_verb(const struct verb *verb, void *arg)
{
	compare_options(verb->options, arg);
}

const struct cli_option *cli_suggest_option(const struct verb *verb, const char *word)
{
	// Beyond this a name that is mostly "--" would be near to many.
	struct option_search search = {word, strlen(word) < 8 ? 2 : 3, NULL};

	compare_options(cli_globals, &search);
	if (verb)
		compare_options(verb->options, &search);
	else
		cli_each_verb(compare_verb, &search);
	return search.found;
}

// ---- what is said ----

struct seconds {
	const char *first;
	char list[160];
	struct text text;
};

static void add_second(const struct verb *verb, void *arg)
{
	struct seconds *s = arg;

	if (cli_begins_with(verb, s->first))
		text_add_item(&s->text, ", ", "%s", strchr(verb->name, ' ') + 1);
}

int cli_unknown_verb(int argc, char **argv)
{
	struct seconds seconds = {.first = argv[0]};
	const struct verb *verb = cli_suggest_verb(argc, argv);
	const char *renamed;
	char typed[64];

	seconds.text = text_over(seconds.list, sizeof(seconds.list));
	cli_each_verb(add_second, &seconds);
	if (seconds.list[0] && argc < 2)
		return cli_usage("'%s' needs a verb, one of: %s", argv[0], seconds.list);
	snprintf(typed, sizeof(typed), "%s%s%s", argv[0], argc > 1 ? " " : "",
		argc > 1 ? argv[1] : "");
	renamed = nearest_renamed(typed);
	if (!renamed) {
		typed[strcspn(typed, seconds.list[0] ? "" : " ")] = '\0';
		renamed = nearest_renamed(typed);
	}
	if (renamed)
		return cli_usage("'%s' is now called '%s'", typed, renamed);
	if (verb)
		return cli_usage("unknown verb '%s'; did you mean '%s'?", typed, verb->name);
	if (seconds.list[0])
		return cli_usage("unknown verb '%s'; the verbs are: %s", typed, seconds.list);
	return cli_usage("unknown verb '%s'", typed);
}
