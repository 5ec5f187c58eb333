#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Connecting in steps, with a real switch and real namespaces: hold an address, create, restart the
# agent, join, leave, join elsewhere, delete, release; each asked for twice.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/agent.sh"

# ask METHOD PARAMS: of the agent.
ask() {
	"$PYTHON" "$TOP/tests/smoke/request.py" "$T/sw/run/net/ctl.sock" "$@"
}

# twice METHOD PARAMS: two times the same answer, which is printed.
twice() {
	local first second
	first=$(ask "$@") || fail "$*"
	second=$(ask "$@") || fail "again: $*"
	[[ $first == "$second" ]] || fail "$* says first $first, then $second"
	echo "$first"
}

# holds EXPRESSION JSON
holds() {
	jq -e "$1" <<<"$2" >/dev/null || fail "not $1: $2"
}

row() {
	vsctl network inspect front | jq -c --arg n "$1" '.[0].endpoints[] | select(.name == $n)'
}

names() {
	vsctl --json dns ls front | jq -r '.names | map(.name) | sort | join(" ")'
}

ports() {
	vsctl --json list-ports | jq '[.ports[] | select(.name | test("^cw\\.[0-9a-f]{12}$"))] | length'
}

# silent CONTAINER ADDRESS: nobody answers there, while the gateway answers the same probe.
silent() {
	local status=0
	wait_until 30 probe "$1" 10.1.0.1 || fail "$1 does not even reach the gateway: $(<"$T/probe")"
	probe "$1" "$2" || status=$?
	((status == 1)) || fail "ping from $1 to $2: status $status, not 1: $(<"$T/probe")"
	wait_until 30 probe "$1" 10.1.0.1 || fail "$1 does not reach the gateway any more"
}

start_switch
printf 'host: h1\ncluster-advertise: lo\nquarantine: 0\n' >"$T/net.yaml"
agent
vsctl network create -d overlay --subnet 10.1.0.0/16 front >/dev/null
container c1 c2 c3
vsctl network connect front c1
ip1=$(row c1 | jq -r '.ips[0] | split("/")[0]')

# ---- an address, then an endpoint of it ----

address=$(twice address.request '{"id": "a1", "network": "front", "ip": "10.1.7.7"}')
holds '.address == "10.1.7.7/16" and .network == "front" and .address_id == "a1"' "$address"
refused 'already exists with another ip' ask address.request \
	'{"id": "a1", "network": "front", "ip": "10.1.7.8"}'
refused '10.1.7.7 of network front is in use' vsctl network connect --ip 10.1.7.7 front c3
chosen=$(twice address.request '{"id": "a2", "network": "front"}')
holds '.address | test("^10[.]1[.].*/16$")' "$chosen"

want='"id": "e1", "network": "front", "name": "web", "ip": "10.1.7.7", "aliases": ["www"]'
created=$(twice endpoint.create "{$want}")
holds '.state == "created" and .caller_id == "e1" and .ips == ["10.1.7.7/16"]' "$created"
refused 'already exists with another aliases' ask endpoint.create \
	"{${want/www/shop}}"
refused 'container of this name' ask endpoint.create \
	'{"id": "e9", "network": "front", "name": "web"}'
[[ $(ports) == 1 ]] || fail "$(ports) ports with c1 alone in a namespace"
[[ $(names) == c1 ]] || fail "one that is in no namespace has a name: $(names)"

# ---- over a restart ----

agent_stop
agent
holds '.state == "created" and .ips == ["10.1.7.7/16"]' "$(row web)"
[[ $(twice endpoint.create "{$want}") == "$created" ]] || fail "it is another one: $(row web)"
wait_until 10 eval '[[ $(ports) == 1 ]]' || fail "$(ports) ports after a restart"
[[ $(vsctl --json agent audit | jq '.differences | length') == 0 ]] ||
	fail "audit: $(vsctl --json agent audit)"

# ---- join, leave, join elsewhere ----

joined=$(twice endpoint.join '{"id": "e1", "netns": "c2", "ifname": "web0"}')
holds '.state == "up" and .ifname == "web0" and .sandbox == "c2"' "$joined"
reaches_soon c2 "$ip1"
reaches_soon c1 10.1.7.7
in_ns c2 ip -o -4 address show dev web0 | has 'inet 10.1.7.7/16' || fail "c2 has no web0"
[[ $(ports) == 2 ]] || fail "$(ports) ports with two in namespaces"
[[ $(names) == 'c1 web www' ]] || fail "names of two in namespaces: $(names)"
refused 'already joined to the namespace c2 as web0' ask endpoint.join '{"id": "e1", "netns": "c3"}'
refused 'there is no network namespace nowhere' ask endpoint.join '{"id": "e1", "netns": "nowhere"}'
refused 'create it first' ask endpoint.join '{"id": "e2", "netns": "c3"}'

