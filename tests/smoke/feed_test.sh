#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# An agent feeds forwarding entries and neighbours one by one into a switch that has 100,000 of each:
# the file is not written for each of them, and all is in it after a clean stop.
. "$(dirname "$0")/lib.sh"

start_switch
ip link set lo up
vsctl add-br br0 fdb-limit=1000000
vsctl add-vtep te0 address=127.0.0.1
vsctl add-port br0 vx0 type=vxlan key=42
"$PYTHON" "$(dirname "$0")/feed.py" "$T/sw/run/ctl.sock" br0 >"$T/feed" || fail "$(cat "$T/feed")"
while read -r line; do note "$line"; done <"$T/feed"
awk -F': ' '$2 + 0 > 20 { exit 1 }' "$T/feed" || fail "the file is written again and again"
vsctl --json status | jq -e '.state.saved' >/dev/null || fail "not saved: $(vsctl status)"

# What waits is written at the end.
vsctl fdb add br0 02:11:11:11:11:11 tunnel=10.1.0.3
vsctl fdb add br0 02:22:22:22:22:22 tunnel=10.1.0.3
vsctl --json status | jq -e '.state.pending' >/dev/null || fail "nothing is put off"
# Bridges and ports do not wait: what a switch that is killed comes back with is as safe as it was.
vsctl add-port br0 quiet type=tap
vsctl set-port quiet guard=on mac=02:00:00:00:00:07
vsctl --json status | jq -e '.state.pending' >/dev/null || fail "nothing is put off any more"
kill -KILL "$SWITCH_PID"
wait "$SWITCH_PID" || true
start_switch
vsctl --json list-ports br0 | jq -e 'any(.ports[]; .name == "quiet" and .options.guard)' >/dev/null ||
	fail "the guard is lost: $(vsctl list-ports br0)"
(($(vsctl --json fdb ls br0 | grep -c tunnel) >= 90000)) || fail "entries are lost"
vsctl fdb add br0 02:11:11:11:11:11 tunnel=10.1.0.3
vsctl fdb add br0 02:22:22:22:22:22 tunnel=10.1.0.3
vsctl --json status | jq -e '.state.pending' >/dev/null || fail "nothing is put off"
switch_stop
for mac in 02:11:11:11:11:11 02:22:22:22:22:22; do
	grep -q "$mac" "$T/sw/state/running.yaml" || fail "the entry of $mac was lost"
done
start_switch
# And by itself, when nothing else happens.
vsctl fdb rm br0 02:22:22:22:22:22
vsctl fdb rm br0 02:11:11:11:11:11
is_saved() {
	vsctl --json status | jq -e '.state.pending | not' >/dev/null
}
wait_until 120 is_saved || fail "still not saved"
! grep -q 02:11:11:11:11:11 "$T/sw/state/running.yaml" || fail "the deletion is not in the file"
