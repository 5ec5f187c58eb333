#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A switch and a host whose VXLAN is the kernel's, over IPv6, by both underlays. The kernel's sends
# with outer UDP checksums, and without.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/overlay.sh"

INNER_MTU=1430
lan
host far 2
container c1
for sends in noudp6zerocsumtx udp6zerocsumtx; do
	kernel_network far 42 fd01::2 fd01::1 udp6zerocsumrx "$sends"
	kernel_inside far 42 c2 2
	for underlay in kernel port; do
		note "underlay $underlay, $sends"
		switch_host "near_$underlay" 1 "$underlay" 6
		network vx0 42 fd01::2
		inside c1 1
		overlay c1 1 c2 2
		vsctl del-port c1
		leave
		SITES=()
		ip netns delete "near_$underlay"
		rm -r "$T/near_$underlay"
	done
	ip -n far link del c2
	ip netns delete c2
	ip -n far link del vx42
	ip -n far link del br42
done
