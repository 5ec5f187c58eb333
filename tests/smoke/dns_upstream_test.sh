#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Servers above that are slow, dead, lying, too talkative or go in circles: what they do never
# reaches names of ours, and of others what can be had is had. The cache, and what is asked of whom.
# sanitizers: yes
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cluster.sh"
. "$(dirname "$0")/dns.sh"

own_etc
lan
cat >"$T/zone" <<-END
	www.example.org 60 A 192.0.2.1
	*.example.org 60 A 192.0.2.7
	short.example.org 1 A 192.0.2.2
	alias.example.org 60 CNAME www.example.org
	c2 60 A 192.0.2.66
	host.corp.example 60 A 192.0.2.9
END
sed 's/192\.0\.2\./198.51.100./' "$T/zone" >"$T/other-zone"
for n in 201 202; do upstream $n normal "$T/zone"; done
upstream 203 normal "$T/other-zone"
host_resolv_conf 'nameserver 10.1.0.201' 'search corp.example'
store_start "$T/store" || fail "etcd does not start"
nodes 1 'dns: {timeout: 2000, hedge: 100, client-limit: 20, serve-stale: 30}'
on h1 network create -d overlay --subnet 10.10.0.0/24 multinet >/dev/null
on h1 network create -d overlay --subnet 10.20.0.0/24 --internal vault >/dev/null
on h1 network create -d overlay --subnet 10.30.0.0/24 --dns 10.1.0.203 special >/dev/null
connect h1 multinet c1 --resolv-conf
connect h1 multinet c2
connect h1 vault c3
connect h1 special c4
ip2=$(ip_of h1 multinet c2)

# local_too: names of ours are answered, each question, whatever is above.
local_too() {
	printf 'c2 A\n%.0s' {1..50} >"$T/questions"
	in_ns c1 dig +short +tries=1 +time=1 "@$RESOLVER" -f "$T/questions" | sort | uniq -c >"$T/found" || true
	[[ $(xargs <"$T/found") == "50 $ip2" ]] || fail "local answers ($1): $(<"$T/found")"
}

# fresh_name: one that nobody has asked for
number=0
fresh_name() {
	number=$((number + 1))
	NAME=n$number.example.org
}

# ---- the cache ----

for ((i = 0; i < 20; i++)); do
	answered 192.0.2.1 c1 WWW.example.org A
done
(($(upstream_counts 201 www.example.org) == 1)) || fail "asked $(upstream_counts 201 www.example.org) times"
answered '192.0.2.1 www.example.org.' c1 alias.example.org A # with its CNAME
for ((i = 0; i < 20; i++)); do
	answered NXDOMAIN c1 nobody.example.net A
	answered NOERROR c1 www.example.org TXT
done
(($(upstream_counts 201 nobody.example.net) == 1)) || fail "what is not there is asked for again"
(($(upstream_counts 201 www.example.org) == 2)) || fail "what has no such type is asked for again"
ttl=$(in_ns c1 dig +noall +answer "@$RESOLVER" www.example.org | awk '{ print $2 }')
((ttl > 0 && ttl <= 60)) || fail "TTL $ttl"
(($(on h1 --json dns flush | jq '[.. | numbers][0]') >= 3)) || fail "flush: $(on h1 dns flush)"
answered 192.0.2.1 c1 www.example.org A
(($(upstream_counts 201 www.example.org) == 3)) || fail "after a flush nobody was asked"
(($(upstream_counts 201 c2) == 0)) || fail "a name of ours was asked for above"
answered "$ip2" c1 c2 A
# As one asks who has a search domain.
[[ $(in_ns c1 getent hosts host | awk '{ print $1 }') == 192.0.2.9 ]] || fail "search domain"

# ---- one alone, that errs ----

on h1 dns flush >/dev/null
upstream_mode 201 slow 600
fresh_name
in_ns c1 dig +short +tries=1 +time=5 "@$RESOLVER" "$NAME" A >"$T/slow" &
slow=$!
local_too slow
wait $slow
[[ $(<"$T/slow") == 192.0.2.7 ]] || fail "slow: $(<"$T/slow")"

for mode in wrong-id wrong-question wrong-port not-response garbage; do
	upstream_mode 201 $mode
	fresh_name
	[[ $(rcode c1 "$NAME" A) == SERVFAIL ]] || fail "$mode: $(ask c1 "$NAME" A) $(rcode c1 "$NAME" A)"
done
upstream_mode 201 wrong-name
fresh_name
[[ $(rcode c1 "$NAME" A) != none ]] || fail "wrong-name: silence" # what it says is the client's to judge
upstream_mode 201 normal
answered NXDOMAIN c1 other.example A # and is not kept as an answer to another question
upstream_mode 201 garbage
local_too lying
for mode in refuse servfail; do
	upstream_mode 201 $mode
	fresh_name
	[[ $(rcode c1 "$NAME" A) =~ ^(SERVFAIL|REFUSED)$ ]] || fail "$mode: $(rcode c1 "$NAME" A)"
done
upstream_mode 201 normal
answered_soon 30 192.0.2.7 c1 "$NAME" A # an error is kept for a second (RFC 9520)

upstream_mode 201 truncating
fresh_name
answered 192.0.2.7 c1 "$NAME" A
upstream_mode 201 large 20000
fresh_name
in_ns c1 dig +tries=1 +time=3 +ignore +noedns "@$RESOLVER" "$NAME" TXT >"$T/large"
grep -q 'flags:[^;]* tc[ ;]' "$T/large" || fail "large over UDP without TC: $(<"$T/large")"
bytes=$(sed -n 's/.*MSG SIZE *rcvd: //p' "$T/large")
((bytes <= 512)) || fail "$bytes bytes for a client without EDNS"
(($(in_ns c1 dig +short +tries=1 +time=3 "@$RESOLVER" "$NAME" TXT | wc -l) >= 70)) || fail "large over TCP"
upstream_mode 201 oversized 4200
fresh_name
[[ $(rcode c1 "$NAME" TXT) != none ]] || fail "oversized: silence"
local_too 'too talkative'

