// SPDX-License-Identifier: BSD-3-Clause
#include "ctrl/kv/driver.h"
