// SPDX-License-Identifier: BSD-3-Clause
// The hosts of the cluster.
#include "cli/cli.h"
#include "cli/table.h"

static void print_hosts(const struct cli *cli, const json_t *result)
{
	struct table table;
	json_t *host;
	size_t i;

	table_init(&table, "HOST ADDRESS STATE >SINCE-S >ENDPOINTS");
	json_array_foreach (json_object_get(result, "hosts"), i, host) {
		table_add(&table, "%s%s", member_text(host, "name"),
			member_flag(host, "self") ? " (this one)" : "");
		table_add(&table, "%s", member_text(host, "address"));
		table_add(&table, "%s", member_text(host, "state"));
		table_add_age(&table, cli_age_s(host, "since"));
		table_add(&table, "%lld", member_int(host, "endpoints"));
	}
	table_print(&table);
}

static int ls(struct cli *cli, int argc, char **argv)
{
	return cli_show(cli, "hosts", NULL, print_hosts);
}

static const struct verb verbs[] = {
	{"host ls", "", "list the hosts of the cluster", .other = "hosts",
		.detail = "A host is `suspended` while it does not reach the store; its endpoints "
			  "are kept until the grace period ends.",
		.run = ls, .of_agent = true},
	{},
};
const struct verb_group verb_group_host = {"Hosts", "vsctl host ls", verbs};
