#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SIGTERM under traffic: the switch ends with status 0, its run folder is free, and interfaces are left
# in place for the next start. How long it takes is noted.
. "$(dirname "$0")/lib.sh"

# has_ended PID: also if nobody has waited for it yet
has_ended() {
	[[ ! -e /proc/$1/stat || $(awk '{ print $3 }' "/proc/$1/stat") == Z ]]
}

two_containers
iperf_server c2
in_ns c1 timeout 5 iperf3 -c 10.0.0.2 --time 4 >/dev/null 2>&1 &
sleep 0.7
start=$EPOCHREALTIME
kill -TERM "$SWITCH_PID"
wait_until 60 has_ended "$SWITCH_PID" || fail "still there"
wait "$SWITCH_PID" || fail "status $?"
took=$(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.0f", (b - a) * 1000 }')
note "SIGTERM to exit: $took ms"
[[ ! -e $T/sw/run/ctl.sock ]] || fail "ctl.sock is still there"
ip -n c1 link show eth0 >/dev/null || fail "the tap of c1 has gone"
refused 'no switch|not running|cannot connect|no vswitchd|answer' vsctl status
start_switch
reaches c1 10.0.0.2

# The same with 200 ports, workers that never sleep, and someone who is impatient.
switch_stop || fail "status $?"
{
	printf 'polling: busy\nbridges:\n  br0:\n    ports:\n'
	for i in {1..200}; do
		printf '      m%s: {type: tap, netns: c1}\n' "$i"
	done
} >"$T/many.yaml"
switch_start "$T/many" -c "$T/many.yaml" || fail "no start with 200 ports"
up=$(vsctl --json status | jq .ports_up)
((up == 200)) || fail "$up of 200 ports are up"
in_ns c1 ping -f -w 2 -I m1 ff02::1 >/dev/null 2>&1 &
sleep 0.3
start=$EPOCHREALTIME
kill -TERM "$SWITCH_PID"
kill -TERM "$SWITCH_PID" || true
kill -INT "$SWITCH_PID" || true
wait_until 60 has_ended "$SWITCH_PID" || fail "still there"
wait "$SWITCH_PID" || fail "status $? after a second signal"
took=$(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.0f", (b - a) * 1000 }')
note "SIGTERM to exit with 200 ports: $took ms"
[[ ! -e $T/many/run/ctl.sock ]] || fail "ctl.sock is still there"
(($(ip -n c1 -o link | grep -c ' m[0-9]*:') == 200)) || fail "not all taps stayed"
