#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What vsctl changes survives a restart, over the boot file; a boot file alone makes a switch.
# sanitizers: yes
. "$(dirname "$0")/lib.sh"

container c1 c2 c3
cat >"$T/boot.yaml" <<END
polling: adaptive
mbufs: 8192
bridges:
  br0:
    ageing: 60
    ports:
      c1: {type: tap, netns: c1, ifname: eth0, ip: [10.0.0.1/24], tag: 10}
      c2: {type: tap, netns: c2, ifname: eth0, ip: [10.0.0.2/24], tag: 10}
END
vsctl config check "$T/boot.yaml" || fail "config check refuses the file"
start_switch -c "$T/boot.yaml"
reaches c1 10.0.0.2
plug c3 10.0.0.3/24 tag=10
vsctl add-br br1 ageing=10
vsctl fdb add br0 02:00:00:00:00:77 c2 vlan=10
vsctl set-port c1 mtu=1400
running >"$T/before"
switch_stop
start_switch -c "$T/boot.yaml"
running >"$T/after"
diff "$T/before" "$T/after" || fail "the configuration changed over the restart"
reaches c1 10.0.0.3
vsctl --json fdb ls br0 | jq -e '.entries[] | select(.mac == "02:00:00:00:00:77")' >/dev/null ||
	fail "the static entry is gone"
vsctl config check "$T/after" || fail "config check refuses what config show printed"
