# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
# What the scenarios share: containers, switches to compare, clean-up. Sourced by benchmarks/run.
#
# Both ends of a measurement run on CPU $ENDS_CPU, every switch on CPU $SWITCH_CPU.

ENDS_CPU=${ENDS_CPU:-0}
SWITCH_CPU=${SWITCH_CPU:-1}
SECONDS_EACH=${SECONDS_EACH:-5}

work=$(mktemp -d /tmp/causeway-bench.XXXXXX)
ns_a=cwb-$$-a
ns_b=cwb-$$-b
switch_pid=
hugepages=/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages
hugepages_before=$(cat $hugepages)

skip() { echo "skip: $*" >&2 && return 77; }
have() { command -v "$1" >/dev/null; }

# ---- containers ----

containers() {
	local ns
	for ns in $ns_a $ns_b; do
		ip netns add "$ns"
		ip -n "$ns" link set lo up
	done
}

# Gives device $2 in namespace $1 the address $3.
address() {
	ip -n "$1" addr add "$3" dev "$2"
	ip -n "$1" link set "$2" up
}

no_containers() {
	local ns
	for ns in $ns_a $ns_b; do
		[[ -e /run/netns/$ns ]] && ip netns del "$ns"
	done
	return 0
}

in_a() { ip netns exec "$ns_a" taskset -c "$ENDS_CPU" "$@"; }
in_b() { ip netns exec "$ns_b" taskset -c "$ENDS_CPU" "$@"; }

# ---- switches ----

start_pinned() {
	taskset -c "$SWITCH_CPU" "$@" >"$work/switch.log" 2>&1 &
	switch_pid=$!
}

wait_for() {
	local i
	for ((i = 0; i < 100; i++)); do
		"$@" >/dev/null 2>&1 && return
		sleep 0.1
	done
	echo "gave up waiting for: $*" >&2
	cat "$work/switch.log" >&2
	return 1
}

stop_switch() {
	[[ -n $switch_pid ]] || return 0
	kill "$switch_pid" 2>/dev/null
	wait "$switch_pid" 2>/dev/null
	switch_pid=
	return 0
}

vsctl() { "$build/ctrl/vsctl" --run-dir "$work/run" "$@"; }

# Starts vswitchd with the process options in $1 (YAML), one worker on the switch's CPU.
start_causeway() {
	rm -rf "$work/state"
	printf 'workers: [%s]\n%s\n' "$SWITCH_CPU" "${1:-}" >"$work/vswitchd.yaml"
	"$build/vswitch/vswitchd" -c "$work/vswitchd.yaml" --run-dir "$work/run" \
		--state-dir "$work/state" >"$work/switch.log" 2>&1 &
	switch_pid=$!
	wait_for vsctl status
	vsctl add-br br0
}

# Open vSwitch with DPDK, its database and sockets in $work. $1...: other_config of the switch.
start_ovs() {
	local setting
	export OVS_RUNDIR=$work/ovs OVS_DBDIR=$work/ovs OVS_LOGDIR=$work/ovs OVS_SYSCONFDIR=$work/ovs
	mkdir -p "$OVS_RUNDIR"
	rm -f "$work/ovs/conf.db"
	ovsdb-tool create "$work/ovs/conf.db" /usr/share/openvswitch/vswitch.ovsschema
	ovsdb-server "$work/ovs/conf.db" --remote=punix:"$work/ovs/db.sock" \
		--pidfile="$work/ovs/ovsdb.pid" --detach --no-chdir --log-file="$work/ovs/db.log"
	ovs_vsctl --no-wait init
	for setting; do ovs_vsctl --no-wait set Open_vSwitch . other_config:"$setting"; done
	start_pinned /usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk "unix:$work/ovs/db.sock" \
		--log-file="$work/ovs/switch.log" --unixctl="$work/ovs/switch.ctl"
	ovs_vsctl add-br br0 -- set bridge br0 datapath_type=netdev
}

ovs_vsctl() { timeout 30 ovs-vsctl --db="unix:$work/ovs/db.sock" "$@"; }
have_ovs() { [[ -x /usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk ]]; }

stop_ovs() {
	stop_switch
	[[ -f $work/ovs/ovsdb.pid ]] && kill "$(cat "$work/ovs/ovsdb.pid")"
	ip link del ovs-netdev 2>/dev/null
	ip link del br0 2>/dev/null
	return 0
}

# ---- hugepages, 2 MiB each ----

reserve_hugepages() {
	echo "$1" >$hugepages
	(($(cat $hugepages) >= $1)) || skip "only $(cat $hugepages) of $1 hugepages could be reserved"
}

give_back_hugepages() { echo "$hugepages_before" >$hugepages; }

# ---- measuring between the two containers ----

# TCP from a to b at address $1 over $2 streams; prints Gbit/s.
tcp_gbit() {
	in_b iperf3 -s -1 -D -I "$work/iperf.pid"
	sleep 0.3
	in_a iperf3 -c "$1" -P "$2" -t "$SECONDS_EACH" -J |
		jq -r '(.end.sum_received.bits_per_second // 0) / 1e9'
}

# Average round trip of ping -f from a to $1; prints microseconds.
ping_us() {
	in_a ping -f -q -c 20000 "$1" | sed -n 's|^rtt.* = [^/]*/\([^/]*\)/.*|\1|p' |
		awk '{ print $1 * 1000 }'
}

cleanup() {
	stop_ovs
	stop_switch
	no_containers
	give_back_hugepages
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM
