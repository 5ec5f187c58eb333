// SPDX-License-Identifier: BSD-3-Clause
// The lists of the data plane as tables: drop reasons, stages, counters.
#include "dp/dp_counters.h"

enum { RX, TX };

const struct dp_drop_info dp_drop_info[DP_NB_DROPS] = {
#define X(symbol, name, direction, help) [DP_DROP_##symbol] = {name, help, direction == TX},
	DP_DROPS(X)
#undef X
};

const struct dp_stage_info dp_stage_info[DP_NB_STAGES] = {
#define X(symbol, name, fn, needed_by, help) [DP_STAGE_##symbol] = {name, help},
	DP_STAGES(X)
#undef X
};

const char *dp_point_name(unsigned point)
{
	return point < DP_NB_STAGES ? dp_stage_info[point].name : "tx";
}

#define X(...) COUNTER_ROW(struct dp_port_stats, __VA_ARGS__)
const struct counter dp_port_counters[] = {DP_PORT_COUNTERS(X){}};
#undef X
#define X(...) COUNTER_ROW(struct dp_worker_stats, __VA_ARGS__)
const struct counter dp_worker_counters[] = {DP_WORKER_COUNTERS(X){}};
#undef X
#define X(...) COUNTER_ROW(struct dp_stage_stats, __VA_ARGS__)
const struct counter dp_stage_counters[] = {DP_STAGE_COUNTERS(X){}};
#undef X
#define X(...) COUNTER_ROW(struct dp_fdb_stats, __VA_ARGS__)
const struct counter dp_fdb_counters[] = {DP_FDB_COUNTERS(X){}};
#undef X

const struct counter_group dp_counter_groups[] = {
	{"port or VTEP", "stats", "ports[]", dp_port_counters},
	{"worker", "workers", "workers[]", dp_worker_counters},
	{"stage of the pipeline", "workers", "workers[].stages[]", dp_stage_counters},
	{"forwarding table", "status", "fdb", dp_fdb_counters}, {}};
