// SPDX-License-Identifier: BSD-3-Clause
// vsctl: a table of verbs, one file for each group of them. Single-threaded.
//
// A verb returns the exit status, after it said why:
//
//	EXIT_REFUSED  what was asked for is refused or failed, whether the switch says so or vsctl
//		      knows it already (an option that there is not, a value that is not allowed)
//	EXIT_USAGE    the words are no command: an unknown verb or option, too many arguments
//
// Reasons go to stderr as text. With --json stdout has one JSON value and nothing else: the result,
// or for EXIT_REFUSED an object `error` as the control channel has it.
#pragma once

#include <stdbool.h>

#include <jansson.h>

#include "base/err.h"
#include "base/member.h"
#include "ctrl/client.h"

enum { EXIT_DONE, EXIT_REFUSED, EXIT_USAGE };

// Options that only some verbs take.
enum {
	OPT_MAY_EXIST = 1 << 0,
	OPT_IF_EXISTS = 1 << 1,
	OPT_ALL = 1 << 2,
	OPT_WATCH = 1 << 3,
	// Of networks, as Docker has them.
	OPT_DRIVER = 1 << 4,
	OPT_SUBNET = 1 << 5,
	OPT_IP_RANGE = 1 << 6,
	OPT_GATEWAY = 1 << 7,
	OPT_AUX_ADDRESS = 1 << 8,
	OPT_IPV6 = 1 << 9,
	OPT_INTERNAL = 1 << 10,
	OPT_LABEL = 1 << 11,
	OPT_OPT = 1 << 12,
	OPT_FORCE = 1 << 13,
	OPT_QUIET = 1 << 14,
	OPT_FILTER = 1 << 15,
	OPT_NETNS = 1 << 16,
	OPT_IP = 1 << 17,
	OPT_IP6 = 1 << 18,
	OPT_MAC = 1 << 19,
	OPT_IFNAME = 1 << 20,
	OPT_ALIAS = 1 << 21,
	OPT_REPAIR = 1 << 22,
	// Of names.
	OPT_DNS = 1 << 23,
	OPT_RESOLV_CONF = 1 << 24,
	OPT_FROM = 1 << 25,
	OPT_NETWORK = 1 << 26,
};

struct cli_option {
	const char *name, *arg, *help; // `arg` "[...]": may be left out
	unsigned verb_option;	       // OPT_*, or 0 for an option of every verb
	char letter;		       // its short form, or 0
	bool repeats;
};

extern const struct cli_option cli_options[]; // ends with a NULL name

struct cli_value {
	const struct cli_option *option;
	const char *text;
};

struct cli {
	struct ctrl_client_opts connect;
	bool json, help;
	unsigned given;		  // OPT_*
	struct cli_value *values; // of options of verbs, in order
	unsigned nb_values;
	bool of_agent; // the verb is one of vsnetd
	double watch_s;
	struct ctrl_client *client; // made by the first cli_call()
	const char *error_begin;    // of the JSON of an error; NULL: "{"
};

struct verb {
	const char *name; // one or two words
	const char *args, *help;
	const char *detail;	// for `vsctl help VERB`; may be NULL
	int min_args, max_args; // -1: any number
	unsigned options;
	int (*run)(struct cli *cli, int argc, char **argv);
	bool of_agent; // asks vsnetd, not the switch
};

// The groups; each table ends with a NULL name.
extern const struct verb verbs_show[], verbs_bridge[], verbs_port[], verbs_fdb[], verbs_neigh[],
	verbs_tunnel[], verbs_stats[], verbs_worker[], verbs_monitor[], verbs_config[],
	verbs_network[], verbs_connect[], verbs_agent[], verbs_dns[], verbs_help[];
extern const struct verb *const verb_groups[];
extern const unsigned nb_verb_groups;

// ---- verbs.c: which one was meant ----

// The verb whose name begins the words, and how many words it has; or NULL.
const struct verb *cli_find_verb(int argc, char **argv, int *ret_words);
bool cli_begins_with(const struct verb *verb, const char *word); // of two words, and that the first

// Says that the words are no verb, and what they could have been. EXIT_USAGE.
int cli_unknown_verb(int argc, char **argv);

int cli_completion(struct cli *cli, int argc, char **argv); // verb_completion.c

int cli_monitor(struct cli *cli, int argc, char **argv); // verb_monitor.c

// ---- options.c ----

// Options may stand anywhere before "--"; what is left stays in argv.
int cli_parse_options(struct cli *cli, int *argc, char **argv);

const char *cli_option_text(const struct cli *cli, unsigned option); // NULL: not given

// What an option was given that may be repeated: a list of texts, or an object of "NAME=VALUE".
// NULL when it was not given.
json_t *cli_option_list(const struct cli *cli, unsigned option);
int cli_option_map(const struct cli *cli, unsigned option, json_t **ret_map);

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

// Takes a number of seconds from 0.001 to 86400; `what` names it in EXIT_USAGE.
int cli_seconds(const char *what, const char *text, double *ret_seconds);

// Makes an object of a name (NULL: none) and of arguments "key=value", which go through config's
// function for ports, bridges or forwarding entries.
typedef int cli_option_fn(json_t *obj, const char *key, const char *value, struct err *err);
int cli_object(struct cli *cli, const char *name, cli_option_fn *fn, int argc, char **argv,
	json_t **ret_obj);

// "key=value" texts of an object's members that are not null, in a new string.
char *cli_options_text(const json_t *obj);

// A value as text, with commas between those of a list, in a new string.
char *cli_value_text(const json_t *value);

void cli_print_vtep(const json_t *vtep); // verb_tunnel.c
