# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Hosts that do not reach the store: the whole path from their silence to their end, for any store at
# 10.1.0.100. Sourced after cluster.sh by tests that have started it.
# shellcheck disable=SC2034 # NODES is cluster.sh's

state_of() {
	on "$1" --json host ls | jq -r --arg h "$2" '.hosts[] | select(.name == $h) | .state + " " + .tunnel'
}

told_by_both() {
	told h2 "host h1" "its tunnel answers"
	told h3 "host h1" "its tunnel answers"
	[[ $(state_of h2 h1) == 'suspended up' ]] || fail "h1 is $(state_of h2 h1)"
	[[ $(endpoints h2 multinet) == "c1 c2 c3" ]] || fail "taken apart: h2 sees $(endpoints h2 multinet)"
	reaches c2 "$ip1"
}

h1_is_back() {
	wait_until 60 eval '[[ $(state_of h2 h1) == "present up" ]]' || fail "h1 is $(state_of h2 h1)"
	healthy h2
	wait_until 60 all_settled || fail "not settled: $(on h1 agent show)"
	reaches c2 "$ip1"
}

silent_hosts() {
	nodes 3
	on h1 network create -d overlay --subnet 10.10.2.0/24 multinet >/dev/null
	on h1 network create -d overlay --subnet 10.10.3.0/24 lone >/dev/null
	for n in 1 2 3; do
		connect "h$n" multinet "c$n"
	done
	ip1=$(ip_of h2 multinet c1)
	reaches_soon c2 "$ip1"
	reaches_soon c3 "$ip1"
	wait_until 60 all_settled || fail "not settled: $(on h1 agent show)"
	container thief

	note 'only the store is out of reach; an agent that hears of it is started anew meanwhile'
	hole h1 10.1.0.100
	hole store 10.1.0.1
	wait_until 60 eval '[[ $(state_of h3 h1) == suspended* ]]' || fail "h1 is $(state_of h3 h1)"
	agent_kill h2
	node_agent h2 "$T/h2" || fail "the agent does not come back"
	told_by_both
	refused "is c1's on host h1, which is silent" on h2 network connect --ip "$ip1" multinet thief
	refused 'it answers through its tunnel' on h2 host rm h1
	mend h1 10.1.0.100
	mend store 10.1.0.1
	h1_is_back

	note 'the agent is dead, and the switch forwards'
	agent_kill h1
	told_by_both
	node_agent h1 "$T/h1" || fail "the agent does not come back"
	h1_is_back
	for n in 1 2 3; do
		clean "h$n"
	done

	note 'all of it is dead'
	refused 'it is there' on h2 host rm --force h1
	node_kill h1
	wait_until 60 sees h2 multinet "c2 c3" || fail "h2 sees $(endpoints h2 multinet): $(on h2 agent show)"
	NODES=(h2 h3)

	note 'nobody can tell: no network has containers on both hosts'
	on h3 network disconnect multinet c3
	container c4
	connect h3 lone c4
	wait_until 60 sees h2 lone c4 || fail "h2 sees $(endpoints h2 lone)"
	node_kill h3
	told h2 "host h3" "no network has containers on both hosts"
	[[ $(endpoints h2 lone) == c4 ]] || fail "h2 sees $(endpoints h2 lone)"
	on h2 host rm h3 || fail "h3 cannot be removed"
	[[ $(endpoints h2 lone) == '' ]] || fail "h2 sees $(endpoints h2 lone)"
	refused 'there is no such host' on h2 host rm h3
	healthy h2
	NODES=(h2)
	wait_until 60 all_settled || fail "not settled: $(on h2 agent show)"
	clean h2
	leave
}
