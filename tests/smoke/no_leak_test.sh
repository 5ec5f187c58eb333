#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A thousand ports come and go one after the other: no descriptor, no device, no memory stays.
. "$(dirname "$0")/lib.sh"

start_switch
container c1
vsctl add-br br0
cycles() {
	local i
	for ((i = 0; i < $1; i++)); do
		vsctl add-port br0 t1 type=tap netns=c1 ifname=eth0
		vsctl del-port t1
	done
}
look() {
	fds=$(find "/proc/$SWITCH_PID/fd" -mindepth 1 | wc -l)
	rss=$(awk '/^VmRSS:/ { print $2 }' "/proc/$SWITCH_PID/status")
	devices=$(($(ip -o link | wc -l) + $(ip -n c1 -o link | wc -l)))
}
cycles 100
look
fds0=$fds rss0=$rss devices0=$devices
start=$SECONDS
cycles 1000
look
note "1000 cycles in $((SECONDS - start)) s: $fds0 -> $fds descriptors, $devices0 -> $devices devices, $rss0 -> $rss KiB"
((fds == fds0)) || fail "descriptors: $fds0 before, $fds after"
((devices == devices0)) || fail "devices: $(ip -n c1 -o link)"
# Sanitizers keep freed memory for a while on purpose.
((SLOW > 1 || rss - rss0 < 256)) || fail "memory: $rss0 KiB before, $rss KiB after"

# The same for veth and DPDK devices, and for ports that cannot be made.
look
fds0=$fds devices0=$devices
for _ in {1..50}; do
	vsctl add-port br0 v1 type=veth netns=c1 ifname=eth1
	vsctl add-port br0 n1 type=dpdk devargs=net_null0,no-rx=1
	vsctl del-port v1
	vsctl del-port n1
	refused nowhere vsctl add-port br0 x1 type=tap netns=nowhere
done
look
((fds == fds0 && devices == devices0)) || fail "veth, dpdk: $fds0 -> $fds descriptors, $devices0 -> $devices devices"
