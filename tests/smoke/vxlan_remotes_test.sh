#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A thousand remote VTEPs: each address goes to its own, a broadcast to every one of them, and
# traffic with the one that answers is as it was.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/overlay.sh"

lan
host near 1
host far 2
kernel_network far 42 10.1.0.2 10.1.0.1
kernel_inside far 42 c2 2
# All of them are behind the second host, which has no such address and sends nothing back.
ip -n near route add 10.2.0.0/16 via 10.1.0.2
ip -n far route add blackhole 10.2.0.0/16
in_ns far sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'

remote() { # of number 0..999
	echo "10.2.$(($1 / 250)).$(($1 % 250 + 1))"
}
site near 1 'vteps: {te0: {address: 10.1.0.1}}' 'bridges:' '  br0:' '    ports:' \
	'      vx0: {type: vxlan, key: 42, vtep: te0, remote: 10.1.0.2}' '    fdb:' \
	"$(for ((i = 0; i < 1000; i++)); do
		printf '      - {mac: "02:00:00:01:%02x:%02x", port: vx0, tunnel: %s}\n' \
			$((i / 256)) $((i % 256)) "$(remote $i)"
		printf '      - {mac: "00:00:00:00:00:00", port: vx0, tunnel: %s}\n' "$(remote $i)"
	done)"
container c1
inside c1 1
n=$(vsctl --json fdb ls br0 | jq '[.entries[] | select(.mac | startswith("02:00:00:01:"))] | length')
((n == 1000)) || fail "$n of 1000 addresses are there"
wait_until 30 in_ns c1 ping -q -c 1 -W 1 10.0.0.2 || fail "no way from c1 to c2"
reaches c1 10.0.0.2
tcp c1 c2 10.0.0.2

# outer: which VTEPs packets go to, as the second host sees them come; until outer_end NUMBER, when so
# many have come, and no more of them in half a second.
outer() {
	rm -f "$T/outer"
	in_ns far "$PYTHON" "$SMOKE/frames.py" outer u0 >"$T/outer" &
	outer=$!
	wait_until 30 grep -q ready "$T/outer" || fail "nobody watches the LAN"
}
outer_end() {
	wait_until 30 eval "((\$(grep -c '^10' \"$T/outer\") >= $1))" || true
	sleep 0.5
	kill "$outer"
	wait "$outer" 2>/dev/null || true
}
outer
for i in 0 255 256 999; do
	frame c1 "$(printf '02:00:00:01:%02x:%02x' $((i / 256)) $((i % 256)))"
done
outer_end 4
for i in 0 255 256 999; do
	is "frames for number $i" "$(grep -cxF "$(remote $i)" "$T/outer")" 1
done
(($(grep -c '^10\.2\.' "$T/outer") == 4)) || fail "for others, too: $(head -20 "$T/outer")"
outer
frame c1 ff:ff:ff:ff:ff:ff
outer_end 1001
is 'VTEPs that a broadcast went to once' "$(grep '^10\.2\.' "$T/outer" | sort | uniq -u | wc -l)" 1000
grep -q '^10\.1\.0\.2$' "$T/outer" || fail "and not to the one that answers"

# One more, and one less.
vsctl fdb add br0 02:00:00:02:00:00 vx0 tunnel=10.2.9.9
vsctl fdb rm br0 02:00:00:01:00:00
reaches c1 10.0.0.2
leave
