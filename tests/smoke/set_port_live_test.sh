#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The reference says of each key whether a port takes another value while it exists. For each key and
# each type of port the switch does just that.
. "$(dirname "$0")/lib.sh"

start_switch
container c1 c2
vsctl add-br br0
vsctl add-vtep v address=127.0.0.1
vsctl add-vtep w address=127.0.0.2
declare -A add=(
	[tap]='netns=c1 ifname=eth0'
	[veth]='netns=c1 ifname=eth0 host-ifname=h1'
	[dpdk]='devargs=net_null0'
	[vxlan]='key=100 vtep=v'
)
# Another value of each key.
declare -A other=(
	[tag]=20 [trunks]='1,2' [vlan-mode]=native-tagged [mtu]=1400 [queues]=2 [fdb-limit]=5 [flood-limit]=7
	[isolated]=on [router]=off [dhcp-server]=off [filter]='gateway guard=on guard-ips=10.0.0.2'
	[netns]=c2 [ifname]=eth2 [host-ifname]=h2 [mac]=02:00:00:00:00:22 [ip]=10.0.0.2/24 [guard]=on
	[guard-ips]=10.0.0.2 [filter-from]=10.0.0.0/24 [devargs]=net_null1 [key]=101 [remote]=127.0.0.9 [vtep]=w
	[learning]=off [dscp]=46 [ttl]=inherit [managed-by]=me
)

# try TYPE KEY LIVE: sets it; 1 when it can change.
try() {
	local before after
	before=$(vsctl --json list-ports | jq -S '.ports[0].options')
	if (($3)); then
		# shellcheck disable=SC2086 # some go with others
		vsctl set-port p1 $2=${other[$2]} || fail "$2 of a port of type $1 should be live"
		after=$(vsctl --json list-ports | jq -S '.ports[0].options')
		[[ $before != "$after" ]] || fail "$2 of a port of type $1 is what it was: $after"
	else
		# shellcheck disable=SC2086
		refused "$2 cannot be changed.*add it again" vsctl set-port p1 $2=${other[$2]}
		after=$(vsctl --json list-ports | jq -S '.ports[0].options')
		[[ $before == "$after" ]] || fail "$2 of a port of type $1: refused, but changed: $after"
	fi
}

tried=0
while IFS='|' read -r _ key kinds _ _ changes _; do
	key=${key//[\` ]/}
	[[ $key != type ]] || continue
	[[ ${other[$key]:-} ]] || fail "give another value of $key"
	for type in "${!add[@]}"; do
		[[ $kinds == *all* || $kinds == *$type* ]] || continue
		live=0
		[[ $changes != *live* || $changes == *$type* ]] || live=1
		# shellcheck disable=SC2086
		vsctl add-port br0 p1 "type=$type" tag=10 ${add[$type]}
		try "$type" "$key" "$live"
		vsctl del-port --force p1
		tried=$((tried + 1))
	done
done < <("$VSWITCHD" --reference config | sed -n '/^## A port /,/^## A static/s/^| `/&/p' | sed 's/\\|//g')
((tried > 40)) || fail "only $tried combinations"
note "$tried combinations of key and type"

# A VTEP takes another value of each of its keys: it is set up again.
vsctl add-vtep x address=127.0.0.3
# set_vtep OPTION…
set_vtep() {
	local option
	vsctl set-vtep x "$@" || fail "set-vtep x $*"
	for option; do
		vsctl show-vtep x | has -F -- "$option" || fail "$option is not set: $(vsctl show-vtep x)"
	done
}
set_vtep underlay=port address=10.9.0.1/24
for option in gateway=10.9.0.2 gateway-mac=02:00:00:00:00:09 udp-port=4790 mtu=1600 checksum=off heartbeat=500 \
	netns=c2 ifname=e2 mac=02:00:00:00:00:08 queues=2 type=veth host-ifname=h9 address=10.9.0.3/24; do
	set_vtep "$option"
done
vsctl set-vtep x host-ifname=
set_vtep type=tap
vsctl set-vtep x netns= ifname=
set_vtep type=dpdk devargs=net_null5
set_vtep devargs=net_null6
vsctl --json list-vteps | jq -e '.vteps[] | select(.name == "x") | .state == "up"' >/dev/null ||
	fail "VTEP: $(vsctl --json list-vteps)"
