#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A hundred thousand addresses behind a thousand remote VTEPs in one message, and as many
# neighbours: all or none, while containers talk, and kept over a restart. What it takes is noted.
. "$(dirname "$0")/lib.sh"

count=100000
two_containers
vsctl set-br br0 fdb-limit=1000
vsctl vni add br0 7 vlan=10

# lines FORMAT: one for each number 0..count-1, as the bytes %1$d.%2$d.%3$d and the remote %4$d.%5$d.
lines() {
	awk -v n="$count" -v format="$1" 'BEGIN { for (i = 0; i < n; i++)
		printf format "\n", int(i / 65536), int(i / 256) % 256, i % 256,
			int(i / 100) / 250, int(i / 100) % 250 + 1 }'
}
lines '02:00:00:%02x:%02x:%02x 10.9.%d.%d vlan=10' >"$T/entries"
lines '10.%d.%d.%d 02:00:00:00:00:01 vlan=10' | grep -v '^10.0.0.0 ' >"$T/neighbours"

# at_once METHOD FORMAT: the entries of the format in one request.
at_once() {
	local ms
	lines "$2" | grep -v '"10.0.0.0"' >"$T/json"
	ms=$("$PYTHON" "$(dirname "${BASH_SOURCE[0]}")/timed_request.py" "$T/sw/run/ctl.sock" "$1" br0 "$T/json") ||
		fail "see above"
	note "$1 of $count takes $ms ms"
}
datagrams_start c1 c2 10.0.0.2 64
at_once fdb.add '{"mac": "02:00:00:%02x:%02x:%02x", "tunnel": "10.9.%d.%d", "vlan": 10}'
at_once neigh.add '{"ip": "10.%d.%d.%d", "mac": "02:00:00:00:00:01", "vlan": 10}'
datagrams_stop 1000
vsctl fdb load br0 "$T/entries"
vsctl neigh load br0 "$T/neighbours"

# there NUMBER: so many static entries behind remote VTEPs, and the neighbours.
there() {
	local n
	n=$(vsctl fdb ls br0 | grep -c ' 10\.9\.[0-9.]* *static') || true
	((n == $1)) || fail "$n entries are there, not $1"
	n=$(vsctl neigh ls br0 | grep -c 02:00:00:00:00:01) || true
	((n == count - 1)) || fail "$n neighbours are there"
}
there "$count"
[[ $(vsctl fdb ls br0 | awk '$3 == "02:00:00:01:86:9f" { print $5 }') == 10.9.3.250 ]] ||
	fail "the last one is elsewhere: $(vsctl fdb ls br0 | tail -n 2)"
n=$(vsctl --json show-vtep default | jq '.tunnel.remotes | length')
((n == 1000)) || fail "$n remote VTEPs are known"

# One wrong entry, and there is none of the others.
sed 's/ 10\.9\./ 10.8./; $s/vlan=10/vlan=11/' "$T/entries" >"$T/wrong"
refused 'VLAN 11' vsctl fdb load br0 "$T/wrong"
there "$count"
n=$(vsctl --json show-vtep default | jq '.tunnel.remotes | length')
((n == 1000)) || fail "$n remote VTEPs are known after a refusal"

switch_stop
start_switch
there "$count"
reaches c1 10.0.0.2

# Gone with their port, and their remotes with them.
vsctl vni rm 7
there 0
n=$(vsctl --json show-vtep default | jq '.tunnel.remotes | length')
((n == 0)) || fail "$n remote VTEPs are left"
