#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# VTEPs, VXLAN networks, their remotes and neighbours from the command line: made as an
# Open vSwitch or iproute2 user would, shown, kept over a restart; mistakes are named and change
# nothing.
# sanitizers: yes
. "$(dirname "$0")/lib.sh"

# shows WORDS COMMAND…: the output has these words (a regular expression).
shows() {
	local words=$1
	shift
	"$@" >"$T/out"
	grep -qE -- "$words" "$T/out" || fail "no '$words' from $*: $(head -c 600 "$T/out")"
}

# refused_unchanged WORDS COMMAND…: refused, and the configuration is as before.
refused_unchanged() {
	running >"$T/before"
	refused "$@"
	running | diff "$T/before" - || fail "a refused command changed something: ${*:2}"
}

start_switch
container c1
vsctl add-br br0
vsctl add-br br1

# As with Open vSwitch: the first network makes the VTEP.
vsctl add-port br0 vx0 type=vxlan remote=10.9.0.2 key=42
shows '^default +kernel +any +up +[0-9]+ +1 +1 +- +-$' vsctl list-vteps
shows '^ *42 +vx0 +br0 +0 +default +up +[0-9]+ +10.9.0.2$' vsctl vni ls
refused_unchanged 'VTEP default: it still has VNIs: delete the ports vx0' \
	vsctl del-vtep default
vsctl del-port vx0
vsctl del-vtep default
refused 'no such VTEP' vsctl del-vtep default
vsctl del-vtep default --if-exists

# VTEPs.
vsctl add-vtep west address=127.0.0.1 mtu=1600
vsctl add-vtep west --may-exist
vsctl add-vtep six address=::1 udp-port=4790 heartbeat=0
shows '^west +kernel +127.0.0.1 +up +1550 +0 +0 +- +-$' vsctl list-vteps
shows 'udp-port=4790' vsctl show-vtep six
refused_unchanged 'already exists' vsctl add-vtep west
refused_unchanged "'c/1' is not a valid" vsctl add-vtep c/1
refused_unchanged "did you mean 'udp-port'" vsctl add-vtep x udp-prt=4791
refused_unchanged 'no address 203.0.113.1' vsctl add-vtep x address=203.0.113.1 udp-port=4791
refused_unchanged 'UDP port 4789.*taken' vsctl add-vtep x address=127.0.0.1
refused_unchanged 'devargs: the key is missing' \
	vsctl add-vtep x underlay=port type=dpdk address=10.0.0.1/24

# Networks.
vsctl vni add br0 100 vtep=west vlan=10 remote=127.0.0.2,127.0.0.3
vsctl add-port br1 vx1 type=vxlan vni=100 vtep=six remote_ip=fd00::2 learning=off
shows '^ *100 +vni100 +br0 +10 +west +up +1550 +127.0.0.2,127.0.0.3$' vsctl vni ls br0
refused_unchanged 'VNI 100' vsctl add-port br1 vx2 type=vxlan key=100 vtep=west
refused_unchanged "no VTEP 'east'" vsctl vni add br0 101 vtep=east
refused_unchanged 'there are 2 VTEPs' vsctl vni add br0 101
refused_unchanged 'fd00::1 is out of reach' vsctl vni add br0 101 vtep=west remote=fd00::1
refused_unchanged 'fd00::1 is out of reach' vsctl set-port vni100 remote=fd00::1
refused_unchanged '0 to 16777215' vsctl vni add br0 16777216 vtep=west
refused_unchanged 'key cannot be changed' vsctl set-port vni100 key=7
refused_unchanged 'a VTEP already has this name' \
	vsctl add-port br0 west type=dpdk devargs=net_null0
refused_unchanged 'a port already has this name' vsctl add-vtep vx1 address=127.0.0.9
vsctl set-port vni100 remote=127.0.0.2,127.0.0.4

# Flood lists.
refused 'on different VTEPs' vsctl remote add 100 127.0.0.5
vsctl del-port vx1
vsctl remote add 100 127.0.0.5
vsctl remote add 100 127.0.0.6
shows '^ *100 .* 127.0.0.2,127.0.0.4,127.0.0.5,127.0.0.6$' vsctl vni ls
shows '^br0 +10 +00:00:00:00:00:00 +vni100 +127.0.0.5 +static' vsctl fdb ls br0
vsctl remote rm 100 127.0.0.5
vsctl remote rm 100 127.0.0.4
refused_unchanged 'no static entry' vsctl remote rm 100 127.0.0.5
shows ' 127.0.0.2,127.0.0.6$' vsctl vni ls
refused 'no such VNI' vsctl vni rm 101

# Remote addresses: one, and many in one message.
vsctl fdb add br0 02:00:00:00:00:01 tunnel=127.0.0.7 vlan=10
shows '^br0 +10 +02:00:00:00:00:01 +vni100 +127.0.0.7 +static' vsctl fdb ls
refused_unchanged 'carries VLAN 11' vsctl fdb add br0 02:00:00:00:00:01 tunnel=127.0.0.7 vlan=11
refused_unchanged 'needs tunnel' vsctl fdb add br0 00:00:00:00:00:00 vni100 vlan=10
refused_unchanged 'has to name a remote' vsctl fdb add br0 02:00:00:00:00:02 vni100 vlan=10
refused_unchanged 'of type dpdk|no port' vsctl fdb add br0 02:00:00:00:00:02 port=n0 tunnel=127.0.0.7
refused_unchanged 'static entry' vsctl fdb rm br0 02:00:00:00:00:01 tunnel=127.0.0.8 vlan=10
vsctl fdb rm br0 02:00:00:00:00:01 tunnel=127.0.0.7 vlan=10
printf '%s\n' '# a comment' '' '02:00:00:00:00:03 127.0.0.7 vlan=10' \
	'{"mac": "02:00:00:00:00:04", "tunnel": "127.0.0.8", "vlan": 10}' >"$T/entries"
