// SPDX-License-Identifier: BSD-3-Clause
#include "netd/drivers/driver.h"

static const struct driver_option options[] = {
	DRIVER_OPTION_MTU,
	DRIVER_OPTION_SPOOF,
	{},
};

const struct network_driver driver_bridge = {
	.name = "bridge",
	.help = "on this host alone",
	.local = true,
	.bridged = true,
	.options = options,
};
