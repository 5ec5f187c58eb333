// SPDX-License-Identifier: BSD-3-Clause
// The stages of the pipeline, in order. One list: functions, counters, names in `vsctl perf` and
// the points of a trace come from it. A new stage is a file with its function and a row here.
#pragma once

// X(symbol, name, function, which batches need it (pipeline.c), help)
#define DP_STAGES(X)                                                                               \
	X(GRO, "gro", dp_stage_gro, all, "merges TCP frames from a tunnel into large segments")    \
	X(DEMUX, "demux", dp_stage_demux, all,                                                     \
		"sorts packets from a tunnel by the ports they belong to")                         \
	X(PARSE, "parse", dp_stage_parse, all, "reads headers and finds the VLAN of each packet")  \
	X(GUARD, "guard", dp_stage_guard, guarded, "drops packets from spoofed addresses")         \
	X(LEARN, "learn", dp_stage_learn, all, "remembers which port a source address is behind")  \
	X(LOOKUP, "lookup", dp_stage_lookup, all, "finds the port of each destination address")    \
	X(SUPPRESS, "suppress", dp_stage_suppress, questions,                                      \
		"answers ARP and neighbour discovery for known neighbours")                        \
	X(FLOOD, "flood", dp_stage_flood, flooded,                                                 \
		"copies packets to all other ports of their VLAN")                                 \
	X(EGRESS, "egress", dp_stage_egress, all, "finishes packets and hands them to ports")

enum dp_stage_id {
#define X(symbol, name, fn, needed_by, help) DP_STAGE_##symbol,
	DP_STAGES(X)
#undef X
		DP_NB_STAGES
};

// Stages before this one run only for ports that receive for others (struct dp_port, `demux`).
#define DP_STAGE_FIRST DP_STAGE_PARSE

#define DP_POINT_TX DP_NB_STAGES // of a trace (site.h): packets are given to a port

struct dp_stage_info {
	const char *name, *help;
};

extern const struct dp_stage_info dp_stage_info[DP_NB_STAGES];

// Of a stage, or of DP_POINT_TX.
const char *dp_point_name(unsigned point);
