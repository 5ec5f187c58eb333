# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# For tests of networks across hosts: hosts h1, h2, ... with vswitchd and vsnetd each (scripts/hosts.sh),
# and a store that they share.

. "$TOP/scripts/hosts.sh"

NODES=()
# Short times, so that a test need not wait for long.
TIMES=("cluster-store-opts: {ttl: 3, grace: 3, timeout: 1000}" "quarantine: 3")

# cluster COUNT [configuration line…]: a LAN, etcd, and hosts.
cluster() {
	lan
	store_start "$T/store" || fail "etcd does not start"
	nodes "$@"
}

# nodes COUNT [configuration line…]: hosts, on the store at STORE_URL.
nodes() {
	local n
	for ((n = 1; n <= $1; n++)); do
		node "h$n" "$n" "${@:2}"
	done
	wait_until 30 all_present || fail "not all hosts are present: $(on h1 host ls)"
}

# node NAME N [configuration line…]
node() {
	node_start "$1" "$2" "$T/$1" "${TIMES[@]}" "${@:3}" || fail "host $1 does not start"
	NODES+=("$1")
}

all_present() {
	local node
	for node in "${NODES[@]}"; do
		[[ $(on "$node" --json host ls | jq '[.hosts[] | select(.state == "present")] | length') == \
			"${#NODES[@]}" ]] || return 1
	done
}

# on HOST VERB…
on() {
	on_node "$T/$1" "${@:2}"
}

# connect HOST NETWORK CONTAINER [option…]: makes the container's namespace if it is not there.
connect() {
	[[ -e /run/netns/$3 ]] || container "$3"
	on "$1" network connect "${@:4}" "$2" "$3" >"$T/connected" 2>&1 ||
		fail "cannot connect $3 on $1: $(<"$T/connected")"
}

# knows HOST NETWORK CONTAINER: for wait_until. What was connected on another host comes a moment later.
knows() {
	[[ " $(endpoints "$1" "$2") " == *" $3 "* ]]
}

# ip_of HOST NETWORK CONTAINER [4|6]: its address there, once this host knows it.
ip_of() {
	wait_until 30 knows "$1" "$2" "$3" || return
	on "$1" --json network inspect "$2" | jq -r --arg n "$3" --arg f "${4:-4}" '
		[.. | objects | select(.name? == $n and has("ips"))][0].ips[]
		| select(test(":") == ($f == "6")) | split("/")[0]' | head -n 1
}

# endpoints HOST NETWORK: the names of the endpoints that this host knows, sorted.
endpoints() {
	on "$1" --json network inspect "$2" |
		jq -r '[.. | objects | select(has("endpoints"))][0].endpoints[].name' | sort | xargs
}

# sees HOST NETWORK NAMES: for wait_until
sees() {
	[[ $(endpoints "$1" "$2") == "$3" ]]
}

is_settled() {
	[[ $(on "$1" --json agent show | jq .settled) == true ]]
}

# tells HOST OBJECT TEXT: a problem of it has the text, a remedy and a time, and so the health check fails.
tells() {
	local status
	! status=$(on "$1" --json agent show) || return
	jq -e --arg o "$2" --arg t "$3" '.problems[] | select(.object == $o and (.reason | contains($t))) |
		.remedy and .since' <<<"$status" >/dev/null
}

# told HOST OBJECT TEXT: it tells, soon.
told() {
	wait_until 60 tells "$@" || fail "$1 does not tell: $(on "$1" agent show)"
}

# healthy HOST: nothing is wrong there, soon.
healthy() {
	wait_until 60 on "$1" agent show || fail "$1 is not healthy: $(on "$1" agent show)"
}

# hole NAMESPACE ADDRESS: no way to there; mend: it is there again.
hole() {
	ip -n "$1" neigh replace "$2" lladdr 02:de:ad:00:00:01 dev u0 nud permanent
}

mend() {
	ip -n "$1" neigh delete "$2" dev u0
}

