#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# 10,000 names in one network (CAUSEWAY_DNS_NAMES), each with an alias of its own; and one alias that a
# hundred have, which only fits over TCP.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cluster.sh"
. "$(dirname "$0")/dns.sh"

count=${CAUSEWAY_DNS_NAMES:-10000}

own_etc
cluster 1
on h1 network create -d overlay --subnet 10.20.0.0/16 manynet >/dev/null
connect h1 manynet c1
connect h1 manynet c2 --alias crowd
net=$(store_get networks/manynet | jq -r .id)
ip2=$(ip_of h1 manynet c2)
"$PYTHON" "$DNS/many.py" feed "$count" "$net" "$(store_get hosts/h1)" "$(store_get "nets/$net/ep/$ip2")"
wait_until 30 eval '(($(on h1 --json agent show | jq .endpoints) == count + 2))' ||
	fail "h1 knows of $(on h1 --json agent show | jq .endpoints)"
wait_until 30 eval '[[ -n $(ask c1 "e$((count - 1))" A) ]]' || fail "the last name is not known"
"$PYTHON" "$DNS/many.py" check "$count" 20000 c1 >"$T/check" 2>&1 || fail "$(<"$T/check")"
note "$(<"$T/check")"
(($(on h1 --json dns ls manynet | jq '[.. | objects | select(.alias_of? == null and (.name? // "" |
	test("^e[0-9]+$")))] | length') == count)) || fail "dns ls does not list all"

# 512 bytes have 29 addresses.
in_ns c1 dig +noall +comments +answer +ignore +noedns "@$RESOLVER" crowd A >"$T/cut"
grep -q 'flags:[^;]* tc[ ;]' "$T/cut" || fail "no TC: $(head -n 5 "$T/cut")"
in_ns c1 dig +noall +comments +stats +ignore +bufsize=600 "@$RESOLVER" crowd A >"$T/cut"
grep -q 'flags:[^;]* tc[ ;]' "$T/cut" || fail "no TC with EDNS: $(head -n 5 "$T/cut")"
bytes=$(sed -n 's/.*MSG SIZE *rcvd: //p' "$T/cut")
((bytes <= 600)) || fail "$bytes bytes, where the client takes 600"
(($(in_ns c1 dig +short +noedns "@$RESOLVER" crowd A | sort -u | wc -l) == 101)) || # over TCP by itself
	fail "crowd over TCP: $(in_ns c1 dig +short +tcp "@$RESOLVER" crowd A | wc -l)"
found=$(for ((i = 0; i < 20; i++)); do in_ns c1 dig +short +tcp "@$RESOLVER" crowd A; done | sort -u | wc -l)
((found == 101)) || fail "only $found of 101 are ever told"

# All go at once, and c2 is still there.
store_delete "nets/$net/ep/10.20.4"
answered_soon 30 NXDOMAIN c1 e0.manynet A
answered "$ip2" c1 c2 A
leave
