#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A container that makes its segments larger than IP's length field can say (BIG TCP) is capped, also in the
# middle of a connection: over IPv4 and IPv6. A tap's interface takes no such size.
# sanitizers: yes
. "$(dirname "$0")/lib.sh"

start_switch
container c1 c2 c3
vsctl add-br br0
for i in 1 2; do
	vsctl add-port br0 "c$i" type=veth netns="c$i" ifname=eth0 ip="10.0.0.$i/24,fd00::$i/64"
done
vsctl add-port br0 c3 type=tap netns=c3 ifname=eth0
reaches_soon c1 10.0.0.2
reaches_soon c1 fd00::2
iperf_server c2 || fail "iperf3 does not listen"

refused() {
	vsctl --json drops | jq '[.. | objects | select(.reason? == "rx_header") | .packets] | add // 0'
}

capped() {
	[[ $(ip -n c1 -d -j link show eth0 | jq '.[0].gso_max_size') == 65536 ]]
}

# BIG TCP from here on; a connection that has begun before uses it, too, when it looks at the device again.
for address in 10.0.0.2 fd00::2; do
	before=$(refused)
	ip -n c1 link set eth0 gso_max_size 185000
	in_ns c1 "$PYTHON" "$SMOKE/gso_size.py" eth0 185000 || note "this kernel has no BIG TCP over IPv4"
	! capped || fail "the size is not set: $(ip -n c1 -d link show eth0)"
	in_ns c1 timeout 120 iperf3 --client "$address" --bytes 200M >"$T/iperf" || fail "TCP to $address: $(<"$T/iperf")"
	if (($(refused) > before)); then
		wait_until 30 capped || fail "the size stays: $(ip -n c1 -d link show eth0)"
		in_ns c1 timeout 120 iperf3 --client "$address" --bytes 200M >"$T/iperf" || fail "TCP to $address: $(<"$T/iperf")"
	elif [[ $address == *:* ]]; then
		fail "no segment of more than 64 KiB was sent"
	fi
	reaches c2 10.0.0.1
done
wait_until 30 grep -q 'port c1: segments of more than 64 KiB came (BIG TCP)' "$T/sw/log" || fail "nothing is logged"
! ip -n c3 link set eth0 gso_max_size 185000 2>"$T/err" || fail "a tap takes it"
grep -q 'too big gso_max_size' "$T/err" || fail "$(<"$T/err")"
