#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Two containers on tap ports: ping, TCP and UDP both ways, IPv4 and IPv6.
. "$(dirname "$0")/lib.sh"

two_containers
reaches c2 10.0.0.1 -s 1400
reaches c1 fd00::2
tcp c1 c2 10.0.0.2
tcp c1 c2 10.0.0.2 --reverse
tcp c1 c2 10.0.0.2 --parallel 4
tcp c1 c2 fd00::2
tcp c2 c1 fd00::1 --reverse

for address in 10.0.0.2 fd00::2; do
	in_ns c1 iperf3 -c "$address" --udp --bitrate 50M --length 1200 --time 1 --json >"$T/udp"
	jq -e '.end.sum | .packets > 4000 and .lost_percent < 1' "$T/udp" >/dev/null ||
		fail "UDP to $address: $(jq -c .end.sum "$T/udp")"
done

# The switch counted what went through, and lost none of it to a broken packet.
(($(counter c1 rx_packets) > 1000)) || fail "c1 received nothing?"
for reason in rx_header tx_gso tx_error rx_short src_invalid; do
	for port in c1 c2; do
		(($(counter $port $reason) == 0)) || fail "$port dropped $reason: $(vsctl drops)"
	done
done
