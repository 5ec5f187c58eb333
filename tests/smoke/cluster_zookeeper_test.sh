#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Two hosts on a real ZooKeeper: networks made at once; a network, its containers; the server away for a while, and a host
# that dies.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cluster.sh"
. "$(dirname "$0")/zookeeper.sh"

lan
host store 100
# shellcheck disable=SC2034
ZOOKEEPER_ADDRESS=10.1.0.100
zookeeper_control zk 2181
in_ns store "$T/zk/control" start || fail 'zookeeper does not start'
STORE_URL=zookeeper://10.1.0.100:2181/causeway
nodes 2
networks_at_once
on h1 network create -d overlay --subnet 10.10.0.0/16 multinet >/dev/null
connect h1 multinet c1
connect h2 multinet c2
ip2=$(ip_of h1 multinet c2)
reaches_soon c1 "$ip2"
wait_until 30 all_settled || fail "not settled: $(on h1 agent show)"
clean h1

stream_start c1 "$ip2"
"$T/zk/control" stop
connect h1 multinet d1
reaches_soon d1 "$(ip_of h1 multinet c1)"
sleep 5 # longer than a session
in_ns store "$T/zk/control" start || fail 'zookeeper does not come back'
wait_until 30 sees h2 multinet "c1 c2 d1" || fail "h2 sees $(endpoints h2 multinet)"
lost=$(stream_lost)
((lost == 0)) || fail "$lost packets were lost with the store"
wait_until 30 all_settled || fail "not settled: $(on h1 agent show)"
clean h1
clean h2

node_kill h2
ip netns delete c2
wait_until 30 sees h1 multinet "c1 d1" || fail "h1 sees $(endpoints h1 multinet)"
NODES=(h1)
leave
"$T/zk/control" stop
