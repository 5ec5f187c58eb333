#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Every verb answers in JSON when asked to; the monitor tells what happens.
. "$(dirname "$0")/lib.sh"

two_containers
vsctl --json monitor >"$T/events" &
monitor=$!
sleep 0.5
is_json() {
	vsctl --json "$@" >"$T/out" || fail "status $? from vsctl --json $*"
	jq -e . "$T/out" >/dev/null || fail "not JSON: vsctl --json $*: $(head -c 300 "$T/out")"
}
is_json status
is_json add-br br1
is_json list-br
is_json add-port br1 x1 type=dpdk devargs=net_null0,no-rx=1
is_json set-port x1 mtu=1400
is_json list-ports
is_json list-ports br0
is_json show
is_json fdb show
is_json fdb show br0
is_json fdb add br0 02:00:00:00:00:99 c1
is_json fdb del br0 02:00:00:00:00:99
is_json fdb flush br0
is_json stats
is_json stats c1
is_json drops
is_json workers
is_json config show
is_json del-port x1
is_json del-br br1
# Errors are JSON as well, on standard error or output, with a code.
status=0
vsctl --json del-port nothing >"$T/out" 2>"$T/err" || status=$?
((status == 1)) || fail "status $status for a refusal"
cat "$T/out" "$T/err" | jq -e '.error.code // .code' >/dev/null ||
	fail "no error code in JSON: $(cat "$T/out" "$T/err")"
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
while read -r line; do
	jq -e . <<<"$line" >/dev/null || fail "not JSON from monitor: $line"
done <"$T/events"
