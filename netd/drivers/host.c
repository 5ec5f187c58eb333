// SPDX-License-Identifier: BSD-3-Clause
// Containers in the network namespace of their host.
#include "netd/drivers/driver.h"

static const char *const predefined[] = {"host", NULL};

static int attach(const struct network_record *rec, struct endpoint_record *ep, struct err *err)
{
	return driver_refuse(rec,
		"a container is in it from its start, or never: start the container with the "
		"host's network, or connect it to a network of driver overlay or bridge",
		err);
}

const struct network_driver driver_host = {
	.name = "host",
	.help = "the network of the host itself: the container has no namespace of its own",
	.scope = NETWORK_OF_HOST,
	.predefined = predefined,
	.check = driver_check_bare,
	.attach = attach,
};
