#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The host's resolv.conf, and what servers above say beside the records: link-local servers, lines that
# cannot be used, a file that changes under running containers; extended errors (RFC 8914), AD.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cluster.sh"
. "$(dirname "$0")/dns.sh"

own_etc
lan
echo '*.example.org 60 A 192.0.2.7' >"$T/zone"
sed 's/192\.0\.2\./198.51.100./' "$T/zone" >"$T/other-zone"
upstream 201 normal "$T/zone"
SERVER=fe80::53
ip -n up address add "$SERVER/64" dev u0 nodad
nsenter --net=/run/netns/up "$PYTHON" "$DNS/fake_upstream.py" --zone "$T/other-zone" \
	--control "$T/up/local.mode" --ready "$T/up/local.ready" "$SERVER%u0" >"$T/up/local.log" 2>&1 &
wait_until 30 test -e "$T/up/local.ready" || fail "no link-local server: $(<"$T/up/local.log")"
host h1 1
mkdir -p "$T/h1"
echo 'workers: [0]' >"$T/h1/vswitchd.yaml"
printf '%s\n' 'host: h1' 'cluster-advertise: u0' 'quarantine: 0' 'dns: {timeout: 2000}' >"$T/h1/vsnetd.yaml"
host_resolv_conf "nameserver $SERVER%u0" 'search one.example'
node_switch h1 "$T/h1" || fail "the switch does not start"
node_agent h1 "$T/h1" || fail "the agent does not start"
NODES=(h1)
on h1 network create --subnet 10.10.0.0/24 plain >/dev/null
on h1 network create --subnet 10.20.0.0/24 --dns "[$SERVER%u0]:53" special >/dev/null
connect h1 plain c1
connect h1 special c2

number=0
fresh_name() {
	number=$((number + 1))
	NAME=n$number.example.org
}

problems() {
	{ on h1 --json agent show || true; } | jq -r '.problems[] | "\(.object): \(.reason)"'
}

# told WORDS / not_told WORDS, for wait_until
told() {
	problems | has -F -- "$1"
}

not_told() {
	! told "$1"
}

# ---- a link-local server: of the file, of a network, over UDP and TCP ----

for mode in normal truncating; do
	echo "$mode" >"$T/up/local.mode"
	fresh_name
	answered 198.51.100.7 c1 "$NAME" A
	answered 198.51.100.7 c2 "$NAME" A
done
on h1 dns stats | has -F "$SERVER%u0" || fail "dns stats: $(on h1 dns stats)"
host_resolv_conf 'nameserver 10.1.0.201'
wait_until 30 eval 'fresh_name; [[ $(ask c1 "$NAME" A) == 192.0.2.7 ]]' || fail "the file is not followed"
answered 198.51.100.7 c2 "$NAME" A
refused 'a link-local address has its interface' on h1 network create --dns fe80::1 nowhere
[[ -z $(problems) ]] || fail "problems without a reason: $(problems)"

# ---- lines that cannot be used ----

host_resolv_conf 'nameserver nonsense' 'nameserver fe80::1' 'nameserver fe80::1%nowhere0' 'nameserver 10.1.0.201'
for words in "/etc/resolv.conf line 1: nameserver 'nonsense' is not used" 'line 2: nameserver' \
	"DNS server fe80::1%nowhere0: it cannot be asked: this host has no interface 'nowhere0'"; do
	wait_until 30 told "$words" || fail "not told '$words': $(problems)"
done
fresh_name
answered 192.0.2.7 c1 "$NAME" A # all the same
ip -n h1 link add nowhere0 type veth peer name nowhere1
wait_until 30 not_told nowhere0 || fail "told although it is there: $(problems)"
host_resolv_conf 'nameserver 10.1.0.201' 'search two.example'
wait_until 30 not_told resolv.conf || fail "told although it was mended: $(problems)"

# ---- the file changes under a running container ----

