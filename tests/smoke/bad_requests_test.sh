#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What must not be done is refused with a reason, and changes nothing.
# sanitizers: yes
. "$(dirname "$0")/lib.sh"

two_containers
vsctl add-br br1
vsctl fdb add br0 02:00:00:00:00:77 c2
devices() {
	in_ns c1 ip -o link && in_ns c2 ip -o link && ip -o link
}
running >"$T/before"
devices >"$T/devices"
refused 'c1.*(exists|there|taken|in use)' vsctl add-port br0 c1 type=tap
refused 'br0.*(exists|there|taken)' vsctl add-br br0
refused 'br9' vsctl add-port br9 x1 type=tap
refused 'x9' vsctl del-port x9
refused 'br9' vsctl del-port br9 c1
refused 'br9' vsctl --if-exists del-port br9 c1
refused 'br0' vsctl del-port br1 c1
refused 'br0' vsctl --if-exists del-port br1 c1
refused 'br9' vsctl del-br br9
refused 'a/b' vsctl add-port br0 a/b type=tap
refused 'name|long' vsctl add-port br0 "$(printf 'n%.0s' {1..200})" type=tap
refused 'type.*(tap|veth|dpdk)' vsctl add-port br0 x1 type=bogus
refused 'tag.*4094' vsctl add-port br0 x1 type=tap tag=4095
refused 'colour' vsctl add-port br0 x1 type=tap colour=red
refused 'nowhere' vsctl add-port br0 x1 type=tap netns=nowhere
refused 'h99' vsctl add-port br0 x1 type=veth host-ifname=h99
refused 'net_nonsense|devargs' vsctl add-port br0 x1 type=dpdk devargs=net_nonsense0
refused 'absent.pcap|net_pcap' vsctl add-port br0 x1 type=dpdk "devargs=net_pcap7,rx_pcap=$T/absent.pcap"
refused 'eth0|c1' vsctl add-port br0 x1 type=tap netns=c1 ifname=eth0
refused 'c1' vsctl --may-exist add-port br1 c1 type=tap
status=0
vsctl frobnicate 2>"$T/err" || status=$?
((status == 2)) || fail "an unknown verb ends with $status, not 2"
# Someone without rights on the socket.
refused '[Pp]ermission|not allowed' setpriv --reuid=65534 --regid=65534 --clear-groups \
	--inh-caps=-all "$VSCTL" status

"$PYTHON" "$(dirname "$0")/bad_messages.py" "$T/sw/run/ctl.sock" || fail "see above"
running | diff "$T/before" - || fail "a refused request changed something"
devices | diff "$T/devices" - || fail "a refused request left a device or took one away"
reaches c1 10.0.0.2
kill -0 "$SWITCH_PID" || fail "vswitchd is gone"
