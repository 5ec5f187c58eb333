#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Heartbeats: two switches know that they reach each other, and when they do not, and which sizes
# pass. The kernel's VXLAN is not disturbed by them.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/overlay.sh"

BEAT=100 # milliseconds

# remote IP MEMBER: of `vsctl remote ls`, in the switch in use.
remote() {
	vsctl --json remote ls te0 | jq -r --arg ip "$1" ".remotes[] | select(.ip == \$ip) | .$2"
}

is_remote() {
	[[ $(remote "$1" state) == "$2" ]]
}

# becomes IP STATE
becomes() {
	wait_until 30 is_remote "$@" || fail "$1 is $(remote "$1" state), not $2"
}

# carries MTU: what is found out about the path, and offered to VNIs where no MTU is configured
carries() {
	local offer=$(($1 - 50))
	[[ $here == kernel ]] || offer=1450
	wait_until 60 eval "((\$(remote 10.1.0.2 path_mtu) == $1))" || fail "not $1: $(vsctl remote ls)"
	wait_until 30 eval "((\$(vsctl --json show-vtep te0 | jq .tunnel.mtu) == $offer))" ||
		fail "not $offer: $(vsctl show-vtep te0)"
}

# changes: the events of the remote, in their order, such as "up down up". A machine that is busy for
# long may make some more; each is told once, so up and down take turns.
changes() {
	jq -r 'select(.event | IN("remote.up", "remote.down")) | .event | sub("remote."; "")' "$T/events" | xargs
}

# took_turns: up first, and at least up, down, up; for wait_until
took_turns() {
	[[ $(changes) =~ ^up(\ down\ up)+$ ]]
}

lan
host near 1
host far 2
for underlays in 'kernel kernel' 'kernel port' 'port kernel'; do
	read -r here there <<<"$underlays"
	note "underlay $here, $there at the other end"
	[[ $there == kernel ]] || ip -n far link set u0 down
	[[ $here == kernel ]] || ip -n near link set u0 down
	site far 2
	vtep "$there" 4 2 # answers though it sends none itself
	network vx0 42 10.1.0.1
	network vx1 7 10.1.0.1
	site near 1
	vtep "$here" 4 1 heartbeat=$BEAT
	monitor_start
	network vx0 42 10.1.0.2
	becomes 10.1.0.2 up
	wait_until 30 eval '(($(remote 10.1.0.2 received) > 10))' || fail "no answers come"
	vsctl remote ls
	wait_until 60 eval '(($(remote 10.1.0.2 loss_percent) == 0))' || fail "heartbeats are lost: $(vsctl remote ls)"
	us=$(remote 10.1.0.2 round_trip_us.avg)
	((us > 0)) || fail "a round trip of $us us"
	note "round trip $us us"
	vsctl show | has -E "remote 10.1.0.2, up for [0-9]+ s, loss [0-9]+ %, round trip [0-9]+ us" ||
		fail "show says: $(vsctl show)"
	[[ $(vsctl list-vteps | awk 'END { print $7, $8, $9 }') == "1 1 0" ]] ||
		fail "list-vteps says: $(vsctl list-vteps)"

	# The link of the other end.
	h=$([[ $there == kernel ]] && echo h2 || echo p2)
	ip -n lan link set "$h" down
	becomes 10.1.0.2 down
	ip -n lan link set "$h" up
	wait_until 30 is_remote 10.1.0.2 up || fail "the link is up again, the remote is not"

	wait_until 30 took_turns ||
		fail "other events: $(cat "$T/events")"
	grep -q '"reason": *"3 heartbeats of 1464 bytes were not answered"' "$T/events" ||
		fail "no reason: $(cat "$T/events")"

	# A switch in between that throws large packets away without a word: what passes is found out,
	# and that there is more again.
	ip -n lan link set "$h" mtu 1400
	carries 1400
	is_remote 10.1.0.2 up || fail "the remote is $(remote 10.1.0.2 state)"
	grep -q '"reason": *"heartbeats of more than 1364 bytes are not answered"' "$T/events" ||
		fail "no reason: $(cat "$T/events")"
	ip -n lan link set "$h" mtu 1500
	carries 1500

	# The network that they go through is gone there; then they go through another.
	use far
	for reason in tunnel_header tunnel_vni tunnel_source tunnel_heartbeat link_local; do
		n=$(($(counter te0 "$reason") + $(counter vx0 "$reason")))
		((n == 0)) || fail "$n frames dropped as $reason"
	done
	vsctl del-port vx0
	use near
	becomes 10.1.0.2 down
	network vx1 7 10.1.0.2
	becomes 10.1.0.2 up
	monitor_stop
	leave
	SITES=()
	rm -r "$T/near" "$T/far"
	ip -n near link set u0 up
	ip -n far link set u0 up
done

# The kernel at the other end, in a bridge with a container.
kernel_network far 42 10.1.0.2 10.1.0.1
kernel_inside far 42 c2 2
container c1
for underlay in kernel port; do
	note "underlay $underlay, the kernel's VXLAN at the other end"
	[[ $underlay == kernel ]] || ip -n near link set u0 down
	site near 1
	vtep "$underlay" 4 1 heartbeat=$BEAT
	network vx0 42 10.1.0.2
	inside c1 1
	reaches_soon c1 10.0.0.2
	monitor_start
	watch c2
	dropped=$(ip -n far -s -j link show dev vx42 | jq '.[0].stats64.rx.dropped')
	before=$(remote 10.1.0.2 sent)
	wait_until 30 eval "((\$(remote 10.1.0.2 sent) > $before + 20))" || fail "no heartbeats were sent"
	frame c1 ff:ff:ff:ff:ff:ff
	hears c2 1 "a frame, and no heartbeat"
	is_remote 10.1.0.2 unknown || fail "the kernel's VXLAN is $(remote 10.1.0.2 state)"
	n=$(ip -n far -s -j link show dev vx42 | jq '.[0].stats64.rx.dropped')
	((n == dropped)) || fail "the kernel counts $((n - dropped)) drops"
	is 'events of the remote' "$(changes)" ''
	vsctl show | has -E '^    remote 10.1.0.2, unknown' || fail "show says: $(vsctl show)"
	reaches c1 10.0.0.2
	monitor_stop
	vsctl del-port c1
	leave
	SITES=()
	rm -r "$T/near"
	ip -n near link set u0 up
done
