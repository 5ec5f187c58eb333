#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Two switches joined by a veth pair whose ends they have by AF_XDP.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/wire.sh"

# Address family 44: AF_XDP.
"$PYTHON" -c 'import socket; socket.socket(44, socket.SOCK_RAW, 0)' 2>"$T/err" ||
	skip "the kernel has no AF_XDP: $(tail -n 1 "$T/err")"
two_switches
ip link add xa type veth peer name xb
ip link set xa up
ip link set xb up
wire A net_af_xdp0,iface=xa
wire B net_af_xdp0,iface=xb
try_wire
take_wire
