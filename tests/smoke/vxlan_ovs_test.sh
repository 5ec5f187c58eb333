#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A switch and Open vSwitch in user space, with the VXLAN of its own.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/overlay.sh"

schema=/usr/share/openvswitch/vswitch.ovsschema
for program in ovs-vswitchd ovsdb-server ovsdb-tool ovs-vsctl; do
	command -v "$program" >/dev/null || skip "no $program: scripts/setup --bench installs it"
done
[[ -e $schema ]] || skip "no $schema"

lan
host far 2
far() {
	nsenter --net=/run/netns/far "$@"
}
export OVS_RUNDIR=$T/ovs OVS_LOGDIR=$T/ovs OVS_DBDIR=$T/ovs
mkdir "$T/ovs"
ovsdb-tool create "$T/ovs/conf.db" "$schema"
ovsdb-server "$T/ovs/conf.db" --remote="punix:$T/ovs/db.sock" --unixctl="$T/ovs/db.ctl" \
	>"$T/ovs/db.txt" 2>&1 &
wait_until 30 test -S "$T/ovs/db.sock" || fail "no ovsdb-server: $(cat "$T/ovs/db.txt")"
ovs() {
	ovs-vsctl --timeout=20 --db="unix:$T/ovs/db.sock" "$@"
}
ovs --no-wait init
far ovs-vswitchd "unix:$T/ovs/db.sock" --unixctl="$T/ovs/vs.ctl" >"$T/ovs/vs.txt" 2>&1 &

# The device of the LAN belongs to a bridge that has the address: that is how it finds routes.
ovs add-br brphy -- set bridge brphy datapath_type=netdev -- add-port brphy u0 ||
	fail "no ovs-vswitchd: $(cat "$T/ovs/vs.txt")"
ip -n far address flush dev u0
ip -n far address add 10.1.0.2/24 dev brphy
ip -n far link set brphy up
ovs add-br br0 -- set bridge br0 datapath_type=netdev -- add-port br0 vx0 -- \
	set interface vx0 type=vxlan options:remote_ip=10.1.0.1 options:key=42
container c2
ip -n far link add c2 type veth peer name eth0 netns c2
ip -n far link set c2 up
ovs add-port br0 c2
dress c2 2
# It takes what it reads from a veth for a whole packet, as from a wire, though its checksum may be
# left to do.
in_ns c2 ethtool -K eth0 tx off >/dev/null
in_ns lan ethtool -K h2 tx off >/dev/null

# stream to|from [iperf3 option]: TCP, however fast.
stream() {
	local rate
	in_ns c1 timeout 30 iperf3 --client 10.0.0.2 --time 1 --json "${@:2}" >"$T/iperf" ||
		fail "no TCP $1 Open vSwitch: $(jq .error "$T/iperf")"
	rate=$(gbits "$T/iperf")
	note "TCP $1 Open vSwitch: $rate Gbit/s"
	awk -v r="$rate" 'BEGIN { exit !(r > 0.01) }' || fail "TCP $1 Open vSwitch stands still"
}

container c1
iperf_server c2 || fail "iperf3 does not listen in c2"
for underlay in kernel port; do
	note "underlay $underlay"
	switch_host "near_$underlay" 1 "$underlay" 4
	network vx0 42 10.1.0.2
	inside c1 1
	wait_until 30 in_ns c1 ping -q -c 1 -W 1 10.0.0.2 || fail "no way from c1 to c2"
	reaches c1 10.0.0.2 -M "do" -s $((INNER_MTU - 28))
	reaches c2 10.0.0.1
	reaches_soon c1 fd00::2
	reaches c1 10.0.0.2 -s 20000
	reaches c1 fd00::2 -s 20000
	stream to
	stream from --reverse

	# It lets no heartbeat through to the container.
	vsctl set-vtep te0 heartbeat=100
	[[ $underlay == kernel ]] || join p1 # another device
	reaches_soon c1 10.0.0.2
	watch c2
	wait_until 30 eval '(($(vsctl --json remote ls | jq ".remotes[0].sent") > 15))' ||
		fail "no heartbeats were sent: $(vsctl remote ls)"
	frame c1 ff:ff:ff:ff:ff:ff
	hears c2 1 "a frame, and no heartbeat"
	is 'state of Open vSwitch' "$(vsctl --json remote ls | jq -r '.remotes[0].state')" unknown
	reaches c1 10.0.0.2
	vsctl del-port c1
	leave
	SITES=()
	ip netns delete "near_$underlay"
done
