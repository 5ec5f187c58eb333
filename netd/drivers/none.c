// SPDX-License-Identifier: BSD-3-Clause
#include "netd/drivers/driver.h"

const struct network_driver driver_none = {
	.name = "none",
	.help = "no network: the container has its loopback",
	.local = true,
	.predefined = true,
};
