# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# What the scripts, the smoke tests and the benchmarks share. Sourced, not run.

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BUILD=${CAUSEWAY_BUILD:-$TOP/build}
VSWITCHD=$BUILD/vswitch/daemon/vswitchd
VSCTL=$BUILD/cli/vsctl
# shellcheck disable=SC2034
VSNETD=$BUILD/netd/daemon/vsnetd
# The distribution's own interpreter: python3-zmq is installed for that one.
# shellcheck disable=SC2034
PYTHON=/usr/bin/python3
# A file system of its own for whoever called in_private_machine.
# shellcheck disable=SC2034
SCRATCH=/mnt

step() {
	printf '==> %s\n' "$*"
}

die() {
	printf 'error: %s\n' "$*" >&2
	exit 1
}

as_root() {
	if ((EUID == 0)); then
		"$@"
	else
		sudo "$@"
	fi
}

# Runs the calling script again as root in mount, network and process namespaces of its own, so
# that nothing it makes (interfaces, network namespaces, processes) can outlive it, whatever
# happens to it. The machine's own network is out of reach from there.
in_private_machine() {
	if [[ ${CAUSEWAY_PRIVATE:-} == "$$" ]]; then
		unset CAUSEWAY_PRIVATE
		mkdir -p /run/netns /etc/netns
		mount -t tmpfs none /run/netns
		mount -t tmpfs -o mode=755 none /etc/netns # resolv.conf of containers
		[[ ! -d /etc/causeway ]] || mount -t tmpfs none /etc/causeway # what is installed here
		mount -t tmpfs -o mode=755 none /mnt # for files: SCRATCH
		ip link set lo up
		return
	fi
	((EUID == 0)) || exec sudo --preserve-env=CAUSEWAY_BUILD "$0" "$@"
	# The process is number 1 of its namespace: that is how it knows where it is.
	exec env CAUSEWAY_PRIVATE=1 unshare --mount --net --pid --fork --mount-proc \
		--kill-child -- "$0" "$@" ||
		die "cannot make namespaces (unshare): run as root on the machine itself," \
			"or in a container started with --privileged"
}

# wait_until SECONDS COMMAND…: tries the command until it succeeds; 1 when it never did.
wait_until() {
	local deadline=$((SECONDS + $1 + 1))
	shift
	until "$@" >/dev/null 2>&1; do
		((SECONDS < deadline)) || return 1
		sleep 0.05
	done
}

# container NAME…: network namespaces, as a container engine would make them.
container() {
	local name
	for name; do
		ip netns add "$name"
		ip -n "$name" link set lo up
	done
}

# in_ns NAME COMMAND…: runs the command inside that container.
in_ns() {
	local name=$1
	shift
	ip netns exec "$name" "$@"
}

# switch_start DIR [argument…]: starts vswitchd with DIR/run and DIR/state; its process is in
# SWITCH_PID, its log in DIR/log. The words of SWITCH_WRAP, if any, go before the command.
SWITCH_WRAP=()
switch_start() {
	local dir=$1
	shift
	mkdir -p "$dir"
	"${SWITCH_WRAP[@]}" "$VSWITCHD" --run-dir "$dir/run" --state-dir "$dir/state" "$@" \
		>>"$dir/log" 2>&1 &
	SWITCH_PID=$!
	export CAUSEWAY_RUN_DIR=$dir/run
	wait_until 60 switch_answers "$SWITCH_PID" && kill -0 "$SWITCH_PID" 2>/dev/null && return
	echo "vswitchd did not start:" >&2
	cat "$dir/log" >&2
	return 1
}

# True when the switch answers, or will never, because its process has ended.
switch_answers() {
	kill -0 "$1" 2>/dev/null || return 0
	"$VSCTL" status
}

# Stops the switch as a service manager would. Returns its exit status.
switch_stop() {
	kill -TERM "$SWITCH_PID"
	wait "$SWITCH_PID"
}

vsctl() {
	"$VSCTL" "$@"
}

# median NUMBER…
median() {
	printf '%s\n' "$@" | sort -g | awk '{ v[NR] = $1 }
		END { if (NR) print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

# has [OPTION…] WORDS: standard input has a line that matches, by grep's options. It is read to its end: where
# grep -q stops, the writer's SIGPIPE would be the pipe's status.
has() {
	[[ $(grep -c "$@") -gt 0 ]]
}

# gbits FILE: the rate that a finished "iperf3 --json" client received, in Gbit/s.
gbits() {
	jq -r 'if .end.sum_received then .end.sum_received.bits_per_second / 1e9 * 100 | round / 100
		else "error: \(.error)" | halt_error end' "$1"
}

# iperf_server NAMESPACE [command prefix…]: starts iperf3 -s there and waits until it listens.
iperf_server() {
	local ns=$1
	shift
	in_ns "$ns" "$@" iperf3 --server >/dev/null 2>&1 &
	wait_until 30 listens "$ns" 5201
}

listens() {
	in_ns "$1" ss -Hltn "sport = :$2" | has .
}
