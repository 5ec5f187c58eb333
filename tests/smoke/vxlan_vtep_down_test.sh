#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What a VTEP stands on goes and comes back: it is down with a reason, its networks with
# it, events tell of it, and all of it works again by itself; over both underlays.
# sanitizers: yes
. "$(dirname "$0")/lib.sh"

start_switch
vsctl add-br br0
vsctl monitor vtep port >"$T/events" &
ready() {
	vsctl add-br probe && vsctl add-port probe p0 type=dpdk devargs=net_null0 && vsctl del-br probe
	grep -q p0 "$T/events"
}
wait_until 30 ready || fail "monitor says nothing"

make_lan() {
	container lan
	ip -n lan link set lo up
	ip -n lan address add 10.1.0.1/32 dev lo
}
vtep_state() {
	vsctl --json list-vteps | jq -r --arg n "$1" '.vteps[] | select(.name == $n) | .state'
}
is_vtep() {
	[[ $(vtep_state "$1") == "$2" ]]
}
entry() {
	vsctl fdb ls br0 | grep -E "^br0 +$1 +02:00:00:00:00:07 +vni$1 +10.1.0.$1 +static" >/dev/null
}
make_lan
vsctl add-vtep k netns=lan address=10.1.0.1
vsctl add-vtep p underlay=port netns=lan ifname=tap0 address=10.1.0.2/24
vsctl --json show-vtep p | jq -e '.device.ifname == "tap0"' >/dev/null ||
	fail "no device: $(vsctl --json show-vtep p)"
for i in 7:k 8:p; do
	vsctl vni add br0 "${i%:*}" vtep="${i#*:}" vlan="${i%:*}" remote=10.1.0.9
	vsctl fdb add br0 02:00:00:00:00:07 tunnel=10.1.0."${i%:*}" vlan="${i%:*}"
done
running >"$T/before"
ip netns delete lan
for i in 7:k 8:p; do
	wait_until 30 is_vtep "${i#*:}" down || fail "VTEP ${i#*:} is not down"
	is_state "vni${i%:*}" down || fail "vni${i%:*} is up without its VTEP"
	vsctl show "vni${i%:*}" | has "VTEP ${i#*:} is down" ||
		fail "no reason: $(vsctl show "vni${i%:*}")"
done
# Changes go on meanwhile.
vsctl fdb add br0 02:00:00:00:00:06 tunnel=10.1.0.6 vlan=7
vsctl fdb rm br0 02:00:00:00:00:06 vlan=7
running | diff "$T/before" - || fail "it is not as configured"
make_lan
for i in 7:k 8:p; do
	wait_until 30 is_vtep "${i#*:}" up || fail "VTEP ${i#*:} is not up again"
	wait_until 30 is_state "vni${i%:*}" up || fail "vni${i%:*} is not up again"
	entry "${i%:*}" || fail "its entry is not there: $(vsctl fdb ls)"
	for event in down up; do
		grep -qE "vtep\.$event .*vtep=\"?${i#*:}" "$T/events" ||
			fail "no event of ${i#*:} $event: $(cat "$T/events")"
	done
done
vsctl del-port br0 vni7 vni8
vsctl del-vtep k
vsctl del-vtep p
lacks ' tap0[@:]' in_ns lan ip -o link || fail "the device of a deleted VTEP is left"
