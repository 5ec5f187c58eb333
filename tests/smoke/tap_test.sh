#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Two containers on tap ports: ping, TCP and UDP both ways, IPv4 and IPv6.
# sanitizers: yes
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
	datagrams_start c1 c2 "$address" 1200
	datagrams_stop 4000
done

# The switch counted what went through, and lost none of it to a broken packet.
(($(counter c1 rx_packets) > 1000)) || fail "c1 received nothing?"
for reason in rx_header tx_gso tx_error rx_short src_invalid; do
	for port in c1 c2; do
		(($(counter $port $reason) == 0)) || fail "$port dropped $reason: $(vsctl drops)"
	done
done
