#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# 64 ports come and go while two others talk: not one packet between those is lost.
. "$(dirname "$0")/lib.sh"

two_containers
datagrams_start c1 c2 10.0.0.2 64
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
datagrams_stop 1000
note "$(<"$T/sent") packets sent and received"
[[ $(ip -n farm -o link | wc -l) == 1 ]] || fail "devices left: $(ip -n farm -o link)"
