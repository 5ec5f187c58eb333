# shellcheck shell=bash disable=SC2034,SC2154
# SPDX-License-Identifier: BSD-3-Clause
# TCP and ping between two containers over veth pairs, no ethtool in the containers.
title='Two containers over veth pairs'
peers=(causeway ovs kernel)
units=(tcp1=Gbit/s tcp4=Gbit/s ping=us)

measure_causeway() {
	containers
	start_causeway
	vsctl add-port br0 a type=veth netns="$ns_a" ifname=eth0 ip=10.77.0.1/24
	vsctl add-port br0 b type=veth netns="$ns_b" ifname=eth0 ip=10.77.0.2/24
	figures
}

measure_ovs() {
	have_ovs || skip 'Open vSwitch with DPDK is not installed (scripts/setup --bench)' || return
	containers
	pairs
	start_ovs userspace-tso-enable=true
	ovs_vsctl add-port br0 cwbva
	ovs_vsctl add-port br0 cwbvb
	figures
	ip link del cwbva
	ip link del cwbvb
}

# The Linux bridge; the kernel forwards on the sender's CPU.
measure_kernel() {
	containers
	pairs
	ip link add cwbbr type bridge
	ip link set cwbva master cwbbr
	ip link set cwbvb master cwbbr
	ip link set cwbbr up
	figures
	ip link del cwbva
	ip link del cwbvb
	ip link del cwbbr
}

pairs() {
	ip link add cwbva type veth peer name eth0 netns "$ns_a"
	ip link add cwbvb type veth peer name eth0 netns "$ns_b"
	ip link set cwbva up
	ip link set cwbvb up
	address "$ns_a" eth0 10.77.0.1/24
	address "$ns_b" eth0 10.77.0.2/24
}

figures() {
	wait_for in_a ping -c 1 -W 1 10.77.0.2
	echo "tcp1 $(tcp_gbit 10.77.0.2 1)"
	echo "tcp4 $(tcp_gbit 10.77.0.2 4)"
	echo "ping $(ping_us 10.77.0.2)"
}
