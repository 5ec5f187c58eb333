#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Two bridges joined by trunk ports on a veth pair: access ports reach those of their own VLAN on
# the other side, the wire between carries tags, and VLANs that the trunk lacks stay out.
. "$(dirname "$0")/lib.sh"

start_switch
container c1 c2 d1 d2
ip link add v0 type veth peer name v1
ip link set v0 up
ip link set v1 up
vsctl add-br br0
vsctl add-br br1
vsctl add-port br0 t0 type=veth host-ifname=v0 trunks=10,20
vsctl add-port br1 t1 type=veth host-ifname=v1 trunks=10
for spec in br0:c1:10.0.0.1:10 br1:c2:10.0.0.2:10 br0:d1:10.0.0.11:20 br1:d2:10.0.0.12:20; do
	IFS=: read -r bridge name ip tag <<<"$spec"
	vsctl add-port "$bridge" "$name" type=tap netns="$name" ifname=eth0 ip="$ip/24" tag="$tag"
done

timeout 3 tcpdump -n -e -c 4 -i v0 --immediate-mode icmp or vlan >"$T/wire" 2>/dev/null &
listener=$!
sleep 0.5
reaches c1 10.0.0.2
wait "$listener" || true
grep -q 'vlan 10' "$T/wire" || fail "no tag 10 on the trunk: $(cat "$T/wire")"
tcp c1 c2 10.0.0.2
tcp c1 c2 10.0.0.2 --reverse
stays_apart d1 10.0.0.12
(($(counter t1 vlan_not_member) > 0)) || fail "VLAN 20 was not refused: $(vsctl drops)"
vsctl set-port t1 trunks=10,20
reaches d1 10.0.0.12
