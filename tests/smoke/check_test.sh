#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The daemons find their configuration by themselves, and --check refuses what a start refuses, with the
# same words.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/agent.sh"

cp -a /etc "$T/etc"
mount --bind "$T/etc" /etc
mkdir -p /etc/causeway

# same WORDS PROGRAM [option…]: --check and a start refuse it, in the same words.
same() {
	local words=$1 program=$2
	shift 2
	refused "$words" "$program" --check --run-dir "$T/no/run" --state-dir "$T/no/state" "$@"
	[[ ! -e $T/no ]] || fail "--check made folders"
	cut -d' ' -f2- "$T/err" >"$T/checked"
	refused "$words" timeout 20 "$program" --run-dir "$T/no/run" --state-dir "$T/no/state" "$@"
	cut -d' ' -f2- "$T/err" | diff "$T/checked" - || fail "$program: --check has other words than a start"
	rm -rf "$T/no"
}

# ---- vswitchd ----

echo 'bridges: {fromfile: {}}' >/etc/causeway/vswitchd.yaml
"$VSWITCHD" --check || fail "a good configuration is refused"
[[ ! -e /run/causeway/ctl.sock ]] || fail "--check listens"
start_switch
is "the bridge of the file that is there by default" "$(vsctl --json list-br | jq -r '.bridges[].name')" fromfile
echo 'workers: [99]' >/etc/causeway/vswitchd.yaml
same 'workers\[0\]: CPU 99 is not there' "$VSWITCHD"
refused 'workers\[0\]: CPU 99 is not there' vsctl config check /etc/causeway/vswitchd.yaml
echo 'bridges: {br0: {agein: 3}}' >"$T/other.yaml"
same "other.yaml:1: bridges.br0.agein: .*did you mean 'ageing'" "$VSWITCHD" --config "$T/other.yaml"
rm /etc/causeway/vswitchd.yaml
same 'none.yaml' "$VSWITCHD" --config "$T/none.yaml"
same 'nokey' "$VSWITCHD" --listen tcp://127.0.0.1:4770 --key "$T/nokey" --client-keys "$T/nokey"
"$VSWITCHD" --check || fail "no configuration at all is refused"

# ---- vsnetd ----

echo 'host: fromfile' >/etc/causeway/vsnetd.yaml
"$VSNETD" --check || fail "a good configuration is refused"
"$VSNETD" --switch "$T/sw/run" --run-dir "$T/sw/run/net" --state-dir "$T/net" >"$T/sw/net.log" 2>&1 &
AGENT=$!
wait_until 30 vsctl host ls || fail "vsnetd does not start: $(cat "$T/sw/net.log")"
is "the host of the file that is there by default" "$(vsctl --json host ls | jq -r '.hosts[].name')" fromfile
agent_stop

# net LINE…: the configuration
net() {
	printf '%s\n' "$@" >"$T/net.yaml"
}
for store in etcd://h1:99999 etcd:h1 'consul://h1:2379,/x' zookeeper://h1:99999 zookeeper://h1:x zookeeper:///x lmdb:x; do
	net "cluster-store: '$store'"
	same "$store" "$VSNETD" --config "$T/net.yaml"
done
for store in etcd://h1:2379/x consul://h1 zookeeper://h1:2181,h2/x "lmdb:$T/nowhere"; do
	net "cluster-store: '$store'"
	"$VSNETD" --check --config "$T/net.yaml" || fail "$store is refused"
done
[[ ! -e $T/nowhere ]] || fail "--check makes a store"
net 'cluster-store: etcd://h1:2379' "cluster-store-opts: {ca-file: $T/ca.pem}"
same "ca-file: $T/ca.pem: cannot open the file: No such file" "$VSNETD" --config "$T/net.yaml"
touch "$T/ca.pem"
"$VSNETD" --check --config "$T/net.yaml" || fail "a file that is there is refused"
net 'cluster-advertise: eth99'
same 'eth99' "$VSNETD" --config "$T/net.yaml"
net 'networks:' '  a: {subnets: [{subnet: 10.1.0.0/16}]}' '  b: {subnets: [{subnet: 10.1.2.0/24}]}'
same 'net.yaml:3: networks.b.subnets\[0\].subnet: 10.1.2.0/24 overlaps 10.1.0.0/16 of network a' \
	"$VSNETD" --config "$T/net.yaml"
rm /etc/causeway/vsnetd.yaml
"$VSNETD" --check || fail "no configuration at all is refused"
