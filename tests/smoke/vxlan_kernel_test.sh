#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A switch and a host whose VXLAN is the kernel's, over IPv4: all that two containers do. Both
# underlays, one after the other, against the same host.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/overlay.sh"

lan
host far 2
kernel_network far 42 10.1.0.2 10.1.0.1
kernel_inside far 42 c2 2
container c1
for underlay in kernel port; do
	note "underlay $underlay"
	switch_host "near_$underlay" 1 "$underlay" 4
	network vx0 42 10.1.0.2
	inside c1 1
	overlay c1 1 c2 2

	# A broadcast arrives once, and so does the answer to nobody in particular.
	watch c2
	frame c1 ff:ff:ff:ff:ff:ff
	hears c2 1 "a broadcast from c1"
	watch c1
	frame c2 ff:ff:ff:ff:ff:ff
	hears c1 1 "a broadcast from c2"
	for reason in tunnel_header tunnel_vni tunnel_source; do
		n=$(counter te0 "$reason")
		((n == 0)) || fail "$n frames dropped as $reason"
	done
	vsctl del-port c1
	leave
	SITES=()
	ip netns delete "near_$underlay"
done
