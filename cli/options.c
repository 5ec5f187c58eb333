// SPDX-License-Identifier: BSD-3-Clause
// Reading the options of a command line, and their values.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/globals.h"
#include "cli/ovs.h"

// ---- rows ----

static bool is_called(const struct cli_option *o, const char *arg, size_t len)
{
	if (len == 2 && arg[1] != '-')
		return o->letter && arg[1] == o->letter;
	if (strlen(o->name) == len && !strncmp(o->name, arg, len))
		return true;
	return o->other && strlen(o->other) == len && !strncmp(o->other, arg, len);
}

static const struct cli_option *find_in(
	const struct cli_option *const *options, const char *arg, size_t len)
{
	for (; options && *options; options++) {
		if (is_called(*options, arg, len))
			return *options;
	}
	return NULL;
}

struct search {
	const char *arg;
	size_t len;
	const struct cli_option *found;
};

static void search_verb(const struct verb *verb, void *arg)
{
	struct search *search = arg;

	if (!search->found)
		search->found = find_in(verb->options, search->arg, search->len);
}

const struct cli_option *cli_find_option(const struct verb *verb, const char *arg, size_t len)
{
	struct search search = {arg, len, find_in(cli_globals, arg, len)};

	if (search.found)
		return search.found;
	if (verb)
		return find_in(verb->options, arg, len);
	cli_each_verb(search_verb, &search);
	return search.found;
}

// ---- reading ----

// `value` is what may be its value: behind '=', or the next argument; NULL: there is none.
static int unknown_option(const struct verb *verb, const char *arg, size_t len, const char *value)
{
	const struct cli_option *nearest;
	char word[64];

	snprintf(word, sizeof(word), "%.*s", (int)len, arg);
	if (verb && cli_is_key(verb, word, value))
		return EXIT_USAGE;
	if (verb && cli_find_option(NULL, arg, len))
		return cli_usage("%s has no option %s", verb->name, word);
	nearest = cli_suggest_option(verb, word);
	if (nearest)
		return cli_usage("unknown option '%s'; did you mean '%s'?", word, nearest->name);
	return cli_usage("unknown option '%s'", word);
}

static int add_value(struct cli *cli, const struct cli_option *option, const char *text)
{
	struct cli_value *values;

	for (unsigned i = 0; i < cli->nb_values; i++) {
		if (cli->values[i].option == option && option->arg && !option->repeats)
			return cli_usage("%s is given twice", option->name);
	}
	values = realloc(cli->values, (cli->nb_values + 1) * sizeof(*values));
	if (!values)
		abort();
	values[cli->nb_values++] = (struct cli_value){option, text};
	cli->values = values;
	return EXIT_DONE;
}

