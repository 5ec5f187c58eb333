// SPDX-License-Identifier: BSD-3-Clause
// vsctl: groups of verbs, one file for each. Single-threaded.
//
// A verb is a row: its name, arguments, options, help and function. Help, completion, suggestions
// and the check of a command line come from the rows. To add a verb, add its row to a group; to add
// a group, add a file and its name in cli/meson.build.
//
// A verb returns the exit status, after it has said why:
//
// EXIT_REFUSED: the request is refused or has failed, whether the daemon says so or vsctl finds it
// out (an unknown option of a port, a value that is not allowed).
//
// EXIT_USAGE: the command line is wrong: an unknown verb or option, too many arguments.
//
// Reasons go to stderr as text. With --json stdout has one JSON value and nothing else: the result,
// or for EXIT_REFUSED an object `error` as the control channel has it. For EXIT_USAGE it is empty.
#pragma once

#include <stdbool.h>

#include <jansson.h>

#include "base/err.h"
#include "base/member.h"
#include "ctrl/client.h"

enum { EXIT_DONE, EXIT_REFUSED, EXIT_USAGE };

// An option. A row without `arg` is a flag, which also takes "=true" and "=false".
struct cli_option {
	const char *name, *arg; // "--force"; an `arg` of "[...]" may be left out
	const char *help;
	const char *other; // a second spelling, or NULL
	const char *words; // what may be completed, if not what `arg` says
	char letter;	   // its short form, or 0; stands after the verb
	bool repeats;
};

// Options of every verb; ends with NULL. The others stand beside their verbs.
extern const struct cli_option *const cli_globals[];
extern const struct cli_option cli_may_exist, cli_if_exists, cli_force;

struct cli;

struct verb {
	const char *name; // one or two words
	const char *args, *help;
	const char *other;	// a second spelling, or NULL
	const char *detail;	// for `vsctl help VERB`; may be NULL
	int min_args, max_args; // -1: any number
	const struct cli_option *const *options;
	int (*run)(struct cli *cli, int argc, char **argv);
	bool of_agent; // asks vsnetd, not the switch
	// vsnetd is told how long vsctl waits, and goes on for as long. By default this; 0: it is
	// not told.
	unsigned wait_s;
};

#define CLI_OPTIONS(...) ((const struct cli_option *const[]){__VA_ARGS__, NULL})

struct verb_group {
	const char *title, *example;
	const struct verb *verbs; // ends with a NULL name
};

// All groups, in the order of the help. The first `nb_switch_groups` are the family VERB-OBJECT.
extern const struct verb_group *const verb_groups[];
extern const unsigned nb_verb_groups, nb_switch_groups;

struct cli_value {
	const struct cli_option *option;
	const char *text; // of a flag "true" or "false"; NULL: an `arg` that was left out
};

struct cli {
	const struct verb *verb;
	int argc; // the arguments behind the verb's name
	char **argv;
	struct ctrl_client_opts connect;
	bool json;
	struct cli_value *values; // in the order of the command line
	unsigned nb_values;
	struct ctrl_client *client; // made by the first cli_call()
	const char *error_begin;    // of the JSON of an error; NULL: "{"
};

// Runs a command line; argv[0] is passed over. Returns the exit status. Changes argv.
int cli_main(int argc, char **argv);

// ---- verbs.c: groups ----

// The verb whose name, or second spelling, begins the words, and how many words that has; or NULL.
const struct verb *cli_find_verb(int argc, char **argv, int *ret_words);

// Whether the verb's name has two words, the first of which is `word`.
bool cli_begins_with(const struct verb *verb, const char *word);

// Calls `fn` for every verb.
void cli_each_verb(void (*fn)(const struct verb *verb, void *arg), void *arg);

// ---- suggest.c: which one was meant ----

// The verb that the words are a slip for, or NULL. Never one that destroys unless one of the words
// does, nor one whose words are others of this vocabulary.
const struct verb *cli_suggest_verb(int argc, char **argv);

// The same of an option, among those of the verb (NULL: of all verbs).
const struct cli_option *cli_suggest_option(const struct verb *verb, const char *word);

// Says that the words are no verb, and what they could have been. EXIT_USAGE.
int cli_unknown_verb(int argc, char **argv);

// ---- options.c ----

// Options may stand anywhere before "--"; the words that are left stay in argv, after argv[0].
// Finds the verb as well (NULL: none is given).
int cli_parse(struct cli *cli, int *argc, char **argv);

// The row of an option among those of a verb and of all (`verb` NULL: of every verb); or NULL.
// `arg` is "--name", or "-x", of `len` bytes.
const struct cli_option *cli_find_option(const struct verb *verb, const char *arg, size_t len);

bool cli_given(const struct cli *cli, const struct cli_option *option);
bool cli_flag(const struct cli *cli, const struct cli_option *option); // given, and not "=false"
const char *cli_text(const struct cli *cli, const struct cli_option *option); // NULL: not given

// What an option was given that may be repeated: a list of texts, or an object of "NAME=VALUE".
// NULL when it was not given.
json_t *cli_list(const struct cli *cli, const struct cli_option *option);
int cli_map(const struct cli *cli, const struct cli_option *option, json_t **ret_map);

// Takes a number of seconds from 0.001 to 86400; `what` names it in EXIT_USAGE.
int cli_seconds(const char *what, const char *text, double *ret_seconds);

// ---- run.c: what verbs share ----

int cli_connect(struct cli *cli);

// Calls a method, takes `params` over (NULL: none). Returns an exit status.
int cli_call(struct cli *cli, const char *method, json_t *params, json_t **ret_result);

// As cli_call(), for changes that say nothing when they worked (with --json: the result).
int cli_change(struct cli *cli, const char *method, json_t *params);

// Calls a method that only tells, and prints what it tells: with `print` for people, or as JSON.
typedef void cli_print_fn(const struct cli *cli, const json_t *result);
int cli_show(struct cli *cli, const char *method, json_t *params, cli_print_fn *print);

int cli_fail(const struct cli *cli, const struct err *err); // prints it, returns EXIT_REFUSED
int cli_usage(const char *fmt, ...) __attribute__((format(printf, 1, 2))); // EXIT_USAGE
void cli_print_json(const json_t *value);
void cli_print_line(const json_t *value); // as JSON on one line, at once

// Makes an object of a name (NULL: none) and of arguments "key=value", which go through config's
// function for ports, bridges or forwarding entries.
typedef int cli_option_fn(json_t *obj, const char *key, const char *value, struct err *err);
int cli_object(struct cli *cli, const char *name, cli_option_fn *fn, int argc, char **argv,
	json_t **ret_obj);

// ---- values.c: JSON as text ----

// "key=value" texts of an object's members that are not null, in a new string.
char *cli_options_text(const json_t *obj);

// The same of the options of a bridge, port or VTEP, as they are typed.
char *cli_conf_text(const json_t *options);

// A value as text, with commas between those of a list, in a new string.
char *cli_value_text(const json_t *value);

// Seconds since the time in the object's member; -1 when it has none.
double cli_age_s(const json_t *obj, const char *name);

void cli_print_vtep(const json_t *vtep); // verb_vtep.c
