#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A container renames its interface and gives the old name to another one: the port goes on with the
# interface that it has, before and after a restart, and leaves the other one alone.
. "$(dirname "$0")/lib.sh"

start_switch
container c1 c2 c3
vsctl add-br br0
plug c1 10.0.0.1/24
plug c2 10.0.0.2/24
vsctl add-port br0 c3 type=veth netns=c3 ifname=eth0 ip=10.0.0.3/24
reaches c1 10.0.0.2
reaches c1 10.0.0.3

# found ADDRESS: c1 reaches it, whatever MAC it knew
found() {
	ip -n c1 neighbour flush dev eth0
	reaches_soon c1 "$1"
}

mtu_of() {
	in_ns "$1" cat "/sys/class/net/$2/mtu"
}

mac_of() {
	in_ns "$1" cat "/sys/class/net/$2/address"
}

for name in c2 c3; do
	ip -n "$name" link set eth0 down
	ip -n "$name" link set eth0 name lan0
	ip -n "$name" link set lan0 up
	ip -n "$name" link add eth0 type veth peer name eth1
	ip -n "$name" link set eth0 up
	other_mac[${name#c}]=$(mac_of "$name" eth0)
done

# check MTU MAC: set-port goes to lan0 of both containers
check() {
	local name n
	for name in c2 c3; do
		n=${name#c}
		vsctl set-port "$name" "mtu=$1" "mac=$2:0$n" "ip=10.0.0.$n/24,10.0.$(($1 - 1300)).$n/24" ||
			fail "set-port $name after a rename"
		is "MTU of $name" "$(mtu_of "$name" lan0)" "$1"
		is "MAC of $name" "$(mac_of "$name" lan0)" "$2:0$n"
		ip -n "$name" -o address show dev lan0 | has -F "10.0.$(($1 - 1300)).$n/24" || fail "$name has no new address"
		is "MTU of the other one" "$(mtu_of "$name" eth0)" 1500
		is "MAC of the other one" "$(mac_of "$name" eth0)" "${other_mac[$n]}"
		lacks 'inet ' ip -n "$name" -o address show dev eth0 || fail "the other one has an address"
		found "10.0.0.$n"
	done
}
found 10.0.0.2
found 10.0.0.3
check 1400 02:00:00:00:00

kill -KILL "$SWITCH_PID"
wait "$SWITCH_PID" || true
start_switch
found 10.0.0.2
found 10.0.0.3
check 1390 02:00:00:00:01

# One that was moved is not in the port's namespace any more, whatever has its index there.
container c4
index=$(in_ns c3 cat /sys/class/net/lan0/ifindex)
ip -n c3 link set lan0 netns c4
ip -n c3 link add decoy index "$index" type veth peer name decoy1
refused "not in network namespace c3 any more" vsctl set-port c3 mtu=1380
is "MTU of the decoy" "$(mtu_of c3 decoy)" 1500
is "MTU where it is" "$(mtu_of c4 lan0)" 1390

vsctl del-port c2
vsctl del-port c3
lacks lan0 ip -n c2 -o link || fail "the TAP stays"
lacks lan0 ip -n c4 -o link || fail "the veth stays"
ip -n c2 -o link show eth0 >/dev/null || fail "the other one is gone"
