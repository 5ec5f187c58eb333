#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# No stale answer, on no host, while containers come, go and move (CAUSEWAY_DNS_CYCLES, 100). Then a
# host that is silent, an agent that is killed, a store that is away.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cluster.sh"
. "$(dirname "$0")/dns.sh"

cycles=${CAUSEWAY_DNS_CYCLES:-100}

own_etc
lan
upstream 201 nxdomain
host_resolv_conf 'nameserver 10.1.0.201'
store_start "$T/store" || fail "etcd does not start"
nodes 3
on h1 network create -d overlay --subnet 10.10.0.0/16 multinet >/dev/null
container n{0..11}
for n in 1 2 3; do
	connect "h$n" multinet "o$n"
done
"$PYTHON" "$DNS/fresh.py" "$cycles" "$VSCTL" multinet "$T/h1/run:o1" "$T/h2/run:o2" "$T/h3/run:o3" \
	>"$T/fresh" 2>&1 || fail "$(<"$T/fresh")"
note "$(<"$T/fresh")"

# ---- a host that is silent: its names stay for TTL and grace, and no longer ----

connect h3 multinet gone --alias web
connect h2 multinet stays --alias web
ip_gone=$(ip_of h3 multinet gone) ip_stays=$(ip_of h2 multinet stays)
both=$(printf '%s\n' "$ip_gone" "$ip_stays" | sort | xargs)
answered_soon 30 "$both" o1 web A
node_kill h3
wait_until 30 eval 'named h1 multinet | has "^multinet gone .* h3 true$"' ||
	fail "not suspended: $(named h1 multinet)"
answered "$both" o1 web A
answered "$ip_gone" o2 gone A
answered '10.1.0.3' o2 h3 A
named h1 multinet | has '^multinet stays .* h2 false$' || fail "stays: $(named h1 multinet)"
answered_soon 30 NXDOMAIN o1 gone A
answered_soon 30 "$ip_stays" o2 web A
lacks ' h3 ' named h1 || fail "dns ls: $(named h1)"
answered_soon 30 NXDOMAIN o1 h3 A
node_switch h3 "$T/h3"
node_agent h3 "$T/h3" || fail "h3 does not come back"
wait_until 30 all_present || fail "h3 is not present: $(on h1 host ls)"

# ---- an agent that is killed: the others know its names; its own containers, as soon as it is back ----

connect h1 multinet here
answered_soon 30 "$(ip_of h1 multinet here)" o2 here A
agent_kill h1
answered "$(ip_of h2 multinet here)" o2 here A
node_agent h1 "$T/h1" || fail "the agent of h1 does not come back"
answered "$(ip_of h1 multinet here)" o1 here A
answered "$ip_stays" o1 stays A
RESOLVER=10.10.0.1 answered "$ip_stays" o1 stays A
connect h2 multinet later
answered_soon 30 "$(ip_of h2 multinet later)" o1 later A

# ---- no store: what was known is answered; what comes is known on its own host; all, when it is back ----

store_kill
answered "$(ip_of h1 multinet here)" o1 here A
answered "$ip_stays" o1 stays A
connect h1 multinet new --alias fresh
on h1 network disconnect multinet here
answered "$(ip_of h1 multinet new)" o1 fresh A
answered NXDOMAIN o1 here A
agent_kill h2
node_agent h2 "$T/h2" || fail "the agent of h2 does not start without the store"
answered "$ip_stays" o2 stays A
answered "$(ip_of h1 multinet new || true)" o1 new A
store_start "$T/store" || fail "etcd does not come back"
answered_soon 30 "$(ip_of h1 multinet new)" o2 fresh A
answered_soon 30 NXDOMAIN o2 here A
leave
