# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# For tests of VXLAN: hosts, which are network namespaces, on a LAN, which is a bridge in one of its
# own. Host number N has the addresses 10.1.0.N and fd01::N there. On each is a switch, or the
# kernel's own VXLAN device with a bridge, and containers, whose addresses are 10.0.0.x and fd00::x.

SITES=() # hosts with a switch
INNER_MTU=1450 # what fits IPv4 over 1500; 1430 fits IPv6

. "$TOP/scripts/hosts.sh"

# ---- hosts with a switch ----

# site NAME N [configuration line…]: with a bridge br0. Its device is the kernel's if `host` made it.
site() {
	local name=$1 n=$2 conf
	shift 2
	[[ -e /run/netns/$name ]] || container "$name"
	mkdir -p "$T/$name"
	conf=$T/$name/conf.yaml
	printf '%s\n' "workers: [$((n % $(nproc)))]" "$@" >"$conf"
	SWITCH_WRAP=(nsenter "--net=/run/netns/$name")
	switch_start "$T/$name" -c "$conf" || fail "the switch of $name does not start"
	# shellcheck disable=SC2034
	SWITCH_WRAP=()
	SITES+=("$name")
	printf -v "pid_$name" %s "$SWITCH_PID"
	vsctl --may-exist add-br br0
}

# use NAME: the switch that vsctl and the end of the test speak to.
use() {
	local pid=pid_$1
	SWITCH_PID=${!pid}
	export CAUSEWAY_RUN_DIR=$T/$1/run
}

# vtep UNDERLAY FAMILY N [option…]: VTEP te0 of the switch in use, on the LAN.
vtep() {
	local underlay=$1 ip prefix
	ip=$(address "$2" "$3")
	prefix=$(if (($2 == 4)); then echo 24; else echo 64; fi)
	if [[ $underlay == kernel ]]; then
		vsctl add-vtep te0 address="$ip" "${@:4}"
		return
	fi
	vsctl add-vtep te0 underlay=port type=veth netns=lan ifname="p$3" \
		address="$ip/$prefix" mtu="$LAN_MTU" "${@:4}"
	join "p$3"
}

# switch_host NAME N UNDERLAY FAMILY: all of the above, and the VTEP.
switch_host() {
	[[ $3 == port ]] || host "$1" "$2"
	site "$1" "$2"
	vtep "$3" "$4" "$2"
}

# network NAME VNI REMOTE[,REMOTE…] [option…]: a port of type vxlan on br0.
network() {
	vsctl add-port br0 "$1" type=vxlan key="$2" remote="$3" vtep=te0 "${@:4}"
}

# inside CONTAINER X [option…]: on the switch in use, with addresses 10.0.0.X and fd00::X.
inside() {
	plug "$1" "10.0.0.$2/24,fd00::$2/64" mtu="$INNER_MTU" "${@:3}"
}

# All switches leave cleanly.
leave() {
	local name
	for name in "${SITES[@]}"; do
		use "$name"
		switch_stop || fail "the switch of $name ended with $?"
	done
	# shellcheck disable=SC2034
	SWITCH_PID= # lib.sh has none to stop
}

# expect_drop PORT REASON MINIMUM
expect_drop() {
	wait_until 30 counts_to "$@" || fail "not $3 drops $2 on $1: $(vsctl drops)"
}

# ---- hosts with the kernel's VXLAN ----

# kernel_network HOST VNI LOCAL REMOTE [option…]: its device vxVNI on the bridge brVNI.
kernel_network() {
	local host=$1 vni=$2
	ip -n "$host" link add "br$vni" type bridge mcast_snooping 0
	ip -n "$host" link add "vx$vni" type vxlan id "$vni" local "$3" remote "$4" dstport 4789 \
		dev u0 "${@:5}"
	ip -n "$host" link set "vx$vni" master "br$vni" up
	ip -n "$host" link set "br$vni" up
}

# kernel_inside HOST VNI CONTAINER X: a container there, its addresses as of `inside`.
kernel_inside() {
	container "$3"
	ip -n "$1" link add "$3" type veth peer name eth0 netns "$3"
	ip -n "$1" link set "$3" mtu "$INNER_MTU" master "br$2" up
	dress "$3" "$4"
}

# dress CONTAINER X: gives its eth0 what `inside` would.
dress() {
	ip -n "$1" link set eth0 mtu "$INNER_MTU" up
	ip -n "$1" address add "10.0.0.$2/24" dev eth0
	ip -n "$1" address add "fd00::$2/64" dev eth0 nodad
}

# ---- what must work ----

# overlay CONTAINER X CONTAINER Y: all that two containers do with each other.
overlay() {
	local a=$1 b=$3 ip4=10.0.0.$4 ip6=fd00::$4 back4=10.0.0.$2 back6=fd00::$2
	wait_until 30 in_ns "$a" ping -q -c 1 -W 1 "$ip4" || fail "no way from $a to $b"
	reaches "$a" "$ip4" -M "do" -s $((INNER_MTU - 28))
	reaches "$b" "$back4"
	reaches_soon "$a" "$ip6"
	reaches "$b" "$back6"
	reaches "$a" "$ip4" -s 20000 # in fragments
	reaches "$b" "$back6" -s 20000
	tcp "$a" "$b" "$ip4"
	tcp "$a" "$b" "$ip4" --reverse
	tcp "$a" "$b" "$ip6"
	tcp "$a" "$b" "$ip6" --reverse
	udp "$a" "$b" "$ip4" 1200
	udp "$b" "$a" "$back4" 1200
	udp "$a" "$b" "$ip6" 4000
}

# ---- single frames ----

# watch CONTAINER [option…]: counts the frames of frames.py that come to it, until `hears`.
watch() {
	rm -f "$T/watch.$1"
	in_ns "$1" "$PYTHON" "$SMOKE/frames.py" count eth0 "${@:2}" >"$T/watch.$1" &
	printf -v "watch_$1" %s "$!"
	wait_until 30 grep -q ready "$T/watch.$1" || fail "nobody watches $1"
}

# heard CONTAINER: how many have come until now.
heard() {
	awk '$1 == "count" { n = $2 } END { print n + 0 }' "$T/watch.$1"
}

has_heard() {
	(($(heard "$1") >= $2))
}

# hears CONTAINER NUMBER WHAT: ends the watch. So many have come, and no more of them in half a
# second. To prove that something does not come, send a frame that does behind it: NUMBER is 1 then.
hears() {
	local pid=watch_$1
	wait_until 30 has_heard "$1" "$2" || fail "$1 has heard $(heard "$1") times, not $2: $3"
	sleep 0.5
	kill "${!pid}" || fail "the watch of $1 has ended"
	wait "${!pid}" 2>/dev/null || true
	is "how often $1 heard $3" "$(heard "$1")" "$2"
}

# frame CONTAINER DESTINATION [option…]: one frame from its eth0.
frame() {
	in_ns "$1" "$PYTHON" "$SMOKE/frames.py" frame eth0 "${@:2}"
}

# tunnelled HOST TO_ADDRESS VNI [option…]: one frame in a VXLAN packet of HOST's making.
tunnelled() {
	in_ns "$1" "$PYTHON" "$SMOKE/frames.py" tunnelled "${@:2}"
}
