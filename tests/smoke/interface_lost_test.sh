#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What the interface of a container or of a gateway loses, the agent puts back by itself: addresses that
# were flushed, routes, IPv6 after the MTU or the link has changed. What somebody has set on purpose
# stays until an audit repairs it.
# sanitizers: yes
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/agent.sh"

# whole NAMESPACE INTERFACE ADDRESS…: it has these addresses, and a route to each subnet.
whole() {
	local address
	for address in "${@:3}"; do
		at "$1" ip -o address show dev "$2" | has " $address " || return
	done
	at "$1" ip route show 10.7.0.0/24 dev "$2" | has . && at "$1" ip -6 route show fd07::/64 dev "$2" | has .
}

whole_c1() {
	whole c1 eth0 10.7.0.11/24 fd07::11/64 && in_ns c1 ip route show 10.8.0.0/24 | has eth0 &&
		in_ns c1 ip route show default | has 10.7.0.1
}

whole_gw() {
	whole . "$gw" 10.7.0.1/24 fd07::1/64
}

# comes_back WHAT: for c1, which can talk then
comes_back() {
	wait_until 30 whole_c1 || fail "not after $1: $(in_ns c1 ip address show dev eth0; in_ns c1 ip route)"
	wait_until 30 in_ns c1 ping -q -c 1 -W 1 10.7.0.12 || fail "c1 does not reach c2 after $1"
	wait_until 30 in_ns c1 ping -q -c 1 -W 1 fd07::12 || fail "c1 does not reach c2 over IPv6 after $1"
}

start_switch
container c1 c2 c3
printf 'host: h1\ncluster-advertise: lo\nquarantine: 0\n' >"$T/net.yaml"
agent
vsctl network create --subnet 10.7.0.0/24 --subnet 10.8.0.0/24 --subnet fd07::/64 --ipv6 net >/dev/null
vsctl network connect --ip 10.7.0.11 --ip6 fd07::11 -o default-route=true net c1
vsctl network connect --ip 10.7.0.12 --ip6 fd07::12 net c2
gw=$(ip -o link | grep -oE 'cw-[0-9a-f]{12}' | head -n 1)
comes_back 'the start'
wait_until 30 whole_gw || fail "the gateway is not there: $(ip address)"

in_ns c1 ip address flush dev eth0
comes_back 'a flush'
in_ns c1 ip -6 address flush dev eth0 scope global
comes_back 'a flush of IPv6'
in_ns c1 ip route delete 10.8.0.0/24
in_ns c1 ip route delete default
comes_back 'its routes were deleted'
in_ns c1 ip route delete 10.7.0.0/24
in_ns c1 ip -6 route delete fd07::/64
comes_back 'the routes of its subnets were deleted'
in_ns c1 ip link set eth0 down
in_ns c1 ip link set eth0 up
comes_back 'its link was down'
in_ns c1 sysctl -qw net.ipv6.conf.eth0.disable_ipv6=1
comes_back 'IPv6 was off'
grep -q 'endpoint c1 has lost' "$T/sw/net.log" || fail "the agent does not tell of it"

# With an MTU that is too small for IPv6 it cannot come back, and that is said.
in_ns c1 ip link set eth0 mtu 1000
wait_until 30 eval 'grep -q "MTU of 1000: IPv6 takes 1280" <<<"$(vsctl agent show)"' || fail "nobody tells: $(vsctl agent show)"
! vsctl --json agent audit >"$T/audit" || fail "the audit sees no MTU"
jq -e 'any(.differences[]; .where == "container" and .difference == "MTU" and .wanted == "1500" and .actual == "1000")' \
	"$T/audit" >/dev/null || fail "the audit does not see the MTU: $(<"$T/audit")"
# Nor does a switch that starts meanwhile take it for what was wanted.
kill -KILL "$SWITCH_PID"
wait "$SWITCH_PID" || true
start_switch
in_ns c1 ip link set eth0 mtu 1500
comes_back 'the MTU was 1000'
reaches c2 10.7.0.11 -s 1400 -M 'do'
in_ns c1 ip link set eth0 mtu 1000
vsctl --json agent audit --repair >"$T/audit" || fail "not repaired: $(<"$T/audit")"
comes_back 'a repair of the MTU'

