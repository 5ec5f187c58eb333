// SPDX-License-Identifier: BSD-3-Clause
// Containers in networks.
#include <stdio.h>

#include "cli/endpoint.h"

static const struct cli_option netns = {"--netns", "NETNS",
	"container's namespace: name, path or PID; default: CONTAINER", .words = "CONTAINER"};
const struct cli_option cli_endpoint_ip = {"--ip", "ADDRESS", "its IPv4 address"};
const struct cli_option cli_endpoint_ip6 = {"--ip6", "ADDRESS", "its IPv6 address"};
const struct cli_option cli_endpoint_mac = {
	"--mac-address", "ADDRESS", "its MAC address", .other = "--mac"};
const struct cli_option cli_endpoint_ifname = {
	"--ifname", "NAME", "name of its interface; default: the next ethN"};
const struct cli_option cli_endpoint_alias = {
	"--alias", "NAME", "another name in the network", .repeats = true};
static const struct cli_option resolv_conf = {"--resolv-conf", NULL,
	"refuse a container that cannot get /etc/netns/CONTAINER/resolv.conf"};
const struct cli_option cli_endpoint_opt = {"--driver-opt", "NAME=VALUE",
	"an option of the connection", .other = "--opt",
	.words = "spoof= router= dhcp-server= flood-limit= default-route= port= resolv-conf=",
	.letter = 'o', .repeats = true};
static const struct cli_option force = {"--force", NULL,
	"also disconnect what another host left behind and no longer has", .letter = 'f'};

static void set_text(
	const struct cli *cli, const struct cli_option *option, json_t *params, const char *name)
{
	if (cli_given(cli, option))
		json_object_set_new(params, name, json_string(cli_text(cli, option)));
}

int cli_endpoint_params(const struct cli *cli, json_t *params)
{
	json_t *aliases = cli_list(cli, &cli_endpoint_alias), *options = NULL;
	int rc = cli_map(cli, &cli_endpoint_opt, &options);

	set_text(cli, &cli_endpoint_ip, params, "ip");
	set_text(cli, &cli_endpoint_ip6, params, "ip6");
	set_text(cli, &cli_endpoint_mac, params, "mac");
	set_text(cli, &cli_endpoint_ifname, params, "ifname");
	if (aliases)
		json_object_set_new(params, "aliases", aliases);
	if (rc == EXIT_DONE && options)
		json_object_set_new(params, "options", options);
	return rc;
}

// --resolv-conf is an option of the connection that has a name of its own.
static void add_resolv_conf(const struct cli *cli, json_t *params)
{
	if (!cli_given(cli, &resolv_conf))
		return;
	if (!json_object_get(params, "options"))
		json_object_set_new(params, "options", json_object());
	set_text(cli, &resolv_conf, json_object_get(params, "options"), "resolv-conf");
}

static int connect_container(struct cli *cli, int argc, char **argv)
{
	json_t *params = json_pack("{s:s, s:s}", "network", argv[0], "name", argv[1]);
	int rc = cli_endpoint_params(cli, params);

	if (rc != EXIT_DONE) {
		json_decref(params);
		return rc;
	}
	set_text(cli, &netns, params, "netns");
	add_resolv_conf(cli, params);
	return cli_change(cli, "network.connect", params);
}

static int disconnect_container(struct cli *cli, int argc, char **argv)
{
	return cli_change(cli, "network.disconnect",
		json_pack("{s:s, s:s, s:b}", "network", argv[0], "name", argv[1], "force",
			cli_flag(cli, &force)));
}

static const struct verb verbs[] = {
	{"network connect", "NETWORK CONTAINER", "connect a container of this host to a network",
		.detail = "A container is a network namespace. One with a name under /run/netns "
			  "gets /etc/netns/NAME/resolv.conf, so that names resolve; in one without "
			  "(--netns PID), write \"nameserver 127.0.0.11\" into the container's own "
			  "/etc/resolv.conf.\n"
			  "Options of the connection (-o): spoof=allow|deny, "
			  "router=allow|deny, dhcp-server=allow|deny, flood-limit=COUNT, "
			  "default-route=true|false, "
			  "port=tap|veth, resolv-conf=true|false.",
		.min_args = 2, .max_args = 2,
		.options = CLI_OPTIONS(&netns, &cli_endpoint_ip, &cli_endpoint_ip6,
			&cli_endpoint_mac, &cli_endpoint_ifname, &cli_endpoint_alias, &resolv_conf,
			&cli_endpoint_opt),
		.run = connect_container, .of_agent = true, .wait_s = 60},
	{"network disconnect", "NETWORK CONTAINER", "disconnect a container from a network",
		.min_args = 2, .max_args = 2, .options = CLI_OPTIONS(&force),
		.run = disconnect_container, .of_agent = true, .wait_s = 10},
	{},
};
const struct verb_group verb_group_connect = {
	"Containers", "vsctl network connect front web --ip 10.1.0.80", verbs};
