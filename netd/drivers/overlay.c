// SPDX-License-Identifier: BSD-3-Clause
#include "netd/drivers/driver.h"

static const struct driver_option options[] = {
	{
		.name = "vni",
		.alias = "com.docker.network.driver.overlay.vxlanid_list",
		.allowed = "a VXLAN network identifier is 1 to 16777215",
		.help = "the VXLAN network identifier; chosen from vni-range when not given",
		.check = driver_check_vni,
	},
	DRIVER_OPTION_MTU,
	DRIVER_OPTION_SPOOF,
	{},
};

const struct network_driver driver_overlay = {
	.name = "overlay",
	.help = "over all hosts of the cluster, through VXLAN",
	.bridged = true,
	.tunnelled = true,
	.options = options,
};
