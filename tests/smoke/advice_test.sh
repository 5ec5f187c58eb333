#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What is said to who is wrong: the remedy, in words of the user. Nothing that destroys is suggested, no
# method, index, or name of the agent's own objects is told.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/agent.sh"

# told WORDS COMMAND…: it fails, these words are said, and nothing of what nobody can know.
told() {
	local words=$1
	shift
	! "$@" >"$T/out" 2>"$T/err" || fail "no failure: $*"
	grep -qF -- "$words" "$T/err" || fail "no '$words' from $*: $(head -c 600 "$T/err")"
	! grep -qE '(network|port|fdb|neigh|bridge|vtep|dns)\.[a-z]+:|\[[0-9]+\]|cw\.' "$T/err" ||
		fail "what nobody knows, from $*: $(head -c 600 "$T/err")"
}

echo 'host: h1' >"$T/net.yaml"
start_switch
agent
vsctl add-br br0
container c1 web

# An interface of the host is not to be deleted; a device of ours may be.
ip link add eth1 type veth peer name peer1
told 'eth1 is an interface of this host: to attach it, use type=dpdk devargs=net_af_xdp0,iface=eth1' vsctl add-port br0 eth1
! grep -q 'delete\|link del' "$T/err" || fail "deleting is suggested: $(<"$T/err")"
ip -n c1 link add eth0 type veth peer name peer0
told "namespace c1 already has an interface eth0: for a new device give another name with ifname=" \
	vsctl add-port br0 p1 netns=c1 ifname=eth0
! grep -q 'link del' "$T/err" || fail "deleting is suggested: $(<"$T/err")"
vsctl add-port br0 p2 netns=web ifname=x0
told "delete it with 'ip -n web link del x0'" vsctl add-port br0 p3 netns=web ifname=x0

# Verbs.
told "did you mean 'network ls'?" vsctl networks
told "did you mean 'network rm'?" vsctl networks rm x # who destroys has said so
told 'the verbs are:' vsctl network ports

# Values.
told "'my net' is not a valid network name: use 1 to 63 letters, digits," vsctl network create 'my net'
told "'my c' is not a valid container name: use 1 to 63 letters, digits," vsctl network connect bridge 'my c'
told "'a b' is not a valid alias name:" vsctl network connect bridge web --alias ok --alias 'a b'
told "tunnel: 'foo' is not allowed; a remote VTEP is an IPv4 or IPv6 address" vsctl fdb add br0 02:00:00:00:00:01 tunnel=foo
told "ip: 'foo' is not an IP address" vsctl neigh add br0 foo 02:00:00:00:00:01
told "mac: 'foo' is not a MAC address" vsctl fdb add br0 foo tunnel=192.0.2.1
told "'1.2.3' is not an IP address" vsctl network connect bridge web --ip 1.2.3
told 'is not a MAC address' vsctl network connect bridge web --mac x

# As with Docker and Open vSwitch.
vsctl network create --subnet 10.9.0.0/24 multinet >/dev/null
is "inspect with a template" "$(vsctl network inspect -f '{{.Name}}' multinet)" multinet
told 'write: vsctl add-port br0 q1 type=tap' vsctl add-port br0 q1 -- set interface q1 type=tap
told 'write: vsctl add-port br0 q1 type=vxlan key=7 remote=192.0.2.1' \
	vsctl add-port br0 q1 -- set interface q1 type=vxlan options:key=7 options:remote_ip=192.0.2.1
told 'add-port has no option --tag; write: tag=10' vsctl add-port br0 q1 --tag 10
told 'add-port has no option --vlan; write: tag=10' vsctl add-port br0 q1 --vlan=10
told 'write: vsctl set-port p2 tag=10' vsctl set-port br0 p2 tag=10
told 'vsctl set-port PORT tag=10' vsctl set-port br0 p2
told "unknown option 'vlan'; did you mean 'tag'?" vsctl add-port br0 q1 vlan=10
vsctl set-port p2 tag=10 # the line that was told

# Networks and containers.
told 'there is no network web, but multinet is one: NETWORK comes before CONTAINER' vsctl network connect web multinet
told 'there is no network nowhere; see' vsctl network connect nowhere web
vsctl network connect multinet web
told 'this namespace is already connected to network multinet (web); to change its aliases or options, disconnect it first: vsctl network disconnect multinet web' \
	vsctl network connect multinet web2 --netns web
told 'vsctl network disconnect multinet web' vsctl network connect multinet web --alias www
told 'container c1: it already has an interface eth0' vsctl network connect multinet c1 --ifname eth0
vsctl network connect multinet c1 # leaves it out
is "the interface" "$(vsctl --json network inspect multinet | jq -r '.[0].endpoints[] | select(.name == "c1").ifname')" eth1

# A switch that does not answer in time.
kill -STOP "$SWITCH_PID"
told 'no answer from the switch at' vsctl --timeout 0.2 add-br br9
kill -CONT "$SWITCH_PID"
agent_stop
