// SPDX-License-Identifier: BSD-3-Clause
// A bridge on each host that has containers in the network, and VXLAN between these hosts.
#include <stdlib.h>
#include <string.h>

#include "netd/drivers/driver.h"

static const struct driver_option options[] = {
	{
		.name = "vni",
		.alias = "com.docker.network.driver.overlay.vxlanid_list",
		.allowed = "a VXLAN network identifier is 1 to 16777215",
		.help = "the VXLAN network identifier; default: a free one of vni-range",
		.check = driver_check_vni,
	},
	{
		.name = "dscp",
		.allowed = "a DSCP is 0 to 63, or inherit",
		.help = "the DSCP of packets between hosts; inherit: that of the container's "
			"packet; default: 0",
		.check = driver_check_dscp,
	},
	{
		.name = "ttl",
		.allowed = "a TTL is 1 to 255, or inherit",
		.help = "the TTL of packets between hosts; inherit: that of the container's "
			"packet; "
			"default: 64",
		.check = driver_check_ttl,
	},
	DRIVER_OPTION_MTU,
	DRIVER_OPTIONS_GUARD,
	{},
};

static void check(struct network_check *check, struct network_record *rec)
{
	const char *text = network_option(rec, "vni");
	uint32_t vni;

	if (!text || !driver_check_vni(text)) // which was said already
		return;
	vni = strtoul(text, NULL, 10);
	if (rec->vni && rec->vni != vni)
		network_mistake(
			check, "options.vni", "the network has VNI %u, not %u", rec->vni, vni);
	else
		rec->vni = vni;
}

static int choose(
	struct network_record *rec, const struct network_chooser *chooser, struct err *err)
{
	int rc = chooser->vni(chooser->arg, rec, err);

	return rc == 0 ? driver_choose_subnets(rec, chooser, err) : rc;
}

static uint16_t mark_option(const struct network_record *rec, const char *name)
{
	const char *text = network_option(rec, name);

	if (!text)
		return 0;
	return !strcmp(text, "inherit") ? PLAN_INHERIT : strtoul(text, NULL, 10);
}

static void plan(const struct network_record *rec, struct network_plan *plan)
{
	driver_plan_bridge(rec, plan);
	plan->vni = rec->vni;
	plan->dscp = mark_option(rec, "dscp");
	plan->ttl = mark_option(rec, "ttl");
}

static void show(const struct network_record *rec, json_t *obj)
{
	json_object_set_new(obj, "vni", json_integer(rec->vni));
}

static void audit(const struct network_record *rec, network_audit_fn *fn, void *arg)
{
	if (!rec->vni)
		fn(arg, "it has no VNI, so its containers do not reach those of other hosts");
}

const struct network_driver driver_overlay = {
	.name = "overlay",
	.help = "connects containers of all hosts of the cluster through VXLAN",
	.scope = NETWORK_OF_CLUSTER,
	.options = options,
	.check = check,
	.choose = choose,
	.plan = plan,
	.port_options = driver_port_guard,
	.show = show,
	.audit = audit,
};
