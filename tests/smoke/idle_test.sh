#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A switch with nothing to do sleeps, and wakes at once. Measured, not judged: see benchmarks/.
. "$(dirname "$0")/lib.sh"

two_containers
ticks() {
	awk '{ print $14 + $15 }' "/proc/$SWITCH_PID/stat"
}
sleep 1
before=$(ticks)
sleep 4
after=$(ticks)
note "idle: $(awk -v t=$((after - before)) -v hz="$(getconf CLK_TCK)" \
	'BEGIN { printf "%.2f", t / hz / 4 * 100 }') % of one CPU"
in_ns c1 ping -c 4 -i 0.5 10.0.0.2 >"$T/ping"
note "ping after half a second of silence: $(sed -n 's/^rtt //p' "$T/ping")"
sleeps=$(vsctl --json worker ls | jq '[.workers[].sleeps] | add')
((sleeps > 0)) || fail "the worker never slept: $(vsctl worker ls)"
