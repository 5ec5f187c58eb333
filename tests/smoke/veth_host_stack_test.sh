#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The host's own IP stack has no part in what goes over a veth port: it does not answer, does not
# forward, does not even count, and sends nothing itself. Both for a pair that the switch made and
# for one that it found, which is given back as it was.
. "$(dirname "$0")/lib.sh"

start_switch
container c1 c2
sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.conf.all.rp_filter=0 \
	net.ipv4.icmp_echo_ignore_broadcasts=0
ip address add 10.0.0.9/32 dev lo
ip address add fd00::9/128 dev lo
ip address add 10.9.0.1/32 dev lo
ip link add h2 type veth peer name eth0 netns c2
ip -n c2 address add 10.0.0.2/24 dev eth0
ip -n c2 address add fd00::2/64 dev eth0 nodad
ip -n c2 link set eth0 up
capture c1 c1 -i any
vsctl add-br br0
vsctl add-port br0 c1 type=veth netns=c1 ifname=eth0 host-ifname=h1 ip=10.0.0.1/24,fd00::1/64
vsctl add-port br0 c2 type=veth host-ifname=h2
reaches c1 10.0.0.2

received() {
	nstat -asz IpInReceives Ip6InReceives IcmpInMsgs Icmp6InMsgs | awk '/^I/ { n += $2 } END { print n }'
}

mac_of() {
	ip -json link show "$1" | jq -r '.[].address'
}

before=$(received)
for n in 1 2; do
	other=$((3 - n))
	# By its address, by the address of its end, and as a router.
	stays_apart "c$n" 10.0.0.9 . "10.0.0.$other"
	ip -n "c$n" neighbour replace 10.0.0.9 lladdr "$(mac_of "h$n")" dev eth0
	ip -n "c$n" neighbour replace fd00::9 lladdr "$(mac_of "h$n")" dev eth0
	ip -n "c$n" route replace 10.9.0.0/16 via 10.0.0.9
	stays_apart "c$n" 10.0.0.9 . "10.0.0.$other"
	stays_apart "c$n" fd00::9 . "fd00::$other"
	stays_apart "c$n" 10.9.0.1 . "10.0.0.$other"
	probe "c$n" 10.9.0.2 && fail "somebody answers who is not there"
	in_ns "c$n" ping -q -b -c 2 -i 0.1 -W 1 10.0.0.255 >/dev/null 2>&1 || true
	in_ns "c$n" ping -q -c 2 -i 0.1 -W 1 ff02::1%eth0 >/dev/null 2>&1 || true
	reaches "c$n" "10.0.0.$other"
	reaches "c$n" "fd00::$other"
done
after=$(received)
((after == before)) || fail "the host's stack received $((after - before)) packets"
captured c1 'icmp[0] == 0 and dst host 10.0.0.1'
in_capture c1 >"$T/heard"
grep -qF "$(in_ns c1 cat /sys/class/net/eth0/address)" "$T/heard" || fail "tcpdump heard nothing at all"
! grep -F "$(mac_of h1) " "$T/heard" || fail "c1 heard the host's end"
tcp c1 c2 10.0.0.2

# What another program takes away is put back.
guarded() {
	tc filter show dev h1 ingress | has bpf && tc filter show dev h1 egress | has bpf
}
guarded || fail "no filters at h1: $(tc filter show dev h1 ingress)"
for gone in 'qdisc delete dev h1 clsact' 'filter delete dev h1 ingress' 'filter delete dev h1 egress'; do
	# shellcheck disable=SC2086 # words
	tc $gone || fail "tc $gone"
	wait_until 30 guarded || fail "not put back after tc $gone"
done
is 'what the log says of it' "$(grep -c 'another program gave h1 back' "$T/sw/log")" 3
before=$(received)
stays_apart c1 10.0.0.9 . 10.0.0.2
stays_apart c1 10.9.0.1 . 10.0.0.2
after=$(received)
((after == before)) || fail "the host's stack received $((after - before)) packets"

# After a restart, too; and h2 is the host's again when its port is deleted.
kill -KILL "$SWITCH_PID"
wait "$SWITCH_PID" || true
start_switch
stays_apart c1 10.0.0.9 . 10.0.0.2
vsctl del-port c2
ip address add 10.0.0.8/24 dev h2
reaches c2 10.0.0.8
(($(received) > after)) || fail "what the stack receives is not counted"
