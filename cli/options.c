// SPDX-License-Identifier: BSD-3-Clause
// The options: their table, reading them, and their values.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "cli/cli.h"
#include "config/nearest.h"

const struct cli_option cli_options[] = {
	{"--run-dir", "DIR", "the switch's run directory ($CAUSEWAY_RUN_DIR, /run/causeway)", 0},
	{"--json", NULL, "print JSON for programs", 0},
	{"--timeout", "SECONDS", "wait so long for an answer (10)", 0},
	{"--connect", "tcp://HOST:PORT", "a switch elsewhere ($CAUSEWAY_CONNECT); needs both keys",
		0},
	{"--connect-events", "tcp://HOST:PORT",
		"its events, for monitor ($CAUSEWAY_CONNECT_EVENTS)", 0},
	{"--key", "FILE", "your secret key ($CAUSEWAY_KEY)", 0},
	{"--server-key", "FILE", "the switch's public key ($CAUSEWAY_SERVER_KEY)", 0},
	{"--may-exist", NULL, "what is there already is no error", OPT_MAY_EXIST},
	{"--if-exists", NULL, "what is not there is no error", OPT_IF_EXISTS},
	{"--all", NULL, "rows of zeros too", OPT_ALL},
	{"--watch", "[SECONDS]", "print rates again and again", OPT_WATCH},
	{"--driver", "DRIVER", "overlay: over all hosts; bridge (the default): on this one",
		OPT_DRIVER, 'd'},
	{"--subnet", "CIDR", "a subnet, such as 10.1.0.0/16; may be repeated", OPT_SUBNET, 0, true},
	{"--ip-range", "CIDR", "the part of a subnet that addresses are given out from",
		OPT_IP_RANGE, 0, true},
	{"--gateway", "ADDRESS", "an address of a subnet that leads out", OPT_GATEWAY, 0, true},
	{"--aux-address", "NAME=ADDRESS", "an address that no container gets; may be repeated",
		OPT_AUX_ADDRESS, 0, true},
	{"--ipv6", NULL, "IPv6 addresses too", OPT_IPV6},
	{"--internal", NULL, "nothing leads out of the network", OPT_INTERNAL},
	{"--dns", "ADDRESS[:PORT]", "ask this server for other names; may be repeated", OPT_DNS, 0,
		true},
	{"--label", "NAME[=VALUE]", "a label; may be repeated", OPT_LABEL, 0, true},
	{"--opt", "NAME=VALUE", "an option of the driver; may be repeated", OPT_OPT, 'o', true},
	{"--force", NULL, "do not ask; what is not there is no error", OPT_FORCE, 'f'},
	{"--quiet", NULL, "ids only", OPT_QUIET, 'q'},
	{"--filter", "KEY=VALUE", "only those; may be repeated", OPT_FILTER, 0, true},
	{"--netns", "NETNS", "its network namespace: a name, a path or a process id (its name)",
		OPT_NETNS},
	{"--ip", "ADDRESS", "this IPv4 address", OPT_IP},
	{"--ip6", "ADDRESS", "this IPv6 address", OPT_IP6},
	{"--mac", "ADDRESS", "this MAC address", OPT_MAC},
	{"--ifname", "NAME", "this name of its interface (the next ethN)", OPT_IFNAME},
	{"--alias", "NAME", "another name of it in the network; may be repeated", OPT_ALIAS, 0,
		true},
	{"--resolv-conf", NULL, "write /etc/netns/CONTAINER/resolv.conf", OPT_RESOLV_CONF},
	{"--from", "CONTAINER", "as this container of this host sees it", OPT_FROM},
	{"--network", "NETWORK", "as it is seen in this network alone", OPT_NETWORK},
	{"--repair", NULL, "mend what can be mended", OPT_REPAIR},
	{"--version", NULL, "print the version", 0},
	{"--help", NULL, "print this help, or that of the verb", 0},
	{NULL},
};

static int add_value(struct cli *cli, const struct cli_option *option, const char *value)
{
	struct cli_value *values;

	for (unsigned i = 0; i < cli->nb_values; i++) {
		if (cli->values[i].option == option && !option->repeats)
			return cli_usage("%s is given twice", option->name);
	}
	values = realloc(cli->values, (cli->nb_values + 1) * sizeof(*values));
	if (!values)
		abort();
	values[cli->nb_values++] = (struct cli_value){option, value};
	cli->values = values;
	return EXIT_DONE;
}

