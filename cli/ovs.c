// SPDX-License-Identifier: BSD-3-Clause
#include "cli/ovs.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "base/util.h"
#include "config/schema.h"

#define LINE_BYTES 400

static bool is_table(const char *word)
{
	static const char *const tables[] = {"interface", "port", "bridge"};

	for (unsigned i = 0; i < ARRAY_SIZE(tables); i++) {
		if (!strcasecmp(tables[i], word))
			return true;
	}
	return false;
}

// An option as vsctl has it: options:remote_ip=192.0.2.1 is remote=192.0.2.1.
static void add_option(struct text *line, const char *word)
{
	static const struct {
		const char *theirs, *ours;
	} names[] = {{"options:", ""}, {"remote_ip=", "remote="}, {"local_ip=", "address="},
		{"dpdk-devargs=", "devargs="}, {"mtu_request=", "mtu="}, {"mac_in_use=", "mac="}};

	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		size_t len = strlen(names[i].theirs);

		if (strncmp(word, names[i].theirs, len) != 0)
			continue;
		text_addf(line, "%s", names[i].ours);
		word += len;
	}
	text_addf(line, "%s", word);
}

// The words of the command line without "set TABLE NAME" and without a bridge before the port.
// False: they are none of ovs-vsctl's.
static bool rewrite(const struct cli *cli, struct text *line)
{
	bool is_ovs = false;
	int first = 0;

	text_addf(line, "vsctl %s", cli->verb->name);
	if (!strcmp(cli->verb->name, "set-port") && cli->argc > 2 && !strchr(cli->argv[1], '=')) {
		first = 1;
		is_ovs = true;
	}
	for (int i = first; i < cli->argc; i++) {
		if (!strcmp(cli->argv[i], "--"))
			continue;
		if (i > 0 && i + 2 < cli->argc && !strcmp(cli->argv[i], "set") &&
			is_table(cli->argv[i + 1])) {
			i += 2;
			is_ovs = true;
			continue;
		}
		if (i > first && i >= cli->verb->min_args - first && !strchr(cli->argv[i], '='))
			return false;
		text_addf(line, " ");
		add_option(line, cli->argv[i]);
	}
	return is_ovs;
}

int cli_no_option(const struct cli *cli, const char *word)
{
	bool sets_port = !strcmp(cli->verb->name, "set-port");
	char buf[LINE_BYTES];
	struct text line = text_over(buf, sizeof(buf));

	if (rewrite(cli, &line))
		return cli_usage(
			"'%s' is not an option: KEY=VALUE is expected; write: %s", word, buf);
	return cli_usage("'%s' is not an option: KEY=VALUE is expected%s", word,
		sets_port ? " behind the port, without its bridge: vsctl set-port PORT tag=10"
			  : "");
}

// What the arguments KEY=VALUE of the verb are options of.
static const struct schema_table *table_of(const struct verb *verb)
{
	if (!strstr(verb->args, "KEY=VALUE"))
		return NULL;
	if (strstr(verb->name, "vtep"))
		return &schema_vtep;
	return strstr(verb->name, "-br") ? &schema_bridge : &schema_port;
}

bool cli_is_key(const struct verb *verb, const char *name, const char *value)
{
	const struct schema_table *table = table_of(verb);
	const char *key = name + strspn(name, "-");

	if (!table)
		return false;
	key = schema_find(table, key) ? key : schema_meant(table, key);
	if (!key)
		return false;
	cli_usage("%s has no option %s; write: %s=%s", verb->name, name, key,
		value ? value : "VALUE");
	return true;
}
