# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# The harness of the smoke tests: a test is a script that sources this file, makes containers,
# starts the switch, and ends with status 0. Everything it makes is in namespaces of its own and
# goes with it. What it prints is shown when it fails; `note` is shown always.

set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../../scripts/common.sh"
in_private_machine "$@"

T=$SCRATCH
SWITCH_PID=
# Builds with sanitizers are slower: SLOW multiplies what is allowed in time.
SLOW=${CAUSEWAY_SLOW:-1}

fail() {
	echo "FAILED: $*" >&2
	exit 1
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
	local status=$?
	trap - EXIT
	set +e
	if ((status == 0)) && [[ -n $SWITCH_PID ]] && kill -0 "$SWITCH_PID" 2>/dev/null; then
		switch_stop || { echo "FAILED: vswitchd ended with status $?" >&2 && status=1; }
	fi
	if grep -hE 'Sanitizer|runtime error|Assertion|panic' "$T"/*/log "$T"/*/*.log 2>/dev/null; then
		echo "FAILED: see the log" >&2
		status=1
	fi
	if ((status != 0 && status != 77)); then
		tail -n 50 "$T"/*/log "$T"/*/*.log 2>/dev/null | sed 's/^/# log: /'
		[[ -z $SWITCH_PID ]] || vsctl show 2>&1 | sed 's/^/# show: /'
	fi
	exit "$status"
}
trap at_end EXIT

# start_switch [argument…]: with run and state folders of its own; logs to $T/sw/log.
start_switch() {
	switch_start "$T/sw" "$@" || fail "vswitchd did not start"
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
	wait_until 10 in_ns "$1" ping -q -c 1 -W 1 "$2" || fail "$1 does not reach $2"
	reaches "$1" "$2"
}

# stays_apart CONTAINER ADDRESS: nothing comes back.
stays_apart() {
	! in_ns "$1" ping -q -c 2 -i 0.1 -W 1 "$2" >/dev/null 2>&1 || fail "$1 reaches $2"
}

# tcp FROM TO_CONTAINER ADDRESS [iperf3 option…]: one second of TCP; prints the rate.
tcp() {
	local from=$1 to=$2 address=$3 rate
	shift 3
	listens "$to" 5201 || iperf_server "$to" || fail "iperf3 does not listen in $to"
	in_ns "$from" timeout 60 iperf3 --client "$address" --time 1 --json "$@" >"$T/iperf" ||
		{ jq .error "$T/iperf" && fail "no TCP from $from to $address ($*)"; }
	rate=$(gbits "$T/iperf")
	note "TCP $from to $address $*: $rate Gbit/s"
	# What fragments of a connection would reach; a broken checksum or segment gives less.
	awk -v r="$rate" -v slow="$SLOW" 'BEGIN { exit !(r * slow * slow > 0.2) }' ||
		fail "TCP $from to $address crawls: $rate Gbit/s"
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
