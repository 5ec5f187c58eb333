#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What a VTEP must not take: frames from an address that is no remote, of a network that
# is not there, cut short, too large. Each is a named drop, and no container sees any of them.
# sanitizers: yes
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/overlay.sh"

lan
host good 2
host evil 9
container c1
for underlay in kernel port; do
	note "underlay $underlay"
	switch_host "near_$underlay" 1 "$underlay" 4
	network vx0 42 10.1.0.2
	network vx1 43 10.1.0.9 tag=10 # of another network it is a remote
	inside c1 1

	watch c1
	tunnelled good 10.1.0.1 42
	hears c1 1 "the right frame"

	watch c1
	tunnelled evil 10.1.0.1 42 --count 3
	expect_drop te0 tunnel_source 3
	tunnelled good 10.1.0.1 43 --count 2
	expect_drop te0 tunnel_source 5
	tunnelled good 10.1.0.1 41 --count 4
	expect_drop te0 tunnel_vni 4
	tunnelled good 10.1.0.1 42 --flags 00
	expect_drop te0 tunnel_header 1
	for cut in 0 1 7 8 9 21; do # neither a VXLAN header nor an Ethernet header behind it
		tunnelled good 10.1.0.1 42 --cut "$cut"
	done
	expect_drop te0 tunnel_header 6
	before=$(counter c1 tx_too_big)
	tunnelled good 10.1.0.1 42 --bytes $((INNER_MTU + 1)) # the outer one in fragments
	tunnelled good 10.1.0.1 42 --bytes 9000
	tunnelled good 10.1.0.1 42 --bytes 60000
	if [[ $underlay == kernel ]]; then # port takes no fragments
		expect_drop c1 tx_too_big $((before + 3))
	fi
	tunnelled good 10.1.0.1 42
	hears c1 1 "the right frame alone, which was the last"
	vsctl del-port c1
	leave
	SITES=()
	ip netns delete "near_$underlay"
done
