# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Hosts for demos and tests: network namespaces on a LAN, which is a bridge in one of its own. Host
# number N has the addresses 10.1.0.N and fd01::N there. Sourced after common.sh by whoever called
# in_private_machine.

# lan [MTU]
lan() {
	container lan
	ip -n lan link add lan type bridge mcast_snooping 0
	ip -n lan link set lan mtu "${1:-1500}" up
	LAN_MTU=${1:-1500}
}

# join PORT: of the namespace lan, to the LAN.
join() {
	ip -n lan link set "$1" mtu "$LAN_MTU" master lan up
}

# address FAMILY N
address() {
	if (($1 == 4)); then echo "10.1.0.$2"; else echo "fd01::$2"; fi
}

# host NAME N: a network namespace on the LAN, by its device u0.
host() {
	container "$1"
	ip -n lan link add "h$2" type veth peer name u0 netns "$1"
	join "h$2"
	ip -n "$1" link set u0 mtu "$LAN_MTU" up
	ip -n "$1" address add "10.1.0.$2/24" dev u0
	ip -n "$1" address add "fd01::$2/64" dev u0 nodad
}

# ---- the store ----

STORE_PID=
STORE_URL=etcd://10.1.0.100:2379/causeway

# store_start DIR [argument of etcd…]: a real etcd on the LAN, in the namespace `store`. Its data stay in DIR.
store_start() {
	[[ -e /run/netns/store ]] || host store 100
	mkdir -p "$1"
	nsenter --net=/run/netns/store etcd --name store --data-dir "$1/data" \
		--listen-client-urls http://10.1.0.100:2379 \
		--advertise-client-urls http://10.1.0.100:2379 \
		--listen-peer-urls http://127.0.0.1:2380 \
		--initial-advertise-peer-urls http://127.0.0.1:2380 \
		--initial-cluster store=http://127.0.0.1:2380 "${@:2}" >>"$1/etcd.log" 2>&1 &
	STORE_PID=$!
	wait_until 60 store_answers || { cat "$1/etcd.log" && return 1; }
}

# etcdctl argument…
store_ctl() {
	ETCDCTL_API=3 nsenter --net=/run/netns/store etcdctl --endpoints http://10.1.0.100:2379 \
		--command-timeout=1s "$@"
}

store_answers() {
	store_ctl endpoint health
}

# store_keys PREFIX: what the store has, a key a line. Prefixes and keys are below causeway/v1/.
store_keys() {
	store_ctl get --prefix --keys-only "causeway/v1/$1" | sed '/^$/d'
}

# store_get KEY, store_put KEY VALUE, store_delete PREFIX
store_get() {
	store_ctl get --print-value-only "causeway/v1/$1"
}

store_put() {
	store_ctl put "causeway/v1/$1" "$2" >/dev/null
}

store_delete() {
	store_ctl del --prefix "causeway/v1/$1" >/dev/null
}

store_kill() {
	kill -KILL "$STORE_PID"
	wait "$STORE_PID" 2>/dev/null || true
}

# ---- hosts with a switch and an agent ----

# node_start NAME N DIR [configuration line of vsnetd…]: starts vswitchd and vsnetd of a host, with
# DIR/run, DIR/state and the like; their processes are in pid_NAME and agent_NAME.
node_start() {
	local name=$1 n=$2 dir=$3
	[[ -e /run/netns/$name ]] || host "$name" "$n"
	mkdir -p "$dir"
	[[ -e $dir/vswitchd.yaml ]] || echo "workers: [$((n % $(nproc)))]" >"$dir/vswitchd.yaml"
	printf '%s\n' "host: $name" "cluster-store: $STORE_URL" "cluster-advertise: u0" "${@:4}" \
		>"$dir/vsnetd.yaml"
	node_switch "$name" "$dir"
	node_agent "$name" "$dir"
}

# node_switch NAME DIR: (again) its switch
node_switch() {
	SWITCH_WRAP=(nsenter "--net=/run/netns/$1")
	switch_start "$2" -c "$2/vswitchd.yaml" || return 1
	# shellcheck disable=SC2034
	SWITCH_WRAP=()
	printf -v "pid_$1" %s "$SWITCH_PID"
}

# node_agent NAME DIR: (again) its agent
node_agent() {
	node_agent_begin "$1" "$2"
	wait_until 60 on_node "$2" network ls && return
	cat "$2/net.log" >&2
	return 1
}

# node_agent_begin NAME DIR: without waiting until it answers
node_agent_begin() {
	nsenter "--net=/run/netns/$1" "$VSNETD" --config "$2/vsnetd.yaml" --switch "$2/run" \
		--run-dir "$2/run/net" --state-dir "$2/state/net" >>"$2/net.log" 2>&1 &
	printf -v "agent_$1" %s "$!"
}

# node_kill NAME: both daemons of the host, without a word.
node_kill() {
	local agent=agent_$1 switch=pid_$1
	kill -KILL "${!agent}" "${!switch}"
	wait "${!agent}" "${!switch}" 2>/dev/null || true
}

# on_node DIR VERB…: vsctl of that host.
on_node() {
	CAUSEWAY_RUN_DIR=$1/run "$VSCTL" "${@:2}"
}
