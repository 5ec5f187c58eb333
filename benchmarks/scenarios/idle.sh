# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# What a switch with nothing to do costs, and how soon it is there after a silence.
containers_up
causeway_up tap
reached=0
wait_until 10 in_ns c1 ping -q -c 1 -W 1 10.0.0.2 && reached=1
((reached)) || die "c1 does not reach c2"
sleep 2
hz=$(getconf CLK_TCK)
for ((round = 1; round <= REPETITIONS; round++)); do
	before=$(awk '{ print $14 + $15 }' "/proc/$SWITCH_PID/stat")
	sleep 10
	after=$(awk '{ print $14 + $15 }' "/proc/$SWITCH_PID/stat")
	record causeway idle_cpu_percent "$(awk -v t=$((after - before)) -v hz="$hz" 'BEGIN { print t / hz * 10 }')"
	# One ping a second: each finds the worker asleep. Both containers' ends are in it.
	record causeway ping_after_idle_us "$(in_ns c1 ping -q -c 4 -i 1 10.0.0.2 |
		sed -n 's,^rtt [^=]*= [^/]*/\([^/]*\)/.*,\1,p' | awk '{ print $1 * 1000 }')"
done
containers_down
