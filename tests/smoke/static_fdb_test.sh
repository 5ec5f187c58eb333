#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Static forwarding entries: replaced, deleted, kept over a restart, gone with their port; thousands
# at once all or none, also when the table has no room.
# sanitizers: yes
. "$(dirname "$0")/lib.sh"

start_switch
vsctl add-br br0
vsctl add-port br0 s1 type=tap
vsctl add-port br0 s2 type=tap
# entries: MAC, VLAN and port of the static ones, as the data plane has them.
entries() {
	vsctl --json fdb ls br0 | jq -c '.entries[] | select(.kind == "static") | [.mac, .vlan, .port]'
}
vsctl fdb add br0 02:00:00:00:00:01 s1
vsctl fdb add br0 02:00:00:00:00:01 s1 vlan=7
vsctl fdb add br0 02:00:00:00:00:02 s1
vsctl fdb add br0 02:00:00:00:00:01 s2 vlan=7
entries >"$T/want"
[[ $(tr '\n' ' ' <"$T/want") == '["02:00:00:00:00:01",0,"s1"] ["02:00:00:00:00:02",0,"s1"] ["02:00:00:00:00:01",7,"s2"] ' ]] ||
	fail "not what was added: $(cat "$T/want")"
switch_stop || fail "status $?"
start_switch
entries | diff "$T/want" - || fail "the restart changed them"
vsctl fdb flush br0
entries | diff "$T/want" - || fail "a flush took static ones"
vsctl fdb rm br0 02:00:00:00:00:01 vlan=7
vsctl --if-exists fdb rm br0 02:00:00:00:00:01 vlan=7
refused 'VLAN 7' vsctl fdb rm br0 02:00:00:00:00:01 vlan=7
[[ $(entries | wc -l) == 2 ]] || fail "not two left: $(entries)"
vsctl del-port s1
[[ -z $(entries) ]] || fail "left over without their port: $(entries)"
vsctl del-br br0

"$PYTHON" "$(dirname "$0")/fdb_undo.py" "$T/sw/run/ctl.sock" || fail "see above"
