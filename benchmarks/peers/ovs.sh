# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Open vSwitch in user space, in folders of its own: no service, nothing of the machine's.

ovs_vswitchd() {
	local path
	for path in /usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk /usr/sbin/ovs-vswitchd; do
		[[ ! -x $path ]] || { echo "$path" && return; }
	done
	return 1
}

ovs() {
	ovs-vsctl --timeout=20 --db="unix:$OVS_RUNDIR/db.sock" "$@"
}

# ovs_start KEY=VALUE…: of the table Open_vSwitch.
ovs_start() {
	local program
	program=$(ovs_vswitchd) || die "no Open vSwitch: run scripts/setup --bench"
	export OVS_RUNDIR=$SCRATCH/ovs OVS_LOGDIR=$SCRATCH/ovs OVS_DBDIR=$SCRATCH/ovs
	rm -rf "$OVS_RUNDIR" && mkdir -p "$OVS_RUNDIR"
	ovsdb-tool create "$OVS_RUNDIR/conf.db" /usr/share/openvswitch/vswitch.ovsschema
	ovsdb-server "$OVS_RUNDIR/conf.db" --remote="punix:$OVS_RUNDIR/db.sock" \
		--unixctl="$OVS_RUNDIR/db.ctl" >"$OVS_RUNDIR/db.log" 2>&1 &
	OVSDB_PID=$!
	wait_until 5 test -S "$OVS_RUNDIR/db.sock"
	ovs --no-wait init
	ovs --no-wait set Open_vSwitch . "$@"
	taskset -c "$SWITCH_CPU" "$program" "unix:$OVS_RUNDIR/db.sock" --unixctl="$OVS_RUNDIR/vs.ctl" \
		>"$OVS_RUNDIR/vs.log" 2>&1 &
	OVS_PID=$!
	wait_until 20 ovs get Open_vSwitch . ovs_version
	wait_until 20 ovs-appctl --target="$OVS_RUNDIR/vs.ctl" version
}

ovs_stop() {
	kill -TERM "$OVS_PID" "$OVSDB_PID" 2>/dev/null
	wait "$OVS_PID" "$OVSDB_PID" 2>/dev/null
	ip link delete p1 2>/dev/null
	ip link delete p2 2>/dev/null
	return 0
}
