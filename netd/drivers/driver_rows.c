// SPDX-License-Identifier: BSD-3-Clause
// The kinds of network, in the order in which they are listed. Alone in its file: a test that
// brings another list does not link this one.
#include "netd/drivers/driver.h"

const struct network_driver *const network_drivers[] = {
	&driver_overlay,
	&driver_bridge,
	&driver_none,
	&driver_host,
	NULL,
};
