#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What the agent has made in the switch: others are refused to change it, what is forced is logged with
# who forced it, an audit sees it and repairs it. And an audit answers soon when the switch cannot do
# what is wanted.
# sanitizers: yes
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/agent.sh"

# port_of CONTAINER: the name of its port
port_of() {
	vsctl --json list-ports | jq -r --arg n "$1" '.ports[] | select(.options.netns == $n).name'
}

# sees WHERE OBJECT DIFFERENCE: the audit has it (regular expressions), and repairs it.
sees() {
	! vsctl --json agent audit >"$T/audit" || fail "the audit sees nothing, not even: $*"
	jq -e --arg w "$1" --arg o "$2" --arg d "$3" 'any(.differences[];
		.where == $w and (.object | test($o)) and ("\(.difference) \(.wanted) \(.actual)" | test($d)))' \
		"$T/audit" >/dev/null || fail "no $* in the audit: $(<"$T/audit")"
	vsctl --json agent audit --repair >"$T/audit" || fail "not all of it is repaired: $(<"$T/audit")"
	vsctl agent audit >"$T/audit" || fail "it is not repaired: $(<"$T/audit")"
}

start_switch
container c1 c2
printf 'host: h1\ncluster-advertise: lo\nquarantine: 0\n' >"$T/net.yaml"
agent
vsctl network create -d overlay --subnet 10.7.0.0/24 --subnet fd07::/64 --ipv6 net >/dev/null
vsctl network connect net c1
vsctl network connect net c2
port=$(port_of c1) port2=$(port_of c2)
vx=$(vsctl --json list-ports | jq -r '.ports[] | select(.type == "vxlan").name')
mac=$(in_ns c1 cat /sys/class/net/eth0/address)
wait_until 30 vsctl agent audit || fail "it is not as it should be: $(vsctl agent audit)"
vsctl add-br br0
vsctl add-port br0 mine type=tap

# ---- refused, and nothing has changed ----

running >"$T/before"
for change in "set-port $port guard=off" "set-port $port managed-by=" "del-port $port" "del-port cw.net $port2 $port" \
	"add-port cw.net foreign type=tap" "del-br cw.net" "set-br cw.net ageing=5" "set-br cw.net managed-by=" \
	"set-vtep cw.cluster udp-port=4790" "del-vtep cw.cluster" "vni add br0 77" "vni rm ${vx#cw.vx.}" \
	"fdb add cw.net 02:00:00:00:00:99 $port" "fdb rm --if-exists cw.net $mac" "fdb flush cw.net" \
	"fdb flush port $port" "neigh add cw.net 10.7.0.99 02:00:00:00:00:99" "neigh rm --if-exists cw.net 10.7.0.9"; do
	# shellcheck disable=SC2086
	refused 'vsnetd manages it: .*--force' vsctl $change
done
vsctl add-port br0 mine2 type=tap && vsctl del-port mine2 # others go on as always
running | diff "$T/before" - || fail "something has changed"
refused 'vsnetd manages it' "$PYTHON" "$SMOKE/request.py" "$T/sw/run/ctl.sock" port.del "{\"name\": \"$port\", \"manager\": \"other\"}"

# ---- forced, logged, seen, repaired ----

vsctl set-port --force "$port" guard=off
grep -qE "port\.set of port $port, which vsnetd manages, is forced by uid 0, vsctl\[[0-9]+\]" "$T/sw/log" ||
	fail "the log does not tell: $(tail "$T/sw/log")"
sees switch "port $port" 'other options guard true'
vsctl add-port --force cw.net foreign type=tap
sees switch 'port foreign' 'unexpected  on bridge cw.net'
lacks foreign vsctl list-ports || fail "the foreign port stays"
vsctl vni add --force br0 77 vtep=cw.cluster
sees switch 'port vni77' 'unexpected'
vsctl set-br --force cw.net neigh-unknown=drop
sees switch 'bridge cw.net' 'other options neigh_unknown'
vsctl fdb add --force cw.net 02:00:00:00:00:99 "$port2" vlan=7
sees switch 'bridge cw.net fdb 02:00:00:00:00:99 vlan 7' 'unexpected'
vsctl neigh add --force cw.net 10.7.0.99 02:00:00:00:00:99 vlan=7
sees switch 'bridge cw.net neighbour 10.7.0.99 vlan 7' 'unexpected'
vsctl set-port --force "$port" mtu=1300
sees switch "port $port" 'other options mtu'
vsctl set-port --force "$port" managed-by=
sees switch "port $port" 'managed_by'
[[ $(state mine) == up ]] || fail "the port of a user is gone"

# ---- an audit answers when the switch does not, and when a change cannot be made ----

kill -STOP "$SWITCH_PID"
! vsctl --json agent audit >"$T/audit" || fail "an audit says that all is well"
kill -CONT "$SWITCH_PID"
jq -e 'any(.differences[]; .where == "switch" and .difference == "not looked at")' "$T/audit" >/dev/null ||
	fail "the audit: $(<"$T/audit")"
wait_until 30 vsctl agent audit || fail "it does not recover: $(vsctl agent audit)"

agent_stop
vsctl del-port --force "$vx"
vsctl del-vtep --force cw.cluster
ip link add vxd type vxlan id 256 dstport 4789 local 127.0.0.1 dev lo
ip link set vxd up
agent
began=$SECONDS status=0
vsctl --json agent audit >"$T/audit" || status=$?
((status == 1)) || fail "status $status from an audit without an end: $(<"$T/audit")"
note "it answers after $((SECONDS - began)) s"
jq -e 'any(.differences[]; .object == "VTEP cw.cluster" and (.actual | test("4789")))' "$T/audit" >/dev/null ||
	fail "it does not say why: $(<"$T/audit")"
ip link delete vxd
wait_until 30 vsctl agent audit || fail "it does not recover: $(vsctl agent audit)"
agent_stop
