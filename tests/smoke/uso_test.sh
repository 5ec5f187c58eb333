#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# UDP segmentation (UDP_SEGMENT): what a container sends as one crosses the switch as one, to taps and
# to veths where the kernel takes it, and arrives as the datagrams it stands for.
. "$(dirname "$0")/lib.sh"

start_switch
container c1 c2 c3
vsctl add-br br0
vsctl add-port br0 c1 type=tap netns=c1 ifname=eth0 ip=10.0.0.1/24,fd00::1/64
vsctl add-port br0 c2 type=veth netns=c2 ifname=eth0 ip=10.0.0.2/24,fd00::2/64
vsctl add-port br0 c3 type=tap netns=c3 ifname=eth0 ip=10.0.0.3/24,fd00::3/64

# uso FROM TO ADDRESS: 50 times 30 datagrams of 1000 bytes; each says which it is, and is
# answered before the next 30 are sent.
uso() {
	local before segments
	in_ns "$2" "$PYTHON" - "$3" >"$T/received" <<-END &
		import socket, sys
		sock = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)
		sock.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)
		sock.bind((sys.argv[1], 5000))
		sock.settimeout(30)
		open("$T/ready", "w").close()
		seen = set()
		try:
		    while len(seen) < 1500:
		        data, sender = sock.recvfrom(9000)
		        sock.sendto(data[:4], sender)
		        assert len(data) == 1000 and data[4:] == data[:4] * 249, len(data)
		        seen.add(data[:4])
		except TimeoutError:
		    pass
		print(len(seen))
	END
	local receiver=$!
	wait_until 30 test -e "$T/ready" || fail "nobody receives"
	before=$(counter "$2" tx_packets)
	in_ns "$1" "$PYTHON" - "$3" <<-END
		import socket, struct, sys, time
		sock = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)
		sock.setsockopt(socket.IPPROTO_UDP, 103, 1000)
		sock.connect((sys.argv[1], 5000))
		sock.settimeout(30)
		for i in range(50):
		    sock.send(b"".join(struct.pack("!I", i * 30 + k) * 250 for k in range(30)))
		    answers = {sock.recv(16) for _ in range(30)}
		    assert answers == {struct.pack("!I", i * 30 + k) for k in range(30)}, answers
	END
	wait "$receiver" || fail "wrong datagrams from $1 to $3"
	rm "$T/ready"
	segments=$(($(counter "$2" tx_packets) - before))
	note "$1 to $3: $(cat "$T/received") of 1500 datagrams in $segments packets"
	[[ $(cat "$T/received") == 1500 ]] || fail "$(cat "$T/received") of 1500 datagrams from $1 to $3"
	((segments < WHOLE[${2#c}])) || fail "$segments packets from $1 to $3: they were cut"
}

# Kernels take it on tap and packet sockets since 6.2; older ones get 1500 packets.
WHOLE=([2]=2000 [3]=2000)
read -r major minor <<<"$(uname -r | sed 's/^\([0-9]*\)\.\([0-9]*\).*/\1 \2/')"
((major * 100 + minor < 602)) || WHOLE=([2]=200 [3]=200)
for to in 10.0.0.2 fd00::2; do
	uso c1 c2 "$to"
	uso c3 c2 "$to"
done
uso c2 c3 10.0.0.3
uso c1 c3 fd00::3
