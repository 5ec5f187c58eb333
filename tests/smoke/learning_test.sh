#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Learning, ageing, static entries and flushing, as fdb ls has them.
# sanitizers: yes
. "$(dirname "$0")/lib.sh"

start_switch
container c1 c2 c3
vsctl add-br br0 ageing=2
plug c1 10.0.0.1/24 mac=02:00:00:00:00:01
plug c2 10.0.0.2/24 mac=02:00:00:00:00:02
plug c3 10.0.0.3/24
entry() {
	vsctl --json fdb ls br0 | jq -c --arg m "$1" '.entries[] | select(.mac == $m) | [.port, .kind]'
}
is_learned() {
	reaches c1 10.0.0.2
	[[ $(entry 02:00:00:00:00:01) == '["c1","learned"]' ]]
}
wait_until 30 is_learned || fail "not learned: $(vsctl fdb ls)"
vsctl fdb flush br0
vsctl fdb add br0 02:00:00:00:00:55 c2
[[ $(entry 02:00:00:00:00:55) == '["c2","static"]' ]] || fail "not static: $(vsctl fdb ls)"
reaches c1 10.0.0.2
gone() {
	[[ -z $(entry "$1") ]]
}
wait_until 30 gone 02:00:00:00:00:01 || fail "did not age: $(vsctl fdb ls)"
[[ -n $(entry 02:00:00:00:00:55) ]] || fail "the static entry aged"
vsctl fdb rm br0 02:00:00:00:00:55
gone 02:00:00:00:00:55 || fail "the static entry is still there"
# An address that is configured on a port does not reach another.
vsctl fdb add br0 02:00:00:00:00:02 c1
stays_apart c1 10.0.0.2 c2 10.0.0.3
(($(counter c1 hairpin) > 0)) || fail "no hairpin drop: $(vsctl drops)"
vsctl fdb rm br0 02:00:00:00:00:02
reaches_soon c1 10.0.0.2