vsctl fdb load br0 - <"$T/entries"
(($(vsctl fdb ls br0 | grep -c '^br0 .* 127.0.0.[78] ') == 2)) || fail "load: $(vsctl fdb ls)"
echo 'what 127.0.0.7' >>"$T/entries"
refused_unchanged "entries:5: mac: 'what'" vsctl fdb load br0 "$T/entries"

# Neighbours.
vsctl set-br br0 neigh-unknown=drop
vsctl neigh add br0 10.0.0.9 02:00:00:00:00:09 vlan=10
printf '%s\n' 'fd00::9 02:00:00:00:00:09 vlan=10' '02:00:00:00:00:08 10.0.0.8' >"$T/neighbours"
vsctl neigh load br0 "$T/neighbours"
(($(vsctl neigh ls br0 | grep -c 02:00:00:00:00:0) == 3)) || fail "neigh: $(vsctl neigh ls br0)"
vsctl neigh rm br0 10.0.0.8
refused_unchanged 'no neighbour of this address' vsctl neigh rm br0 10.0.0.8
vsctl neigh rm br0 10.0.0.8 --if-exists
refused_unchanged 'of a group' vsctl neigh add br0 224.0.0.1 02:00:00:00:00:09

# Containers get the MTU that the tunnels leave, less a tag where one is added; and follow it.
mtu() {
	in_ns "$1" cat /sys/class/net/eth0/mtu
}
plug c1 10.0.0.1/24 mtu=auto
(($(mtu c1) == 1550)) || fail "mtu=auto gives $(mtu c1)"
vsctl set-vtep west mtu=1400
(($(mtu c1) == 1350)) || fail "mtu=auto does not follow: $(mtu c1)"
shows '^ *100 +vni100 .* 1350 ' vsctl vni ls
refused_unchanged 'out of reach' vsctl set-vtep west address=::1
refused_unchanged 'no address 203.0.113.1' vsctl set-vtep west address=203.0.113.1
shows '^west +kernel +127.0.0.1 +up +1350 +1 +4 +- +-$' vsctl list-vteps
shows '^br0 +10 +02:00:00:00:00:03 +vni100 +127.0.0.7 +static' vsctl fdb ls br0

# People, programs, counters.
shows '^VTEP west: up, offers mtu 1350, VNIs 1' vsctl show
shows 'key=100 remote=127.0.0.2 vtep=west' vsctl show
shows '^west ' vsctl stats
shows '^west ' vsctl stats west
vsctl --json show | jq -e '.vteps | length == 2' >/dev/null || fail "show --json"
vsctl --json show-vtep west | jq -e '.options.mtu == 1400 and .vnis == 1' >/dev/null ||
	fail "show-vtep --json"

# A restart has all of it.
running >"$T/before"
vsctl fdb ls | grep static | sort >"$T/fdb"
switch_stop
start_switch
running | diff "$T/before" - || fail "the restart changed the configuration"
vsctl fdb ls | grep static | sort | diff "$T/fdb" - || fail "the restart changed forwarding entries"
shows '^west +kernel +127.0.0.1 +up +1350 +1 +4 +- +-$' vsctl list-vteps

# The tunnels leave another MTU than before it: devices that were left behind get it.
container c2
vsctl add-port br0 c2 type=veth netns=c2 ifname=eth0 mtu=auto
(($(mtu c2) == 1350)) || fail "mtu=auto gives $(mtu c2) to a veth"
switch_stop
sed -i 's/mtu: 1400/mtu: 1300/' "$T/sw/state/running.yaml"
start_switch
(($(mtu c1) == 1250 && $(mtu c2) == 1250)) || fail "after a restart mtu=auto gives $(mtu c1), $(mtu c2)"
vsctl del-port c2
vsctl set-vtep west mtu=1400

# A VTEP that cannot be had at a start is down, its networks too, and says why.
switch_stop
sed -i 's/address: "127.0.0.1"/address: "203.0.113.1"/' "$T/sw/state/running.yaml"
start_switch
shows '^west +kernel +203.0.113.1 +down +- +1 +- +- +-$' vsctl list-vteps
shows 'reason: .*VTEP west is down: .*no address' vsctl show vni100
(($(mtu c1) == 1350)) || fail "without a tunnel mtu=auto gives $(mtu c1)"
vsctl set-vtep west address=127.0.0.1
shows '^west .* up ' vsctl list-vteps
is_state vni100 up || fail "the network did not come back: $(vsctl show)"
shows '^br0 +10 +02:00:00:00:00:03 +vni100 +127.0.0.7 +static' vsctl fdb ls br0
vsctl vni rm 100
vsctl del-vtep west
