// SPDX-License-Identifier: BSD-3-Clause
// A bridge in the switch of one host.
#include "netd/drivers/driver.h"

static const struct driver_option options[] = {
	DRIVER_OPTION_MTU,
	DRIVER_OPTIONS_GUARD,
	{},
};

const struct network_driver driver_bridge = {
	.name = "bridge",
	.help = "connects the containers of this host",
	.scope = NETWORK_OF_HOST,
	.options = options,
	.choose = driver_choose_subnets,
	.plan = driver_plan_bridge,
	.port_options = driver_port_guard,
};
