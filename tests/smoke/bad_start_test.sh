#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Starts that cannot succeed say why and leave nothing behind.
# sanitizers: yes
. "$(dirname "$0")/lib.sh"

unprivileged=(setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all)
install -m 755 "$VSWITCHD" "$T/vswitchd"

touch "$T/file"
refused "$T/file" "$VSWITCHD" --run-dir "$T/file" --state-dir "$T/s1"
mkdir -m 755 "$T/closed"
refused 'closed.*[Pp]ermission' "${unprivileged[@]}" "$T/vswitchd" \
	--run-dir "$T/closed/run" --state-dir "$T/closed/state"
printf 'workers: [900]\n' >"$T/cpu.yaml"
refused 'CPU 900' "$VSWITCHD" --run-dir "$T/r2" --state-dir "$T/s2" -c "$T/cpu.yaml"
[[ ! -e $T/r2/ctl.sock ]] || fail "a socket of a switch that did not start"

# The path of a local socket has 107 bytes at most. What is refused is refused before it is begun.
long=$T/$(printf 'r%.0s' {1..100})
refused 'more than the 95 .*--run-dir' "$VSWITCHD" --run-dir "$long" --state-dir "$T/s3"
[[ ! -e $long && ! -e $T/s3 ]] || fail "a refused start made folders"
long=$T/$(printf 'r%.0s' $(seq $((95 - ${#T} - 1 - 4)))) # and /run
switch_start "$long" || fail "no start in a run directory of 95 bytes"
switch_stop || fail "status $?"

# Without the capabilities the switch runs, and the port says which is missing.
mkdir -m 777 "$T/sw" # made here so that nobody may write there
SWITCH_WRAP=("${unprivileged[@]}")
VSWITCHD=$T/vswitchd
start_switch
container c1
vsctl add-br br0
refused 'permi|CAP_|capabilit' vsctl add-port br0 c1 type=tap netns=c1 ifname=eth0
(($(vsctl --json list-ports | jq '.ports | length') == 0)) || fail "a port remained"
