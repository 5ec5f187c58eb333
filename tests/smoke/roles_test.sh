#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What containers may do beyond sending from their own addresses: as the network says, unless the
# connection says otherwise. And what those who may use any address may not do.
# sanitizers: yes
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/agent.sh"

# what CONTAINER REASON KIND: sends a frame of the kind and prints how many frames of the container
# were dropped for the reason meanwhile.
what() {
	local port before rx
	port=$(vsctl --json list-ports | jq -r --arg n "$1" '.ports[] | select(.options.netns == $n).name')
	before=$(counter "$port" "$2") rx=$(counter "$port" rx_packets)
	in_ns "$1" "$PYTHON" "$SMOKE/spoof.py" eth0 "$3" \
		ip="$(in_ns "$1" ip -j -4 address show dev eth0 | jq -r '.[].addr_info[0].local')"
	# A frame that was dropped is received, too.
	wait_until 30 counts_to "$port" rx_packets $((rx + 1)) || fail "$1: no $3 was received"
	echo $(($(counter "$port" "$2") - before))
}

# flooded CONTAINER: of 20 frames to all within a second or two, the number of those dropped
flooded() {
	local port before rx
	port=$(vsctl --json list-ports | jq -r --arg n "$1" '.ports[] | select(.options.netns == $n).name')
	before=$(counter "$port" flood_limit) rx=$(counter "$port" rx_packets)
	in_ns "$1" "$PYTHON" -c 'import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")
for i in range(20): s.sendto(b"x", ("255.255.255.255", 9))'
	wait_until 30 counts_to "$port" rx_packets $((rx + 20)) || fail "$1: not all were received"
	echo $(($(counter "$port" flood_limit) - before))
}

start_switch
container c1 c2 c3 c4 other
printf 'host: h1\ncluster-advertise: lo\nquarantine: 0\n' >"$T/net.yaml"
agent
vsctl network create --subnet 10.7.0.0/24 strict >/dev/null
vsctl network create --subnet 10.8.0.0/24 -o router=allow -o dhcp-server=allow -o flood-limit=1 open >/dev/null
vsctl network connect strict c1
vsctl network connect strict c2 -o router=allow -o dhcp-server=allow -o flood-limit=1
vsctl network connect open c3
vsctl network connect open c4 -o router=deny -o dhcp-server=deny -o flood-limit=0
for c in c1 c4; do
	is "$c: redirects dropped" "$(what $c rogue_router redirect)" 1
	is "$c: offers dropped" "$(what $c rogue_dhcp offer)" 1
	is "$c: clients' messages dropped" "$(what $c rogue_dhcp dhcp)" 0
	is "$c: too many" "$(flooded $c)" 0
done
for c in c2 c3; do
	is "$c: redirects dropped" "$(what $c rogue_router redirect)" 0
	is "$c: offers dropped" "$(what $c rogue_dhcp offer)" 0
	(($(flooded $c) >= 10)) || fail "$c: its limit is not in force: $(vsctl drops)"
done

# ---- the host's answer goes to who has asked, not to somebody whose address he gives ----

vsctl network connect strict other -o spoof=allow
gw=$(vsctl --json list-ports | jq -r '.ports[] | select(.options.guard_ips == ["10.7.0.1"]).name')
reaches other 10.7.0.1
in_ns other ip address add 192.0.2.9/32 dev eth0
is 'dropped before' "$(counter "$gw" gateway_source)" 0
! in_ns other ping -q -c 1 -W 1 -I 192.0.2.9 10.7.0.1 >/dev/null || fail "an answer to 192.0.2.9"
wait_until 30 counts_to "$gw" gateway_source 1 || fail "it was not dropped: $(vsctl drops)"
reaches other 10.7.0.1

refused "'yes' is not allowed; router is allow or deny" vsctl network create -o router=yes y
refused "'-1' is not allowed; flood-limit is a number" vsctl network connect strict other -o flood-limit=-1
vsctl agent audit | has agree || fail "audit: $(vsctl agent audit)"
