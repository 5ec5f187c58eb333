#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A ring device is made with a ring of its own and gives back what it is sent: of use inside a
# process only, so all that is asked of it is to carry frames and to be let go of.
# sanitizers: yes
. "$(dirname "$0")/lib.sh"

two_containers
vsctl add-br br1
vsctl add-port br1 r0 type=dpdk devargs=net_ring0
container c3
vsctl add-port br1 c3 type=tap netns=c3 ifname=eth0 ip=10.0.0.3/24
in_ns c3 ping -q -c 3 -i 0.1 -W 1 10.0.0.9 >/dev/null && fail "an answer from nowhere"
wait_until 30 counts_to r0 rx_packets 3 || fail "nothing came back: $(vsctl stats)"
reaches c1 10.0.0.2
vsctl del-port r0
vsctl add-port br1 r0 type=dpdk devargs=net_ring0
vsctl del-port r0
