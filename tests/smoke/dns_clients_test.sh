#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What people's programs ask with finds every container from every host: dig, glibc, musl, busybox,
# Python. Names, aliases, several networks, other names later, hosts, PTR and SRV.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cluster.sh"
. "$(dirname "$0")/dns.sh"

own_etc
gcc -o "$T/resolve-glibc" "$DNS/resolve.c"
musl-gcc -static -o "$T/resolve-musl" "$DNS/resolve.c"
lan
upstream 201
host_resolv_conf 'nameserver 10.1.0.201' 'search example.org'
upstream_mode 201 nxdomain
store_start "$T/store" || fail "etcd does not start"
nodes 3

on h1 network create -d overlay --subnet 10.10.0.0/24 --subnet fd10::/64 --ipv6 multinet >/dev/null
on h2 network create -d overlay --subnet 10.20.0.0/24 backend >/dev/null
connect h1 multinet c1 --alias web --alias first --resolv-conf
connect h2 multinet c2 --alias web --alias second.long --resolv-conf
connect h3 multinet c3 --alias web --resolv-conf
connect h3 backend c3 --alias store
connect h1 backend c4 --alias web --resolv-conf
# Two of one name, and one that is in both networks, in the other order.
container a1 a2
connect h1 multinet api --netns a1
connect h3 backend api --netns a2
connect h2 backend c5 --resolv-conf
connect h2 multinet c5

declare -A ip
for name in c1 c2 c3 c5 api; do
	ip[$name]="$(ip_of h1 multinet "$name") $(ip_of h1 multinet "$name" 6)"
done
for name in c3 c4 c5 api; do
	ip[$name.backend]=$(ip_of h1 backend "$name")
done
for line in "nameserver $RESOLVER" 'search example.org'; do
	grep -qx "$line" /etc/netns/c1/resolv.conf || fail "no '$line': $(</etc/netns/c1/resolv.conf)"
done
[[ -z $(in_ns c1 true 2>&1) ]] || fail "ip netns exec: $(in_ns c1 true 2>&1)"
grep -qx "nameserver $RESOLVER" /etc/netns/a1/resolv.conf || fail "no resolv.conf without being asked for one"

# what CLIENT CONTAINER NAME: the addresses that it finds, sorted.
what() {
	local client=$1 from=$2 name=$3
	case $client in
	dig) ask "$from" "$name" A "${@:4}" && ask "$from" "$name" AAAA "${@:4}" ;;
	getent) in_ns "$from" getent ahosts "$name" | awk '{ print $1 }' | sort -u ;;
	glibc | musl) in_ns "$from" "$T/resolve-$client" "$name" | tr ' ' '\n' | sed 1d ;;
	# It puts a search domain behind a name without dots, whatever ndots says.
	busybox) in_ns "$from" busybox nslookup "$name." | sed '1,/^$/d' | sed -n 's/^Address: *//p' ;;
	python) in_ns "$from" "$PYTHON" -c 'import socket, sys
for info in socket.getaddrinfo(sys.argv[1], 80, type=socket.SOCK_STREAM): print(info[4][0])' "$name" ;;
	esac | sort | xargs
}

# finds CONTAINER NAME ADDRESS…: every client.
finds() {
	local from=$1 name=$2 want client
	want=$(printf '%s\n' "${@:3}" | sort | xargs)
	wait_until 30 eval '[[ $(what dig "$from" "$name") == "$want" ]]' || true
	for client in 'dig' 'dig +tcp' 'dig +noedns' 'dig +bufsize=512' getent glibc musl busybox python; do
		# shellcheck disable=SC2086
		set -- $client
		[[ $(what "$1" "$from" "$name" "${@:2}") == "$want" ]] ||
			fail "$client in $from: $name is '$(what "$1" "$from" "$name" "${@:2}")', not '$want'"
	done
}

# shellcheck disable=SC2086
{
	all_web="${ip[c1]} ${ip[c2]} ${ip[c3]}"
	for from in c1 c2 c3; do # one on each host
		finds $from c1 ${ip[c1]}
		finds $from c2 ${ip[c2]}
		finds $from c3.multinet ${ip[c3]}
		finds $from first ${ip[c1]}
		finds $from second.long ${ip[c2]}
		finds $from second.long.multinet ${ip[c2]}
		finds $from web $all_web
	done
	finds c1 web.multinet $all_web
	finds c1 api ${ip[api]}
	finds c4 api ${ip[api.backend]}
	finds c4 web ${ip[c4.backend]}
	# The order of a container's networks says whose name it is; the other's full name is there, too.
	finds c3 api ${ip[api]}
	finds c5 api ${ip[api.backend]}
	for from in c3 c5; do
		finds $from api.multinet ${ip[api]}
		finds $from api.backend ${ip[api.backend]}
	done
	finds c3 store ${ip[c3.backend]}
	finds c4 store ${ip[c3.backend]}
}

# Not theirs: the other network's names and aliases; names that nobody has.
for name in c4 c4.backend store api.backend; do
	answered NXDOMAIN c1 "$name" A
