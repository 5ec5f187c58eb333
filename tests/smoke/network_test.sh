#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# One host with vswitchd and vsnetd, without a store of a cluster: what `vsctl network` does and says.
# sanitizers: yes
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/agent.sh"

misused() {
	local words=$1 status=0
	shift
	vsctl "$@" >"$T/out" 2>"$T/err" || status=$?
	((status == 2)) || fail "status $status, not 2, from: vsctl $*"
	grep -qE -- "$words" "$T/err" || fail "no '$words' from vsctl $*: $(cat "$T/err")"
}

start_switch
refused 'no network agent answers at .*/net \(is vsnetd running' vsctl network ls
refused 'no network agent' vsctl --json host ls
jq -e '.error.code == "unreachable"' "$T/out" >/dev/null

cat >"$T/net.yaml" <<END
host: h1
cluster-advertise: lo
quarantine: 0
networks:
  given: {driver: bridge, subnets: [{subnet: 10.9.0.0/24}], labels: {tier: front}}
END
"$VSNETD" --check --config "$T/net.yaml"
printf 'hots: x\nnetworks:\n  a: {driver: x}\n' >"$T/bad.yaml"
refused 'bad.yaml:1: hots: unknown key .hots.; did you mean .host.' "$VSNETD" --check --config "$T/bad.yaml"
grep -q 'bad.yaml:3: networks.a.driver: there is no driver' "$T/err"
agent
refused 'vsnetd.*--run-dir|--run-dir.*' "$VSNETD" --run-dir "$T/sw/run/net" --state-dir "$T/other"

# ---- networks ----

id=$(vsctl network create -d overlay --subnet 10.1.0.0/16 --ip-range 10.1.4.0/24 --gateway 10.1.0.1 \
	--aux-address router=10.1.0.2 --label tier=front --label x -o mtu=1400 front)
[[ $id =~ ^[0-9a-f]{32}$ ]] || fail "create prints: $id"
vsctl network create back >/dev/null
wait_until 30 eval '[[ $(vsctl network ls -q | wc -l) == 5 ]]' || fail "ls: $(vsctl network ls)"
is 'ls of a driver' "$(vsctl network ls --filter driver=bridge | awk 'NR > 1 { print $2 }' | xargs)" 'back given'
is 'ls of a name' "$(vsctl network ls --filter name=fr -q)" "${id:0:12}"
is 'ls of two names' "$(vsctl network ls --filter name=fr --filter name=giv -q | wc -l)" 2
is 'ls of two labels' "$(vsctl network ls --filter label=tier=front --filter label=x -q | wc -l)" 1
is 'ls of a scope' "$(vsctl network ls --filter scope=global -q)" "${id:0:12}"
vsctl --json network ls | jq -e '.networks | length == 5' >/dev/null
for verb in 'network ls' 'network inspect front' 'dns ls' 'dns stats' 'dns flush' 'host ls' 'agent show' \
	'agent audit' 'agent monitor --list'; do
	# shellcheck disable=SC2086
	vsctl --json $verb | jq -es 'length == 1' >/dev/null || fail "not one JSON value: vsctl --json $verb"
done
vsctl --json agent show | jq -e '.started | test("^20[0-9-]*T[0-9:.]*Z$")' >/dev/null || fail "started: $(vsctl --json agent show)"
# As Docker spells it.
[[ $(vsctl network list --filter type=builtin --format '{{.Name}}' | xargs) == 'host none' ]] ||
	fail "builtin: $(vsctl network ls)"
[[ $(vsctl network ls --filter type=custom -f dangling=true -q | wc -l) == 3 ]] || fail "dangling"
[[ $(vsctl network ls --no-trunc -q -f name=front) == "$id" ]] || fail "--no-trunc"
[[ $(vsctl network ls -f name=front --format '{{.ID}} {{.Driver}} {{json .Internal}}') == "${id:0:12} overlay false" ]] ||
	fail "--format: $(vsctl network ls --format '{{.ID}} {{.Driver}} {{json .Internal}}')"
vsctl network ls --format json | jq -es 'length == 5 and (map(.name) | index("front"))' >/dev/null || fail "--format json"
[[ $(vsctl network ls -f name=front --format 'table {{.Name}}\t{{.Scope}}' | tr -s ' ' | tr '\n' ' ') == \
	'NAME SCOPE front global ' ]] || fail "--format table"
[[ $(vsctl network inspect -f '{{.Name}} {{.Builtin}}' front none) == $'front false\nnone true' ]] || fail "inspect -f"
vsctl network inspect front "${id:0:6}" | jq -e 'length == 2 and .[0] == .[1] and
	.[0].driver == "overlay" and .[0].options.mtu == "1400" and .[0].labels.tier == "front"' >/dev/null ||
	fail "inspect: $(vsctl network inspect front)"
