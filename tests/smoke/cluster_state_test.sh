#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What a host knows of itself is not what is there any more: the number of a namespace is another one's, the state
# folder was put back from a backup, the host has another name.
# sanitizers: yes
. "$(dirname "$0")/lib.sh"
. "$SMOKE/cluster.sh"

cluster 2
on h1 network create -d overlay --subnet 10.10.0.0/24 n >/dev/null
connect h1 n a
connect h1 n x
connect h2 n b
b=$(ip_of h1 n b)
a=$(ip_of h1 n a)
reaches() {
	in_ns "$1" ping -q -c 1 -W 1 "$2" >/dev/null
}
stop() {
	local pid=agent_h1
	kill -TERM "${!pid}"
	wait "${!pid}" || fail "vsnetd ended with status $?"
}
wait_until 30 reaches a "$b" || fail "a does not reach b"

# ---- a number used again ----
again() {
	ip netns delete x
	ip netns add x
	[[ $(stat -L -c %i /run/netns/x) == "$inode" ]]
}
inode=$(stat -L -c %i /run/netns/x)
agent_kill h1
switch_kill h1
wait_until 20 again || note "the kernel gave no number again: this is not shown here"
node_switch h1 "$T/h1"
node_agent h1 "$T/h1" || fail "vsnetd does not start again"
wait_until 30 sees h2 n 'a b' || fail "another namespace has inherited x: $(endpoints h2 n)"
lacks eth0 ip -n x -o link || fail "another namespace got the interface of x"
wait_until 30 reaches a "$b" || fail "a does not come back"

# ---- a state folder of before ----
stop
cp -a "$T/h1/state/net" "$T/backup"
node_agent h1 "$T/h1"
connect h1 n p
on h1 network disconnect n a >/dev/null
container a9
on h1 network connect --netns a9 --ip "$a" n taker >/dev/null
wait_until 30 sees h2 n 'b p taker' || fail "endpoints: $(endpoints h2 n)"
p=$(ip_of h1 n p)
wait_until 30 reaches b "$p" || fail "b does not reach p"
stop
rm -r "$T/h1/state/net"
cp -a "$T/backup" "$T/h1/state/net"
stream_start b "$p"
node_agent h1 "$T/h1" || fail "vsnetd does not start over the backup"
wait_until 30 all_settled || fail "h1 does not settle: $(on h1 agent show)"
is "lost of b to p" "$(stream_lost)" 0
sees h2 n 'b p taker' || fail "endpoints after the backup: $(endpoints h2 n)"
reaches b "$p" || fail "p is cut off"
reaches b "$a" || fail "taker is cut off"
lacks eth0 ip -n a -o link || fail "a is connected again"
on h1 --json agent show >"$T/status" || true
jq -e '.problems[] | select(.object == "state folder") | .reason | test("older")' "$T/status" >/dev/null ||
	fail "nothing is told: $(<"$T/status")"

# ---- another name ----
stop
sed -i 's/^host: h1/host: h1b/' "$T/h1/vsnetd.yaml"
node_agent_begin h1 "$T/h1"
pid=agent_h1
! wait "${!pid}" || fail "it starts under another name"
tail -n 3 "$T/h1/net.log" | has 'host h1b now.*of host h1, whose 2 endpoints' || fail "the log: $(tail -n 3 "$T/h1/net.log")"
sed -i 's/^host: h1b/host: h1/' "$T/h1/vsnetd.yaml"
node_agent h1 "$T/h1" || fail "it does not start under its own name"
wait_until 30 all_settled || fail "h1 does not settle: $(on h1 agent show)"
reaches b "$p" || fail "p is cut off by a wrong name"
clean h1
leave
