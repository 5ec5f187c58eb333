#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Access ports of different VLANs share a bridge and see nothing of each other.
. "$(dirname "$0")/lib.sh"

start_switch
container c1 c2 c3
vsctl add-br br0
plug c1 10.0.0.1/24 tag=10
plug c2 10.0.0.2/24 tag=10
plug c3 10.0.0.3/24 tag=20

# c3 is to hear nothing from c1 at all, not even that it looks for someone.
in_ns c3 timeout 4 tcpdump -n -i eth0 --immediate-mode arp or src host 10.0.0.1 >"$T/heard" 2>/dev/null &
listener=$!
sleep 0.5
reaches c1 10.0.0.2
tcp c1 c2 10.0.0.2
stays_apart c1 10.0.0.3
in_ns c1 ping -q -c 1 -W 1 10.0.0.77 >/dev/null 2>&1 && fail "who is 10.0.0.77?"
wait "$listener" || true
! grep -q . "$T/heard" || fail "c3 heard $(cat "$T/heard")"

# The same address is another one in another VLAN.
vsctl --json fdb ls br0 | jq -e '[.entries[] | .vlan] | index(10) != null' >/dev/null ||
	fail "nothing learned in VLAN 10: $(vsctl fdb ls)"

# A port moves to the other VLAN while it runs.
vsctl set-port c3 tag=10
reaches_soon c1 10.0.0.3
