# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# The harness of the smoke tests: a test is a script that sources this file, makes containers,
# starts the switch, and ends with status 0. Everything it makes is in namespaces of its own and
# goes with it. What it prints is shown when it fails; `note` is shown always.

set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../../scripts/common.sh"
in_private_machine "$@"

T=$SCRATCH
SMOKE=$TOP/tests/smoke
# Both daemons hold each result against its description.
export CAUSEWAY_CHECK_RESULTS=1
SWITCH_PID=
# Builds with sanitizers are slower: SLOW multiplies what is allowed in time.
# shellcheck disable=SC2034
SLOW=${CAUSEWAY_SLOW:-1}

fail() {
	echo "FAILED: $*" >&2
	TOLD=1
	exit 1
}

# is WHAT GOT WANT: what one thing is and should be, both told when they differ.
is() {
	[[ $2 == "$3" ]] || fail "$1: '$2', not '$3'"
}

# lacks WORDS COMMAND…: the command succeeds, and prints nothing that matches WORDS (a regular
# expression). A command that cannot be run proves nothing, so it is no success.
lacks() {
	local words=$1 printed
	shift
	printed=$("$@") || return
	! grep -qE -- "$words" <<<"$printed"
}

skip() {
	echo "SKIP: $*"
	exit 77
}

note() {
	echo "NOTE: $*"
}

# At the end, however it comes: the switch must leave cleanly, and had nothing to complain of.
at_end() {
	local status=$? command=$1
	trap - EXIT
	set +e
	((status == 0 || status == 77)) || [[ -n ${TOLD:-} ]] || echo "FAILED: status $status from: $command" >&2
	if ((status == 0)) && [[ -n $SWITCH_PID ]] && kill -0 "$SWITCH_PID" 2>/dev/null; then
		switch_stop || { echo "FAILED: vswitchd ended with status $?" >&2 && status=1; }
	fi
	if grep -hE 'Sanitizer|runtime error|Assertion|panic' "$T"/*/log "$T"/*/*.log 2>/dev/null; then
		echo "FAILED: see the log" >&2
		status=1
	fi
	if ((status != 0 && status != 77)); then
		tail -n 50 "$T"/*/log "$T"/*/*.log 2>/dev/null | sed 's/^/# log: /'
		[[ -z $SWITCH_PID ]] || { vsctl show; vsctl drops; } 2>&1 | sed 's/^/# show: /'
	fi
	exit "$status"
}
trap 'at_end "$BASH_COMMAND"' EXIT

# start_switch [argument…]: with run and state folders of its own; logs to $T/sw/log.
start_switch() {
	switch_start "$T/sw" "$@" || fail "vswitchd did not start"
}

# unprivileged CAPABILITIES: switches that start from now on are those of an ordinary user with these
# (+net_admin,+net_raw).
unprivileged() {
	install -m 755 "$VSWITCHD" "$T/vswitchd"
	mkdir -m 777 "$T/sw"
	VSWITCHD=$T/vswitchd
	SWITCH_WRAP=(setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs
		--bounding-set="-all,$1" --inh-caps="-all,$1" --ambient-caps="-all,$1")
}

# plug CONTAINER ADDRESS[,ADDRESS…] [option…]: a tap port of the container's name, as its eth0.
plug() {
	local name=$1 ip=$2
	shift 2
	vsctl add-port br0 "$name" type=tap netns="$name" ifname=eth0 ip="$ip" "$@"
}

# The usual test bed: a switch, a bridge, two containers on tap ports; options go to both ports.
two_containers() {
	start_switch
	container c1 c2
	vsctl add-br br0
	plug c1 10.0.0.1/24,fd00::1/64 "$@"
	plug c2 10.0.0.2/24,fd00::2/64 "$@"
	reaches c1 10.0.0.2
}

# reaches CONTAINER ADDRESS [ping option…]
reaches() {
	local from=$1 to=$2
	shift 2
	in_ns "$from" ping -q -c 3 -i 0.1 -W 2 "$@" "$to" >"$T/ping" 2>&1 ||
		{ cat "$T/ping" && fail "$from does not reach $to ($*)"; }
}

