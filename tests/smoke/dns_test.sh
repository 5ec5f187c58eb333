#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Names on one host: containers ask at 127.0.0.11, people with `vsctl dns`; what comes, goes, and is
# in the way.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/agent.sh"

# A file system for /etc of its own: resolv.conf of containers go to /etc/netns.
cp -a /etc "$T/etc"
mount --bind "$T/etc" /etc
mkdir -p /etc/netns
echo 'nameserver 192.0.2.1' >/etc/resolv.conf

# ask CONTAINER DIG-ARGUMENT…: all of the answer
ask() {
	in_ns "$1" dig +tries=1 +time=5 @127.0.0.11 "${@:2}"
}

# short CONTAINER DIG-ARGUMENT…: what was asked for alone, sorted
short() {
	ask "$1" +short "${@:2}" | sort | xargs
}

# expect RESULT CONTAINER DIG-ARGUMENT…
expect() {
	local got
	got=$(short "${@:2}")
	[[ $got == "$1" ]] || fail "$2 asks for ${*:3}: '$got', not '$1'"
}

# says CODE CONTAINER DIG-ARGUMENT…
says() {
	ask "${@:2}" >"$T/dig" || fail "no answer to ${*:2}: $(<"$T/dig")"
	grep -q "status: $1" "$T/dig" || fail "not $1 to ${*:2}: $(<"$T/dig")"
}

ip_of() {
	vsctl network inspect "$1" | jq -r --arg n "$2" '.[0].endpoints[] | select(.name == $n).ips[0] | split("/")[0]'
}

listening() {
	[[ -n $(in_ns "$1" ss -Hlnu 'sport = :53') && -n $(in_ns "$1" ss -Hlnt 'sport = :53') ]]
}

# Nothing is there any more of what `listening` looks for.
is_silent() {
	lacks . in_ns "$1" ss -Hlnut 'sport = :53'
}

start_switch
cat >"$T/net.yaml" <<END
host: h1
cluster-advertise: lo
quarantine: 0
dns: {ttl: 1, servers: ['127.0.0.1:9'], search: [lan.example], ndots: 1, timeout: 300}
END
agent
vsctl network create --internal --subnet 10.1.0.0/16 front >/dev/null
vsctl network create --internal --subnet 10.2.0.0/16 --dns 127.0.0.2 --dns '[::1]:5353' back >/dev/null
vsctl network inspect back | jq -e '.[0].dns == ["127.0.0.2", "[::1]:5353"]' >/dev/null ||
	fail "dns: $(vsctl network inspect back)"
refused "dns 'ns' is not allowed" vsctl network create --dns ns other

# ---- names and aliases, as soon as they are connected ----

container c1 c2
vsctl network connect front c1 --alias web
vsctl network connect front c2 --alias web --alias db
ip1=$(ip_of front c1) ip2=$(ip_of front c2)
expect "$ip2" c1 c2
expect "$ip1" c1 c1.front
expect "$ip2" c1 DB +tcp
expect "$(printf '%s\n' "$ip1" "$ip2" | sort | xargs)" c2 web
expect c2.front. c1 -x "$ip2"
expect 127.0.0.1 c1 h1
says NOERROR c1 c2 AAAA
grep -q 'flags:.* aa' "$T/dig" || fail "not authoritative: $(<"$T/dig")"
says NXDOMAIN c1 nowhere
says NXDOMAIN c1 nowhere.front
says NXDOMAIN c1 example.com # leads nowhere: the network is internal
vsctl dns ls | has -E "^front +web +c2 +$ip2 +h1 +present" || fail "ls: $(vsctl dns ls)"
vsctl dns ls | has -E '^- +h1 +- +127.0.0.1 +h1' || fail "ls: $(vsctl dns ls)"
vsctl --json dns ls front | jq -e '.names | map(.name) | sort == ["c1", "c2", "db", "web", "web"]' >/dev/null ||
	fail "ls: $(vsctl --json dns ls front)"
refused 'network back: no container of this host' vsctl dns ls back
refused 'no such network' vsctl dns ls nowhere

# ---- several networks, each with its aliases ----

