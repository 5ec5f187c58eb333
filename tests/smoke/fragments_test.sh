#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Datagrams larger than the MTU, fragmented by the sender, arrive whole; large UDP as well.
. "$(dirname "$0")/lib.sh"

two_containers
reaches c1 10.0.0.2 -s 30000
reaches c1 fd00::2 -s 30000
iperf_server c2
for address in 10.0.0.2 fd00::2; do
	in_ns c1 iperf3 -c "$address" --udp --bitrate 200M --length 32000 --time 1 --json >"$T/udp"
	jq -e '.end.sum | .packets > 500 and .lost_percent < 1' "$T/udp" >/dev/null ||
		fail "fragmented UDP to $address: $(jq -c .end.sum "$T/udp")"
done
