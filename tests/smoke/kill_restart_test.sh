#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# vswitchd is killed and started again under ping and TCP: the containers keep their interfaces,
# the connection survives. How long the gap is, is noted.
# sanitizers: yes
. "$(dirname "$0")/lib.sh"

two_containers
vsctl add-port br0 v1 type=veth netns=c1 ifname=eth1
tcp c1 c2 10.0.0.2
index=$(in_ns c1 cat /sys/class/net/eth0/ifindex)
in_ns c1 ping -i 0.01 -c 400 -W 1 10.0.0.2 >"$T/pings" &
pings=$!
in_ns c1 iperf3 -c 10.0.0.2 --time 4 --json >"$T/iperf" &
iperf=$!
wait_until 30 grep -q 'icmp_seq=50 ' "$T/pings" || fail "no answers: $(<"$T/pings")"
kill -KILL "$SWITCH_PID"
wait "$SWITCH_PID" || true
start=$EPOCHREALTIME
start_switch
note "started again within $(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.0f", (b - a) * 1000 }') ms"
wait "$pings" || true
wait "$iperf" || fail "the TCP connection broke: $(jq .error "$T/iperf")"
[[ $(in_ns c1 cat /sys/class/net/eth0/ifindex) == "$index" ]] || fail "eth0 was made anew"
for port in c1 c2 v1; do
	is_state "$port" up || fail "$port is not up again: $(vsctl list-ports)"
done
lost=$(sed -n 's/^\([0-9]*\) packets transmitted, \([0-9]*\) received.*/\1 \2/p' "$T/pings" |
	awk '{ print $1 - $2 }')
note "killed and restarted: $lost of 400 pings lost, 10 ms apart; TCP over it: $(gbits "$T/iperf") Gbit/s"
reaches c1 10.0.0.2
