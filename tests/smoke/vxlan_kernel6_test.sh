#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A switch and a host whose VXLAN is the kernel's, over IPv6, by both underlays.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/overlay.sh"

INNER_MTU=1430
lan
host far 2
kernel_network far 42 fd01::2 fd01::1 udp6zerocsumrx
kernel_inside far 42 c2 2
container c1
for underlay in kernel port; do
	note "underlay $underlay"
	switch_host "near_$underlay" 1 "$underlay" 6
	network vx0 42 fd01::2
	inside c1 1
	overlay c1 1 c2 2
	vsctl del-port c1
	leave
	SITES=()
	ip netns delete "near_$underlay"
done
