#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Containers on trunk ports tag their own packets: they arrive with the tag as it was, in the
# right containers only, and an access port refuses them.
# sanitizers: yes
. "$(dirname "$0")/lib.sh"

start_switch
container c1 c2 c3 c4
vsctl add-br br0
vsctl add-port br0 c1 type=tap netns=c1 ifname=eth0
vsctl add-port br0 c2 type=tap netns=c2 ifname=eth0 trunks=30,40
vsctl add-port br0 c3 type=tap netns=c3 ifname=eth0 trunks=40
vsctl add-port br0 c4 type=tap netns=c4 ifname=eth0 tag=30
for name in c2 c3 c4; do
	capture "$name" "$name" -i eth0 -Q in
done
send_tagged() {
	in_ns "$1" "$PYTHON" - "$2" <<END
import socket, struct, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("eth0", 0))
tag = struct.pack("!HH", 0x8100, int(sys.argv[1]))
s.send(b"\xff" * 6 + b"\x02\0\0\0\0\x01" + tag + b"\x88\xb5" + b"tagged inside".ljust(60))
END
}
send_tagged c1 30
before=$(counter c4 vlan_tagged)
send_tagged c4 30
wait_until 30 counts_to c4 vlan_tagged $((before + 1)) || fail "tag on an access port not refused"
send_tagged c1 40 # what c3 does hear
captured c2 vlan 40 and ether proto 0x88b5
captured c3 vlan 40 and ether proto 0x88b5
captured c4 ether proto 0x88b5
is 'frames of VLAN 30 at c2 (trunk 30, 40)' "$(packets c2 vlan 30 and ether proto 0x88b5)" 1
no_packet c3 vlan 30
no_packet c4 vlan
is 'frames at c4 (access 30)' "$(packets c4 ether proto 0x88b5)" 1
