#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The log: lines with the time, each change and who made it, a level that changes at run time, and fields
# for the journal, for which a socket stands here.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/agent.sh"

time='[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{6}Z'
# logs FILE WORDS: for wait_until
logs() {
	grep -qE "^$time $2" "$1"
}
# logged FILE WORDS
logged() {
	wait_until 30 logs "$@" || fail "no '$2' in the log: $(tail -n 5 "$1")"
}

echo 'host: h1' >"$T/net.yaml"
start_switch
agent
logged "$T/sw/log" 'info: vswitchd .* is ready'
logged "$T/sw/net.log" 'info: vsnetd .* is ready'
! grep -vE "^$time (error|warn|info|debug): " "$T/sw/net.log" || fail "lines without time or level"

# ---- changes ----

vsctl add-br br0
logged "$T/sw/log" 'info: bridge.add by uid 0, vsctl\[[0-9]+\]: bridge={name=br0} may_exist=false'
(
	exec -a x setpriv --reuid=65534 --regid=0 --clear-groups "$VSCTL" --run-dir "$T/sw/run" add-br br1
) || fail "another user cannot add a bridge"
logged "$T/sw/log" 'info: bridge.add by uid 65534, '
refused 'no such port' vsctl del-port nowhere
vsctl list-br >/dev/null
! grep -qE 'port.del|bridge.list' "$T/sw/log" || fail "what is no change is logged: $(tail -n 3 "$T/sw/log")"
for i in {1..9}; do echo "02:00:00:00:00:0$i 192.0.2.1"; done >"$T/entries"
vsctl add-vtep te0 udp-port=4790
vsctl vni add br0 7 vtep=te0 remote=192.0.2.1
vsctl fdb load br0 "$T/entries"
logged "$T/sw/log" 'info: fdb.add by .* entries=\[9 items\]'
container c1
vsctl network create front --label 'note=two words' >/dev/null
logged "$T/sw/net.log" 'info: network.create by uid 0, vsctl\[[0-9]+\]: name=front .*note="two words"'
vsctl network connect front c1
logged "$T/sw/net.log" 'info: network.connect by uid 0, .* network=front name=c1'
logged "$T/sw/log" 'info: port.add by uid 0, vsnetd\[[0-9]+\]'

# ---- levels ----

is "the level" "$(vsctl log) $(vsctl agent log)" 'info info'
vsctl log debug
vsctl agent log error
is "the level" "$(vsctl log) $(vsctl agent log)" 'debug error'
refused 'no such port' vsctl del-port nowhere
logged "$T/sw/log" 'debug: port.del by .* refused: .*nowhere'
lines=$(wc -l <"$T/sw/net.log")
vsctl network create back >/dev/null
is "lines of a log of errors" "$(wc -l <"$T/sw/net.log")" "$lines"
refused "'loud' is not a log level: use error, warn, info or debug" vsctl log loud
agent_stop
switch_stop || fail "status $?"

# ---- who asks from elsewhere is known by the key ----

vsctl key create "$T/switch.key"
vsctl key create "$T/mine.key"
cp "$T/mine.key.pub" "$T/clients"
start_switch --listen tcp://127.0.0.1:4771 --key "$T/switch.key" --client-keys "$T/clients"
env -u CAUSEWAY_RUN_DIR "$VSCTL" --connect tcp://127.0.0.1:4771 --key "$T/mine.key" --server-key "$T/switch.key.pub" add-br br3
key=$(grep -v '^#' "$T/mine.key.pub" | tr -d '[:space:]')
wait_until 30 grep -qF "info: bridge.add by 127.0.0.1, key $key: bridge={name=br3}" "$T/sw/log" ||
	fail "no key: $(tail -n 2 "$T/sw/log") $key"
switch_stop || fail "status $?"

# ---- the journal ----

mount -t tmpfs none /run/systemd 2>/dev/null || { mkdir -p /run/systemd && mount -t tmpfs none /run/systemd; }
mkdir -p /run/systemd/journal
"$PYTHON" - "$T/journal" <<'END' &
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("/run/systemd/journal/socket")
out = open(sys.argv[1], "w")
print("ready", file=out, flush=True)
while True:
    data, fields = s.recv(65536), []
    while data:
        name, rest = data.split(b"\n", 1)
        n = int.from_bytes(rest[:8], "little")
        fields.append(name.decode() + "=" + rest[8:8 + n].decode())
        data = rest[8 + n + 1:]
    print("|".join(fields), file=out, flush=True)
END
JOURNAL=$!
wait_until 30 grep -q ready "$T/journal" || fail "no socket"
mkfifo "$T/stderr"
cat "$T/stderr" >"$T/sw/rest" &
exec 9>"$T/stderr"
JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/9) "$VSWITCHD" --run-dir "$T/sw/run" --state-dir "$T/sw/state" 2>&9 &
SWITCH_PID=$!
exec 9>&-
wait_until 60 vsctl status || fail "vswitchd does not start: $(<"$T/sw/rest")"
vsctl add-br br5
wait_until 30 grep -qE '^MESSAGE=bridge.add by uid 0, .*\|PRIORITY=6\|SYSLOG_IDENTIFIER=vswitchd\|CAUSEWAY_METHOD=bridge.add\|CAUSEWAY_PEER=uid 0, vsctl\[[0-9]+\]\|CAUSEWAY_PEER_UID=0\|CAUSEWAY_PEER_PID=[0-9]+$' \
	"$T/journal" || fail "the journal: $(<"$T/journal")"
! grep -q bridge.add "$T/sw/rest" || fail "a line comes twice: $(<"$T/sw/rest")"
# Without its socket the lines carry their priority; redirected elsewhere they are as ever.
kill "$JOURNAL"
wait "$JOURNAL" 2>/dev/null || true
vsctl add-br br6
wait_until 30 grep -qE '^<6>bridge.add by uid 0' "$T/sw/rest" || fail "no line: $(<"$T/sw/rest")"
switch_stop || fail "status $?"
JOURNAL_STREAM=1:2 start_switch
logged "$T/sw/log" 'info: vswitchd .* is ready'
