#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The reconciler of vsnetd and the real switch: each request that it makes is taken, what the switch
# lists is what was wanted, containers have their interfaces, and nothing that is right is touched.
# sanitizers: yes
. "$(dirname "$0")/lib.sh"

# tell COMMAND…: carried out without complaint, and an audit finds no difference.
tell() {
	local answer
	say "$@"
	[[ $answer == ok ]] || fail "$*: $answer"
	say audit
	[[ $answer == 'ok []' ]] || fail "after $*: $answer"
}

# say COMMAND…: the answer is in `answer`; what is told in between is noted.
say() {
	echo "$*" >&"${PROBE[1]}"
	while read -r answer <&"${PROBE[0]}"; do
		[[ $answer == down* ]] || return 0
		echo "$answer" >>"$T/downs"
	done
	fail "the probe has ended at: $*"
}

probe_start() {
	coproc PROBE { exec "$BUILD/tests/sim/reconcile_probe" "$T/sw/run" 127.0.0.1 2>>"$T/probe"; }
}

probe_stop() {
	local pid=$PROBE_PID
	echo quit >&"${PROBE[1]}"
	wait "$pid" || fail "the probe ended with $?: $(cat "$T/probe")"
}

# entries BRIDGE NUMBER: so many static entries behind tunnels.
entries() {
	local n
	n=$(vsctl --json fdb ls "$1" | jq '[.entries[] | select(.kind == "static" and .tunnel)] | length')
	((n == $2)) || fail "$1 has $n entries, not $2: $(vsctl fdb ls "$1" | head)"
}

start_switch
container c1 c2 c3
vsctl add-br br0
vsctl add-br cw.stray
vsctl add-port br0 mine type=tap netns=c3 ifname=mine
probe_start
tell host 1 127.1.0.1
tell host 2 127.1.0.2
tell net 0
lacks 'cw\.' vsctl list-br || fail "there is a bridge already: $(vsctl list-br)"
vsctl list-br | grep br0 >/dev/null || fail "a user's bridge is gone"
tell remote 0 300 200 1
tell own 0 1
tell own 0 2 port=veth
entries cw.net0 201
is 'type of the port of c2' \
	"$(vsctl --json list-ports | jq -r '.ports[] | select(.name == "cw.000000020000") | .type')" veth
reaches_soon c1 10.0.0.2
reaches_soon c2 fd00::1
in_ns c1 ip -br address show eth0 | grep '10.0.0.1/8.*fd00::1/64' >/dev/null || fail "$(in_ns c1 ip address)"

# inside CONTAINER WORDS ARGUMENT…: what `ip` says there has the words, a regular expression.
inside() {
	in_ns "$1" ip "${@:3}" | grep -E "$2" >/dev/null || fail "$1 has no $2: $(in_ns "$1" ip "${@:3}")"
}

# Routes: to the network's other subnet, by default only when it is asked for.
inside c1 'dev eth0 .*scope link' route show 172.30.0.0/16
[[ -z $(in_ns c1 ip route show default)$(in_ns c1 ip -6 route show default) ]] ||
	fail "c1 has a default route"
in_ns c3 sysctl -qw net.ipv6.conf.default.disable_ipv6=1 # as Docker does
tell own 0 3 default-route=true
inside c3 'via 10.255.255.254 dev eth0' route show default
inside c3 'via fd00::ffff dev eth0' -6 route show default
inside c3 'fd00::3/64' -6 address show eth0
tell own 0 3 default-route=true # again is no mistake
in_ns c1 ip route add default dev lo
say own 0 1 default-route=true
[[ $answer == *'default route by another interface'* ]] || fail "$answer"
in_ns c1 ip route del default
say own 0 1

# Only its own addresses.
in_ns c1 ip address add 10.0.9.9/8 dev eth0
stays_apart c1 10.0.0.2 c2 10.0.0.2 -I 10.0.9.9
in_ns c1 ip address del 10.0.9.9/8 dev eth0

# Changes.
tell remote 0 300 100 2
[[ $(vsctl fdb ls cw.net0 | awk '$3 == "02:00:00:00:01:2c" { print $5 }') == 127.1.0.2 ]] ||
	fail "300 has not moved: $(vsctl fdb ls cw.net0 | head)"
entries cw.net0 202
tell host 2 127.1.0.3
[[ $(vsctl fdb ls cw.net0 | awk '$3 == "02:00:00:00:01:2c" { print $5 }') == 127.1.0.3 ]] ||
	fail "host 2 has not moved: $(vsctl fdb ls cw.net0 | head)"
tell gone 0 310 190
entries cw.net0 11
tell net 0 1300
[[ $(in_ns c1 cat /sys/class/net/eth0/mtu) == 1300 ]] || fail "the MTU of c1 is another"
tell net 0
[[ $(in_ns c1 cat /sys/class/net/eth0/mtu) != 1300 ]] || fail "the MTU of c1 is still 1300"
tell remote 0 20000 12000 1
entries cw.net0 12012
tell gone 0 20000 12000

# Somebody corrupts.
vsctl fdb rm --force cw.net0 02:00:00:00:01:2c
vsctl neigh rm --force cw.net0 10.0.1.45
vsctl set-port --force cw.000000010000 tag=7
say audit
[[ $(jq length <<<"${answer#ok }") == 3 ]] || fail "the audit finds: $answer"
say repair
[[ $(jq '[.[] | select(.repaired)] | length' <<<"${answer#ok }") == 3 ]] || fail "repaired: $answer"
say audit
[[ $answer == 'ok []' ]] || fail "not repaired: $answer"
reaches_soon c1 10.0.0.2
vsctl del-br --force cw.net0 # it is told, and makes all of it anew
tell host 2 127.1.0.3
reaches_soon c1 10.0.0.2

# The switch dies and comes again, the agent dies and comes again: interfaces stay what they are.
in_ns c1 ip address add 10.0.0.77/8 dev eth0 # as if of an earlier record
in_ns c1 ip address add 192.168.7.7/24 dev eth0
index=$(in_ns c1 cat /sys/class/net/eth0/ifindex)
kill -KILL "$SWITCH_PID"
wait "$SWITCH_PID" || true
start_switch
tell wait
[[ $(in_ns c1 cat /sys/class/net/eth0/ifindex) == "$index" ]] || fail "eth0 was made anew"
entries cw.net0 11
inside c1 'inet 192.168.7.7/24' address show eth0
lacks '10\.0\.0\.77' in_ns c1 ip address show eth0 || fail "c1 keeps an old address"
reaches_soon c1 10.0.0.2
probe_stop
probe_start
tell host 1 127.1.0.1
lacks 'cw\.' vsctl list-br || fail "what nobody wants stays: $(vsctl list-br)"
vsctl list-br | grep br0 >/dev/null || fail "a user's bridge is gone"
tell net 0
tell own 0 1
tell del 1
lacks 'cw\.' vsctl list-br || fail "the bridge outlives its ports: $(vsctl list-br)"
[[ $(state mine) == up ]] || fail "a user's port is gone"

# A namespace goes.
tell own 0 2
ip netns delete c2
wait_until 30 is_state cw.000000020000 down || fail "the port of a container that is gone is up"
say host 1 127.1.0.1
grep -q 'down c2' "$T/downs" || fail "nobody was told"
probe_stop
