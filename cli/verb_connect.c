// SPDX-License-Identifier: BSD-3-Clause
#include <stdio.h>

#include "cli/cli.h"

static int connect_container(struct cli *cli, int argc, char **argv)
{
	json_t *aliases, *options = NULL;
	int rc = cli_option_map(cli, OPT_OPT, &options);

	if (rc != EXIT_DONE)
		return rc;
	if (cli->given & OPT_RESOLV_CONF) {
		options = options ? options : json_object();
		json_object_set_new(options, "resolv-conf", json_string("true"));
	}
	aliases = cli_option_list(cli, OPT_ALIAS);
	return cli_change(cli, "network.connect",
		json_pack("{s:s, s:s, s:s*, s:s*, s:s*, s:s*, s:s*, s:o*, s:o*}", "network",
			argv[0], "name", argv[1], "netns", cli_option_text(cli, OPT_NETNS), "ip",
			cli_option_text(cli, OPT_IP), "ip6", cli_option_text(cli, OPT_IP6), "mac",
			cli_option_text(cli, OPT_MAC), "ifname", cli_option_text(cli, OPT_IFNAME),
			"aliases", aliases, "options", options));
}

static int disconnect_container(struct cli *cli, int argc, char **argv)
{
	return cli_change(cli, "network.disconnect",
		json_pack("{s:s, s:s, s:b}", "network", argv[0], "name", argv[1], "force",
			!!(cli->given & OPT_FORCE)));
}

const struct verb verbs_connect[] = {
	{"network connect", "NETWORK CONTAINER", "connect a container of this host to a network",
		"The container is a network namespace: of the name CONTAINER, or what --netns "
		"says. "
		"Options (-o):\nspoof=allow|deny, default-route=true|false, "
		"port=tap|veth,\nresolv-conf=true|false.",
		2, 2,
		OPT_NETNS | OPT_IP | OPT_IP6 | OPT_MAC | OPT_IFNAME | OPT_ALIAS | OPT_RESOLV_CONF |
			OPT_OPT,
		connect_container, true},
	{"network disconnect", "NETWORK CONTAINER", "disconnect it",
		"With --force also what a host has left behind that is not there any more.", 2, 2,
		OPT_FORCE, disconnect_container, true},
	{"network monitor", "[EVENT...]", "print events of networks as they happen",
		"Only events whose name begins with one of the arguments, such as endpoint. or "
		"host.suspended.",
		0, -1, 0, cli_monitor, true},
	{NULL},
};
