// SPDX-License-Identifier: BSD-3-Clause
// A network driver that exists in tests only, much like macvlan: its containers are in a VLAN of a
// physical network, whose subnets and router somebody else looks after. All of it is in this file;
// driver_cases.c has its row.
#include <stdlib.h>
#include <string.h>

#include "tests/sim/made_up_driver.h"

static bool check_parent(const char *value)
{
	return value[0];
}

// A VLAN, or a limit.
static bool check_tag(const char *value)
{
	return atoi(value) >= 1 && atoi(value) <= 4094;
}

static const struct driver_option made_up_options[] = {
	{
		.name = "parent",
		.allowed = "a parent is an interface",
		.help = "the interface that leads to the physical network",
		.check = check_parent,
	},
	{
		.name = "tag",
		.allowed = "a VLAN is 1 to 4094",
		.help = "the VLAN of its containers",
		.check = check_tag,
	},
	DRIVER_OPTION_SPOOF,
	{},
};

static const struct driver_option made_up_endpoint_options[] = {
	{
		.name = "limit",
		.allowed = "a limit is 1 to 4094 addresses",
		.help = "how many MAC addresses may be behind the container's port",
		.check = check_tag,
	},
	{},
};

static const char *parent_of(const struct network_record *rec)
{
	const char *parent = network_option(rec, "parent");

	return parent ? parent : "";
}

static void check(struct network_check *check, struct network_record *rec)
{
	if (!rec->nb_subnets)
		network_mistake(check, "subnets", "give the subnet of the physical network");
	if (!parent_of(rec)[0])
		network_mistake(check, "options", "option parent is missing");
}

static int attach(const struct network_record *rec, struct endpoint_record *ep, struct err *err)
{
	if (!strcmp(ep->name, "stranger"))
		return driver_refuse(rec, "it takes no strangers; choose another name", err);
	return 0;
}

// The router is the gateway: this host makes none.
static void plan(const struct network_record *rec, struct network_plan *plan)
{
	plan->mtu = 1492;
}

static void port_options(
	const struct network_record *rec, const struct endpoint_record *ep, json_t *options)
{
	const char *limit = json_string_value(json_object_get(ep->options, "limit"));
	const char *tag = network_option(rec, "tag");

	driver_port_guard(rec, ep, options);
	if (tag)
		json_object_set_new(options, "tag", json_integer(atoi(tag)));
	if (limit)
		json_object_set_new(options, "fdb_limit", json_integer(atoi(limit)));
}

static void show(const struct network_record *rec, json_t *obj)
{
	json_object_set_new(obj, "parent", json_string(parent_of(rec)));
}

static void audit(const struct network_record *rec, network_audit_fn *fn, void *arg)
{
	if (!strcmp(parent_of(rec), "lost0"))
		fn(arg, "its parent lost0 does not exist");
}

const struct network_driver driver_made_up = {
	.name = "made-up",
	.help = "connects containers to a physical network that does not exist",
	.scope = NETWORK_OF_CLUSTER,
	.options = made_up_options,
	.endpoint_options = made_up_endpoint_options,
	.check = check,
	.attach = attach,
	.plan = plan,
	.port_options = port_options,
	.show = show,
	.audit = audit,
};
