#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What an agent with nothing to do asks of its store: no more than a pulse and the keeping of a lease. And
# what one asks whose user, password or token the store refuses: less and less, with words that help.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cluster.sh"
. "$(dirname "$0")/store.sh"

command -v etcd >/dev/null || skip 'etcd is not installed'
command -v curl >/dev/null || skip 'curl is not installed'
OPTS='ttl: 3, grace: 3, timeout: 1000'
TIMES=("quarantine: 3")
window_s=6

metric() {
	in_ns store curl -s http://10.1.0.100:2379/metrics | awk -v of="$1" '$0 ~ of { n += $2 } END { print n + 0 }'
}

# Of etcd, streams too.
requests() {
	metric '^grpc_server_started_total'
}

# Of tokens that were asked for, whether they were given or not.
authentications() {
	metric '^grpc_server_started_total.*"Authenticate"'
}

# Of any store: a request is one or two, and so is the receipt of its answer.
segments() {
	in_ns store nstat -asz TcpInSegs | awk '/TcpInSegs/ { print $2 }'
}

# counts COUNTER COMMAND…: the counter counts what COMMAND does.
counts() {
	local before
	before=$("$1")
	"${@:2}" >/dev/null 2>&1 || true
	(($("$1") > before)) || fail "$1 counts nothing of: ${*:2}"
}

# idle NAME COUNTER RATE: COUNTER grows by no more than RATE a second while nobody asks for anything.
idle() {
	local before start=$EPOCHREALTIME grown took
	before=$("$2")
	sleep "$window_s"
	grown=$(($("$2") - before))
	took=$(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { print b - a }')
	note "$1: $2 grow by $grown in $took s"
	awk -v n="$grown" -v t="$took" -v r="$3" 'BEGIN { exit n > r * t + 2 }' ||
		fail "$1: $2 grow by $grown in $took s, not by $3 a second: $(tail -n 5 "$T"/*/net.log)"
}

# agent NAME N OPTIONS: a host that gets on with the store.
agent() {
	NODES=()
	node "$1" "$2" "cluster-store-opts: {$OPTS${3:+, $3}}"
	wait_until 30 all_present || fail "$1 is not there: $(on "$1" host ls)"
	wait_until 30 all_settled || fail "not settled: $(on "$1" agent show)"
}

# outcast NAME N OPTIONS WORDS: a host whose store does not want it, and says so once.
outcast() {
	host "$1" "$2"
	mkdir -p "$T/$1"
	echo 'workers: [0]' >"$T/$1/vswitchd.yaml"
	printf '%s\n' "host: $1" "cluster-store: $STORE_URL" 'cluster-advertise: u0' \
		"cluster-store-opts: {$OPTS, $3}" >"$T/$1/vsnetd.yaml"
	node_switch "$1" "$T/$1"
	node_agent_begin "$1" "$T/$1"
	wait_until 30 grep -q -- "$4" "$T/$1/net.log" || fail "no '$4': $(<"$T/$1/net.log")"
}

said_once() {
	local count
	count=$(grep -c -- "$2" "$T/$1/net.log")
	((count == 1)) || fail "told $count times: $(<"$T/$1/net.log")"
}

lan
host store 100

# ---- etcd, at first without users ----

# Cheap hashes: so that it is the agent that does not ask, and not etcd that is slow.
mkdir -p "$T/store"
in_ns store etcd --name store --data-dir "$T/store/data" --bcrypt-cost 4 \
	--listen-client-urls http://10.1.0.100:2379 --advertise-client-urls http://10.1.0.100:2379 \
	--listen-peer-urls http://127.0.0.1:2380 --initial-advertise-peer-urls http://127.0.0.1:2380 \
	--initial-cluster store=http://127.0.0.1:2380 >"$T/store/etcd.log" 2>&1 &
STORE_PID=$!
wait_until 60 store_answers || fail "etcd does not start: $(tail "$T/store/etcd.log")"
counts requests store_ctl get x
agent h1 1
idle 'etcd' requests 4
node_kill h1

# A user for a store that knows none is not asked for again and again either.
counts authentications store_ctl --user cw:cwpw get x
outcast h2 2 'user: cw, password: cwpw' 'leave out user and password'
sleep 2 # the second and third attempt come soon
idle 'etcd, user without need' authentications 0.5
said_once h2 'leave out user and password'
node_kill h2

{
	store_ctl user add root:rootpw
	store_ctl user grant-role root root
	store_ctl user add cw:cwpw
	store_ctl role add cw
	store_ctl role grant-permission --prefix=true cw readwrite causeway/
	store_ctl user grant-role cw cw
	store_ctl auth enable
} >/dev/null
counts authentications store_ctl --user cw:cwpw get causeway/x
counts authentications store_ctl --user cw:wrong get causeway/x
agent h3 3 'user: cw, password: cwpw'
idle 'etcd, user' authentications 0
idle 'etcd, user' requests 4
# All tokens are lost with this: one request for another, and all goes on.
store_ctl --user root:rootpw user passwd --interactive=false cw <<<cwpw >/dev/null
sleep 1
wait_until 30 all_settled || fail "not settled: $(on h3 agent show)"
idle 'etcd, user with a new token' authentications 0
node_kill h3

outcast h4 4 'user: cw, password: wrong' 'give user and password as etcd has them'
sleep 2
idle 'etcd, wrong password' authentications 0.5
idle 'etcd, wrong password' requests 1
said_once h4 'authentication failed'
# It is found out by itself that the password is right by now.
store_ctl --user root:rootpw user passwd --interactive=false cw <<<wrong >/dev/null
wait_until 90 grep -q 'store: it answers' "$T/h4/net.log" || fail "not back: $(<"$T/h4/net.log")"
node_kill h4
store_kill

# ---- Consul ----

fake=$(dirname "$(readlink -f "$0")")/../kv/fake_consul.py
export FAKE_ADDRESS=10.1.0.100
control_script fake "$PYTHON $fake --token secret $T/state 8500"
printf '#!/bin/bash\nss -Hltn "sport = :8500" | grep . >/dev/null\n' >"$T/fake/ready"
chmod +x "$T/fake/ready"
in_ns store "$T/fake/control" start || fail 'the server does not start'
STORE_URL=consul://10.1.0.100:8500/causeway
counts segments in_ns store curl -s http://10.1.0.100:8500/v1/kv/x
agent h5 5 'token: secret'
idle 'consul' segments 12
node_kill h5
outcast h6 6 'token: wrong' 'Permission denied'
idle 'consul, wrong token' segments 6
said_once h6 'Permission denied.*give a token'
node_kill h6
"$T/fake/control" stop

# ---- ZooKeeper ----

if [[ -r /usr/share/java/zookeeper.jar ]] && command -v java >/dev/null; then
	. "$(dirname "$0")/zookeeper.sh"
	# shellcheck disable=SC2034
	ZOOKEEPER_ADDRESS=10.1.0.100
	zookeeper_control zk 2181
	in_ns store "$T/zk/control" start || fail 'zookeeper does not start'
	STORE_URL=zookeeper://10.1.0.100:2181/causeway
	counts segments in_ns store "$T/ask" 10.1.0.100 2181 srvr
	agent h7 7
	idle 'zookeeper' segments 12
	node_kill h7
	"$T/zk/control" stop
else
	note 'zookeeper is not installed: nothing was counted there'
fi
# shellcheck disable=SC2034
SWITCH_PID=