# A link that is down and another MAC address are somebody's will, until an audit repairs them.
in_ns c1 ip link set eth0 down
! vsctl agent audit >"$T/audit" || fail "the audit does not see that the link is down"
grep -qE 'container .*eth0.* link +up +down' "$T/audit" || fail "the audit: $(<"$T/audit")"
in_ns c1 ip link set eth0 address 02:00:00:00:00:66
! vsctl agent audit >"$T/audit" || fail "the audit does not see the MAC address"
grep -q '02:00:00:00:00:66' "$T/audit" || fail "the audit: $(<"$T/audit")"
vsctl --json agent audit --repair >"$T/audit" || fail "not repaired: $(<"$T/audit")"
comes_back 'a repair of the link'
# An address more is the container's own affair.
in_ns c1 ip address add 192.168.7.7/24 dev eth0
vsctl agent audit >"$T/audit" || fail "an address of its own is a difference: $(<"$T/audit")"

# A container may call its interface otherwise, and another one by its name: it is the same one.
vsctl network connect --ip 10.7.0.13 --ip6 fd07::13 -o port=veth net c3
renamed_whole() {
	whole "$1" lan0 "$2/24" "$3/64" && in_ns "$1" ip link show dev lan0 | has "mtu 1500 .*UP"
}
for row in 'c1 10.7.0.11 fd07::11' 'c3 10.7.0.13 fd07::13'; do
	read -r name ip ip6 <<<"$row"
	mac=$(in_ns "$name" cat /sys/class/net/eth0/address)
	in_ns "$name" ip link set eth0 down
	in_ns "$name" ip link set eth0 name lan0
	in_ns "$name" ip link add eth0 type veth peer name eth1
	in_ns "$name" ip link set lan0 up
	in_ns "$name" ip link set eth0 up
	in_ns "$name" ip address flush dev lan0
	wait_until 30 renamed_whole "$name" "$ip" "$ip6" || fail "$name: $(in_ns "$name" ip address; vsctl agent show)"
	vsctl agent audit >"$T/audit" || fail "a name is a difference: $(<"$T/audit")"
	in_ns "$name" ip link set lan0 address 02:00:00:00:00:67 mtu 1400
	! vsctl agent audit >"$T/audit" || fail "the audit looks at another interface of $name"
	vsctl --json agent audit --repair >"$T/audit" || fail "not repaired: $(<"$T/audit")"
	wait_until 30 renamed_whole "$name" "$ip" "$ip6" || fail "$name after a repair: $(in_ns "$name" ip address)"
	is "MAC of $name" "$(in_ns "$name" cat /sys/class/net/lan0/address)" "$mac"
	lacks '10\.7\.0\.' in_ns "$name" ip address show dev eth0 || fail "the other one of $name: $(in_ns "$name" ip address)"
	wait_until 30 in_ns "$name" ping -q -c 1 -W 1 10.7.0.12 || fail "$name does not reach c2"
	in_ns "$name" ip link delete eth0
	in_ns "$name" ip link set lan0 down
	in_ns "$name" ip link set lan0 name eth0
	in_ns "$name" ip link set eth0 up
	wait_until 30 whole "$name" eth0 "$ip/24" "$ip6/64" || fail "$name with its name again: $(in_ns "$name" ip address)"
done
comes_back 'it has its name again'

# One with very many addresses and routes is looked at no further, and the others as always.
in_ns c2 ip link add many type bridge
in_ns c2 ip link set many up
seq -f 'route add 10.%g.0.0/24 dev many' 16 255 >"$T/many"
for ((i = 16; i < 36; i++)); do seq -f "route add 10.$i.%g.0/24 dev many" 1 255; done >>"$T/many"
in_ns c2 ip -batch "$T/many"
vsctl agent audit >"$T/audit" || fail "many routes are a difference: $(<"$T/audit")"
in_ns c1 ip address flush dev eth0
comes_back 'a flush beside many routes'

# The same for the gateway's interface.
ip address flush dev "$gw"
wait_until 30 whole_gw || fail "not after a flush of the gateway: $(ip address show dev "$gw")"
ip link set "$gw" down
ip link set "$gw" up
wait_until 30 whole_gw || fail "not after its link was down: $(ip address show dev "$gw")"
reaches_soon c1 10.7.0.1
reaches_soon c1 fd07::1
ip link set "$gw" mtu 1400
! vsctl agent audit >"$T/audit" || fail "the audit does not see the MTU of the gateway"
grep -qE "host +interface $gw +MTU +1500 +1400" "$T/audit" || fail "the audit: $(<"$T/audit")"
vsctl --json agent audit --repair >"$T/audit" || fail "not repaired: $(<"$T/audit")"
reaches_soon c1 10.7.0.1
agent_stop
