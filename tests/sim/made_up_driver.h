// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "netd/drivers/driver.h"

extern const struct network_driver driver_made_up;
