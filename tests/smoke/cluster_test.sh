#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Three hosts, one etcd: networks made anywhere, containers plugged in anywhere; addresses, several
# networks at once, refusals, what inspect and audit say.
# sanitizers: yes
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cluster.sh"

cluster 3
networks_at_once

# Two at once: one of them has it.
status1=0 status2=0
on h1 network create -d overlay --subnet 10.10.2.0/24 multinet >"$T/create1" 2>"$T/err1" &
one=$!
on h2 network create -d overlay --subnet 10.10.3.0/24 multinet >"$T/create2" 2>"$T/err2" || status2=$?
wait "$one" || status1=$?
((status1 + status2 == 1)) || fail "made by both or none: $status1 $status2 $(cat "$T"/err?)"
grep -q 'a network of this name already exists' "$T/err1" "$T/err2" || fail "no reason: $(cat "$T"/err?)"
on h3 network rm multinet
on h1 network create -d overlay --subnet 10.10.2.0/24 --subnet fd10:2::/64 --ipv6 \
	--aux-address printer=10.10.2.9 multinet >/dev/null

connect h1 multinet c1 --alias web
connect h2 multinet c2
connect h3 multinet c3 --ip 10.10.2.77 --mac 02:00:00:00:77:01
connect h2 multinet c4
ip1=$(ip_of h2 multinet c1) ip2=$(ip_of h1 multinet c2) ip4=$(ip_of h1 multinet c4)
is 'addresses that only one has' "$(printf '%s\n' "$ip1" "$ip2" "$ip4" 10.10.2.77 | sort -u | wc -l)" 4
for host in h1 h2 h3; do
	wait_until 30 sees "$host" multinet "c1 c2 c3 c4" || fail "$host sees $(endpoints "$host" multinet)"
done
reaches_soon c1 "$ip2"
reaches c2 10.10.2.77
reaches c3 "$ip1"
reaches c2 "$ip4" # on one host
reaches_soon c1 "$(ip_of h1 multinet c2 6)"
is 'MAC of c3' "$(in_ns c3 cat /sys/class/net/eth0/address)" 02:00:00:00:77:01
is 'MTU of c1' "$(in_ns c1 cat /sys/class/net/eth0/mtu)" 1450
reaches c1 "$ip2" -M "do" -s 1422
tcp c1 c2 "$ip2"
tcp c2 c1 "$ip1"

# No request to resolve an address goes over the wire.
in_ns c1 ip neigh flush dev eth0
# (Behind 8 bytes each of UDP and VXLAN: the type of the frame inside.)
capture wire h1 -i u0 'udp port 4789'
reaches c1 10.10.2.77
captured wire 'udp[28:2] = 0x0800 and dst host 10.1.0.3'
no_packet wire 'udp[28:2] = 0x0806'

# A second network for two of them: eth1, no way from one to the other network.
on h2 network create -d overlay --subnet 10.20.0.0/16 backend >/dev/null
connect h1 backend c1
connect h3 backend c3
is 'address of c1 in the second network' \
	"$(in_ns c1 ip -j -4 address show dev eth1 | jq -r '.[0].addr_info[0].local')" "$(ip_of h3 backend c1)"
reaches_soon c1 "$(ip_of h1 backend c3)"
in_ns c2 ip route add 10.20.0.0/16 dev eth0 # so that it does ask
stays_apart c2 "$(ip_of h1 backend c3)" c3 "$ip1"
in_ns c2 ip route delete 10.20.0.0/16 dev eth0

# The switch's own bridge driver: no other host.
on h1 network create -d bridge --subnet 10.30.0.0/24 here >/dev/null
connect h1 here c5
connect h1 here c6
reaches_soon c5 "$(ip_of h1 here c6)"
refused 'no such network' on h2 network inspect here
is 'networks none and host' "$(on h1 network ls | awk '$2 == "none" || $2 == "host"' | wc -l)" 2

# ---- refusals name the object, the reason and the remedy; nothing is half done ----