# reaches_soon CONTAINER ADDRESS: after a change. A container asks once a second for the hardware
# address of a neighbour that did not answer before.
reaches_soon() {
	wait_until 30 in_ns "$1" ping -q -c 1 -W 1 "$2" || fail "$1 does not reach $2"
	reaches "$1" "$2"
}

# at CONTAINER COMMAND…: runs it there; "." is the test's own namespace.
at() {
	if [[ $1 == . ]]; then "${@:2}"; else ip netns exec "$@"; fi
}

# has_address CONTAINER ADDRESS: on an interface that is up.
has_address() {
	at "$1" ip -json address show up | jq -e --arg a "$2" 'any(.[].addr_info[]?; .local == $a)' >/dev/null
}

# probe CONTAINER ADDRESS [ping option…]: status 1 if nothing comes back, 2 if nothing could be sent.
probe() {
	in_ns "$1" ping -q -c 2 -i 0.1 -W 1 "${@:3}" "$2" >"$T/probe" 2>&1
}

# stays_apart CONTAINER ADDRESS OWNER PEER [ping option…]: nothing comes back from ADDRESS, though
# OWNER, a namespace, has that address on an interface that is up, and though the same probe gets an
# answer from PEER, another address, right before and after. The options are for ADDRESS only: with
# "-I FORGED" ADDRESS and PEER can be the same.
stays_apart() {
	local from=$1 to=$2 owner=$3 peer=$4 status=0
	shift 4
	has_address "$owner" "$to" || fail "$owner has no $to that is up: $(at "$owner" ip -br address)"
	wait_until 30 probe "$from" "$peer" || fail "$from does not even reach $peer: $(<"$T/probe")"
	probe "$from" "$to" "$@" || status=$?
	((status == 1)) || fail "ping from $from to $to $*: status $status, not 1: $(<"$T/probe")"
	wait_until 30 probe "$from" "$peer" || fail "$from does not reach $peer any more: $(<"$T/probe")"
}

# capture NAME CONTAINER TCPDUMP-ARGUMENT…: tcpdump there, into a file, from now until `captured`.
capture() {
	local name=$1 where=(ip netns exec "$2")
	[[ $2 != . ]] || where=()
	shift 2
	rm -f "$T/$name.tcpdump" # the one before says nothing of this one
	"${where[@]}" tcpdump -U --immediate-mode -w "$T/$name.pcap" "$@" 2>"$T/$name.tcpdump" &
	printf -v "capture_$name" %s "$!"
	wait_until 30 grep -q 'listening on' "$T/$name.tcpdump" ||
		fail "tcpdump does not listen: $(<"$T/$name.tcpdump")"
}

# captured NAME CONTROL…: ends it as soon as a packet has come that the expression CONTROL matches. It
# must have run until then.
captured() {
	local pid=capture_$1
	wait_until 30 has_packet "$@" || fail "no packet of '${*:2}' in the capture: $(in_capture "$1")"
	kill -TERM "${!pid}" || fail "tcpdump ended early: $(<"$T/$1.tcpdump")"
	wait "${!pid}" || fail "tcpdump ended with status $?: $(<"$T/$1.tcpdump")"
}

# in_capture NAME [EXPRESSION…]: its packets as text, with their Ethernet headers.
in_capture() {
	tcpdump -nn -e -r "$T/$1.pcap" "${@:2}" 2>"$T/$1.read" || fail "tcpdump -r: $(<"$T/$1.read")"
}

# (All of it is read: tcpdump takes a reader that leaves for an error.)
has_packet() {
	(($(packets "$@") > 0))
}

# packets NAME EXPRESSION…: how many
packets() {
	in_capture "$@" | grep -cE '^[0-9]+:' || true # what is unknown is dumped, too
}

# no_packet NAME EXPRESSION…
no_packet() {
	in_capture "$@" >"$T/$1.found"
	[[ ! -s $T/$1.found ]] || fail "in the capture $1 (${*:2}): $(head -n 5 "$T/$1.found")"
}

# monitor_start: `vsctl monitor` of the switch in use, into $T/events, from now until monitor_stop.
monitor_start() {
	rm -f "$T/events"
	vsctl --json monitor >"$T/events" &
	MONITOR_PID=$!
	wait_until 30 monitor_listens || fail "vsctl monitor tells nothing"
}

