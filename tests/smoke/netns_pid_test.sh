#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A namespace that is named by a process, whose port was taken over by a restarted switch: it is
# there as long as any process is in it, not just the one that the port names.
. "$(dirname "$0")/lib.sh"

in_other_netns() {
	[[ $(readlink "/proc/$1/ns/net") != "$(readlink /proc/self/ns/net)" ]]
}

start_switch
container c1
vsctl add-br br0
plug c1 10.0.0.1/24
# Two processes in a namespace without a name.
unshare --net sleep 1000 &
first=$!
wait_until 30 in_other_netns "$first" || fail "unshare does not work"
nsenter -t "$first" -n sleep 1001 &
second=$!
vsctl add-port br0 c2 type=tap netns="$first" ifname=eth0 ip=10.0.0.2/24
nsenter -t "$first" -n ip link set lo up
reaches c1 10.0.0.2
kill -KILL "$SWITCH_PID"
wait "$SWITCH_PID" || true
start_switch
reaches c1 10.0.0.2

kill "$first"
wait "$first" || true
sleep 3 # the switch looks every second
is_state c2 up || fail "c2 is down: $(vsctl list-ports)"
reaches c1 10.0.0.2
kill "$second"
wait "$second" || true
wait_until 30 is_state c2 down || fail "c2 is up in a namespace that nobody is in"
