#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Large segments of a container leave by a device without offloads: what is in the file are whole
# packets of MTU size with right checksums. And packets from a file reach a container.
# sanitizers: yes
. "$(dirname "$0")/lib.sh"

start_switch
container c1 c2
vsctl add-br br0
vsctl add-port br0 p0 type=dpdk devargs="net_pcap0,tx_pcap=$T/out.pcap"
# c2 answers over a wire of its own, so the switch never learns its address and floods what c1
# sends to it: to c2, and to the file.
in_ns c2 sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link add back netns c1 type veth peer name back netns c2
for name in c1 c2; do
	ip -n "$name" link set back up
	in_ns "$name" sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.back.rp_filter=0
done
plug c1 10.0.0.1/24 mac=02:00:00:00:00:01
plug c2 10.0.0.2/24 mac=02:00:00:00:00:02
back=$(in_ns c1 cat /sys/class/net/back/address)
ip -n c1 neighbour replace 10.0.0.2 lladdr 02:00:00:00:00:02 dev eth0
ip -n c2 route add 10.0.0.1/32 dev back
ip -n c2 neighbour replace 10.0.0.1 lladdr "$back" dev back
iperf_server c2
in_ns c1 timeout 120 iperf3 -c 10.0.0.2 --bytes 20M --json >"$T/iperf" || fail "no TCP: $(jq .error "$T/iperf")"
# What is still under way when iperf3 has had its answer is not sent.
sent=$(counter c1 rx_bytes)
((sent > 10000000)) || fail "c1 sent only $sent bytes"
(($(counter c1 rx_packets) < sent / 10000)) || fail "c1 did not send large segments"
vsctl del-port p0

tcpdump -nn -vv -r "$T/out.pcap" tcp >"$T/text" 2>/dev/null
packets=$(grep -c 'Flags \[' "$T/text")
note "$sent bytes in $packets packets"
((packets >= sent / 1514)) || fail "only $packets packets in the file"
grep -q 'cksum .*(correct)' "$T/text" || fail "no checksum was looked at"
! grep -qE 'incorrect|bad cksum' "$T/text" ||
	fail "wrong checksums: $(grep -cE 'incorrect|bad cksum' "$T/text") of $packets"
# "greater 1515" would be a frame above 1514 bytes.
full=$(tcpdump -nn -r "$T/out.pcap" greater 1514 2>/dev/null | wc -l)
((full > 0)) || fail "no packet is of MTU size"
is 'packets above the MTU' "$(tcpdump -nn -r "$T/out.pcap" greater 1515 2>/dev/null | wc -l)" 0

"$PYTHON" "$(dirname "$0")/make_pcap.py" echo "$T/in.pcap" 02:00:00:00:00:09 10.0.0.9 \
	02:00:00:00:00:01 10.0.0.1 100
ip -n c1 neighbour replace 10.0.0.9 lladdr 02:00:00:00:00:09 dev eth0
vsctl add-port br0 p1 type=dpdk devargs="net_pcap1,rx_pcap=$T/in.pcap,tx_pcap=$T/back.pcap"
wait_until 30 counts_to p1 tx_packets 100 || fail "no answers: $(vsctl stats)"
vsctl del-port p1
answers=$(tcpdump -nn -vv -r "$T/back.pcap" 'icmp[0] == 0' 2>/dev/null | grep -c 'echo reply')
((answers == 100)) || fail "$answers answers of 100"
