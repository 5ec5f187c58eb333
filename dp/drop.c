// SPDX-License-Identifier: BSD-3-Clause
#include "dp/drop.h"

enum { RX, TX };

const struct dp_drop_info dp_drop_info[DP_NB_DROPS] = {
#define X(symbol, name, direction, help) [DP_DROP_##symbol] = {name, help, direction == TX},
	DP_DROPS(X)
#undef X
};
