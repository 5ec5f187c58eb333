// SPDX-License-Identifier: BSD-3-Clause
// Containers without a network.
#include "netd/drivers/driver.h"

static const char *const predefined[] = {"none", NULL};

static int attach(const struct network_record *rec, struct endpoint_record *ep, struct err *err)
{
	return driver_refuse(rec,
		"it gives containers no interface; connect to a network of driver overlay or "
		"bridge",
		err);
}

const struct network_driver driver_none = {
	.name = "none",
	.help = "no network: the container has its loopback interface only",
	.scope = NETWORK_OF_HOST,
	.predefined = predefined,
	.check = driver_check_bare,
	.attach = attach,
};