before=$(store_keys '')
refused 'overlaps 10.10.2.0/24 of network multinet' on h2 network create --subnet 10.10.0.0/16 -d overlay x
refused 'unknown|not known' on h2 network create -d overlay -o nonsense=1 x
refused 'no driver|unknown driver|driver' on h2 network create -d nonsense x
refused 'no such network|there is no network' on h2 network connect nowhere c2
refused '10.10.2.77.*c3.*h3' on h1 network connect --ip 10.10.2.77 multinet c5
refused 'in no subnet' on h1 network connect --ip 10.99.0.1 multinet c5
refused 'printer' on h1 network connect --ip 10.10.2.9 multinet c5
refused 'c2.*connected|already' on h2 network connect multinet c2
refused 'container of this name on host h2' on h1 network connect multinet c2 --netns c5
refused 'there is no network namespace ghost' on h1 network connect multinet ghost
refused 'disconnect first' on h1 network rm multinet
refused 'on host h2' on h1 network disconnect multinet c2
refused 'always exists' on h1 network rm host
[[ $(store_keys '') == "$before" ]] || fail "a refused command left something in the store"

# ---- spoofing ----

in_ns c1 ip address add 10.10.2.200/24 dev eth0
stays_apart c1 "$ip2" c2 "$ip2" -I 10.10.2.200
in_ns c1 ip address delete 10.10.2.200/24 dev eth0
on h1 drops | has spoofed || fail "no drop is named: $(on h1 drops)"

# ---- audit ----

for host in h1 h2 h3; do
	wait_until 30 is_settled "$host" || fail "$host is not settled: $(on "$host" agent show)"
	clean "$host"
done
mac2=$(in_ns c2 cat /sys/class/net/eth0/address)
on h1 fdb add --force cw.multinet "$mac2" tunnel=10.1.0.3
! on h1 agent audit >"$T/audit" || fail "audit does not see a wrong entry"
grep -q "$mac2" "$T/audit" || fail "audit does not name it: $(<"$T/audit")"
on h1 agent audit --repair >/dev/null || true
clean h1
reaches c1 "$ip2"

# ---- a writer that is newer, or has lost its mind ----

net=$(on h1 --json network inspect multinet | jq -r '[.. | objects | select(has("vni"))][0].id')
was=$(store_get networks/multinet)
store_put networks/multinet '{"v": 2, "name": "multinet", "shape": "round"}'
store_put "nets/$net/ep/10.10.2.250" 'no JSON at all'
store_put "nets/$net/ep/10.10.2.251" '{"v": 1, "id": "x", "ips": ["10.10.2.1/24"]}'
store_put hosts/h9 '{"v": 99}'
store_put nonsense/with/slashes ''
wait_until 30 eval '(($(grep -c "version\|JSON\|member" <<<"$(on h1 agent show)") >= 3))' ||
	fail "h1 does not tell: $(on h1 agent show)"
reaches c1 "$ip2"
agent_kill h1
node_agent h1 "$T/h1" || fail "the agent of h1 does not start"
sees h1 multinet "c1 c2 c3 c4" || fail "h1 sees $(endpoints h1 multinet)"
sleep 1
reaches c1 "$ip2"
connect h1 multinet c7
reaches_soon c7 "$ip2"
on h1 network disconnect multinet c7
store_put networks/multinet "$was"
store_delete "nets/$net/ep/10.10.2.25"
store_delete hosts/h9
store_delete nonsense
wait_until 30 is_settled h1 || fail "h1 is not settled: $(on h1 agent show)"
clean h1

# ---- leaving ----

on h2 network disconnect multinet c2
lacks ' eth0[@:]' in_ns c2 ip -o link || fail "c2 still has its interface: $(in_ns c2 ip -o link)"
wait_until 30 sees h1 multinet "c1 c3 c4" || fail "h1 sees $(endpoints h1 multinet)"
for pair in 'h1 multinet c1' 'h3 multinet c3' 'h2 multinet c4' 'h1 backend c1' 'h3 backend c3'; do
	read -r host net name <<<"$pair"
	on "$host" network disconnect "$net" "$name"
done
on h3 network rm multinet
on h1 network prune -f >/dev/null
wait_until 30 lacks . store_keys networks/ || fail "networks stay: $(store_keys networks/)"
wait_until 30 lacks . store_keys nets/ || fail "left behind: $(store_keys nets/)"
wait_until 30 lacks multinet on h1 list-br || fail "the bridge stays: $(on h1 show)"
leave
