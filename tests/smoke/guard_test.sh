#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A port with guard=on: the container speaks for itself, in everything that containers do, and for
# nobody else: not with another MAC or IP address, not in ARP or neighbour discovery.
# sanitizers: yes
. "$(dirname "$0")/lib.sh"

MAC=02:00:00:00:00:01
EVIL=02:00:00:00:00:66

spoof() {
	in_ns c1 "$PYTHON" "$HERE/spoof.py" eth0 "$@"
}

# drops REASON KIND [key=value…]: one more frame of c1 is dropped for that.
drops() {
	local reason=$1 before
	shift
	before=$(counter c1 "$reason")
	spoof "$@"
	wait_until 30 counts_to c1 "$reason" $((before + 1)) ||
		fail "no $reason after: $* ($(vsctl drops))"
}

dropped() {
	vsctl --json stats c1 | jq '[.ports[0].drops | to_entries[] |
		select(.key | startswith("spoofed")) | .value] | add // 0'
}

# passes KIND [key=value…]
passes() {
	local before rx
	before=$(dropped)
	rx=$(counter c1 rx_packets)
	spoof "$@"
	wait_until 30 counts_to c1 rx_packets $((rx + 1)) || fail "not received: $*"
	(($(dropped) == before)) || fail "dropped: $* ($(vsctl drops))"
}

HERE=$(dirname "$0")
start_switch
container c1 c2
vsctl add-br br0
for type in tap veth; do
	note "type $type"
	vsctl add-port br0 c1 type="$type" netns=c1 ifname=eth0 ip=10.0.0.1/24,fd00::1/64 \
		mac=$MAC guard=on guard-ips=10.0.0.1,fd00::1
	vsctl add-port br0 c2 type="$type" netns=c2 ifname=eth0 ip=10.0.0.2/24,fd00::2/64
	reaches_soon c1 10.0.0.2
	reaches_soon c1 fd00::2
	reaches_soon c2 fd00::1
	in_ns c1 ip neigh flush dev eth0
	reaches c1 fd00::2
	tcp c1 c2 10.0.0.2
	tcp c1 c2 fd00::2
	tcp c1 c2 10.0.0.2 --reverse
	# What a container with IPv6 says when it is set up is no spoofing.
	(($(dropped) == 0)) || fail "dropped of itself: $(vsctl drops)"

	passes dhcp
	passes arp ip=10.0.0.1
	passes ip4 ip=10.0.0.1 vlan=10
	passes na ip=fd00::1
	passes na ip=fe80::ff:fe00:1
	drops spoofed_mac ip4 ip=10.0.0.1 mac=$EVIL
	drops spoofed_ip ip4 ip=10.0.0.66
	drops spoofed_ip ip4 ip=10.0.0.66 vlan=10
	drops spoofed_ip ip6 ip=fd00::66
	drops spoofed_ip ip6 ip=fe80::66
	drops spoofed_arp arp ip=10.0.0.66
	drops spoofed_arp arp ip=10.0.0.1 says=$EVIL
	drops spoofed_nd na ip=fd00::1 target=fd00::2
	drops spoofed_nd na ip=fd00::1 says=$EVIL
	vsctl drops | has spoofed_nd || fail "vsctl drops does not say so"
	vsctl --json fdb ls br0 | jq -e --arg m $EVIL 'all(.entries[]; .mac != $m)' >/dev/null ||
		fail "the address was learned"

	# Live, both ways.
	vsctl set-port c1 guard-ips=10.0.0.0/24
	passes ip4 ip=10.0.0.66
	drops spoofed_ip ip4 ip=10.0.1.66
	drops spoofed_ip ip6 ip=fd00::1
	vsctl set-port c1 guard-ips=
	passes ip4 ip=10.0.1.66
	drops spoofed_mac ip4 ip=10.0.0.1 mac=$EVIL
	vsctl set-port c1 guard=off
	passes ip4 ip=10.0.0.66 mac=$EVIL
	vsctl del-port c1
	vsctl del-port c2
done

# The device's own address is as good; where nobody knows it, there is no guard.
vsctl add-port br0 c1 type=veth netns=c1 ifname=eth0 guard=on
passes ip4 ip=10.0.0.1
drops spoofed_mac ip4 ip=10.0.0.1 mac=$EVIL
ip link add there type veth peer name peer
refused 'give mac=' vsctl add-port br0 there type=veth guard=on
vsctl add-port br0 there type=veth
refused 'give mac=' vsctl set-port there guard=on
vsctl set-port there guard=on mac=$MAC
refused 'prefix such as' vsctl set-port c1 guard-ips=10.0.0.5/24
refused 'group addresses' vsctl set-port c1 guard-ips=224.0.0.1
# After a restart it is as it was.
switch_stop
start_switch
wait_until 30 is_state c1 up || fail "c1 is not up"
drops spoofed_mac ip4 ip=10.0.0.1 mac=$EVIL
