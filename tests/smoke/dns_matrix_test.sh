#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Types x names x transports: rcode, authoritative or not, what is in which section. And messages
# that no client should send.
# sanitizers: yes
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cluster.sh"
. "$(dirname "$0")/dns.sh"

own_etc
lan
upstream 201
host_resolv_conf 'nameserver 10.1.0.201'
store_start "$T/store" || fail "etcd does not start"
cat >"$T/zone" <<-END
	www.example.org 60 A 192.0.2.1
	www.example.org 60 TXT of others
END
upstream 202 normal "$T/zone"
nodes 1 'dns: {ttl: 3, servers: [10.1.0.202]}'
on h1 network create -d overlay --subnet 10.10.0.0/24 --subnet fd10::/64 --ipv6 multinet >/dev/null
on h1 network create -d overlay --subnet 10.20.0.0/24 backend >/dev/null
on h1 network create -d overlay --subnet 10.30.0.0/24 --internal vault >/dev/null
connect h1 multinet c1
connect h1 multinet c2 --alias both
connect h1 multinet c3 --alias both
connect h1 backend c4
connect h1 vault c5
connect h1 vault c6
reverse=$(ip_of h1 multinet c2 | awk -F . '{ print $4 "." $3 "." $2 "." $1 ".in-addr.arpa" }')

# sections CONTAINER NAME TYPE [dig option…]: "RCODE aa|-- ANSWERS AUTHORITY [TYPE TTL…] edns|--": the
# types and TTLs of all records.
sections() {
	in_ns "$1" dig +noall +comments +answer +authority +tries=1 +time=5 "@$RESOLVER" -q "$2" -t "${@:3}" |
		awk '/status:/ { sub(",", "", $6); rcode = $6 }
			/^;; flags:/ {
				aa = / aa[ ;]/ ? "aa" : "--"
				match($0, /ANSWER: [0-9]+/); answers = substr($0, RSTART + 8, RLENGTH - 8)
				match($0, /AUTHORITY: [0-9]+/); authority = substr($0, RSTART + 11, RLENGTH - 11)
			}
			/^; EDNS:/ { edns = "edns" }
			/^[^;]/ { kinds = kinds " " $4 "/" $2 }
			END { print rcode ? rcode : "none", aa, answers, authority kinds, edns ? edns : "--" }'
}

told=0
# expect WORDS CONTAINER NAME TYPE…: over each transport. WORDS are a regular expression.
expect() {
	local want=$1 transport edns got
	shift
	for transport in '+notcp +noedns' '+notcp +edns=0 +bufsize=1232' '+tcp +noedns' '+tcp +edns=0'; do
		edns=--
		[[ $transport != *+edns* ]] || edns=edns
		# shellcheck disable=SC2086
		got=$(sections "$@" $transport)
		[[ $got =~ ^$want\ $edns$ ]] || fail "$* $transport: '$got', not '$want $edns'"
		told=$((told + 1))
	done
}

none='NOERROR aa 0 1 SOA/[123]'
nothing='NXDOMAIN aa 0 1 SOA/[123]'
others='NXDOMAIN -- 0 1 SOA/[0-9]+'
types=(A AAAA PTR SRV TXT MX SOA NS HTTPS TYPE65399 CAA ANY)
for type in "${types[@]}"; do
	case $type in
	A | AAAA)
		expect "NOERROR aa 1 0 $type/3" c1 c2 "$type"
		expect "NOERROR aa 1 0 $type/3" c1 c2.multinet "$type"
		expect "NOERROR aa 2 0 $type/3 $type/3" c1 both "$type"
		;;
	ANY) expect 'NOERROR aa [1-9] 0( [A-Z]+/3)+' c1 c2 "$type" ;; # RFC 8482: something of it
	*)
		expect "$none" c1 c2 "$type"
		expect "$none" c1 both.multinet "$type"
		;;
	esac
	expect "$nothing" c1 nobody.multinet "$type" # below a name of ours
	expect "$others" c1 nobody "$type"
	expect "$others" c1 c4 "$type"
	expect "$others" c1 c4.backend "$type"
	expect "$nothing" c5 nobody "$type" # an internal network: nobody else is asked
	expect "$nothing" c5 c2 "$type"
	expect "$nothing" c5 www.example.org "$type"
done
expect "$none" c4 c4 AAAA # it has no IPv6
expect 'NOERROR aa 1 0 A/3' c5 c6 A
expect 'NOERROR -- 1 0 A/[0-9]+' c1 www.example.org A
expect 'NOERROR -- 1 0 TXT/[0-9]+' c1 www.example.org TXT
expect 'NOERROR -- 0 1 SOA/[0-9]+' c1 www.example.org AAAA
expect 'NOERROR aa 1 0 PTR/3' c1 "$reverse" PTR
expect "$none" c1 "$reverse" A
expect "$others" c4 "$reverse" PTR
expect "$nothing" c5 "$reverse" PTR
expect 'NOERROR aa 1 0 SRV/3' c1 _80._tcp.c2 SRV
expect 'NOERROR aa 1 0 SRV/3' c1 _80._udp.both.multinet SRV
expect "$none" c1 _80._tcp.c2 A
expect 'NXDOMAIN (aa|--) 0 1 SOA/[0-9]+' c1 _80._tcp.nobody SRV
note "$told answers as expected"

# Whose SOA it is: of a zone that the name is in.
for name in c2 c2.multinet; do
	owner=$(in_ns c1 dig +noall +authority "@$RESOLVER" -q "$name" -t TXT | awk '{ print $1 }')
	[[ $name. == "$owner" || $name. == *".$owner" || $owner == . ]] || fail "SOA of $owner for $name"
done

for server in "$RESOLVER" 10.10.0.1; do
	in_ns c1 "$PYTHON" "$DNS/odd_messages.py" "$server" c2 "$(ip_of h1 multinet c2)" ||
		fail "odd messages to $server"
done
answered "$(ip_of h1 multinet c2)" c1 c2 A
leave
