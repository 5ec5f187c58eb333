#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Connecting in steps by vsctl: a subnet, a network of it, an address, an endpoint of that, a namespace.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/agent.sh"

start_switch
printf 'host: h1\ncluster-advertise: lo\nquarantine: 0\n' >"$T/net.yaml"
agent
container c1 c2
[[ $(vsctl pool add p1 10.7.0.0/16 --ip-range 10.7.1.0/24) == 10.7.0.0/16 ]] || fail "pool add"
vsctl pool ls | has -E '^p1 +10.7.0.0/16 +10.7.1.0/24 ' || fail "pool ls: $(vsctl pool ls)"
vsctl --json pool ls | jq -e '.pools | map(.id) == ["p1"]' >/dev/null || fail "pool ls in JSON"
vsctl network create --subnet 10.7.0.0/16 --ip-range 10.7.1.0/24 front >/dev/null
vsctl network connect front c2

[[ $(vsctl address add front a1 --ip 10.7.1.77) == 10.7.1.77/16 ]] || fail "address add"
vsctl network inspect -f '{{json .Addresses}}' front | jq -e '.[0].address_id == "a1"' >/dev/null || fail "a1 is not shown"
[[ $(vsctl endpoint create front e1 --name web --ip 10.7.1.77 --alias www) == 10.7.1.77/16 ]] || fail "endpoint create"
vsctl endpoint create front e1 --name web --ip 10.7.1.77 --alias www >/dev/null # once more
vsctl endpoint join e1 c1 --ifname net0
in_ns c1 ip -4 address show dev net0 | has ' 10.7.1.77/16 ' || fail "net0: $(in_ns c1 ip address)"
in_ns c1 ping -qc 1 -W 5 "$(vsctl network inspect -f '{{json .Endpoints}}' front |
	jq -r '.[] | select(.name == "c2").ips[0] | split("/")[0]')" >/dev/null || fail "web does not reach c2"
vsctl endpoint leave e1
! in_ns c1 ip link show dev net0 2>/dev/null || fail "net0 stays"
vsctl endpoint leave e1 --if-exists
vsctl --json endpoint delete e1 | jq -e '.deleted == true' >/dev/null || fail "endpoint delete in JSON"
vsctl endpoint rm e1 --if-exists
refused 'e1' vsctl endpoint rm e1
vsctl address rm a1
vsctl network disconnect front c2
vsctl network rm front >/dev/null
vsctl pool rm p1
[[ $(vsctl --json pool ls | jq '.pools | length') == 0 ]] || fail "p1 stays: $(vsctl pool ls)"
