#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Two switches side by side know nothing of each other; a folder belongs to one only.
. "$(dirname "$0")/lib.sh"

start_switch
first=$SWITCH_PID
container c1 c2 d1 d2
vsctl add-br br0
plug c1 10.0.0.1/24
plug c2 10.0.0.2/24
switch_start "$T/second" || fail "the second does not start"
vsctl add-br br0
plug d1 10.0.0.1/24
plug d2 10.0.0.2/24
reaches d1 10.0.0.2
[[ $(vsctl --json list-ports | jq -c '[.ports[].name] | sort') == '["d1","d2"]' ]] ||
	fail "not d1 and d2: $(vsctl list-ports)"
refused 'another vswitchd' "$VSWITCHD" --run-dir "$T/second/run" --state-dir "$T/other"
refused 'another vswitchd' "$VSWITCHD" --run-dir "$T/other" --state-dir "$T/second/state"
# A device that is the other switch's is not taken from it.
refused 'c1|eth0' vsctl add-port br0 x type=tap netns=c1 ifname=eth0
switch_stop || fail "the second ended with $?"
SWITCH_PID=$first
export CAUSEWAY_RUN_DIR=$T/sw/run
reaches c1 10.0.0.2
[[ $(vsctl --run-dir "$T/sw/run" --json list-ports | jq '.ports | length') == 2 ]] ||
	fail "the first lost its ports"
