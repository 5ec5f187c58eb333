#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SIGTERM under traffic: out within a second, status 0, run folder free, interfaces left in place
# for the next start.
. "$(dirname "$0")/lib.sh"

two_containers
iperf_server c2
in_ns c1 timeout 5 iperf3 -c 10.0.0.2 --time 4 >/dev/null 2>&1 &
sleep 0.7
start=$EPOCHREALTIME
switch_stop || fail "status $?"
took=$(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.0f", (b - a) * 1000 }')
note "SIGTERM to exit: $took ms"
((took < 1000 * SLOW)) || fail "$took ms to leave"
[[ ! -e $T/sw/run/ctl.sock ]] || fail "ctl.sock is still there"
ip -n c1 link show eth0 >/dev/null || fail "the tap of c1 has gone"
refused 'no switch|not running|cannot connect|no vswitchd|answer' vsctl status
start_switch
reaches c1 10.0.0.2
