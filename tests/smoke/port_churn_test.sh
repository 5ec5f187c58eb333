#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# 64 ports come and go while two others talk: not one packet between those is lost.
. "$(dirname "$0")/lib.sh"

two_containers
in_ns c2 "$PYTHON" "$(dirname "$0")/count_udp.py" receive 9000 >"$T/received" &
receiver=$!
wait_until 5 in_ns c2 sh -c 'ss -Huln "sport = :9000" | grep -q .' || fail "nobody receives"
in_ns c1 "$PYTHON" "$(dirname "$0")/count_udp.py" send 10.0.0.2 9000 5000 "$T/stop" >"$T/sent" &
sender=$!
sleep 0.3
container farm
for round in 1 2; do
	for i in {1..64}; do
		vsctl add-port br0 "p$i" type=tap netns=farm
	done
	(($(vsctl --json list-ports | jq '.ports | length') == 66)) || fail "not 66 ports"
	for i in {1..64}; do
		vsctl del-port "p$i"
	done
	note "round $round: 64 ports added and removed"
done
touch "$T/stop"
wait "$sender" || fail "the sender failed: $(cat "$T/sent")"
wait "$receiver" || fail "the receiver failed: $(cat "$T/received")"
sent=$(cat "$T/sent") received=$(cat "$T/received")
note "$sent packets sent, $received received"
((sent > 1000 && sent == received)) || fail "$((sent - received)) packets lost; $(vsctl drops)"
[[ $(ip -n farm -o link | wc -l) == 1 ]] || fail "devices left: $(ip -n farm -o link)"
