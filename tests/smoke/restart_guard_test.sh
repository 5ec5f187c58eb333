#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A container sends under other names without pause, also while vswitchd is killed and started again
# under an agent: from its first packet on, the switch that comes back lets through what the container
# may send, and nothing else. Not even when the container has given its interface another address
# meanwhile, which the new switch finds there.
# sanitizers: yes
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/agent.sh"

EVIL=02:00:00:00:00:66

# allowed: how many packets of c1 in its own name have come to c2.
allowed() {
	packets got "ether src $MAC and udp and src host $IP"
}

more_allowed() {
	(($(allowed) > $1))
}

start_switch
container c1 c2
printf 'host: h1\ncluster-advertise: lo\nquarantine: 0\n' >"$T/net.yaml"
agent
vsctl network create --subnet 10.7.0.0/24 --subnet fd07::/64 --ipv6 net >/dev/null
vsctl network connect --ip 10.7.0.11 net c1
vsctl network connect --ip 10.7.0.12 net c2
MAC=$(in_ns c1 ip -j link show dev eth0 | jq -r '.[0].address')
IP=10.7.0.11
reaches_soon c1 10.7.0.12

capture got c2 -s 128 -i eth0 "udp port 2000 or ether src $EVIL or arp or icmp6"
in_ns c1 "$PYTHON" "$SMOKE/spoof.py" eth0 ip4 "ip=$IP" "mac=$MAC" pause=0.002 2>"$T/honest" &
SENDERS=("$!")
for what in "ip4 ip=$IP mac=$EVIL" "ip4 ip=10.7.0.66 mac=$MAC" "arp ip=10.7.0.66 says=$MAC mac=$MAC" \
	"arp ip=$IP says=$EVIL mac=$EVIL" "na ip=fd07::66 says=$MAC mac=$MAC"; do
	# shellcheck disable=SC2086
	in_ns c1 "$PYTHON" "$SMOKE/spoof.py" eth0 $what pause=0.0005 2>>"$T/evil" &
	SENDERS+=("$!")
done
wait_until 30 more_allowed 20 || fail "nothing of c1 comes to c2: $(cat "$T/honest" "$T/evil")"
for round in 1 2 3; do
	((round != 2)) || in_ns c1 ip link set eth0 address "$EVIL"
	kill -KILL "$SWITCH_PID"
	wait "$SWITCH_PID" || true
	start_switch
	before=$(allowed)
	wait_until 30 more_allowed $((before + 20)) || fail "nothing of c1 comes to c2 in round $round: $(vsctl show)"
	dropped=$(vsctl --json drops | jq '[.drops[] | select(.reason | startswith("spoofed")) | .packets] | add')
	((dropped > 100)) || fail "only $dropped spoofed packets were tried in round $round"
done
# Nor does a change of the port take the address over.
vsctl set-port --force "cw.$(vsctl --json network inspect net | jq -r '.[0].endpoints[] | select(.name == "c1") | .id' | head -c 12)" fdb-limit=100
before=$(allowed)
wait_until 30 more_allowed $((before + 20)) || fail "nothing of c1 comes to c2 after a change: $(vsctl show)"
for pid in "${SENDERS[@]}"; do
	kill "$pid" || fail "a sender ended early: $(cat "$T/honest" "$T/evil")"
done
captured got "ether src $MAC and udp"
for evil in "ether src $EVIL" 'src host 10.7.0.66' 'arp and arp[14:4] = 0x0a070042' 'ip6 and src host fd07::66'; do
	no_packet got "$evil"
done
agent_stop
