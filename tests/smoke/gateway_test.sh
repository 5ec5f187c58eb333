#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The gateway of a network: on three hosts under one address and one MAC, each host's for its own
# containers; nothing else of the host can be reached by it, and no other network.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cluster.sh"

# gw_of NETWORK: the name of its gateway's interface
gw_of() {
	echo "cw-$(on h1 --json network inspect "$1" | jq -r '[.. | objects | select(has("vni"))][0].id' | head -c 12)"
}

# has_gw HOST INTERFACE ADDRESS…: it is there, up, with these addresses and no other.
has_gw() {
	local want
	want=$(printf '%s\n' "${@:3}" | sort | xargs)
	[[ $(in_ns "$1" ip -j address show dev "$2" 2>/dev/null | jq -r \
		'.[0].addr_info[] | select(.scope == "global") | "\(.local)/\(.prefixlen)"' | sort | xargs) == "$want" ]] &&
		in_ns "$1" ip link show dev "$2" | has '[<,]UP[,>]'
}

mac_of() {
	in_ns "$1" ip -j link show dev "$2" | jq -r '.[0].address'
}

# seen HOST INTERFACE: the packets that have come to the host by it.
seen() {
	in_ns "$1" cat /proc/net/dev | awk -v d="$2:" '$1 == d { print $3 }'
}

cluster 3

# All that goes from host to host, to be looked at in the end.
capture wire h1 -s 128 -i u0 'udp port 4789'

on h1 network create -d overlay --subnet 10.10.2.0/24 --subnet fd10:2::/64 --ipv6 multinet >/dev/null
on h2 network create -d overlay --subnet 10.20.0.0/16 --gateway 10.20.0.77 --internal backend >/dev/null
gw=$(gw_of multinet) gw2=$(gw_of backend)
connect h1 multinet a1
connect h1 multinet a2
connect h2 multinet b1
connect h3 multinet c1
connect h1 backend d1
connect h2 backend e1

for host in h1 h2 h3; do
	wait_until 30 has_gw "$host" "$gw" 10.10.2.1/24 fd10:2::1/64 ||
		fail "$host: $(in_ns "$host" ip address show dev "$gw") $(on "$host" agent show)"
	[[ $(mac_of "$host" "$gw") == 02:42:0a:0a:02:01 ]] || fail "$host has another MAC: $(mac_of "$host" "$gw")"
	wait_until 30 is_settled "$host" || fail "$host is not settled: $(on "$host" agent show)"
	clean "$host"
done
wait_until 30 has_gw h1 "$gw2" 10.20.0.77/16 # also of an internal network
lacks " ${gw2}[@:]" in_ns h3 ip -o link || fail "h3 has a gateway of a network that it has not"

# ---- each answers its own ----

for pair in 'h1 a1' 'h1 a2' 'h2 b1' 'h3 c1'; do
	read -r host name <<<"$pair"
	before=$(seen "$host" "$gw")
	reaches "$name" 10.10.2.1
	reaches "$name" fd10:2::1
	(($(seen "$host" "$gw") >= before + 6)) || fail "it was not $host that answered $name"
done
reaches d1 10.20.0.77
reaches_soon a1 "$(ip_of h1 multinet b1)"
reaches_soon c1 "$(ip_of h1 multinet a1 6)"
# The host reaches its own containers, and no others.
reaches h1 "$(ip_of h1 multinet a1)"
reaches h1 "$(ip_of h1 multinet a1 6)"
stays_apart h1 "$(ip_of h1 multinet b1)" b1 "$(ip_of h1 multinet a1)"
stays_apart h1 "$(ip_of h1 multinet b1 6)" b1 "$(ip_of h1 multinet a1 6)"
# Also when it has not heard of them for a while.
in_ns h1 ip neigh flush dev "$gw"
in_ns a1 ip neigh flush dev eth0
in_ns a1 ip -6 neigh flush dev eth0
reaches a1 fd10:2::1
reaches a1 10.10.2.1

# Without the host's gateway nobody else's answers.
in_ns h1 ip link set "$gw" down
stays_apart a1 10.10.2.1 h2 "$(ip_of h1 multinet b1)"
stays_apart a1 fd10:2::1 h2 "$(ip_of h1 multinet b1 6)"
reaches b1 10.10.2.1
in_ns h1 ip link set "$gw" up
reaches_soon a1 10.10.2.1
reaches_soon a1 fd10:2::1

# ---- only for its network, and nothing else of the host; also of a host that routes ----