ip netns exec c1 sleep 1000 &
inside=$!
# follows WORDS: what the process sees, and one that is started now
follows() {
	nsenter -t "$inside" -m grep -q "$1" /etc/resolv.conf && ip netns exec c1 grep -q "$1" /etc/resolv.conf
}
wait_until 30 follows '^search two.example$' || fail "not seen: $(nsenter -t $inside -m cat /etc/resolv.conf)"
for domain in a-longer-one.example x; do
	host_resolv_conf 'nameserver 10.1.0.201' "search $domain"
	wait_until 30 follows "^search $domain\$" || fail "not seen: $(nsenter -t $inside -m cat /etc/resolv.conf)"
done
# A link to a file that is written in place, as others do it.
cp /etc/resolv.conf "$T/linked"
ln -sf "$T/linked" /etc/resolv.conf
printf 'nameserver 10.1.0.201\nsearch linked.example\n' >"$T/linked"
wait_until 30 follows '^search linked.example$' || fail "not seen: $(nsenter -t $inside -m cat /etc/resolv.conf)"
kill $inside

# ---- what is said beside the records ----

upstream_mode 201 bogus
fresh_name
for i in 1 2; do # asked, and remembered for a moment
	in_ns c1 dig +tries=1 +time=5 "@$RESOLVER" "$NAME" A >"$T/dig"
	for words in SERVFAIL 'EDE: 6.*bog'; do
		grep -q "$words" "$T/dig" || fail "$i: no $words: $(<"$T/dig")"
	done
done
fresh_name
on h1 dns query "$NAME" --from c1 | has '^; extended error 6: bog$' || fail "$(on h1 dns query "$NAME" --from c1)"
upstream_mode 201 validated
fresh_name
# flags [dig option…]: AD is for those who ask for it (RFC 6840, section 5.8), cached or not
flags() {
	in_ns c1 dig +tries=1 +time=5 "$@" "@$RESOLVER" "$NAME" A | sed -n 's/^;; flags: \([^;]*\);.*/\1/p'
}
for i in 1 2; do
	[[ $(flags +noadflag) != *ad* ]] || fail "AD for those who do not ask: $(flags +noadflag)"
	[[ $(flags +adflag) == *ad* ]] || fail "no AD: $(flags +adflag)"
	[[ $(flags +noadflag +dnssec) == *ad* ]] || fail "no AD: $(flags +noadflag +dnssec)"
done
upstream_mode 201 normal
fresh_name
[[ $(flags +adflag) != *ad* ]] || fail "AD that nobody gave: $(flags +adflag)"

# ---- what a forger would have to guess: ports, and case where the server keeps it ----

# upstream_stat NAME
upstream_stat() {
	upstream_asks 201 stats | tr -d '"' | tr ' ' '\n' | sed -n "s/^$1=//p"
}
# asks_some: 20 names of their own
asks_some() {
	for ((i = 0; i < 20; i++)); do
		fresh_name
		answered 192.0.2.7 c1 "$NAME" A
	done
}
upstream_reset 201
asks_some
(($(upstream_stat ports) >= 15)) || fail "20 questions came from $(upstream_stat ports) ports"
(($(upstream_stat mixed) >= 18)) || fail "of 20 questions $(upstream_stat mixed) had mixed case"
upstream_mode 201 lower
asks_some # it learns
upstream_reset 201
asks_some
(($(upstream_counts 201) == 20)) || fail "20 questions are asked $(upstream_counts 201) times"
(($(upstream_stat mixed) == 0)) || fail "mixed case to a server that does not keep it: $(upstream_stat mixed)"
upstream_mode 201 no-edns
asks_some
upstream_mode 201 normal

# ---- addresses backwards ----

ip1=$(ip_of h1 plain c1)
for type in PTR ptr ''; do
	on h1 dns query "$ip1" $type --from c1 >"$T/query"
	grep -q 'PTR[[:space:]]c1\.plain\.$' "$T/query" || fail "dns query $ip1 $type: $(<"$T/query")"
done
on h1 dns query 2001:db8::1 PTR | has '^; NXDOMAIN' || fail "$(on h1 dns query 2001:db8::1 PTR)"
leave