agent_stop
agent
wait_until 10 eval '[[ $(row web | jq -r .state) == up ]]' || fail "after a restart: $(row web)"
reaches c2 "$ip1"

holds '.left' "$(ask endpoint.leave '{"id": "e1"}')"
! in_ns c2 ip link show dev web0 2>/dev/null || fail "c2 still has web0"
[[ $(ports) == 1 ]] || fail "$(ports) ports after it left"
silent c1 10.1.7.7
[[ $(names) == c1 ]] || fail "it left and kept its names: $(names)"
refused 'in no namespace' ask endpoint.leave '{"id": "e1"}'
holds '.left == false' "$(twice endpoint.leave '{"id": "e1", "if_exists": true}')"
holds '.state == "created" and .ips == ["10.1.7.7/16"]' "$(row web)"

joined=$(twice endpoint.join '{"id": "e1", "netns": "c3"}')
holds '.state == "up" and .ifname == "eth0"' "$joined"
reaches_soon c1 10.1.7.7

# ---- the end of its container, of itself, of its address ----

ip netns del c3
wait_until 10 eval '[[ $(row web | jq -r .state) == created ]]' || fail "c3 is gone: $(row web)"
holds '.deleted' "$(ask endpoint.delete '{"id": "e1"}')"
holds '.deleted == false' "$(twice endpoint.delete '{"id": "e1", "if_exists": true}')"
refused 'does not exist' ask endpoint.delete '{"id": "e1"}'
[[ -z $(row web) ]] || fail "it is still there: $(row web)"
refused '10.1.7.7 of network front is in use' vsctl network connect --ip 10.1.7.7 front c2
refused 'connected to it|address' vsctl network rm front
holds '.released' "$(ask address.release '{"id": "a1"}')"
holds '.released' "$(ask address.release '{"id": "a2"}')"
holds '.released == false' "$(twice address.release '{"id": "a1", "if_exists": true}')"
vsctl network connect --ip 10.1.7.7 front c2
reaches_soon c1 10.1.7.7

# ---- both families: what is held may be the second address, too ----

vsctl network create --subnet 10.4.0.0/16 --subnet fd04::/64 --ipv6 both >/dev/null
ask address.request '{"id": "a4", "network": "both"}' >"$T/a4"
ask address.request '{"id": "a6", "network": "both", "ipv6": true}' >"$T/a6"
ip4=$(jq -r '.address | split("/")[0]' "$T/a4") ip6=$(jq -r '.address | split("/")[0]' "$T/a6")
both=$(twice endpoint.create \
	"{\"id\": \"e6\", \"network\": \"both\", \"name\": \"six\", \"ip\": \"$ip4\", \"ip6\": \"$ip6\"}")
holds ".ips == [\"$ip4/16\", \"$ip6/64\"]" "$both"
refused 'is in use' ask endpoint.create \
	"{\"id\": \"e7\", \"network\": \"both\", \"name\": \"seven\", \"ip6\": \"$ip6\"}"
vsctl network connect both c1
ask endpoint.join '{"id": "e6", "netns": "c2"}' >/dev/null
reaches_soon c1 "$ip4"
reaches_soon c1 "$ip6"
vsctl network disconnect both six
refused "$ip6 of network both is in use" vsctl network connect --ip6 "$ip6" both c2
holds '.[0].addresses | length == 2' "$(vsctl network inspect both)"
ask address.release '{"id": "a4"}' >/dev/null
ask address.release '{"id": "a6"}' >/dev/null
vsctl network disconnect both c1
vsctl network rm both

# ---- pools ----

pool=$(twice pool.request '{"id": "p1"}')
subnet=$(jq -r .subnet <<<"$pool")
vsctl network create back >/dev/null
[[ $(vsctl network inspect back | jq -r '.[0].subnets[0].subnet') != "$subnet" ]] ||
	fail "back has the subnet that is held"
agent_stop
agent
[[ $(ask pool.request '{"id": "p1"}') == "$pool" ]] || fail "the pool is another one"
refused 'overlaps 10.1.0.0/16 of network front' ask pool.request '{"id": "p2", "subnet": "10.1.3.0/24"}'
refused "overlaps $subnet of pool p1" ask pool.request "{\"id\": \"p2\", \"subnet\": \"$subnet\"}"
holds '.network == "front"' "$(ask pool.request '{"id": "p2", "subnet": "10.1.0.0/16"}')"
holds '.pools | length == 2' "$(ask pool.ls)"
vsctl network create --subnet "$subnet" held >/dev/null
holds '.released' "$(ask pool.release '{"id": "p1"}')"
holds '.released' "$(ask pool.release '{"id": "p2"}')"
holds '.pools == []' "$(ask pool.ls)"

vsctl network disconnect front c1
vsctl network disconnect front c2
vsctl network rm front
agent_stop