in_ns a1 ip route add default via 10.10.2.1
in_ns a1 ip -6 route add default via fd10:2::1
in_ns d1 ip route add default via 10.20.0.77
check_apart() {
	stays_apart a1 10.20.0.77 h1 10.10.2.1
	stays_apart a1 10.1.0.1 h1 10.10.2.1
	stays_apart a1 fd01::1 h1 fd10:2::1
	stays_apart a1 "$(ip_of h1 backend d1)" d1 10.10.2.1
	stays_apart d1 10.10.2.1 h1 10.20.0.77
	stays_apart d1 "$(ip_of h1 multinet a1)" a1 10.20.0.77
}
check_apart
in_ns h1 sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
check_apart
in_ns h1 sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0
on h1 drops | has "^gateway " || fail "no drop is named: $(on h1 drops)"

# A container is no router of the host.
is accept_ra "$(in_ns h1 cat "/proc/sys/net/ipv6/conf/$gw/accept_ra")" 0
# Nor of another container, and there is no IPv6 where the network has none.
is accept_ra "$(in_ns a1 cat /proc/sys/net/ipv6/conf/eth0/accept_ra)" 0
is disable_ipv6 "$(in_ns a1 cat /proc/sys/net/ipv6/conf/eth0/disable_ipv6)" 0
is disable_ipv6 "$(in_ns d1 cat /proc/sys/net/ipv6/conf/eth0/disable_ipv6)" 1
lacks . in_ns h1 ip -6 address show dev "$gw" tentative || fail "tentative: $(in_ns h1 ip -6 address show dev "$gw")"

# Nobody else has its addresses.
refused 'the gateway of network multinet has the MAC' on h2 network connect --mac 02:42:0a:0a:02:01 multinet e1
refused 'gateway' on h2 network connect --ip 10.10.2.1 multinet e1

# ---- it comes back ----

in_ns h1 ip address delete 10.10.2.1/24 dev "$gw"
in_ns h1 ip address add 10.10.2.9/24 dev "$gw"
agent_kill h1
node_agent h1 "$T/h1" || fail "the agent of h1 does not start"
wait_until 30 has_gw h1 "$gw" 10.10.2.1/24 fd10:2::1/64 || fail "not after the agent: $(in_ns h1 ip address show dev "$gw")"
reaches_soon a1 10.10.2.1
switch_kill h1
node_switch h1 "$T/h1"
wait_until 30 has_gw h1 "$gw" 10.10.2.1/24 fd10:2::1/64 || fail "not after the switch"
reaches_soon a1 fd10:2::1
in_ns h1 ip link delete "$gw"
wait_until 30 has_gw h1 "$gw" 10.10.2.1/24 fd10:2::1/64 || fail "not after it was deleted: $(on h1 show)"
reaches_soon a1 10.10.2.1
on h1 del-port --force "cw.gw.${gw#cw-}"
wait_until 30 has_gw h1 "$gw" 10.10.2.1/24 fd10:2::1/64 || fail "not after its port was deleted: $(on h1 show)"
reaches_soon a1 10.10.2.1
wait_until 30 is_settled h1 || fail "h1 is not settled: $(on h1 agent show)"
clean h1

# ---- a host that has the subnet already ----

in_ns h3 ip link add dummy0 type bridge
in_ns h3 ip link set dummy0 up
in_ns h3 ip route add 10.20.5.0/24 dev dummy0
connect h3 backend f1
wait_until 30 eval 'grep -q "10.20.5.0/24 by dummy0" <<<"$(on h3 agent show)"' || fail "h3 does not tell: $(on h3 agent show)"
has_gw h3 "$gw2" || fail "it has an address: $(in_ns h3 ip address show dev "$gw2")"
reaches_soon f1 "$(ip_of h3 backend e1)"
in_ns h3 ip route delete 10.20.5.0/24 dev dummy0
wait_until 30 has_gw h3 "$gw2" 10.20.0.77/16 || fail "not when there is room: $(on h3 agent show)"
reaches_soon f1 10.20.0.77
lacks dummy0 on h3 agent show || fail "h3 still tells: $(on h3 agent show)"

# ---- it goes with the network ----

on h1 network disconnect multinet a1
has_gw h1 "$gw" 10.10.2.1/24 fd10:2::1/64 || fail "it went with the first: $(in_ns h1 ip address show)"
on h1 network disconnect multinet a2
wait_until 30 lacks " ${gw}[@:]" in_ns h1 ip -o link || fail "h1 still has $gw"
reaches b1 10.10.2.1

# ---- nothing of it was on the wire ----

# Behind 8 bytes each of UDP and VXLAN: from a container, so it can be found; from or to the
# gateway's MAC, or ARP.
captured wire 'udp[22:4] = 0x02420a0a and udp[28:2] = 0x0800'
for what in 'udp[16:4] = 0x02420a0a and udp[20:2] = 0x0201' 'udp[22:4] = 0x02420a0a and udp[26:2] = 0x0201' \
	'udp[28:2] = 0x0806'; do
	no_packet wire "$what"
done
leave
