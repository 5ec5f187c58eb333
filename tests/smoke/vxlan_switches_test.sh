#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Two switches, with the same and with different underlays, over both versions of IP; a container of
# one is on a tap port, that of the other on a veth port.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/overlay.sh"

lan
container c1 c2
number=0
for case in 'kernel kernel 4' 'kernel port 4' 'port port 6' 'port kernel 6'; do
	read -r left right family <<<"$case"
	note "$left and $right over IPv$family"
	number=$((number + 1))
	INNER_MTU=$((family == 4 ? 1450 : 1430))
	switch_host "left$number" 1 "$left" "$family"
	network vx0 42 "$(address "$family" 2)"
	inside c1 1
	switch_host "right$number" 2 "$right" "$family"
	network vx0 42 "$(address "$family" 1)"
	vsctl add-port br0 c2 type=veth netns=c2 ifname=eth0 ip=10.0.0.2/24,fd00::2/64 \
		mtu="$INNER_MTU"
	overlay c1 1 c2 2
	for side in left right; do
		use "$side$number"
		vsctl del-port "$([[ $side == left ]] && echo c1 || echo c2)"
	done
	leave
	SITES=()
	ip netns delete "left$number"
	ip netns delete "right$number"
done
