#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Several networks between a switch and the kernel's VXLAN: each reaches its own, on a bridge of its
# own or on a VLAN of one; tagged frames inside arrive tagged.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/overlay.sh"

lan
host far 2
switch_host near 1 kernel 4
for vni in 1 77 16777215; do
	kernel_network far "$vni" 10.1.0.2 10.1.0.1
done
kernel_inside far 1 k1 11
kernel_inside far 77 k2 11 # the same address
kernel_inside far 16777215 k3 13

container c1 c2 c3
vsctl add-br br1
vsctl add-port br1 vx0 type=vxlan key=1 remote=10.1.0.2 vtep=te0
vsctl add-port br1 c1 type=tap netns=c1 ifname=eth0 ip=10.0.0.1/24,fd00::1/64 mtu="$INNER_MTU"
network vx1 77 10.1.0.2 tag=10
network vx2 16777215 10.1.0.2 tag=20
inside c2 2 tag=10
inside c3 3 tag=20

for pair in 'c1 10.0.0.11' 'c2 10.0.0.11' 'c3 10.0.0.13'; do
	wait_until 30 in_ns "${pair% *}" ping -q -c 1 -W 1 "${pair#* }" || fail "no way: $pair"
done
mac() {
	in_ns "$1" cat /sys/class/net/eth0/address
}
[[ $(in_ns c1 ip neigh show 10.0.0.11) == *"$(mac k1)"* ]] || fail "c1 has the wrong neighbour"
[[ $(in_ns c2 ip neigh show 10.0.0.11) == *"$(mac k2)"* ]] || fail "c2 has the wrong neighbour"
for n in 1 2 3; do
	watch "c$n"
done
for n in 1 2 3; do
	frame "k$n" ff:ff:ff:ff:ff:ff
done
for n in 1 2 3; do
	hears "c$n" 1 "one of three broadcasts, that of its own network"
done
stays_apart c1 10.0.0.13 k3 10.0.0.11
stays_apart c3 10.0.0.11 k2 10.0.0.13
stays_apart c2 10.0.0.3 c3 10.0.0.11
tcp c2 k2 10.0.0.11

# Tagged frames of a trunk, both ways.
kernel_network far 300 10.1.0.2 10.1.0.1
kernel_inside far 300 k4 4
container c4
vsctl add-br br2
vsctl add-port br2 vx3 type=vxlan key=300 remote=10.1.0.2 vtep=te0
vsctl add-port br2 c4 type=tap netns=c4 ifname=eth0 mtu="$INNER_MTU"
for pair in 'c4 k4' 'k4 c4'; do
	for vlan in 100 4094; do
		watch "${pair#* }" --vlan "$vlan"
		frame "${pair% *}" ff:ff:ff:ff:ff:ff
		frame "${pair% *}" ff:ff:ff:ff:ff:ff --vlan 7
		frame "${pair% *}" ff:ff:ff:ff:ff:ff --vlan "$vlan"
		hears "${pair#* }" 1 "a frame with tag $vlan from ${pair% *}"
	done
done
leave