container c3
vsctl network connect back c1 --alias web2
vsctl network connect back c3 --alias db
ip3=$(ip_of back c3)
expect "$ip2" c1 db # front came first
expect "$ip3" c1 db.back
expect "$ip3" c3 db
says NXDOMAIN c3 web
says NXDOMAIN c2 web2
expect "$(ip_of back c1)" c3 web2
vsctl dns query db --from c1 | has "$ip2" || fail "query: $(vsctl dns query db --from c1)"
vsctl --json dns query db a --network back | jq -e --arg ip "$ip3" \
	'.rcode == "NOERROR" and .source == "names" and (.answer | length == 1) and (.answer[0] | endswith($ip))' \
	>/dev/null || fail "query: $(vsctl --json dns query db a --network back)"
vsctl dns query nowhere --network front | has '^; NXDOMAIN' || fail "$(vsctl dns query nowhere --network front)"
refused 'container c9: no container' vsctl dns query db --from c9
refused 'network nowhere: there is no such network' vsctl dns query db --network nowhere
vsctl dns stats | has '^queries: ' || fail "stats: $(vsctl dns stats)"
vsctl --json dns stats | jq -e '.listeners | length >= 3' >/dev/null || fail "stats: $(vsctl --json dns stats)"
vsctl --json dns flush | jq -e '.flushed == 0' >/dev/null

# ---- at the gateway, which is the network's own ----

vsctl network create --subnet 10.3.0.0/16 --gateway 10.3.0.1 --subnet fd03::/64 --gateway fd03::1 side >/dev/null
vsctl network connect side c3 --alias here
ip3=$(ip_of side c3)
for server in 10.3.0.1 fd03::1; do
	for transport in +notcp +tcp; do
		got=$(in_ns c3 dig +tries=3 +time=2 +short $transport "@$server" here)
		[[ $got == "$ip3" ]] || fail "at $server $transport: '$got', not '$ip3'"
		got=$(in_ns c3 dig +tries=3 +time=2 $transport "@$server" db.back)
		[[ $got != *"$(ip_of back c3)"* ]] || fail "$server answers what is of another network"
	done
done
vsctl network disconnect side c3
wait_until 30 lacks '10\.3\.0\.1|fd03' ss -Hln 'sport = :53' ||
	fail "the gateway still listens: $(ss -Hln 'sport = :53')"
expect "$(ip_of back c3)" c3 db

# ---- what is over is over ----

listening c2 || fail "nobody listens in c2"
listening c1 || fail "nobody listens in c1"
vsctl network disconnect front c2
says NXDOMAIN c1 c2
says NXDOMAIN c1 c2.front
expect "$ip1" c1 web
is_silent c2 || fail "c2 still has sockets: $(in_ns c2 ss -lnu)"
container c4
vsctl network connect front c4 --ip "$ip2" # another one has its address
expect "$ip2" c1 c4
expect c4.front. c1 -x "$ip2"
vsctl network disconnect back c1
expect '' c1 db
vsctl network disconnect front c1
is_silent c1 || fail "c1 still has sockets"

# A container that ends is not held by what listens in it.
vsctl network connect front c1
listening c4 || fail "nobody listens in c4"
in_ns c4 readlink /proc/self/ns/net >"$T/netns"
ip netns delete c4
wait_until 30 lacks '"c4"' vsctl --json dns ls front || fail "c4 is still there: $(vsctl dns ls front)"
says NXDOMAIN c1 c4

# ---- another program has the port: a problem, and nothing else ----

container c5
ip -n c5 link set lo up
in_ns c5 "$PYTHON" -c '
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.11", 53))
print("ready", flush=True)
sys.stdin.read()' < <(sleep 1000 & echo $! >"$T/sleeper"; wait) >"$T/taken" &
wait_until 30 grep -q ready "$T/taken" || fail "the port cannot be taken"
vsctl network connect front c5
expect "$(ip_of front c5)" c1 c5
for where in "agent show" "dns ls" "network inspect front"; do
	# shellcheck disable=SC2086
	grep -q 'another program has UDP port 53' <<<"$(vsctl $where)" || fail "$where says nothing: $(vsctl $where)"
done
kill "$(<"$T/sleeper")"
wait_until 30 listening c5 || fail "c5 is not answered: $(vsctl agent show)"
expect "$(ip_of front c1)" c5 c1
lacks 'another program' vsctl agent show || fail "still a problem: $(vsctl agent show)"

