#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The units of systemd: each directive is one that systemd knows, and the exposure that it rates them with
# is below 3. A unit without a sandbox is rated worse, so the rating is one.
. "$(dirname "$0")/lib.sh"
command -v systemd-analyze >/dev/null || skip 'systemd-analyze is not installed'

# exposure UNIT: in tenths. It only reads.
exposure() {
	systemd-analyze security --offline=true --no-pager "$1" 2>"$T/err" |
		sed -nE 's/.*Overall exposure level for .*: ([0-9]+)\.([0-9]).*/\1\2/p'
}

for daemon in vswitchd vsnetd; do
	unit=$T/$daemon.service
	sed -e "s|$(sed -n 's/^ExecStart=\([^ ]*\).*/\1/p' "$BUILD/dist/$daemon.service")|/bin/true|" "$BUILD/dist/$daemon.service" >"$unit"
	got=$(exposure "$unit")
	[[ -n $got ]] || fail "no rating: $(<"$T/err")"
	((10#$got < 30)) || fail "the exposure of $daemon is $got tenths: $(systemd-analyze security --offline=true --no-pager "$unit")"
	! grep -qE "Unknown|Failed to parse|Invalid" "$T/err" || fail "$daemon.service: $(<"$T/err")"
	note "exposure of $daemon: $got tenths"
	for line in LimitCORE=0 UMask=0077 NoNewPrivileges=yes ProtectSystem=strict; do
		grep -qx "$line" "$unit" || fail "$daemon.service has no $line"
	done
done
printf '[Service]\nExecStart=/bin/true\n' >"$T/bare.service"
got=$(exposure "$T/bare.service")
((10#$got > 80)) || fail "a bare unit is rated $got"
printf '[Service]\nExecStart=/bin/true\nProtectNothing=yes\n' >"$T/wrong.service"
exposure "$T/wrong.service" >/dev/null
grep -qE 'Unknown' "$T/err" || fail "a directive that there is none is not told: $(<"$T/err")"
