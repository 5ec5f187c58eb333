#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The interface of a gateway is up only while the kernel's switches that tame it are set: where they cannot
# be, it stays down, which is told; what somebody else changes is put back.
# sanitizers: yes
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/agent.sh"

# setting KEY: of the gateway's interface
setting() {
	cat "/proc/sys/net/${1%%.*}/conf/$gw/${1#*.}"
}

is_up() {
	ip link show dev "$gw" | has '[<,]UP[,>]'
}

is_tame() {
	[[ $(setting ipv4.forwarding) == 0 && $(setting ipv4.arp_ignore) == 1 && $(setting ipv6.accept_ra) == 0 ]]
}

tells() {
	! vsctl --json agent show >"$T/status" &&
		jq -e '.problems[] | select(.object == "gateway of network front")' "$T/status" >"$T/problem"
}

printf 'host: h1\ncluster-advertise: lo\nquarantine: 0\n' >"$T/net.yaml"
start_switch
note 'switches that cannot be set'
mount --bind /proc/sys/net /proc/sys/net
mount -o remount,bind,ro /proc/sys/net
agent
container c1
vsctl network create --subnet 10.7.0.0/24 --subnet fd07::/64 --ipv6 front >/dev/null
vsctl network connect front c1
gw=$(ip -o link show | grep -o 'cw-[0-9a-f]*' | head -n 1)
wait_until 30 tells || fail "nothing is told: $(vsctl agent show)"
grep -q 'cannot be set to . (Read-only file system).*let vsnetd write' "$T/problem" ||
	fail "told: $(<"$T/problem")"
! is_up || fail "the gateway is up: $(ip link show dev "$gw")"
in_ns c1 ping -q -c 1 -W 1 10.7.0.1 >"$T/ping" && fail "the gateway answers: $(<"$T/ping")"
umount /proc/sys/net
wait_until 30 is_up || fail "the gateway stays down: $(ip link show dev "$gw")"
reaches_soon c1 10.7.0.1
wait_until 30 vsctl agent show >"$T/status" || fail "still told: $(<"$T/status")"
is_tame || fail "not tame: $(grep . /proc/sys/net/ipv[46]/conf/"$gw"/{forwarding,accept_ra})"

note 'switches that somebody changes'
sysctl -qw net.ipv4.conf.all.forwarding=1 # of all interfaces, now and later
is 'forwarding of lo' "$(</proc/sys/net/ipv4/conf/lo/forwarding)" 1
sysctl -qw "net.ipv4.conf.$gw.arp_ignore=0" "net.ipv6.conf.$gw.accept_ra=2"
wait_until 30 is_tame || fail "not put back: $(grep . /proc/sys/net/ipv[46]/conf/"$gw"/{forwarding,accept_ra})"
reaches_soon c1 10.7.0.1
wait_until 30 vsctl agent audit >"$T/audit" || fail "audit: $(<"$T/audit")"

note 'an MTU that is too small for IPv6'
vsctl network create --subnet 10.8.0.0/24 -o mtu=1000 small >/dev/null
vsctl network connect small c1
reaches_soon c1 10.8.0.1
gw=$(ip -o -4 address show to 10.8.0.1 | grep -o 'cw-[0-9a-f]*' | head -n 1)
[[ ! -e /proc/sys/net/ipv6/conf/$gw ]] || fail "$gw has IPv6: this shows nothing"
is_up || fail "the gateway is down: $(ip link show dev "$gw")"
agent_stop
