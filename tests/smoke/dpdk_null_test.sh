#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A DPDK device beside tap ports: floods reach it, TCP between the others does not mind.
# sanitizers: yes
. "$(dirname "$0")/lib.sh"

start_switch
container c1 c2
vsctl add-br br0
vsctl add-port br0 n0 type=dpdk devargs=net_null0,no-rx=1
plug c1 10.0.0.1/24
plug c2 10.0.0.2/24
reaches c1 10.0.0.2
tcp c1 c2 10.0.0.2
(($(counter n0 tx_packets) > 0)) || fail "no flood reached the null device"
vsctl del-port n0

# A null device that receives makes frames of zeros: refused by their source address, all of them.
# (Without copy=1 it hands out buffers as they are, with what other ports left in them.)
vsctl add-port br0 n1 type=dpdk devargs=net_null1,copy=1
wait_until 30 counts_to n1 src_invalid 1000 || fail "not refused: $(vsctl drops)"
reaches c1 10.0.0.2
vsctl del-port n1
