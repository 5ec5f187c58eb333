#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What is wrong is told with its remedy and since when, and `vsctl agent show` is a health check: of tunnels,
# the switch, and a store that is away or refuses changes (etcd, Consul; ZooKeeper if it is installed).
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cluster.sh"
. "$(dirname "$0")/store.sh"

root() {
	store_ctl --user root:rootpw "$@"
}

# Cheap hashes: so that the tests do not wait for them.
store_begin() {
	store_start "$T/store" --quota-backend-bytes 2000000 --bcrypt-cost 4 || fail "etcd does not start"
}

# refuses KIND TEXT: h1 has something to write, and the store does not take it; nor a network.
refuses() {
	container "$1"
	on h1 network connect multinet "$1" >/dev/null 2>&1 || fail "$1 is not connected meanwhile"
	told h1 "store ${STORE_URL%%:*}" "refuses changes: "
	tells h1 "store ${STORE_URL%%:*}" "$2" || fail "h1 does not tell why: $(on h1 agent show)"
	wait_until 60 grep -q "store: it answers, but refuses changes: .*$2" "$T/h1/net.log" || fail "log: $(<"$T/h1/net.log")"
	refused "the store refuses changes: .*$2" on h1 network create -d overlay other
	! on h1 --json agent audit >"$T/audit" || fail "an audit says that all is well"
	grep -q "$2" "$T/audit" || fail "the audit: $(<"$T/audit")"
}

accepts() {
	healthy h1
	wait_until 60 is_settled h1 || fail "not settled: $(on h1 agent show)"
	clean h1
}

# ---- etcd with a user, and little room ----

lan
store_begin
{
	store_ctl user add root:rootpw
	store_ctl user grant-role root root
	store_ctl user add cw:cwpw
	store_ctl role add cw
	store_ctl role grant-permission --prefix=true cw readwrite causeway/
	store_ctl user grant-role cw cw
	store_ctl auth enable
} >/dev/null
store_answers() {
	root endpoint health
}
TIMES=("cluster-store-opts: {ttl: 6, grace: 60, timeout: 1000, user: cw, password: cwpw}" "quarantine: 3")
nodes 2
on h1 network create -d overlay --subnet 10.10.2.0/24 multinet >/dev/null
connect h1 multinet c1
connect h2 multinet c2
wait_until 60 all_settled || fail "not settled: $(on h1 agent show)"
healthy h1
healthy h2
on h1 --json agent show | jq -e '.healthy and (.problems == []) and .store.since and .switch_since' >/dev/null ||
	fail "of one that is well: $(on h1 --json agent show)"

note 'a tunnel that is dead'
# tunnel STATE: what h1 says of h2.
tunnel() {
	[[ $(on h1 --json host ls | jq -r '.hosts[] | select(.name == "h2") | .state + " " + .tunnel') == "present $1" ]]
}
wait_until 60 tunnel up || fail "hosts: $(on h1 host ls)"
hole h1 10.1.0.2
hole h2 10.1.0.1
told h1 'tunnel to host h2 (10.1.0.2)' 'does not answer heartbeats any more'
tunnel down || fail "hosts: $(on h1 host ls)"
mend h1 10.1.0.2
mend h2 10.1.0.1
healthy h1
healthy h2

note 'a switch that hangs, and one that is dead'
# shellcheck disable=SC2154 # scripts/hosts.sh sets it
kill -STOP "$pid_h1"
told h1 'switch' 'takes requests and answers none'
kill -CONT "$pid_h1"
healthy h1
switch_kill h1
told h1 'switch' 'does not answer'
node_switch h1 "$T/h1" || fail "the switch does not come back"
healthy h1
healthy h2

note 'a store that is away'
store_kill
told h1 'store etcd' 'the other hosts see this one as suspended'
store_begin
healthy h1
healthy h2
node_kill h2
NODES=(h1)
on h1 host rm --force h2 2>/dev/null || wait_until 60 on h1 host rm --force h2 || fail 'h2 stays'
accepts

note 'a role that may only read'
root role grant-permission --prefix=true cw read causeway/ >/dev/null
refuses d1 'permission denied'
root role grant-permission --prefix=true cw readwrite causeway/ >/dev/null
accepts

note 'a store that is full'
head -c 700000 /dev/zero | tr '\0' x >"$T/big"
for ((i = 0; i < 8; i++)); do
	root put big <"$T/big" >/dev/null 2>&1 || true
done
[[ $(root alarm list) == *NOSPACE* ]] || fail "it is not full: $(root alarm list)"
refuses d2 'space exceeded'
root del big >/dev/null
root compact "$(root --write-out json get x | jq .header.revision)" >/dev/null
root defrag >/dev/null
root alarm disarm >/dev/null
accepts
node_kill h1
store_kill
NODES=()
rm -rf "$T/h1"

# ---- Consul ----

# alone CONTAINER: h1 anew on the store at STORE_URL, with addresses to give.
alone() {
	ip netns delete h1
	node h1 1
	wait_until 60 all_present || fail "h1 is not there: $(on h1 host ls)"
	on h1 network create -d overlay --subnet 10.10.2.0/24 multinet >/dev/null
	connect h1 multinet "$1"
	accepts
}

TIMES=("cluster-store-opts: {ttl: 10, grace: 60, timeout: 1000}" "quarantine: 3")
export FAKE_ADDRESS=10.1.0.100
control_script fake "$PYTHON $TOP/tests/kv/fake_consul.py $T/state 8500"
printf '#!/bin/bash\n[[ $(ss -Hltn "sport = :8500") ]]\n' >"$T/fake/ready"
chmod +x "$T/fake/ready"
in_ns store "$T/fake/control" start || fail 'the server does not start'
STORE_URL=consul://10.1.0.100:8500/causeway
alone a1
note 'Consul: a token that may only read'
touch "$T/state.read-only"
refuses d3 'Permission denied'
rm "$T/state.read-only"
accepts
node_kill h1
NODES=()
rm -rf "$T/h1"
"$T/fake/control" stop

# ---- ZooKeeper ----

if [[ -r /usr/share/java/zookeeper.jar ]] && command -v java >/dev/null; then
	. "$(dirname "$0")/zookeeper.sh"
	# shellcheck disable=SC2034
	ZOOKEEPER_ADDRESS=10.1.0.100
	zookeeper_control zk 2181
	in_ns store "$T/zk/control" start || fail 'zookeeper does not start'
	STORE_URL=zookeeper://10.1.0.100:2181/causeway
	alone a2
	acl() {
		in_ns store java -cp "$ZOOKEEPER_JAR" org.apache.zookeeper.ZooKeeperMain -server 10.1.0.100:2181 \
			setAcl -R /causeway "world:anyone:$1" >"$T/acl" 2>&1 || fail "no ACL: $(<"$T/acl")"
	}
	note 'ZooKeeper: an ACL to read only'
	acl ra
	refuses d4 'Permission denied'
	acl cdrwa
	accepts
	node_kill h1
	"$T/zk/control" stop
else
	note 'zookeeper is not installed: nothing was tried there'
fi
# shellcheck disable=SC2034
SWITCH_PID=