# ---- in circles: to us, and back here ----

host_resolv_conf 'nameserver 127.0.0.11' 'nameserver 10.10.0.1' 'nameserver 10.1.0.201'
upstream_mode 201 normal
fresh_name
answered_soon 30 192.0.2.7 c1 "$NAME" A
upstream_mode 201 loop 10.1.0.1
host_resolv_conf 'nameserver 10.1.0.201'
fresh_name
before=$(upstream_counts 201)
[[ $(rcode c1 "$NAME" A) != none ]] || fail "a loop: silence"
(($(upstream_counts 201) - before < 20)) || fail "a loop of $(($(upstream_counts 201) - before)) questions"
upstream_mode 201 normal

# ---- of two one is dead: silent, or not there ----

upstream_mode 202 dead
for dead in 10.1.0.202 10.1.0.209 127.0.0.1; do
	host_resolv_conf "nameserver $dead" 'nameserver 10.1.0.201'
	wait_until 30 eval 'fresh_name; [[ $(ask c1 "$NAME" A) == 192.0.2.7 ]]' || fail "beside $dead nothing"
	for ((i = 0; i < 10; i++)); do
		fresh_name
		answered 192.0.2.7 c1 "$NAME" A
	done
done

# Another file, while it runs: the next question goes to whom it names.
host_resolv_conf 'nameserver 10.1.0.203'
wait_until 30 eval 'fresh_name; [[ $(ask c1 "$NAME" A) == 198.51.100.7 ]]' || fail "the new resolv.conf is not seen"
host_resolv_conf 'nameserver 10.1.0.201'
wait_until 30 eval 'fresh_name; [[ $(ask c1 "$NAME" A) == 192.0.2.7 ]]' || fail "the old resolv.conf is not seen"

# ---- networks of their own kind ----

before=$(upstream_counts 201)
fresh_name
answered NXDOMAIN c3 "$NAME" A
RESOLVER=10.20.0.1 answered NXDOMAIN c3 "$NAME" A
(($(upstream_counts 201) == before)) || fail "an internal network asks above"
answered 198.51.100.7 c4 "$NAME" A
RESOLVER=10.30.0.1 answered 198.51.100.7 c4 "$NAME" A
(($(upstream_counts 201) == before)) || fail "a network with servers of its own asks the host's"
answered 192.0.2.7 c1 "$NAME" A # what one kept is not what the other is told

# ---- all are dead ----

answered 192.0.2.1 c1 www.example.org A
answered 192.0.2.2 c1 short.example.org A
upstream_mode 201 dead
sleep 1.2 # the time of short.example.org
answered 192.0.2.2 c1 short.example.org A
in_ns c1 dig +noall +answer "@$RESOLVER" short.example.org A >"$T/stale"
awk '{ exit !($2 <= 30) }' "$T/stale" || fail "stale for long: $(<"$T/stale")"
on h1 --json dns query short.example.org A --from c1 | jq -e '.. | objects | select(.source? == "stale")' \
	>/dev/null || fail "not told stale: $(on h1 --json dns query short.example.org A --from c1)"
answered 192.0.2.1 c1 www.example.org A
on h1 dns flush >/dev/null

# More questions of one client than may wait: each is answered, those beyond the limit at once.
# Others of that container, and of another, are answered meanwhile.
"$PYTHON" - c1 20 <<-'END' &
	import ctypes, os, socket, struct, sys, time
	with open("/run/netns/" + sys.argv[1]) as file:
	    assert ctypes.CDLL(None).setns(file.fileno(), 0x40000000) == 0
	sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
	sock.connect(("127.0.0.11", 53))
	sock.settimeout(8)
	for i in range(120):
	    name = b"\x05w%04d\x07example\x03org\x00" % i
	    sock.send(struct.pack("!6H", i, 0x100, 1, 0, 0, 0) + name + struct.pack("!2H", 1, 1))
	codes = {}
	for i in range(120):
	    answer = sock.recv(4096)
	    codes.setdefault(answer[3] & 15, set()).add(answer[:2])
	refused, failed = len(codes.get(5, ())), len(codes.get(2, ()))
	limit = int(sys.argv[2])
	if refused + failed != 120 or not 120 - limit <= refused < 120:
	    sys.exit("refused %d, failed %d of 120; limit %d" % (refused, failed, limit))
END
many=$!
local_too 'all are dead'
local_too 'all are dead'
fresh_name
in_ns c4 dig +short +tries=1 +time=2 "@$RESOLVER" "$NAME" A >"$T/beside"
[[ $(<"$T/beside") == 198.51.100.7 ]] || fail "another network's server is not asked: $(<"$T/beside")"
wait $many || fail "not all questions were answered"

upstream_stop 201
fresh_name
answered SERVFAIL c1 "$NAME" A
local_too 'nobody is there'
upstream 201 normal "$T/zone"
wait_until 30 eval 'fresh_name; [[ $(ask c1 "$NAME" A) == 192.0.2.7 ]]' || fail "not asked when it is back"
on h1 --json dns stats >"$T/stats" || fail "dns stats"
jq -e '[.. | objects | select(has("cache") and has("queries") and has("listeners"))] | length == 1' "$T/stats" \
	>/dev/null || fail "dns stats: $(<"$T/stats")"
leave
