#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Without CAP_SYS_ADMIN the switch says so at its start, makes what it can, and refuses the rest: a
# request never ends it.
. "$(dirname "$0")/lib.sh"

unprivileged +net_admin,+net_raw
start_switch
grep -q 'warn: CAP_SYS_ADMIN is missing: .*netns=.*AmbientCapabilities=' "$T/sw/log" ||
	fail "CAP_SYS_ADMIN is not told: $(cat "$T/sw/log")"
! grep -qE 'CAP_NET_(ADMIN|RAW) is missing' "$T/sw/log" || fail "tells what is there"
container c1
vsctl add-br br0
remedy='namespace c1 .*takes CAP_SYS_ADMIN: start vswitchd as root, or with AmbientCapabilities='
refused "$remedy" vsctl add-port br0 c1 type=veth netns=c1 ifname=eth0
refused "$remedy" vsctl add-port br0 c1 type=tap netns=c1 ifname=eth0
refused "$remedy" vsctl add-vtep te netns=c1 address=127.0.0.1
refused 'no device nosuch' vsctl add-port br0 v type=veth host-ifname=nosuch
vsctl add-port br0 t type=tap
ip link add h0 type veth peer name h1
vsctl add-port br0 v type=veth host-ifname=h0
vsctl show >/dev/null || fail "the switch has ended"
is 'process' "$(cat "/proc/$SWITCH_PID/comm")" vswitchd