vsctl network inspect back | jq -e '.[0].subnets | length == 1' >/dev/null ||
	fail "no subnet was chosen: $(vsctl network inspect back)"

misused 'few arguments: vsctl network create NETWORK' network create
misused 'label takes NAME\[=VALUE\]' network create --label =x y
misused 'driver is given twice' network create -d overlay --driver=bridge y
misused 'filter takes driver=VALUE' network ls --filter what=1
misused 'give --force' network prune
misused 'takes no value but true or false' network create --ipv6=maybe y
vsctl network create --ipv6=false --internal=true --driver-opt mtu=1400 y >/dev/null
[[ $(vsctl network inspect -f '{{.IPv6}} {{.Internal}} {{.Options}}' y) == 'false true mtu=1400' ]] ||
	fail "y: $(vsctl network inspect y)"
vsctl network remove y >/dev/null
misused 'the fields are id, name' network ls --format '{{.Nmae}}'
misused 'not supported; the format may have' network inspect -f '{{range .Subnets}}' front
misused 'network ls has no option --subnet' network ls --subnet=10.0.0.0/8
misused 'network ls has no option --subnet' network ls --subnet 10.0.0.0/8
refused 'network front: a network of this name already exists' vsctl network create -d overlay front
refused 'network front already exists, the same name in DNS' vsctl network create -d overlay Front
refused "'a..b' is not a valid network name" vsctl network create a..b
refused "did you mean 'overlay'" vsctl network create -d overlya y
refused 'gateway 10.3.0.1 is in none of its subnets' vsctl network create --subnet 10.2.0.0/16 --gateway 10.3.0.1 y
refused "no such network" vsctl network inspect nowhere
refused "no such network|no network" vsctl network rm nowhere

# ---- containers ----

container c1 c2 c3
vsctl network connect front c1 --alias web
vsctl network connect front c2 --ip 10.1.7.7 --ifname net0
vsctl network connect back c1
vsctl network connect --netns /run/netns/c3 back third
vsctl network inspect front | jq -e '.[0].endpoints | map(.name) | sort == ["c1", "c2"]' >/dev/null ||
	fail "inspect: $(vsctl network inspect front)"
ip1=$(vsctl network inspect front | jq -r '.[0].endpoints[] | select(.name == "c1").ips[0] | split("/")[0]')
[[ $ip1 == 10.1.4.* ]] || fail "not of the range: $ip1"
reaches_soon c2 "$ip1"
in_ns c1 ip -o -4 address show dev eth1 | has 'inet 10\.' || fail "c1 has no eth1"
in_ns c2 ip -o -4 address show dev net0 | has 'inet 10.1.7.7/16' || fail "c2 has no net0"
refused 'already connected to network front .c1, the same name in DNS.' vsctl network connect --netns /run/netns/c3 front C1
refused "'x\.' is not a valid container name" vsctl network connect --netns /run/netns/c3 front x.
refused "'w@b' is not a valid alias name" vsctl network connect --netns /run/netns/c3 front c3 --alias w@b
refused '10.1.7.7' vsctl network connect --ip 10.1.7.7 front c3
refused 'ip fd00::1 is no IPv4 address' vsctl network connect --ip fd00::1 front c3
refused 'router' vsctl network connect --ip 10.1.0.2 front c3
refused 'disconnect first' vsctl network rm front
vsctl host ls | has '^h1 (this one) *127.0.0.1 *present' || fail "hosts: $(vsctl host ls)"
wait_until 30 eval '[[ $(vsctl --json agent show | jq .settled) == true ]]' || fail "$(vsctl agent show)"
vsctl agent show | has 'store lmdb: answers'
vsctl agent audit | has 'agree' || fail "audit: $(vsctl agent audit)"

# A range of one address: one container has it. The gateway is another one.
vsctl network create -d overlay --subnet 10.2.0.0/24 --ip-range 10.2.0.1/32 single >/dev/null
vsctl network connect single c3
in_ns c3 ip -o -4 address | grep 'inet 10.2.0.1/24' >/dev/null || fail "not the only address: $(in_ns c3 ip -o -4 address)"
reaches_soon c3 10.2.0.2
refused 'all IPv4 addresses are used' vsctl network connect single c2
vsctl network disconnect single c3
vsctl network rm single >/dev/null

