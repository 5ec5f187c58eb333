#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The underlay's link goes down and comes back; the other host gets another hardware address. The
# containers of the switch reach each other all the while.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/overlay.sh"

lan
host far 2
kernel_network far 42 10.1.0.2 10.1.0.1
kernel_inside far 42 c2 2
container c1 c3
for underlay in kernel port; do
	note "underlay $underlay"
	switch_host "near_$underlay" 1 "$underlay" 4
	network vx0 42 10.1.0.2
	inside c1 1
	inside c3 3
	wait_until 30 in_ns c1 ping -q -c 1 -W 1 10.0.0.2 || fail "no way from c1 to c2"

	# Its own end, or where a switch of the LAN would fail.
	for link in own other; do
		if [[ $link == other ]]; then
			device=(lan "$([[ $underlay == kernel ]] && echo h1 || echo p1)")
		elif [[ $underlay == kernel ]]; then
			device=("near_$underlay" u0)
		else
			continue
		fi
		ip -n "${device[0]}" link set "${device[1]}" down
		stays_apart c1 10.0.0.2 c2 10.0.0.3
		ip -n "${device[0]}" link set "${device[1]}" up
		wait_until 30 in_ns c1 ping -q -c 1 -W 1 10.0.0.2 ||
			fail "the link ($link) is up again, and nobody is reached"
		tcp c1 c2 10.0.0.2
	done

	# With a word to all, as a host that takes an address over has it, and without one.
	for notify in 1 0; do
		in_ns far sh -c "echo $notify >/proc/sys/net/ipv4/conf/u0/arp_notify"
		ip -n far link set u0 down
		ip -n far link set u0 address "02:00:00:00:0$notify:02"
		ip -n far link set u0 up
		wait_until $((notify ? 30 : 120)) in_ns c1 ping -q -c 1 -W 1 10.0.0.2 ||
			fail "the other host has another address, and is not reached (word: $notify)"
		reaches c1 10.0.0.2
	done
	tcp c1 c2 10.0.0.2 --reverse
	vsctl del-port c1
	vsctl del-port c3
	leave
	SITES=()
	ip netns delete "near_$underlay"
	ip -n far address replace fd01::2/64 dev u0 nodad
done
