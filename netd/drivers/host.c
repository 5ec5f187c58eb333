// SPDX-License-Identifier: BSD-3-Clause
#include "netd/drivers/driver.h"

const struct network_driver driver_host = {
	.name = "host",
	.help = "the network of the host itself: the container has no namespace of its own",
	.local = true,
	.predefined = true,
};
