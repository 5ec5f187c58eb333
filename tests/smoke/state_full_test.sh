#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Changes on a disk that is full, or read-only: they are made, with a warning, and are saved as soon
# as there is room.
# sanitizers: yes
. "$(dirname "$0")/lib.sh"

mkdir -p "$T/sw/state"
mount -t tmpfs -o size=64k none "$T/sw/state"
start_switch
container c1
vsctl add-br br0
monitor_start

# warned WORDS COMMAND…: it must work, and warn on standard error.
warned() {
	local words=$1
	shift
	"$@" >"$T/out" 2>"$T/err" || fail "status $? from: $* ($(cat "$T/err"))"
	grep -q "vsctl: warning: .*$words.*in effect" "$T/err" || fail "no warning from $*: $(cat "$T/err")"
}
saved() {
	[[ $(vsctl --json status | jq .state.saved) == true ]]
}
has_event() {
	grep -q "\"event\":\"$1\"" "$T/events"
}

saved || fail "not saved: $(vsctl status)"
dd if=/dev/zero of="$T/sw/state/fill" bs=1k count=64 2>/dev/null || true
warned 'No space' vsctl add-br br1
warned 'No space' plug c1 10.0.0.1/24
warned 'No space' vsctl --json del-br br1
jq -e '.deleted and .warning' "$T/out" >/dev/null || fail "no warning in JSON: $(cat "$T/out")"
is_state c1 up || fail "c1 is not up"
is 'saved, of status' "$(vsctl --json status | jq .state.saved)" false
vsctl status | has 'not saved: .*No space' || fail "status says nothing: $(vsctl status)"
grep -q br0 "$T/sw/state/running.yaml" || fail "the file has not even br0"
! grep -q c1 "$T/sw/state/running.yaml" || fail "where did c1 find room?"
wait_until 30 has_event state.unsaved || fail "no event: $(cat "$T/events")"
rm "$T/sw/state/fill"
wait_until 30 saved || fail "not saved although there is room: $(vsctl status)"
wait_until 30 has_event state.saved || fail "no event: $(cat "$T/events")"
(($(grep -c unsaved "$T/events") == 1)) || fail "more than one event: $(cat "$T/events")"
grep -q c1 "$T/sw/state/running.yaml" || fail "c1 is not in the file"
vsctl add-br br2 2>"$T/err"
[[ ! -s $T/err ]] || fail "still warns: $(cat "$T/err")"

read_only() {
	mount --bind "$T/sw/state" "$T/sw/state"
	mount -o remount,bind,ro "$T/sw/state"
}
read_only
warned 'Read-only' vsctl del-br br2
umount "$T/sw/state"
# A stop tries once more.
running >"$T/before"
monitor_stop
switch_stop || fail "status $?"
start_switch
running | diff "$T/before" - || fail "the restart lost a change"

# Nothing starts without a place for its state.
switch_stop
read_only
refused 'state.*Read-only' "$VSWITCHD" --run-dir "$T/run" --state-dir "$T/sw/state"