all_settled() {
	local node
	for node in "${NODES[@]}"; do
		is_settled "$node" || return 1
	done
}

# clean HOST: store, agent and switch agree.
clean() {
	on "$1" agent audit >"$T/audit" || fail "audit of $1: $(<"$T/audit")"
}

# stream_start CONTAINER ADDRESS: fifty pings a second, until stream_lost.
stream_start() {
	ip netns exec "$1" ping -i 0.02 "$2" >"$T/stream" &
	STREAM_PID=$!
}

# stream_lost: how many got no answer, but for those that are under way at the end.
stream_lost() {
	kill -INT "$STREAM_PID"
	wait "$STREAM_PID" || true
	grep -q 'time=' "$T/stream" || fail "the stream had no answer at all: $(head -n 5 "$T/stream")"
	awk -F 'icmp_seq=' '/time=/ { last = $2 + 0; answers++ } END { print last - answers }' "$T/stream"
}

agent_kill() {
	local pid=agent_$1
	kill -KILL "${!pid}"
	wait "${!pid}" 2>/dev/null || true
}

switch_kill() {
	local pid=pid_$1
	kill -KILL "${!pid}"
	wait "${!pid}" 2>/dev/null || true
}

# All daemons leave cleanly.
leave() {
	local node pid
	for node in "${NODES[@]}"; do
		for pid in "agent_$node" "pid_$node"; do
			kill -TERM "${!pid}" || fail "$pid is not there any more"
			wait "${!pid}" || fail "$pid ended with status $?"
		done
	done
	[[ -z $STORE_PID ]] || { kill -TERM "$STORE_PID" && wait "$STORE_PID"; } || true
	# shellcheck disable=SC2034
	SWITCH_PID=
}

# networks_at_once: many networks that are made on all hosts at the same time have subnets of their
# own, and of those that ask for the same subnet or VNI one is made. They are deleted again.
networks_at_once() {
	local i jobs=() made count=${#NODES[@]}
	for ((i = 0; i < 20; i++)); do
		on "${NODES[i % count]}" --timeout 30 network create -d overlay "auto$i" >"$T/auto$i" 2>&1 &
		jobs+=($!)
	done
	for i in "${!jobs[@]}"; do
		wait "${jobs[i]}" || fail "auto$i is not made: $(<"$T/auto$i")"
	done
	wait_until 30 has_networks auto 20 || fail "networks: $(on "${NODES[0]}" network ls)"
	is 'subnets of 20 networks' "$(overlay_networks auto | jq -r '.subnets[]' | sort -u | wc -l)" 20
	is 'VNIs of 20 networks' "$(overlay_networks auto | jq -r .vni | sort -u | wc -l)" 20
	for ((i = 0; i < 20; i++)); do
		on "${NODES[(i + 1) % count]}" --timeout 30 network rm "auto$i" >/dev/null
	done
	for i in {1..5}; do
		one_of_all "subnet$i" --subnet "172.30.$i.0/24"
		one_of_all "vni$i" -o "vni=777$i"
	done
}

# overlay_networks PREFIX: those whose names begin so, an object a line.
overlay_networks() {
	on "${NODES[0]}" --json network ls | jq -c --arg p "$1" '.networks[] | select(.name | startswith($p))'
}

has_networks() {
	[[ $(overlay_networks "$1" | wc -l) == "$2" ]]
}

# one_of_all PREFIX option…: every host asks for a network of its own name with these options.
one_of_all() {
	local node jobs=() made=()
	for node in "${NODES[@]}"; do
		on "$node" network create -d overlay "${@:2}" "$1-$node" >"$T/$1-$node" 2>&1 &
		jobs+=($!)
	done
	for node in "${!jobs[@]}"; do
		! wait "${jobs[node]}" || made+=("$1-${NODES[node]}")
	done
	is "networks made with ${*:2}" "${#made[@]}" 1
	on "${NODES[0]}" network rm "${made[0]}" >/dev/null
}