monitor_listens() {
	vsctl add-br probe && vsctl del-br probe
	grep -q '"bridge.del"' "$T/events"
}

monitor_stop() {
	kill "$MONITOR_PID" 2>/dev/null || fail "vsctl monitor ended early"
	wait "$MONITOR_PID" 2>/dev/null || true
}

# tcp FROM TO_CONTAINER ADDRESS [iperf3 option…]: some megabytes over TCP. How fast is noted, and not
# judged; that it is not for repetition: of packets with a broken checksum or segment, most are sent
# again and again.
tcp() {
	local from=$1 to=$2 address=$3 again
	shift 3
	listens "$to" 5201 || iperf_server "$to" || fail "iperf3 does not listen in $to"
	in_ns "$from" timeout 120 iperf3 --client "$address" --bytes 50M --json "$@" >"$T/iperf" ||
		{ jq .error "$T/iperf" && fail "no TCP from $from to $address ($*)"; }
	again=$(jq '.end.sum_sent | .retransmits * 1400 * 100 / .bytes | round' "$T/iperf")
	note "TCP $from to $address $*: $(gbits "$T/iperf") Gbit/s, $again % sent again"
	((again <= 20)) || fail "TCP $from to $address $*: $again % had to be sent again"
}

# datagrams_start FROM TO_CONTAINER ADDRESS BYTES: numbered datagrams, a few under way at any time,
# until datagrams_stop. So none is lost to a machine that has other things to do.
datagrams_start() {
	rm -f "$T/stop"
	in_ns "$2" "$PYTHON" "$SMOKE/count_udp.py" receive 7000 >"$T/received" 2>&1 &
	DATAGRAMS=("$!")
	wait_until 30 udp_listens "$2" 7000 || fail "nobody listens in $2: $(<"$T/received")"
	in_ns "$1" "$PYTHON" "$SMOKE/count_udp.py" send "$3" 7000 "$T/stop" "$4" >"$T/sent" 2>&1 &
	DATAGRAMS+=("$!" "$4 bytes from $1 to $3")
}

# datagrams_stop MINIMUM: when so many have been sent; each has arrived.
datagrams_stop() {
	echo "$1" >"$T/stop.new" && mv "$T/stop.new" "$T/stop"
	wait "${DATAGRAMS[1]}" || fail "datagrams of ${DATAGRAMS[2]}: $(<"$T/sent")"
	wait "${DATAGRAMS[0]}" || fail "datagrams of ${DATAGRAMS[2]}: $(<"$T/received")"
	is "datagrams of ${DATAGRAMS[2]} that arrived" "$(<"$T/received")" "$(<"$T/sent")"
}

# udp FROM TO_CONTAINER ADDRESS BYTES: some hundred datagrams, all of which arrive.
udp() {
	datagrams_start "$@"
	datagrams_stop 300
}

udp_listens() {
	in_ns "$1" ss -Hlun "sport = :$2" | has .
}

# counter PORT NAME: of `vsctl stats`, 0 for a reason that never was.
counter() {
	vsctl --json stats "$1" | jq --arg n "$2" '.ports[0] | .[$n] // .drops[$n] // 0'
}

# counts_to PORT NAME NUMBER: true when the counter is there; for wait_until.
counts_to() {
	(($(counter "$1" "$2") >= $3))
}

# state PORT: up or down
state() {
	vsctl --json list-ports | jq -r --arg p "$1" '.ports[] | select(.name == $p) | .state'
}

is_state() {
	[[ $(state "$1") == "$2" ]]
}

# refused WORDS COMMAND…: the command must end with status 1 and say these words (a regular
# expression) on standard error.
refused() {
	local words=$1 status=0
	shift
	"$@" >"$T/out" 2>"$T/err" || status=$?
	((status == 1)) || fail "status $status, not 1, from: $* ($(head -c 300 "$T/err"))"
	grep -qE -- "$words" "$T/err" || fail "no '$words' in: $(head -c 600 "$T/err")"
}

# The running configuration, to see that a refused command changed nothing.
running() {
	vsctl config show
}
