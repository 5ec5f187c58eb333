#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A container vanishes under traffic: its port goes down with a reason, the others go on; the
# container comes back, and so does the port.
# sanitizers: yes
. "$(dirname "$0")/lib.sh"

two_containers
container c3
plug c3 10.0.0.3/24
vsctl add-port br0 c4 type=veth netns=c3 ifname=eth1 host-ifname=hc4
reaches c1 10.0.0.3
iperf_server c2
in_ns c1 iperf3 -c 10.0.0.2 --time 4 --json >"$T/iperf" &
iperf=$!
in_ns c3 ping -q -i 0.002 -w 1 10.0.0.1 >/dev/null 2>&1 &
flood=$!
sleep 0.5
ip netns delete c3
wait "$flood" || true
wait_until 30 is_state c3 down || fail "c3 is not down: $(vsctl list-ports)"
wait_until 30 is_state c4 down || fail "c4 is not down: $(vsctl list-ports)"
for port in c3 c4; do
	reason=$(vsctl --json list-ports | jq -r --arg p $port '.ports[] | select(.name == $p) | .reason')
	[[ -n $reason && $reason != null ]] || fail "$port is down without a reason"
	note "$port is down: $reason"
done
wait "$iperf" || fail "TCP of the others broke: $(jq .error "$T/iperf")"
reaches c2 10.0.0.1

container c3
wait_until 30 is_state c3 up || fail "c3 did not come back: $(vsctl list-ports)"
ip -n c1 neighbour flush dev eth0 # c3 has another MAC now, as any new container
reaches c1 10.0.0.3

# The device alone goes.
ip -n c3 link delete eth0
wait_until 10 is_state c3 down || wait_until 30 is_state c3 up || fail "c3: $(vsctl list-ports)"
reaches c1 10.0.0.2