static int add_flag(struct cli *cli, const struct cli_option *option, const char *value)
{
	if (value && strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
		return cli_usage(
			"%s takes no value but true or false, not '%s'", option->name, value);
	return add_value(cli, option, value ? value : "true");
}

static bool is_number(const char *text)
{
	return text && *text && text[strspn(text, "0123456789.")] == '\0';
}

// Takes the option at argv[*i], and its value from the same or the next argument. Before the verb
// is known, letters are not either: they differ from verb to verb.
static int parse_option(struct cli *cli, int argc, char **argv, int *i)
{
	char *equals = strchr(argv[*i], '=');
	size_t len = equals ? (size_t)(equals - argv[*i]) : strlen(argv[*i]);
	const struct cli_option *option;
	const char *value = equals ? equals + 1 : NULL;

	if (argv[*i][1] != '-' && len > 2) { // -ovni=7
		len = 2;
		value = argv[*i] + 2;
	}
	option = cli_find_option(cli->verb, argv[*i], len);
	if (!option)
		return unknown_option(cli->verb, argv[*i], len, value ? value : argv[*i + 1]);
	if (!cli->verb && len == 2 && option != &cli_help)
		return cli_usage("%.2s must stand after its verb", argv[*i]);
	if (!option->arg)
		return add_flag(cli, option, value);
	if (!value && (option->arg[0] != '[' || is_number(argv[*i + 1]))) {
		if (*i + 1 >= argc)
			return cli_usage("%s needs a value: %s", option->name, option->arg);
		value = argv[++*i];
	}
	return add_value(cli, option, value);
}

// Options that stood before the verb are now those of the verb.
static int settle_options(struct cli *cli)
{
	for (unsigned i = 0; i < cli->nb_values; i++) {
		const char *name = cli->values[i].option->name;
		const struct cli_option *option = cli_find_option(cli->verb, name, strlen(name));

		if (!option)
			return unknown_option(cli->verb, name, strlen(name), cli->values[i].text);
		cli->values[i].option = option;
	}
	return EXIT_DONE;
}

static int add_word(struct cli *cli, char **argv, int *kept, char *word)
{
	int words;

	argv[(*kept)++] = word;
	if (cli->verb)
		return EXIT_DONE;
	cli->verb = cli_find_verb(*kept - 1, argv + 1, &words);
	return cli->verb ? settle_options(cli) : EXIT_DONE;
}

int cli_parse(struct cli *cli, int *argc, char **argv)
{
	bool options = true;
	int kept = 1, rc = EXIT_DONE;

	for (int i = 1; i < *argc && rc == EXIT_DONE; i++) {
		if (options && !strcmp(argv[i], "--"))
			options = false;
		else if (options && argv[i][0] == '-' && argv[i][1])
			rc = parse_option(cli, *argc, argv, &i);
		else
			rc = add_word(cli, argv, &kept, argv[i]);
	}
	argv[kept] = NULL;
	*argc = kept;
	return rc;
}

// ---- values ----

// The last one of an option; NULL when it was not given.
static const struct cli_value *value_of(const struct cli *cli, const struct cli_option *option)
{
	for (unsigned i = cli->nb_values; i-- > 0;) {
		if (cli->values[i].option == option)
			return &cli->values[i];
	}
	return NULL;
}

bool cli_given(const struct cli *cli, const struct cli_option *option)
{
	return value_of(cli, option);
}

bool cli_flag(const struct cli *cli, const struct cli_option *option)
{
	const struct cli_value *value = value_of(cli, option);

	return value && !strcmp(value->text, "true");
}

const char *cli_text(const struct cli *cli, const struct cli_option *option)
{
	const struct cli_value *value = value_of(cli, option);

	return value ? value->text : NULL;
}

json_t *cli_list(const struct cli *cli, const struct cli_option *option)
{
	json_t *list = NULL;

	for (unsigned i = 0; i < cli->nb_values; i++) {
		if (cli->values[i].option != option)
			continue;
		if (!list)
			list = json_array();
		json_array_append_new(list, json_string(cli->values[i].text));
	}
	return list;
}

static int add_pair(const struct cli_value *value, json_t *map)
{
	const struct cli_option *option = value->option;
	const char *equals = strchr(value->text, '=');
	size_t len = equals ? (size_t)(equals - value->text) : strlen(value->text);
	char name[256];

	if (!len || len >= sizeof(name) || (!equals && !strchr(option->arg, '[')))
		return cli_usage("%s takes %s, not '%s'", option->name, option->arg, value->text);
	snprintf(name, sizeof(name), "%.*s", (int)len, value->text);
	if (json_object_get(map, name))
		return cli_usage("%s gives %s twice", option->name, name);
	json_object_set_new(map, name, json_string(equals ? equals + 1 : ""));
	return EXIT_DONE;
}

int cli_map(const struct cli *cli, const struct cli_option *option, json_t **ret_map)
{
	json_t *map = NULL;
	int rc = EXIT_DONE;

	for (unsigned i = 0; rc == EXIT_DONE && i < cli->nb_values; i++) {
		if (cli->values[i].option != option)
			continue;
		if (!map)
			map = json_object();
		rc = add_pair(&cli->values[i], map);
	}
	if (rc == EXIT_DONE)
		*ret_map = map;
	else
		json_decref(map);
	return rc;
}

int cli_seconds(const char *what, const char *text, double *ret_seconds)
{
	char *end;
	double seconds = strtod(text, &end);

	if (end == text || *end || !(seconds >= 0.001 && seconds <= 86400))
		return cli_usage("%s takes seconds from 0.001 to 86400, not '%s'", what, text);
	*ret_seconds = seconds;
	return EXIT_DONE;
}
