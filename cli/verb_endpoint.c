// SPDX-License-Identifier: BSD-3-Clause
// Connecting in steps: addresses and endpoints that exist before their container has a namespace.
// Each has an id that its creator chose; a repeat of a step is no error.
#include <stdio.h>

#include "cli/endpoint.h"
#include "cli/table.h"

static const struct cli_option name = {
	"--name", "NAME", "name of the container in the network; default: ID"};
static const struct cli_option address = {"--ip", "ADDRESS", "this address; default: a free one"};
static const struct cli_option range = {
	"--ip-range", "CIDR", "the part of the subnet that addresses are given out from"};
static const struct cli_option ipv6 = {"--ipv6", NULL, "choose one of IPv6, not of IPv4"};

// Of what is deleted by its id, with the option --if-exists.
static int by_id(struct cli *cli, const char *method, const char *id)
{
	return cli_change(cli, method,
		json_pack("{s:s, s:b}", "id", id, "if_exists", cli_flag(cli, &cli_if_exists)));
}

static void print_ips(const struct cli *cli, const json_t *result)
{
	json_t *ip;
	size_t i;

	json_array_foreach (json_object_get(result, "ips"), i, ip)
		printf("%s\n", json_string_value(ip));
}

static int create(struct cli *cli, int argc, char **argv)
{
	const char *called = cli_text(cli, &name);
	json_t *params = json_pack("{s:s, s:s, s:s}", "network", argv[0], "id", argv[1], "name",
		called ? called : argv[1]);
	int rc = cli_endpoint_params(cli, params);

	if (rc == EXIT_DONE)
		return cli_show(cli, "endpoint.create", params, print_ips);
	json_decref(params);
	return rc;
}

static int join(struct cli *cli, int argc, char **argv)
{
	return cli_change(cli, "endpoint.join",
		json_pack("{s:s, s:s, s:s*}", "id", argv[0], "netns", argv[1], "ifname",
			cli_text(cli, &cli_endpoint_ifname)));
}

static int leave(struct cli *cli, int argc, char **argv)
{
	return by_id(cli, "endpoint.leave", argv[0]);
}

static int endpoint_rm(struct cli *cli, int argc, char **argv)
{
	return by_id(cli, "endpoint.delete", argv[0]);
}

static void print_address(const struct cli *cli, const json_t *result)
{
	printf("%s\n", member_text(result, "address"));
}

static int address_add(struct cli *cli, int argc, char **argv)
{
	return cli_show(cli, "address.request",
		json_pack("{s:s, s:s, s:s*, s:b}", "network", argv[0], "id", argv[1], "ip",
			cli_text(cli, &address), "ipv6", cli_flag(cli, &ipv6)),
		print_address);
}

static int address_rm(struct cli *cli, int argc, char **argv)
{
	return by_id(cli, "address.release", argv[0]);
}

static void print_subnet(const struct cli *cli, const json_t *result)
{
	printf("%s\n", member_text(result, "subnet"));
}

static int pool_add(struct cli *cli, int argc, char **argv)
{
	return cli_show(cli, "pool.request",
		json_pack("{s:s, s:s*, s:s*, s:b}", "id", argv[0], "subnet",
			argc > 1 ? argv[1] : NULL, "ip_range", cli_text(cli, &range), "ipv6",
			cli_flag(cli, &ipv6)),
		print_subnet);
}

static int pool_rm(struct cli *cli, int argc, char **argv)
{
	return by_id(cli, "pool.release", argv[0]);
}

static void print_pools(const struct cli *cli, const json_t *result)
{
	struct table table;
	json_t *pool;
	size_t i;

	table_init(&table, "ID SUBNET RANGE GATEWAY NETWORK");
	json_array_foreach (json_object_get(result, "pools"), i, pool) {
		table_add(&table, "%s", member_text_or(pool, "id", "-"));
		table_add(&table, "%s", member_text_or(pool, "subnet", "-"));
		table_add(&table, "%s", member_text_or(pool, "ip_range", "-"));
		table_add(&table, "%s", member_text_or(pool, "gateway", "-"));
		table_add(&table, "%s", member_text_or(pool, "network", "-"));
	}
	table_print(&table);
}

static int pool_ls(struct cli *cli, int argc, char **argv)
{
	return cli_show(cli, "pool.ls", NULL, print_pools);
}

static const struct verb verbs[] = {
	{"endpoint create", "NETWORK ID", "create an endpoint without a namespace",
		.detail =
			"It has its addresses from then on, which are printed. ID is yours to "
			"choose; repeating a step with the same id is no error. `network connect` "
			"is `endpoint create` and `endpoint join`.",
		.min_args = 2, .max_args = 2,
		.options = CLI_OPTIONS(&name, &cli_endpoint_ip, &cli_endpoint_ip6,
			&cli_endpoint_mac, &cli_endpoint_alias, &cli_endpoint_opt),
		.run = create, .of_agent = true, .wait_s = 60},
	{"endpoint join", "ID NETNS", "join an endpoint to the namespace of its container",
		.detail = "NETNS is a name under /run/netns, a path or a PID.", .min_args = 2,
		.max_args = 2, .options = CLI_OPTIONS(&cli_endpoint_ifname), .run = join,
		.of_agent = true, .wait_s = 60},
	{"endpoint leave", "ID", "take an endpoint out of its namespace; it keeps its addresses",
		.min_args = 1, .max_args = 1, .options = CLI_OPTIONS(&cli_if_exists), .run = leave,
		.of_agent = true, .wait_s = 10},
	{"endpoint rm", "ID", "delete an endpoint", .other = "endpoint delete", .min_args = 1,
		.max_args = 1, .options = CLI_OPTIONS(&cli_if_exists), .run = endpoint_rm,
		.of_agent = true, .wait_s = 10},
	{"address add", "NETWORK ID", "hold an address of a network for a later endpoint",
		.detail = "Prints the address. `endpoint create` asks for it with --ip.",
		.min_args = 2, .max_args = 2, .options = CLI_OPTIONS(&address, &ipv6),
		.run = address_add, .of_agent = true, .wait_s = 60},
	{"address rm", "ID", "release an address; an endpoint that uses it keeps it", .min_args = 1,
		.max_args = 1, .options = CLI_OPTIONS(&cli_if_exists), .run = address_rm,
		.of_agent = true, .wait_s = 10},
	{"pool ls", "", "list the subnets that are held on this host", .run = pool_ls,
		.of_agent = true},
	{"pool add", "ID [CIDR]", "hold a subnet on this host for a later network",
		.detail = "Prints the subnet, which is one of the default pools if CIDR is not "
			  "given.",
		.min_args = 1, .max_args = 2, .options = CLI_OPTIONS(&range, &ipv6),
		.run = pool_add, .of_agent = true},
	{"pool rm", "ID", "release a subnet", .min_args = 1, .max_args = 1,
		.options = CLI_OPTIONS(&cli_if_exists), .run = pool_rm, .of_agent = true},
	{},
};
const struct verb_group verb_group_endpoint = {
	"Endpoints in steps", "vsctl endpoint create front id1 --name web", verbs};
