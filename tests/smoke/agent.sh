# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# For tests of one host with vswitchd and vsnetd, without a store of a cluster. To be sourced after
# lib.sh.

. "$TOP/scripts/hosts.sh"

AGENT=

# agent [option…]: starts vsnetd with the configuration $T/net.yaml.
agent() {
	"$VSNETD" --config "$T/net.yaml" --switch "$T/sw/run" --run-dir "$T/sw/run/net" \
		--state-dir "$T/net" "$@" >>"$T/sw/net.log" 2>&1 &
	AGENT=$!
	wait_until 30 vsctl host ls || fail "vsnetd does not start: $(cat "$T/sw/net.log")"
}

agent_stop() {
	kill -TERM "$AGENT"
	wait "$AGENT" || fail "vsnetd ended with status $?: $(tail -n 5 "$T/sw/net.log")"
}
