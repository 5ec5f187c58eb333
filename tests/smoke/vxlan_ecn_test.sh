#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Congestion marks, traffic class and TTL through tunnels (RFC 6040): a switch, by both underlays over
# IPv4 and IPv6, and a host whose VXLAN is the kernel's. IPv4 and IPv6 inside.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/overlay.sh"

MARKS=$SMOKE/marks.py

# listen NAME NAMESPACE ARGUMENT…: what marks.py prints goes to $T/NAME.
listen() {
	rm -f "$T/$1" # what the one before printed is no answer
	ip netns exec "$2" "$PYTHON" "$MARKS" "${@:3}" >"$T/$1" & # its process, to be ended
	LISTENER=$!
	wait_until 30 grep -q ready "$T/$1" || fail "nobody listens in $2"
}

has_lines() {
	(($(wc -l <"$T/$1") > $2))
}

# told NAME LINE…: these have come, and no others; the listener is told to end.
told() {
	wait_until 30 has_lines "$1" $(($# - 1)) || fail "$1: $(tr '\n' ';' <"$T/$1"), not $*"
	kill "$LISTENER"
	wait "$LISTENER" 2>/dev/null || true
	is "$1" "$(tail -n +2 "$T/$1")" "$(printf '%s\n' "${@:2}")"
}

# Outer and inner field, and what the container gets (RFC 6040, figure 4; ECT(1) 1, ECT(0) 2, CE 3).
# Last comes what is dropped, and one behind it that is not.
RULES=(0:0=0 2:0=0 1:0=0 0:2=2 2:2=2 1:2=1 3:2=3 0:1=1 2:1=1 1:1=1 3:1=3 0:3=3 2:3=3 1:3=3 3:3=3 3:0= 0:0=0)

# decapsulates NEAR: frames from the host far.
decapsulates() {
	local mac to
	mac=$(ip -n c1 -j link show eth0 | jq -r '.[0].address')
	for to in 10.0.0.1 fd00::1; do
		listen inside c1 hear
		in_ns far "$PYTHON" "$MARKS" tunnelled "$1" 42 "$mac" "$to" "${RULES[@]%=*}"
		# shellcheck disable=SC2046 # one word each
		told inside $(printf '%s\n' "${RULES[@]#*=}")
	done
	is "packets dropped as tunnel_ecn" "$(counter te0 tunnel_ecn)" 2
}

# both_ways: what containers say to each other arrives as it was.
both_ways() {
	local classes=(0 1 2 3 184 187)
	for to in 10.0.0.2 fd00::2; do
		listen inside c2 hear
		in_ns c1 "$PYTHON" "$MARKS" say "$to" "${classes[@]}"
		told inside "${classes[@]}"
	done
	for to in 10.0.0.1 fd00::1; do
		listen inside c1 hear
		in_ns c2 "$PYTHON" "$MARKS" say "$to" "${classes[@]}"
		told inside "${classes[@]}"
	done
}

# outside CLASS… : LINE…: c1 says them, and the wire has these lines.
outside() {
	local classes=() to
	while [[ $1 != : ]]; do
		classes+=("$1")
		shift
	done
	for to in 10.0.0.2 fd00::2; do
		listen wire far outer u0
		in_ns c1 "$PYTHON" "$MARKS" say "$to" "${classes[@]}"
		told wire "${@:2}"
	done
}

lan
host far 2
container c1
for family in 4 6; do
	near=$(address "$family" 1) far=$(address "$family" 2)
	kernel_network far 42 "$far" "$near"
	kernel_inside far 42 c2 2
	for underlay in kernel port; do
		note "underlay $underlay over IPv$family"
		switch_host near 1 "$underlay" "$family"
		network vx0 42 "$far"
		inside c1 1 mac=02:00:00:00:00:11
		in_ns c1 sysctl -qw net.ipv4.ip_default_ttl=33 net.ipv6.conf.eth0.hop_limit=33
		wait_until 30 in_ns c1 ping -q -c 1 -W 1 10.0.0.2 || fail "no way to c2"
		reaches_soon c1 fd00::2
		decapsulates "$near"
		both_ways
		outside 0 1 2 3 184 : "0 64 0" "1 64 1" "2 64 2" "3 64 3" "0 64 184"
		vsctl set-port vx0 dscp=46 ttl=7
		outside 0 2 3 40 : "184 7 0" "186 7 2" "187 7 3" "184 7 40"
		vsctl set-port vx0 dscp=inherit ttl=inherit
		outside 0 3 40 : "0 33 0" "3 33 3" "40 33 40"
		vsctl del-port c1
		leave
		SITES=()
		ip netns delete near
		rm -r "$T/near"
	done
	ip -n far link del c2
	ip netns delete c2
	ip -n far link del vx42
	ip -n far link del br42
done
