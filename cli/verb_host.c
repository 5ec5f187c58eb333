// SPDX-License-Identifier: BSD-3-Clause
// The hosts of the cluster.
#include "cli/cli.h"
#include "cli/table.h"

static void print_hosts(const struct cli *cli, const json_t *result)
{
	struct table table;
	json_t *host;
	size_t i;

	table_init(&table, "HOST ADDRESS STATE >SINCE-S TUNNEL >ENDPOINTS");
	json_array_foreach (json_object_get(result, "hosts"), i, host) {
		table_add(&table, "%s%s", member_text(host, "name"),
			member_flag(host, "self") ? " (this one)" : "");
		table_add(&table, "%s", member_text(host, "address"));
		table_add(&table, "%s", member_text(host, "state"));
		table_add_age(&table, cli_age_s(host, "since"));
		table_add(&table, "%s", member_text_or(host, "tunnel", "-"));
		table_add(&table, "%lld", member_int(host, "endpoints"));
	}
	table_print(&table);
}

static int ls(struct cli *cli, int argc, char **argv)
{
	return cli_show(cli, "hosts", NULL, print_hosts);
}

static const struct cli_option rm_force = {"--force", NULL,
	"also a host that answers through its tunnel, so that its containers may be alive",
	.letter = 'f'};

static int rm(struct cli *cli, int argc, char **argv)
{
	return cli_change(cli, "host.rm",
		json_pack("{s:s, s:b}", "name", argv[0], "force", cli_flag(cli, &rm_force)));
}

static const struct verb verbs[] = {
	{"host ls", "", "list the hosts of the cluster", .other = "hosts",
		.detail = "A host is `suspended` while it does not reach the store. Its endpoints "
			  "are "
			  "kept until the grace period ends, and longer unless its tunnel was "
			  "silent all that time.",
		.run = ls, .of_agent = true},
	{"host rm", "HOST", "remove a suspended host that is gone for good",
		.detail = "Its endpoints are deleted and its addresses are free again. A host that "
			  "comes back has nothing but what nobody has taken meanwhile.",
		.min_args = 1, .max_args = 1, .options = CLI_OPTIONS(&rm_force), .run = rm,
		.of_agent = true},
	{},
};
const struct verb_group verb_group_host = {"Hosts", "vsctl host ls", verbs};
