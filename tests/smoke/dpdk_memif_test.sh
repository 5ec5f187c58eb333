#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Two switches joined by memif, shared memory between processes.
# sanitizers: yes
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/wire.sh"

two_switches
refused 'memif.*1518' vsctl add-port br0 w type=dpdk "devargs=net_memif0,socket=$T/memif,socket-abstract=no" mtu=9000
wire A "net_memif0,role=server,id=0,socket=$T/memif,socket-abstract=no"
wire B "net_memif0,role=client,id=0,socket=$T/memif,socket-abstract=no"
try_wire
take_wire
