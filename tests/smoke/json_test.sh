#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Every verb answers in JSON when asked to; the monitor tells what happens.
# sanitizers: yes
. "$(dirname "$0")/lib.sh"

two_containers
vsctl --json monitor >"$T/events" &
monitor=$!
sleep 0.5
is_json() {
	vsctl --json "$@" >"$T/out" || fail "status $? from vsctl --json $*"
	jq -es 'length == 1' "$T/out" >/dev/null || fail "not JSON: vsctl --json $*: $(head -c 300 "$T/out")"
}
is_json status
is_json add-br br1
is_json list-br
is_json add-port br1 x1 type=dpdk devargs=net_null0,no-rx=1
is_json set-port x1 mtu=1400
is_json list-ports
is_json list-ports br0
is_json show
is_json fdb ls
is_json fdb ls br0
is_json fdb add br0 02:00:00:00:00:99 c1
is_json fdb rm br0 02:00:00:00:00:99
is_json fdb flush br0
is_json stats
is_json stats c1
is_json drops
is_json worker ls
is_json config show
is_json monitor --list
is_json key create "$T/key"
vsctl config show >"$T/running.yaml"
is_json config check "$T/running.yaml"
mapfile -t verbs < <(vsctl --json help | jq -r '.verbs[] |
	select((.of_agent | not) and .name != "monitor" and (.arguments | test("^(\\[[^]]*\\])?$"))).name')
((${#verbs[@]} > 10)) || fail "verbs without arguments: ${verbs[*]}"
for verb in "${verbs[@]}"; do
	# shellcheck disable=SC2086
	is_json $verb
done
is_json del-port x1
is_json del-br br1
# Every counter that the reference names is in the result of its method.
declare -A verb_of=([stats]=stats [workers]='worker ls' [status]=status)
"$VSWITCHD" --reference control | awk -F '`' '/^## / { on = /Counters/ } on && /^### / { at = $2 " " $4 }
	on && /^- / { print at, $2 }' >"$T/counters"
(($(wc -l <"$T/counters") > 25)) || fail "counters: $(cat "$T/counters")"
while read -r method path name; do
	# shellcheck disable=SC2086
	vsctl --json ${verb_of[$method]} </dev/null >"$T/out"
	jq -e "[.$path | has(\"$name\")] | length > 0 and all" "$T/out" >/dev/null ||
		fail "no $name at $path of $method: $(head -c 500 "$T/out")"
done <"$T/counters"
# is_error CODE ARGUMENT…: a refusal is one JSON value on standard output, whoever refuses, and
# text on standard error.
is_error() {
	local code=$1
	shift
	refused '^vsctl: ' vsctl --json "$@"
	[[ $(jq -sc 'map(.error.code)' "$T/out") == "[\"$code\"]" ]] ||
		fail "not an error $code: vsctl --json $*: $(head -c 300 "$T/out")"
	! grep -q '[{}]' "$T/err" || fail "JSON among the text: $(head -c 300 "$T/err")"
}
is_error not_found del-port nothing
is_error invalid add-port br0 x2 type=bogus
is_error invalid fdb add br0 02:00:00:00:00:99 c1 vlan=4095
is_error out_of_bounds fdb add br0 02:00:00:00:00 c1
is_error not_found fdb ls br9
is_error not_found config check "$T/no-such-file"
is_error unreachable --run-dir "$T/no-such-dir" status
# A command line that is none has no JSON.
status=0
vsctl --json frobnicate >"$T/out" 2>"$T/err" || status=$?
((status == 2)) || fail "status $status for an unknown verb"
[[ ! -s $T/out && -s $T/err ]] || fail "an unknown verb prints: $(cat "$T/out")"
# Counters have Linux's names.
vsctl --json stats c1 | jq -e '.ports[0] | has("rx_packets") and has("tx_packets") and
	has("rx_bytes") and has("tx_bytes") and has("rx_dropped") and has("tx_dropped")' >/dev/null ||
	fail "stats: $(vsctl --json stats c1)"
sleep 0.5
kill "$monitor"
wait "$monitor" || true
for event in bridge.add port.add port.del bridge.del; do
	grep -q "\"$event\"" "$T/events" || fail "the monitor did not tell of $event: $(cat "$T/events")"
done
"$VSWITCHD" --reference control >"$T/reference"
for event in $(jq -r .event "$T/events" | sort -u); do
	grep -q "^- \`$event\`" "$T/reference" || fail "the reference has no event $event"
done
while read -r line; do
	jq -e . <<<"$line" >/dev/null || fail "not JSON from monitor: $line"
done <"$T/events"