done
for name in c1 first first.multinet c2.multinet; do
	answered NXDOMAIN c4 "$name" A
done
for client in getent glibc musl busybox python; do
	! what $client c1 nobody 2>/dev/null | grep -E '[0-9][.:]' || fail "$client finds nobody"
done

# Each of an alias is the first in its turn.
wanted=$(printf '%s\n' "${ip[c1]% *}" "${ip[c2]% *}" "${ip[c3]% *}" | sort)
found=$(for ((i = 0; i < 12; i++)); do ask c1 web A | head -n 1; done | sort -u)
[[ $found == "$wanted" ]] || fail "first of web are only: $found"

# The case that was asked in is the case of the answer (draft-vixie-dnsext-dns0x20).
in_ns c2 dig +noall +question +answer "@$RESOLVER" wEb.mUltiNet A >"$T/case"
(($(grep -c 'wEb\.mUltiNet\.' "$T/case") == 4)) || fail "case: $(<"$T/case")"

# ---- hosts, PTR, SRV ----

for n in 1 2 3; do
	answered "10.1.0.$n" c1 "h$n" A
done
for from in c1 c2 c3; do
	for address in ${ip[c2]}; do
		in_ns "$from" dig +short +tries=1 "@$RESOLVER" -x "$address" >"$T/ptr"
		[[ $(<"$T/ptr") == c2.multinet. ]] || fail "PTR of $address: $(<"$T/ptr")"
		[[ $(in_ns "$from" getent hosts "$address" | awk '{ print $2 }') == c2.multinet ]] ||
			fail "getent hosts $address: $(in_ns "$from" getent hosts "$address")"
	done
done
in_ns c4 dig +short +tries=1 "@$RESOLVER" -x "${ip[c2]% *}" >"$T/ptr"
[[ ! -s $T/ptr ]] || fail "PTR from another network: $(<"$T/ptr")"
is 'PTR from another network' "$(in_ns c4 dig "@$RESOLVER" -x "${ip[c2]% *}" | sed -n 's/.*status: \([A-Z]*\),.*/\1/p')" NXDOMAIN
ask c1 _8080._tcp.c2 SRV >"$T/srv"
grep -qxE '[0-9]+ [0-9]+ 8080 c2\.multinet\.' "$T/srv" || fail "SRV: $(<"$T/srv")"
(($(ask c1 _53._udp.web.multinet SRV | grep -c ' 53 ') > 0)) || fail "no SRV of an alias"
answered NXDOMAIN c1 _no-such-service._tcp.c2 SRV

# ---- the gateway: only of its network, of none of the host's others ----

gateway=$(on h1 --json network inspect multinet | jq -r '[.. | objects | .gateway? // empty][0]')
is gateway "$gateway" 10.10.0.1
RESOLVER=$gateway
for from in c1 c2 c3 c5; do
	answered "${ip[c2]% *}" "$from" c2 A
	answered "${ip[c2]% *}" "$from" c2 A +tcp
	answered "${ip[api]% *}" "$from" api A
	answered NXDOMAIN "$from" c4 A
	answered NXDOMAIN "$from" api.backend A
done
silent c4 c2 A
RESOLVER=127.0.0.11
answered "${ip[c5.backend]}" c4 c5 A # it can ask

# ---- other names later ----

on h2 network disconnect multinet c2
answered NXDOMAIN c5 c2.multinet A # on its own host at once
answered_soon 30 NXDOMAIN c1 c2 A
connect h2 multinet renamed --netns c2 --ip "${ip[c2]% *}" --alias late
answered "${ip[c2]% *}" c5 renamed.multinet A
for name in renamed late; do
	answered_soon 30 "${ip[c2]% *}" c1 "$name" A
done
answered NXDOMAIN c1 c2 A
answered NXDOMAIN c1 second.long A
[[ $(in_ns c1 dig +short "@$RESOLVER" -x "${ip[c2]% *}") == renamed.multinet. ]] || fail "PTR of renamed"
answered "$(printf '%s\n' "${ip[c1]% *}" "${ip[c3]% *}" | sort | xargs)" c1 web A

# What `vsctl dns` says is what clients are told.
on h1 dns query web A --from c1 >"$T/query" || fail "dns query: $(<"$T/query")"
grep -q "${ip[c3]% *}" "$T/query" || fail "dns query: $(<"$T/query")"
on h1 --json dns query api.backend A --network multinet | has NXDOMAIN || fail "dns query --network"
named h1 multinet >"$T/named"
grep -q "^multinet renamed ${ip[c2]% *}.* h2 false\$" "$T/named" || fail "dns ls: $(<"$T/named")"
lacks '^backend' named h1 multinet || fail "dns ls of a network lists others"

# resolv.conf as it was before, when the last network goes.
on h1 network disconnect multinet c1
[[ ! -e /etc/netns/c1/resolv.conf ]] || fail "resolv.conf stays: $(</etc/netns/c1/resolv.conf)"
leave
