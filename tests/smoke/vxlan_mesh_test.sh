#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Three switches, each with tunnels to both others: a frame to all, or to an address that nobody
# has, is seen exactly once everywhere and never comes back.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/overlay.sh"

lan
container c1 c2 c3 c4
for n in 1 2 3; do
	switch_host "s$n" "$n" "$([[ $n == 2 ]] && echo port || echo kernel)" 4
	remotes=$(for r in 1 2 3; do [[ $r == "$n" ]] || address 4 "$r"; done | paste -sd,)
	network vx0 42 "$remotes"
	inside "c$n" "$n"
done
inside c4 4 # a second one behind the third switch
for n in 2 3 4; do
	wait_until 30 in_ns c1 ping -q -c 1 -W 1 "10.0.0.$n" || fail "no way from c1 to c$n"
done
reaches c2 10.0.0.3
reaches c4 10.0.0.2

for destination in ff:ff:ff:ff:ff:ff 01:00:5e:01:02:03 02:00:00:00:00:77; do
	for from in 1 2 3 4; do
		for n in 1 2 3 4; do
			watch "c$n"
		done
		frame "c$from" "$destination"
		for n in 1 2 3 4; do
			hears "c$n" $((n != from)) "one frame from c$from to $destination"
		done
	done
done
leave
