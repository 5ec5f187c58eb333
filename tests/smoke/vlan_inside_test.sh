#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Containers on trunk ports tag their own packets: they arrive with the tag as it was, in the
# right containers only, and an access port refuses them.
. "$(dirname "$0")/lib.sh"

start_switch
container c1 c2 c3 c4
vsctl add-br br0
vsctl add-port br0 c1 type=tap netns=c1 ifname=eth0
vsctl add-port br0 c2 type=tap netns=c2 ifname=eth0 trunks=30,40
vsctl add-port br0 c3 type=tap netns=c3 ifname=eth0 trunks=40
vsctl add-port br0 c4 type=tap netns=c4 ifname=eth0 tag=30
listeners=()
for name in c2 c3 c4; do
	in_ns "$name" timeout 3 tcpdump -n -e -i eth0 --immediate-mode ether proto 0x88b5 or \
		vlan and ether proto 0x88b5 >"$T/$name" 2>/dev/null &
	listeners+=("$!")
done
sleep 0.7
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
wait "${listeners[@]}" || true
[[ $(grep -c 'vlan 30' "$T/c2") == 1 ]] || fail "c2 (trunk 30, 40) heard: $(cat "$T/c2")"
! grep -q . "$T/c3" || fail "c3 (trunk 40) heard: $(cat "$T/c3")"
grep -q 88b5 "$T/c4" || fail "c4 (access 30) heard nothing"
! grep -q 'vlan 30' <(grep -v '02:00:00:00:00:01 >.*Out' "$T/c4" | head -n 1) ||
	fail "c4 (access 30) heard a tag: $(cat "$T/c4")"
(($(counter c4 vlan_tagged) == before + 1)) || fail "tag on an access port not refused"
