#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Two veth ports: one pair made by the switch, one that was there before. Offloads of the
# containers' interfaces stay as the kernel sets them.
. "$(dirname "$0")/lib.sh"

start_switch
container c1 c2
ip link add h2 type veth peer name eth0 netns c2
ip -n c2 address add 10.0.0.2/24 dev eth0
ip -n c2 address add fd00::2/64 dev eth0 nodad
ip -n c2 link set eth0 up
vsctl add-br br0
vsctl add-port br0 c1 type=veth netns=c1 ifname=eth0 ip=10.0.0.1/24,fd00::1/64
vsctl add-port br0 c2 type=veth host-ifname=h2
reaches c1 10.0.0.2
tcp c1 c2 10.0.0.2
tcp c1 c2 10.0.0.2 --reverse
tcp c1 c2 10.0.0.2 --parallel 4
tcp c1 c2 fd00::2
for name in c1 c2; do
	in_ns "$name" ethtool -k eth0 | has '^tx-checksumming: on' ||
		fail "checksum offload of $name was switched off"
done

# The pair that the switch made goes with the port; the one that it found stays.
vsctl del-port c1
vsctl del-port c2
lacks ' eth0[@:]' ip -n c1 -o link || fail "the pair of c1 is still there"
ip link show h2 >/dev/null || fail "h2 was deleted"
