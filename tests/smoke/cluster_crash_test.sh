#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Daemons are killed and come back in any order, under traffic; then a host dies with all it has.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cluster.sh"

cluster 3
on h1 network create -d overlay --subnet 10.10.2.0/24 multinet >/dev/null
for n in 1 2 3; do
	connect "h$n" multinet "c$n"
done
ip1=$(ip_of h2 multinet c1) ip2=$(ip_of h1 multinet c2) ip3=$(ip_of h1 multinet c3)
reaches_soon c1 "$ip2"
reaches_soon c1 "$ip3"

# The agent: nothing of the traffic is lost.
stream_start c1 "$ip3"
agent_kill h1
sleep 1
on h2 network disconnect multinet c2 && connect h2 multinet c2 --ip "$ip2"
connect h2 multinet d2
node_agent h1 "$T/h1" || fail "the agent does not come back"
wait_until 30 sees h1 multinet "c1 c2 c3 d2" || fail "h1 sees $(endpoints h1 multinet)"
reaches_soon c1 "$(ip_of h1 multinet d2)"
lost=$(stream_lost)
((lost == 0)) || fail "$lost packets were lost with the agent"

# The switch, with the agent there; then both; then the switch first, and the agent later.
switch_kill h1
node_switch h1 "$T/h1" || fail "the switch does not come back"
reaches_soon c1 "$ip2"
wait_until 30 is_settled h1 || fail "not settled: $(on h1 agent show)"
clean h1
agent_kill h1
switch_kill h1
rm -rf "$T/h1/state/net" # and the agent has lost its memory
node_switch h1 "$T/h1" || fail "the switch does not come back"
reaches_soon c1 "$ip2"
node_agent h1 "$T/h1" || fail "the agent does not come back"
wait_until 30 is_settled h1 || fail "not settled: $(on h1 agent show)"
reaches c3 "$ip1"
clean h1
agent_kill h2
switch_kill h2
rm -rf "$T/h2/state" && mkdir -p "$T/h2/state" # all of the host's memory but its containers
node_agent_begin h2 "$T/h2" # the agent before the switch
node_switch h2 "$T/h2" || fail "the switch does not come back"
wait_until 30 is_settled h2 || fail "not settled: $(on h2 agent show)"
reaches_soon c1 "$ip2"
clean h2

# A container goes: its endpoint goes everywhere.
ip netns delete c3
wait_until 30 sees h1 multinet "c1 c2 d2" || fail "h1 sees $(endpoints h1 multinet)"

# A host dies: daemons, containers and all. Suspended at first, then gone, its addresses free again.
agent_kill h2
switch_kill h2
ip netns delete c2
ip netns delete d2
wait_until 30 eval '[[ $(on h1 --json host ls | jq -r ".hosts[] | select(.name == \"h2\").state") == suspended ]]' ||
	fail "h2 is not suspended: $(on h1 host ls)"
[[ $(endpoints h1 multinet) == "c1 c2 d2" ]] || fail "dropped at the first time-out"
wait_until 30 sees h1 multinet c1 || fail "h1 sees $(endpoints h1 multinet)"
wait_until 30 sees h3 multinet c1 || fail "h3 sees $(endpoints h3 multinet)"
wait_until 30 lacks '10\.1\.0\.2"' on h1 --json fdb ls cw.multinet || fail "entries of h2 stay"
container c4
wait_until 30 on h3 network connect --ip "$ip2" multinet c4 || # after the quarantine
	fail "$ip2 does not become free: $(on h3 network connect --ip "$ip2" multinet c4 2>&1)"
reaches_soon c1 "$ip2"

# It returns, at another address, with nothing running.
ip -n h2 address delete 10.1.0.2/24 dev u0
ip -n h2 address add 10.1.0.22/24 dev u0
node_switch h2 "$T/h2" || fail "the switch does not come back"
node_agent h2 "$T/h2" || fail "the agent does not come back"
connect h2 multinet c5
reaches_soon c1 "$(ip_of h1 multinet c5)"
reaches c1 "$ip2" # still h3's
wait_until 30 all_settled || fail "not settled: $(on h2 agent show)"
for n in 1 2 3; do
	clean "h$n"
done
leave
