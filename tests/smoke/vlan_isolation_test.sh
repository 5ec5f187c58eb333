#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Access ports of different VLANs share a bridge and see nothing of each other.
. "$(dirname "$0")/lib.sh"

start_switch
container c1 c2 c3 c4
vsctl add-br br0
plug c1 10.0.0.1/24 tag=10 mac=02:00:00:00:00:01
plug c2 10.0.0.2/24 tag=10 mac=02:00:00:00:00:02
plug c3 10.0.0.3/24 tag=20

# c3 is to hear nothing from c1 at all, not even that it looks for someone.
capture c3 c3 -i eth0 'arp or ip'
reaches c1 10.0.0.2
tcp c1 c2 10.0.0.2
stays_apart c1 10.0.0.3 c3 10.0.0.2
in_ns c1 ping -q -c 1 -W 1 10.0.0.77 >/dev/null 2>&1 && fail "who is 10.0.0.77?"
plug c4 10.0.0.4/24 tag=20
reaches c4 10.0.0.3
captured c3 'icmp[0] == 8 and src host 10.0.0.4'
no_packet c3 'src host 10.0.0.1 or src host 10.0.0.2 or (arp and src host 10.0.0.1)'
no_packet c3 'ether src 02:00:00:00:00:01 or ether src 02:00:00:00:00:02'

# The same address is another one in another VLAN.
vsctl --json fdb ls br0 | jq -e '[.entries[] | .vlan] | index(10) != null' >/dev/null ||
	fail "nothing learned in VLAN 10: $(vsctl fdb ls)"

# A port moves to the other VLAN while it runs.
vsctl set-port c3 tag=10
reaches_soon c1 10.0.0.3
