# shellcheck shell=bash disable=SC2034,SC2154
# SPDX-License-Identifier: BSD-3-Clause
# TCP and ping between two containers over TAPs.
title='Two containers over TAPs'
peers=(causeway tapfwd ovs)
units=(tcp1=Gbit/s tcp4=Gbit/s ping=us)

measure_causeway() {
	containers
	start_causeway
	vsctl add-port br0 a type=tap netns="$ns_a" ifname=eth0 ip=10.77.0.1/24
	vsctl add-port br0 b type=tap netns="$ns_b" ifname=eth0 ip=10.77.0.2/24
	figures
}

measure_tapfwd() {
	containers
	start_pinned "$build/benchmarks/tapfwd" cwbta cwbtb
	wait_for grep -q ready "$work/switch.log"
	plug cwbta cwbtb
	figures
}

# Open vSwitch in user space, with its segmentation offload on: the best it does.
measure_ovs() {
	have_ovs || skip 'Open vSwitch with DPDK is not installed (scripts/setup --bench)' || return
	containers
	start_ovs userspace-tso-enable=true
	ovs_vsctl add-port br0 cwbta -- set interface cwbta type=internal
	ovs_vsctl add-port br0 cwbtb -- set interface cwbtb type=internal
	plug cwbta cwbtb
	figures
}

plug() {
	ip link set "$1" netns "$ns_a"
	ip link set "$2" netns "$ns_b"
	address "$ns_a" "$1" 10.77.0.1/24
	address "$ns_b" "$2" 10.77.0.2/24
}

figures() {
	wait_for in_a ping -c 1 -W 1 10.77.0.2
	echo "tcp1 $(tcp_gbit 10.77.0.2 1)"
	echo "tcp4 $(tcp_gbit 10.77.0.2 4)"
	echo "ping $(ping_us 10.77.0.2)"
}
