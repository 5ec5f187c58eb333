// SPDX-License-Identifier: BSD-3-Clause
// Containers in networks.
#include <stdio.h>

#include "cli/cli.h"

static const struct cli_option netns = {"--netns", "NETNS",
	"container's namespace: name, path or PID; default: CONTAINER", .words = "CONTAINER"};
static const struct cli_option ip = {"--ip", "ADDRESS", "its IPv4 address"};
static const struct cli_option ip6 = {"--ip6", "ADDRESS", "its IPv6 address"};
static const struct cli_option mac = {
	"--mac-address", "ADDRESS", "its MAC address", .other = "--mac"};
static const struct cli_option ifname = {
	"--ifname", "NAME", "name of its interface; default: the next ethN"};
static const struct cli_option alias = {
	"--alias", "NAME", "another name in the network", .repeats = true};
static const struct cli_option resolv_conf = {
	"--resolv-conf", NULL, "write /etc/netns/CONTAINER/resolv.conf"};
static const struct cli_option opt = {"--driver-opt", "NAME=VALUE", "an option of the connection",
	.other = "--opt", .words = "spoof= default-route= port= resolv-conf=", .letter = 'o',
	.repeats = true};
static const struct cli_option force = {"--force", NULL,
	"also disconnect what another host left behind and no longer has", .letter = 'f'};

static int connect_container(struct cli *cli, int argc, char **argv)
{
	json_t *aliases, *options = NULL;
	int rc = cli_map(cli, &opt, &options);

	if (rc != EXIT_DONE)
		return rc;
	if (cli_given(cli, &resolv_conf)) {
		options = options ? options : json_object();
		json_object_set_new(
			options, "resolv-conf", json_string(cli_text(cli, &resolv_conf)));
	}
	aliases = cli_list(cli, &alias);
	return cli_change(cli, "network.connect",
		json_pack("{s:s, s:s, s:s*, s:s*, s:s*, s:s*, s:s*, s:o*, s:o*}", "network",
			argv[0], "name", argv[1], "netns", cli_text(cli, &netns), "ip",
			cli_text(cli, &ip), "ip6", cli_text(cli, &ip6), "mac", cli_text(cli, &mac),
			"ifname", cli_text(cli, &ifname), "aliases", aliases, "options", options));
}

static int disconnect_container(struct cli *cli, int argc, char **argv)
{
	return cli_change(cli, "network.disconnect",
		json_pack("{s:s, s:s, s:b}", "network", argv[0], "name", argv[1], "force",
			cli_flag(cli, &force)));
}

static const struct verb verbs[] = {
	{"network connect", "NETWORK CONTAINER", "connect a container of this host to a network",
		.detail = "A container is a network namespace.\n"
			  "Options of the connection (-o): spoof=allow|deny, "
			  "default-route=true|false, port=tap|veth, resolv-conf=true|false.",
		.min_args = 2, .max_args = 2,
		.options =
			CLI_OPTIONS(&netns, &ip, &ip6, &mac, &ifname, &alias, &resolv_conf, &opt),
		.run = connect_container, .of_agent = true},
	{"network disconnect", "NETWORK CONTAINER", "disconnect a container from a network",
		.min_args = 2, .max_args = 2, .options = CLI_OPTIONS(&force),
		.run = disconnect_container, .of_agent = true},
	{},
};
const struct verb_group verb_group_connect = {
	"Containers", "vsctl network connect front web --ip 10.1.0.80", verbs};
