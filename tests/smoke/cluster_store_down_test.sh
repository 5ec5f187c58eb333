#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The store dies under traffic: what flows goes on, containers come and go, and when it is back all
# hosts agree soon. Then it comes back empty: the hosts put back what is theirs.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cluster.sh"

new=20 # containers that come while it is away

cluster 2
on h1 network create -d overlay --subnet 10.10.0.0/16 multinet >/dev/null
connect h1 multinet c1
connect h2 multinet c2
ip2=$(ip_of h1 multinet c2)
reaches_soon c1 "$ip2"
wait_until 30 all_settled || fail "not settled"

stream_start c1 "$ip2"
store_kill
for ((i = 0; i < new; i++)); do
	connect h1 multinet "n$i"
done
grep -q 'warning: the store cannot be reached' "$T/connected" || fail "no warning: $(<"$T/connected")"
on h1 network disconnect multinet n0
refused 'store cannot be reached' on h1 network create -d overlay other
# An audit tells of the store, and of the rest all the same.
! on h1 --json agent audit >"$T/audit" || fail "an audit says that all is well"
jq -e '.differences | length > 0 and all(.where == "store")' "$T/audit" >/dev/null || fail "the audit: $(<"$T/audit")"
reaches n1 "$(ip_of h1 multinet n2)"
sleep 4 # longer than the lease
[[ $(endpoints h2 multinet) == "c1 c2" ]] || fail "h2 sees $(endpoints h2 multinet)"
store_start "$T/store" || fail "etcd does not come back"
names=$(printf '%s\n' c1 c2 $(seq -f 'n%g' 1 $((new - 1))) | sort | xargs)
wait_until 30 sees h2 multinet "$names" || fail "h2 sees $(endpoints h2 multinet)"
reaches_soon c2 "$(ip_of h2 multinet n5)"
lost=$(stream_lost)
((lost == 0)) || fail "$lost packets were lost with the store"
[[ $(on h2 --json network inspect multinet |
	jq '[.. | objects | select(has("ips")).ips[]] | length == (unique | length)') == true ]] ||
	fail "an address twice"
wait_until 30 all_settled || fail "not settled: $(on h1 agent show)"
clean h1
clean h2

# One that takes requests and answers none is not waited for by whoever asks.
kill -STOP "$STORE_PID"
! on h1 --json agent audit >"$T/audit" || fail "an audit says that all is well"
kill -CONT "$STORE_PID"
jq -e '.differences | length > 0 and all(.where == "store")' "$T/audit" >/dev/null || fail "the audit: $(<"$T/audit")"
wait_until 30 all_settled || fail "not settled: $(on h1 agent show)"

# ---- the store is lost: everything of it ----

store_kill
rm -rf "$T/store/data"
store_start "$T/store" || fail "etcd does not come back"
wait_until 30 eval '(($(store_keys nets/ | grep -c /ep/) == new + 1))' ||
	fail "not all is put back: $(store_keys '')"
wait_until 30 all_settled || fail "not settled: $(on h1 agent show)"
clean h1
clean h2
reaches c1 "$ip2"
connect h2 multinet late
wait_until 30 sees h1 multinet "$(tr ' ' '\n' <<<"$names late" | sort | xargs)"
leave