static int set_option(struct cli *cli, const struct cli_option *option, const char *value)
{
	const char *name = option->name + 2;
	double seconds = 0;
	int rc = EXIT_DONE;

	cli->given |= option->verb_option;
	if (!strcmp(name, "run-dir"))
		cli->connect.run_dir = value;
	else if (!strcmp(name, "connect"))
		cli->connect.connect = value;
	else if (!strcmp(name, "connect-events"))
		cli->connect.connect_events = value;
	else if (!strcmp(name, "key"))
		cli->connect.secret_key_file = value;
	else if (!strcmp(name, "server-key"))
		cli->connect.server_key_file = value;
	else if (!strcmp(name, "json"))
		cli->json = true;
	else if (!strcmp(name, "help"))
		cli->help = true;
	else if (!strcmp(name, "timeout"))
		rc = cli_seconds(option->name, value, &seconds);
	else if (!strcmp(name, "watch") && value)
		rc = cli_seconds(option->name, value, &cli->watch_s);
	else if (option->verb_option && value)
		rc = add_value(cli, option, value);
	if (seconds)
		cli->connect.timeout_ms = MAX_OF(1, seconds * 1000);
	return rc;
}

static const struct cli_option *find_option(const char *arg, size_t len)
{
	for (const struct cli_option *o = cli_options; o->name; o++) {
		if (strlen(o->name) == len && !strncmp(o->name, arg, len))
			return o;
		if (o->letter && len == 2 && arg[1] == o->letter)
			return o;
	}
	return NULL;
}

static int unknown_option(const char *arg, size_t len)
{
	unsigned best = NEAREST_FAR;
	const char *nearest = NULL;
	char word[64];

	snprintf(word, sizeof(word), "%.*s", (int)len, arg);
	for (const struct cli_option *o = cli_options; o->name; o++) {
		unsigned distance = nearest_distance(word, o->name);

		if (distance < best) {
			best = distance;
			nearest = o->name;
		}
	}
	if (nearest)
		return cli_usage("unknown option '%s'; did you mean '%s'?", word, nearest);
	return cli_usage("unknown option '%s'", word);
}

static bool is_number(const char *text)
{
	return text && *text && text[strspn(text, "0123456789.")] == '\0';
}

// Takes the option at argv[*i], and its value from the same or the next argument.
static int parse_option(struct cli *cli, int argc, char **argv, int *i)
{
	char *equals = strchr(argv[*i], '=');
	size_t len = equals ? (size_t)(equals - argv[*i]) : strlen(argv[*i]);
	const struct cli_option *option = find_option(argv[*i], len);
	const char *value = equals ? equals + 1 : NULL;

	if (!option && argv[*i][1] != '-') { // -ovni=7
		option = find_option(argv[*i], 2);
		value = argv[*i] + 2;
	}
	if (!option)
		return unknown_option(argv[*i], len);
	if (value && !option->arg)
		return cli_usage("%s takes no value", option->name);
	if (!value && option->arg && (option->arg[0] != '[' || is_number(argv[*i + 1]))) {
		if (*i + 1 >= argc)
			return cli_usage("%s needs a value: %s", option->name, option->arg);
		value = argv[++*i];
	}
	return set_option(cli, option, value);
}

int cli_parse_options(struct cli *cli, int *argc, char **argv)
{
	int kept = 1;

	for (int i = 1; i < *argc; i++) {
		int rc = EXIT_DONE;

		if (!strcmp(argv[i], "--")) {
			while (++i < *argc)
				argv[kept++] = argv[i];
			break;
		}
		if (!strcmp(argv[i], "--version")) {
			printf("vsctl %s\n", CAUSEWAY_VERSION);
			exit(EXIT_DONE);
		}
		if (!strcmp(argv[i], "-h"))
			cli->help = true;
		else if (argv[i][0] == '-' && argv[i][1])
			rc = parse_option(cli, *argc, argv, &i);
		else
			argv[kept++] = argv[i];
		if (rc != EXIT_DONE)
			return rc;
	}
	argv[kept] = NULL;
	*argc = kept;
	return EXIT_DONE;
}

const char *cli_option_text(const struct cli *cli, unsigned option)
{
	for (unsigned i = 0; i < cli->nb_values; i++) {
		if (cli->values[i].option->verb_option == option)
			return cli->values[i].text;
	}
	return NULL;
}

json_t *cli_option_list(const struct cli *cli, unsigned option)
{
	json_t *list = NULL;

	for (unsigned i = 0; i < cli->nb_values; i++) {
		if (cli->values[i].option->verb_option != option)
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

int cli_option_map(const struct cli *cli, unsigned option, json_t **ret_map)
{
	json_t *map = NULL;
	int rc = EXIT_DONE;

	for (unsigned i = 0; rc == EXIT_DONE && i < cli->nb_values; i++) {
		if (cli->values[i].option->verb_option != option)
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
