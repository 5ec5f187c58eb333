# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Three hosts with a switch and an agent each, one etcd, one overlay network. Sourced by scripts/demo.

. "$TOP/scripts/hosts.sh"

# on HOST COMMAND…: vsctl there, shown
on() {
	local host=$1
	shift
	printf '    %s$ vsctl %s\n' "$host" "$*"
	on_node "$SCRATCH/$host" "$@" 2>&1 | sed 's/^/      /'
}

address_of() {
	on_node "$SCRATCH/h1" --json network inspect multinet |
		jq -r --arg n "$1" '[.. | objects | select(.name? == $n and has("ips"))][0].ips[0]
			| split("/")[0]'
}

# knows HOST NUMBER: of the endpoints of the network
knows() {
	(($(on_node "$SCRATCH/$1" --json network inspect multinet |
		jq '[.. | objects | select(has("endpoints"))][0].endpoints | length') == $2))
}

started=$SECONDS
step "A LAN, an etcd on it, and three hosts with vswitchd and vsnetd"
lan
store_start "$SCRATCH/store"
for n in 1 2 3; do
	node_start "h$n" "$n" "$SCRATCH/h$n" "cluster-store-opts: {ttl: 3, grace: 4}" "quarantine: 5"
done
echo "      all that h1 was told, in vsnetd.yaml:"
sed 's/^/        /' "$SCRATCH/h1/vsnetd.yaml"

step "A network, made on one host"
on h1 network create -d overlay --subnet 10.10.2.0/24 multinet

step "Four containers (network namespaces), plugged in on three hosts"
container web db cache worker
on h1 network connect multinet web
on h2 network connect multinet db --alias postgres
on h3 network connect multinet cache
on h3 network connect multinet worker --ip 10.10.2.100
wait_until 5 knows h1 4

step "They reach each other, wherever they are"
for name in db cache worker; do
	run in_ns web ping -q -c 3 -i 0.2 "$(address_of "$name")"
done
step "TCP from web on h1 to db on h2, through the tunnel, for three seconds"
iperf_server db
in_ns web iperf3 --client "$(address_of db)" --time 3 --json >"$SCRATCH/one"
echo "      $(gbits "$SCRATCH/one") Gbit/s"

step "Any host tells of all of them"
on h2 network ls
on h2 network inspect multinet
on h2 host ls

step "Host h3 dies, with its daemons and containers"
node_kill h3
ip netns delete cache
ip netns delete worker
sleep 4
step "After its lease it is suspended: what it had stays for a while"
on h1 host ls
step "After the grace period its endpoints are gone, everywhere; their addresses are free again"
wait_until 30 knows h1 2
wait_until 5 knows h2 2
on h1 host ls
run in_ns web ping -q -c 3 -i 0.2 "$(address_of db)"

step "It comes back: nothing to be done, but to start it"
node_switch h3 "$SCRATCH/h3"
node_agent h3 "$SCRATCH/h3"
container cache2
on h3 network connect multinet cache2
run in_ns web ping -q -c 3 -i 0.2 "$(address_of cache2)"
step "Store, agent and switch agree on all hosts"
for host in h1 h2 h3; do
	on "$host" agent audit
done
for host in h1 h2 h3; do
	agent=agent_$host switch=pid_$host
	kill -TERM "${!agent}" "${!switch}"
	wait "${!agent}" "${!switch}"
done
step "Done in $((SECONDS - started)) s after the build: three hosts, one network," \
	"TCP $(gbits "$SCRATCH/one") Gbit/s between hosts"
