#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A container asks as fast as it can, its own resolver and the gateway, for names that are known,
# unknown, and another each time, with a server above that is silent. Another container, which asks
# one question after the other and never twice, has an answer to each.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cluster.sh"
. "$(dirname "$0")/dns.sh"

count=${CAUSEWAY_DNS_QUESTIONS:-200}

own_etc
gcc -O2 -o "$T/flood" "$DNS/flood.c"
lan
upstream 201 dead
printf '%s\n' 'www.example.org 60 A 192.0.2.1' '*.example.org 60 A 192.0.2.7' >"$T/zone"
upstream 202 normal "$T/zone"
host_resolv_conf 'nameserver 10.1.0.201'
store_start "$T/store" || fail "etcd does not start"
nodes 1 'dns: {timeout: 2000}'
on h1 network create -d overlay --subnet 10.10.0.0/24 multinet >/dev/null
on h1 network create -d overlay --subnet 10.30.0.0/24 --dns 10.1.0.202 special >/dev/null
connect h1 multinet bad
connect h1 multinet good
connect h1 special other
address=$(ip_of h1 multinet bad)

# flooded SERVER NAME [LABEL]
flooded() {
	local flood i
	ip netns exec bad "$T/flood" "$1" 600 "${@:2}" >/dev/null &
	flood=$!
	printf 'bad A\n%.0s' $(seq "$count") >"$T/questions"
	in_ns good dig +short +tries=1 +time=5 "@$RESOLVER" -f "$T/questions" >"$T/answers" || true
	[[ $(sort "$T/answers" | uniq -c | xargs) == "$count $address" ]] ||
		fail "of $count, while $* is flooded: $(sort "$T/answers" | uniq -c)"
	# What others answer, too.
	for ((i = 0; i < 20; i++)); do
		[[ $(in_ns other dig +short +tries=1 +time=10 "@$RESOLVER" "f$((number += 1)).example.org" A) == \
			192.0.2.7 ]] || fail "no answer from above while $* is flooded"
	done
	[[ $(ask good bad A +tcp) == "$address" ]] ||
		fail "no answer over TCP while $* is flooded"
	kill -0 "$flood" || fail "the flood has ended"
	kill "$flood"
	wait "$flood" || true
}

number=0
for server in "$RESOLVER" 10.10.0.1; do
	flooded "$server" good
	flooded "$server" good.multinet.nobody
	flooded "$server" example.net x
done
# What is left of it goes: the one who asked too much has answers again.
wait_until 30 eval '[[ $(ask bad good A) ]]' || fail "no answer after the flood"
[[ -n $(ask good bad A) ]] || fail "no answer to the other one after the flood"
note "$(on h1 --json dns stats | jq -c '[.. | objects | .rcodes? // empty][0]')"
leave
