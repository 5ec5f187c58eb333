#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# An ordinary user with three capabilities runs the switch: tap, veth and DPDK devices.
. "$(dirname "$0")/lib.sh"

unprivileged +net_admin,+sys_admin,+net_raw
start_switch
[[ $(awk '/^Uid:/ { print $2 }' "/proc/$SWITCH_PID/status") == 65534 ]] || fail "runs as root"
container c1 c2
vsctl add-br br0
plug c1 10.0.0.1/24
vsctl add-port br0 c2 type=veth netns=c2 ifname=eth0 ip=10.0.0.2/24
vsctl add-port br0 n0 type=dpdk devargs=net_null0,no-rx=1
reaches c1 10.0.0.2
tcp c1 c2 10.0.0.2
kill -KILL "$SWITCH_PID"
wait "$SWITCH_PID" || true
start_switch
reaches c1 10.0.0.2
