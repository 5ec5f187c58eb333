#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The control channel over TCP: with keys only, for those whose key the switch knows, and the local
# socket as before.
. "$(dirname "$0")/lib.sh"

k=$T/keys
mkdir "$k"
for who in server alice stranger; do
	vsctl key create "$k/$who"
done
[[ $(stat -c %a "$k/server") == 600 ]] || fail "others can read the secret key"
refused 'server' vsctl key create "$k/server" # and overwrites nothing
cat "$k/alice.pub" >"$k/clients"
ctl=tcp://127.0.0.1:4770
events=tcp://127.0.0.1:4771

# Refused before anything is started: no keys, keys that others read, nonsense.
vswitchd() {
	"$VSWITCHD" --run-dir "$T/r" --state-dir "$T/s" "$@"
}
refused 'without keys' vswitchd --listen $ctl
refused 'without keys' vswitchd --listen-events $events --key "$k/server"
refused '--listen' vswitchd --key "$k/server" --client-keys "$k/clients"
refused 'tcp://ADDRESS:PORT' vswitchd --listen 127.0.0.1:4770 --key "$k/server" --client-keys "$k/clients"
refused 'none' vswitchd --listen $ctl --key "$k/server" --client-keys "$k/none"
cp "$k/server" "$k/open" && chmod 644 "$k/open"
refused 'chmod 600' vswitchd --listen $ctl --key "$k/open" --client-keys "$k/clients"
echo nonsense >"$k/nonsense"
refused 'line 1 is not a key' vswitchd --listen $ctl --key "$k/server" --client-keys "$k/nonsense"
[[ ! -e $T/r ]] || fail "a refused start made $T/r"
refused 'no switch answers' vsctl --connect $ctl --key "$k/alice" --server-key "$k/server.pub" status

keys=(--key "$k/server" --client-keys "$k/clients")
start_switch --listen $ctl --listen-events $events "${keys[@]}"
vsctl add-br br0
remote() {
	vsctl --connect $ctl --connect-events $events --server-key "$k/server.pub" "$@"
}
remote --key "$k/alice" add-br br1
[[ $(remote --key "$k/alice" --json list-br | jq -c '[.bridges[].name]') == '["br0","br1"]' ]] ||
	fail "not both bridges: $(remote --key "$k/alice" list-br)"
remote --key "$k/alice" --json monitor >"$T/events" &
monitor=$!
has_event() {
	remote --key "$k/alice" set-br br1 ageing=$((RANDOM % 1000))
	grep -q bridge.set "$T/events"
}
wait_until 30 has_event || fail "no event over TCP"
kill "$monitor"

refused 'does not know your key' remote --key "$k/stranger" del-br br1
refused 'does not know your key' remote --key "$k/stranger" monitor
refused 'needs keys' remote del-br br1
refused 'another server answers there.*--server-key' vsctl --connect $ctl --key "$k/alice" --server-key "$k/alice.pub" status
refused 'tcp://HOST:PORT' vsctl --connect ipc:///x --key "$k/alice" --server-key "$k/server.pub" status
grep -q 'unknown key was refused, from .*127.0.0.1' "$T/sw/log" || fail "the log tells nothing"
# A peer that speaks no ZeroMQ, or nothing at all, harms nobody.
exec 9<>/dev/tcp/127.0.0.1/4770
printf 'GET / HTTP/1.0\r\n\r\n' >&9
remote --key "$k/alice" status >"$T/out"
exec 9>&-

# The environment of a shell that works with that switch; --run-dir still means another.
export CAUSEWAY_CONNECT=$ctl CAUSEWAY_KEY=$k/alice CAUSEWAY_SERVER_KEY=$k/server.pub
dir=$CAUSEWAY_RUN_DIR
unset CAUSEWAY_RUN_DIR
vsctl del-br br1
refused 'no-such-dir' vsctl --run-dir "$T/no-such-dir" status
vsctl --run-dir "$dir" list-br | has br0 || fail "no br0 at $dir"
refused 'br1' vsctl del-br br1
unset CAUSEWAY_CONNECT CAUSEWAY_KEY CAUSEWAY_SERVER_KEY
export CAUSEWAY_RUN_DIR=$dir
# A port that is taken.
refused 'in use' "$VSWITCHD" --run-dir "$T/r" --state-dir "$T/s" --listen $ctl "${keys[@]}"
