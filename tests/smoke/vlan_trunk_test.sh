#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Two bridges joined by trunk ports on a veth pair: access ports reach those of their own VLAN on
# the other side, the wire between carries tags, and VLANs that the trunk lacks stay out.
# sanitizers: yes
. "$(dirname "$0")/lib.sh"

start_switch
container c1 c2 d1 d2 d3
ip link add v0 type veth peer name v1
ip link set v0 up
ip link set v1 up
vsctl add-br br0
vsctl add-br br1
vsctl add-port br0 t0 type=veth host-ifname=v0 trunks=10,20
vsctl add-port br1 t1 type=veth host-ifname=v1 trunks=10
for spec in br0:c1:10.0.0.1:10 br1:c2:10.0.0.2:10 br0:d1:10.0.0.11:20 br1:d2:10.0.0.12:20 br0:d3:10.0.0.13:20; do
	IFS=: read -r bridge name ip tag <<<"$spec"
	vsctl add-port "$bridge" "$name" type=tap netns="$name" ifname=eth0 ip="$ip/24" tag="$tag"
done

capture wire . -i v0 icmp or vlan
reaches c1 10.0.0.2
captured wire vlan 10 and icmp
no_packet wire icmp and not vlan
tcp c1 c2 10.0.0.2
tcp c1 c2 10.0.0.2 --reverse
stays_apart d1 10.0.0.12 d2 10.0.0.13
(($(counter t1 vlan_not_member) > 0)) || fail "VLAN 20 was not refused: $(vsctl drops)"
vsctl set-port t1 trunks=10,20
reaches d1 10.0.0.12
