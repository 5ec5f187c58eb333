#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Containers with a tunnel of their own over the switch: large segments of TCP inside VXLAN arrive,
# between all kinds of ports, with and without a checksum outside.
# sanitizers: yes
. "$(dirname "$0")/lib.sh"

start_switch
container c1 c2 c3
vsctl add-br br0
vsctl add-port br0 c1 type=tap netns=c1 ifname=eth0 ip=10.0.0.1/24,fd00::1/64
vsctl add-port br0 c2 type=veth netns=c2 ifname=eth0 ip=10.0.0.2/24,fd00::2/64
ip link add h3 type veth peer name eth0 netns c3 # not made by the switch
ip -n c3 address add 10.0.0.3/24 dev eth0
ip -n c3 address add fd00::3/64 dev eth0 nodad
ip -n c3 link set eth0 up
vsctl add-port br0 c3 type=veth host-ifname=h3

# tunnel FROM TO NAME NUMBER OPTION…: both ends, with addresses 10.NUMBER.0.FROM and fdNUMBER::FROM
tunnel() {
	local from=$1 to=$2 name=$3 number=$4 pair
	shift 4
	for pair in "$from $to" "$to $from"; do
		local me=${pair% *} you=${pair#* }
		ip -n "c$me" link add "$name" type vxlan id "$number" dstport $((4700 + number)) \
			"${@//PEER/$you}"
		ip -n "c$me" address add "10.$number.0.$me/24" dev "$name"
		ip -n "c$me" address add "fd$number::$me/64" dev "$name" nodad
		ip -n "c$me" link set "$name" up
	done
}

for pair in '1 2' '2 3'; do
	from=${pair% *} to=${pair#* }
	tunnel "$from" "$to" "vx$to" "$to" remote 10.0.0.PEER noudpcsum
	tunnel "$from" "$to" "vc$to" "1$to" remote 10.0.0.PEER udpcsum
	tunnel "$from" "$to" "v6$to" "2$to" remote fd00::PEER udp6zerocsumtx udp6zerocsumrx
	for number in "$to" "1$to" "2$to"; do
		wait_until 30 in_ns "c$from" ping -q -c 1 -W 1 "10.$number.0.$to" || fail "no way in tunnel $number"
		tcp "c$from" "c$to" "10.$number.0.$to"
		tcp "c$from" "c$to" "10.$number.0.$to" --reverse
		tcp "c$from" "c$to" "fd$number::$to"
	done
done
for port in c1 c2 c3; do
	dropped=$(counter "$port" rx_header)
	((dropped == 0)) || fail "$port: $dropped frames contradict their headers"
done
vsctl drops
