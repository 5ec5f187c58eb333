#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# MTU 9000 end to end; a packet that is larger than the egress port's MTU is a named drop.
. "$(dirname "$0")/lib.sh"

two_containers mtu=9000
reaches c1 10.0.0.2 -M "do" -s 8972
tcp c1 c2 10.0.0.2
before=$(counter c2 tx_too_big)
vsctl set-port c2 mtu=1500
in_ns c1 ping -q -c 3 -i 0.1 -W 1 -M "do" -s 8972 10.0.0.2 >/dev/null 2>&1 &&
	fail "8972 bytes through a port of MTU 1500"
(($(counter c2 tx_too_big) - before >= 3)) || fail "not counted as tx_too_big: $(vsctl drops)"
reaches c1 10.0.0.2 -s 1000
