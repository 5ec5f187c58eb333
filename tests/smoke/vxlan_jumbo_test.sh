#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Large packets inside, and what is offered to containers: the underlay's MTU less what the tunnel
# adds. What does not fit is a named drop, and the sender is told.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/overlay.sh"

lan 9000
INNER_MTU=8950
host far 2
kernel_network far 42 10.1.0.2 10.1.0.1
kernel_inside far 42 c2 2
container c1
for underlay in kernel port; do
	note "underlay $underlay"
	switch_host "near_$underlay" 1 "$underlay" 4
	network vx0 42 10.1.0.2
	INNER_MTU=auto inside c1 1
	mtu=$(in_ns c1 cat /sys/class/net/eth0/mtu)
	((mtu == 8950)) || fail "an MTU of $mtu was offered, not 8950"
	wait_until 30 in_ns c1 ping -q -c 1 -W 1 10.0.0.2 || fail "no way from c1 to c2"
	reaches c1 10.0.0.2 -M "do" -s 8922
	reaches c2 10.0.0.1 -M "do" -s 8922
	reaches c1 10.0.0.2 -s 30000
	tcp c1 c2 10.0.0.2
	tcp c1 c2 10.0.0.2 --reverse

	# A container that takes more than fits.
	ip -n c1 link set eth0 mtu 9000
	before=$(counter vx0 tx_too_big)
	in_ns c1 ping -c 2 -i 0.1 -W 1 -M "do" -s 8972 10.0.0.2 >"$T/ping" 2>&1 &&
		fail "8972 bytes through 8950"
	grep -q 'mtu = 8950' "$T/ping" || fail "the sender was not told: $(cat "$T/ping")"
	(($(counter vx0 tx_too_big) > before)) || fail "not counted: $(vsctl drops)"
	in_ns c1 ip route flush cache
	in_ns c1 ping -c 2 -i 0.1 -W 1 -M "do" -s 8952 fd00::2 >"$T/ping" 2>&1 &&
		fail "8952 bytes of IPv6 through 8950"
	grep -q 'mtu: 8950\|mtu=8950' "$T/ping" || fail "no word of IPv6: $(cat "$T/ping")"
	vsctl del-port c1
	leave
	SITES=()
	ip netns delete "near_$underlay"
done