# ---- resolv.conf, and a restart ----

container c6
mkdir -p /etc/netns/c6
echo 'nameserver 192.0.2.6' >/etc/netns/c6/resolv.conf
vsctl network connect --resolv-conf front c6
ip netns exec c6 cat /etc/resolv.conf >"$T/resolv" 2>"$T/err"
[[ ! -s $T/err ]] || fail "ip netns exec complains: $(<"$T/err")"
grep -qx 'nameserver 127.0.0.11' "$T/resolv" || fail "resolv.conf: $(<"$T/resolv")"
grep -qx 'search lan.example' "$T/resolv" || fail "resolv.conf: $(<"$T/resolv")"
grep -qx 'options ndots:1' "$T/resolv" || fail "resolv.conf: $(<"$T/resolv")"
getent_ip() {
	ip netns exec c6 getent ahostsv4 "$1" | awk 'NR == 1 { print $1 }'
}
[[ $(getent_ip c1) == "$(ip_of front c1)" ]] || fail "getent c1: $(getent_ip c1)"
vsctl network inspect front | jq -e '.[0].endpoints[] | select(.name == "c6").options["resolv-conf"] == "true"' >/dev/null
vsctl dns ls >"$T/before"
agent_stop
agent
wait_until 30 listening c6 || fail "nobody listens in c6: $(vsctl agent show)"
[[ $(getent_ip c1.front) == "$(ip_of front c1)" ]] || fail "getent c1.front: $(getent_ip c1.front)"
vsctl dns ls | diff "$T/before" - || fail "other names than before the restart"
kill -KILL "$AGENT"
wait "$AGENT" || true
agent
wait_until 30 listening c6 || fail "nobody listens in c6: $(vsctl agent show)"
[[ $(getent_ip c5) == "$(ip_of front c5)" ]] || fail "getent c5: $(getent_ip c5)"
vsctl network disconnect front c6
grep -qx 'nameserver 192.0.2.6' /etc/netns/c6/resolv.conf || fail "not as before: $(cat /etc/netns/c6/*)"
[[ $(ls -A /etc/netns/c6) == resolv.conf ]] || fail "left behind: $(ls -A /etc/netns/c6)"
[[ ! -e /etc/netns/.c6.resolv.conf.causeway-saved ]] || fail "left behind: $(ls -A /etc/netns)"
refused 'has no name under /run/netns.*ip netns attach' vsctl network connect --resolv-conf --netns $$ front me

# For all that have a name, unless the configuration says otherwise.
wait_until 30 grep -qx 'nameserver 127.0.0.11' /etc/netns/c1/resolv.conf || fail "c1 has no resolv.conf"
container c7
vsctl network connect front c7 -o resolv-conf=false
[[ ! -e /etc/netns/c7 ]] || fail "c7 has a resolv.conf"
vsctl network disconnect front c1
[[ ! -e /etc/netns/c1 ]] || fail "left behind: $(ls -A /etc/netns/c1)"
vsctl network connect front c1
agent_stop
[[ -e /etc/netns/c1/resolv.conf ]] || fail "c1 has no resolv.conf any more"
sed -i 's/ttl: 1/ttl: 1, write-resolv-conf: false/' "$T/net.yaml"
agent # and what it had written goes again
wait_until 30 test ! -e /etc/netns/c1 || fail "left behind: $(ls -A /etc/netns)"
vsctl network connect --resolv-conf front c6
agent_stop

# ---- off ----

sed -i 's/ttl: 1, write-resolv-conf: false/enabled: false/' "$T/net.yaml"
agent
is_silent c1 || fail "c1 is answered"
wait_until 30 grep -qx 'nameserver 192.0.2.6' /etc/netns/c6/resolv.conf || fail "c6 asks nobody"
refused 'this host answers none; enable' vsctl dns query c1
refused 'this host answers no names; enable' vsctl network connect --resolv-conf front c6
vsctl dns ls | has '^front *c1' || fail "ls: $(vsctl dns ls)"
wait_until 30 eval '[[ $(vsctl --json agent show | jq .settled) == true ]]' || fail "$(vsctl agent show)"
agent_stop