# A subnet that this host sends packets to is not chosen; a default route is no reason.
first=$(vsctl network inspect back | jq -r '.[0].subnets[0].subnet')
is 'the first default subnet' "$first" 10.64.0.0/20
ip link add dm0 type veth peer name dm1
ip link set dm0 up
ip link set dm1 up
ip address add 10.64.17.1/32 dev dm0
ip route add 10.64.32.0/24 dev dm0
ip route add unreachable 10.64.48.0/20 table 1000
ip route add 0.0.0.0/1 dev dm0
ip route add default dev dm0
ip -6 route add fd63:6175:7365::/63 dev dm0
ip -6 route add blackhole fd63:6175:7365:2::/64 table 77
ip -6 route add default dev dm0
vsctl network create --ipv6 routed >/dev/null
is 'subnets without routes' "$(vsctl network inspect routed | jq -r '.[0].subnets[].subnet' | xargs)" \
	'10.64.64.0/20 fd63:6175:7365:3::/64'
is 'a pool without routes' "$(vsctl pool add p1)" 10.64.80.0/20
vsctl pool rm p1
ip route add 10.64.0.0/11 dev dm0
refused 'no IPv4 subnet is free in default-address-pools: networks, or routes of this host' vsctl network create y
vsctl network create --subnet 10.64.96.0/20 y >/dev/null # who asks for it gets it
vsctl network rm y routed >/dev/null
ip link del dm0
ip route del unreachable 10.64.48.0/20 table 1000
ip -6 route del blackhole fd63:6175:7365:2::/64 table 77

# What somebody changes by hand is set back, and the container keeps its interface.
port=$(vsctl --json list-ports | jq -r '.ports[] | select(.options.netns == "c2" and .options.ifname == "net0").name')
before=$(ip -n c2 -json link show net0 | jq '.[].ifindex')
vsctl set-port --force "$port" isolated=on fdb-limit=7
vsctl agent audit >"$T/audit" && fail "audit does not see the options: $(cat "$T/audit")"
grep -q "$port.*fdb_limit" "$T/audit" || fail "audit: $(cat "$T/audit")"
vsctl agent audit --repair >/dev/null || true
wait_until 30 eval 'vsctl agent audit | has agree' || fail "audit: $(vsctl agent audit)"
vsctl --json list-ports | jq -e --arg p "$port" '.ports[] | select(.name == $p).options |
	(has("isolated") or has("fdb_limit")) | not' >/dev/null || fail "options of $port: $(vsctl --json list-ports)"
is 'the interface of c2' "$(ip -n c2 -json link show net0 | jq '.[].ifindex')" "$before"

# Two hundred at once: none is given up, however long the others take.
for ((i = 0; i < 200; i++)); do
	container "m$i"
done
for ((i = 0; i < 200; i++)); do
	vsctl network connect front "m$i" &
	pids[i]=$!
done
for ((i = 0; i < 200; i++)); do
	wait "${pids[i]}" || fail "m$i is not connected"
done
is 'different addresses' "$(vsctl network inspect front | jq '[.[0].endpoints[].ips[0]] | unique | length')" 202
reaches_soon m0 "$ip1"
reaches_soon m199 "$ip1"

# A request is tried for as long as its caller waits, and its caller is told the reason in time.
container late
kill -STOP "$SWITCH_PID"
refused 'late: the switch did not make its port in time' vsctl --timeout 2 network connect front late
vsctl --timeout 60 network connect front late &
pid=$!
sleep 7
kill -CONT "$SWITCH_PID"
wait "$pid" || fail "given up before its caller has"
vsctl network disconnect front late

# ---- restarts: nothing is lost, nothing has to be said again ----

vsctl network inspect front >"$T/before"
agent_stop
reaches c2 "$ip1"
agent
wait_until 30 eval '[[ $(vsctl --json agent show | jq .settled) == true ]]' || fail "$(vsctl agent show)"
vsctl network inspect front | diff "$T/before" - || fail "the network is another one after a restart"
reaches c2 "$ip1"
vsctl agent audit >"$T/audit" || fail "audit: $(cat "$T/audit")"

# ---- leaving ----

for ((i = 0; i < 200; i++)); do
	vsctl network disconnect front "m$i"
done
vsctl network disconnect front c1
lacks ' eth0[@:]' in_ns c1 ip -o link || fail "c1 still has eth0"
refused 'c1' vsctl network disconnect front c1
vsctl network disconnect front c2
vsctl network rm front back >"$T/out" 2>"$T/err" && fail "back has containers, but is deleted"
[[ $(cat "$T/out") == front ]] || fail "rm prints: $(cat "$T/out")"
grep -q 'disconnect first' "$T/err" || fail "no reason: $(<"$T/err")"
vsctl network disconnect back c1
vsctl network disconnect back third
vsctl network prune -f --filter label=tier=front | has -x given
vsctl network prune -f | has -x back
is 'networks in the end' "$(vsctl network ls | awk 'NR > 1 { print $2 }' | xargs)" 'host none'
wait_until 30 lacks cw vsctl list-br || fail "bridges stay: $(vsctl list-br)"
agent_stop
