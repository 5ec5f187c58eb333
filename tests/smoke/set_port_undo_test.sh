#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A change of several options does all or nothing: when the last step fails, the earlier are undone.
# sanitizers: yes
. "$(dirname "$0")/lib.sh"

start_switch
container c1 c2
vsctl add-br br0
plug c1 10.0.0.1/24,fd00::1/64
vsctl add-port br0 c2 type=veth netns=c2 ifname=eth0 host-ifname=hc2 ip=10.0.0.2/24,fd00::2/64
reaches c1 10.0.0.2

host_mtu() {
	ip -json link show hc2 | jq '.[].mtu'
}

# What the container and the host see of a port.
seen() {
	ip -n "$1" -json link show eth0 | jq -c '.[] | [.mtu, .address, .flags]'
	ip -n "$1" -json address show eth0 | jq -c '.[].addr_info[] | select(.scope == "global") | .local' | sort
	[[ $1 != c2 ]] || host_mtu
	vsctl --json list-ports | jq --arg p "$1" '.ports[] | select(.name == $p) | del(.since)'
	running
}

for c in c1 c2; do
	n=${c#c}
	in_ns "$c" sysctl -qw net.ipv6.conf.eth0.disable_ipv6=1
	before=$(seen "$c")
	refused 'the device refused ip fd00::9/64' vsctl set-port "$c" mtu=1400 mac=02:00:00:00:00:77 \
		ip="10.0.0.$n/24,10.0.0.7$n/24,fd00::9/64"
	[[ $(seen "$c") == "$before" ]] || fail "$c: $(diff <(echo "$before") <(seen "$c"))"
	in_ns "$c" sysctl -qw net.ipv6.conf.eth0.disable_ipv6=0
done
reaches c1 10.0.0.2

# The first step is refused: no tap is as large.
before=$(seen c1)
refused 'mtu 65535 was refused' vsctl set-port c1 mtu=65535 mac=02:00:00:00:00:77 ip=10.0.0.71/24
[[ $(seen c1) == "$before" ]] || fail "c1: $(diff <(echo "$before") <(seen c1))"

# IPv6 leaves a device whose MTU is below 1280, and comes back when that is undone.
ip -n c1 address add fd00::1/64 dev eth0 nodad
in_ns c1 ip address add 10.0.0.99/24 dev eth0 # the container's own: not ours to take away
before=$(seen c1)
refused 'refused' vsctl set-port c1 mtu=1200 ip=10.0.0.1/24,10.0.0.99/24,fd00::9/64
[[ $(seen c1) == "$before" ]] || fail "c1: $(diff <(echo "$before") <(seen c1))"
vsctl set-port c1 mtu=1400 mac=02:00:00:00:00:77 ip=10.0.0.1/24,10.0.0.71/24
vsctl set-port c2 mtu=1400 mac=02:00:00:00:00:78
[[ $(host_mtu) == 1400 ]] || fail "mtu of the host's end: $(host_mtu)"
reaches c1 10.0.0.2
