# shellcheck shell=bash disable=SC2034,SC2154
# SPDX-License-Identifier: BSD-3-Clause
# What a switch with ten silent containers costs, and how long the first packet after silence takes.
title='Idle: ten silent containers'
peers=(causeway)
units=(cpu=% first_ping=us)

measure_causeway() {
	local i ticks
	containers
	start_causeway
	vsctl add-port br0 a type=tap netns="$ns_a" ifname=eth0 ip=10.77.0.1/24
	for ((i = 2; i <= 10; i++)); do
		vsctl add-port br0 "b$i" type=tap netns="$ns_b" ifname="eth$i" ip="10.77.0.$i/24"
	done
	wait_for in_a ping -c 1 -W 1 10.77.0.2
	sleep 5 # duplicate address detection and the like
	ticks=$(cpu_ticks)
	sleep "$SECONDS_EACH"
	awk -v t=$(($(cpu_ticks) - ticks)) -v s="$SECONDS_EACH" -v hz="$(getconf CLK_TCK)" \
		'BEGIN { print "cpu", t / hz / s * 100 }'
	# One packet every 200 ms: the worker sleeps before each.
	echo "first_ping $(in_a ping -q -c 25 -i 0.2 10.77.0.2 |
		sed -n 's|^rtt.* = [^/]*/\([^/]*\)/.*|\1|p' | awk '{ print $1 * 1000 }')"
}

cpu_ticks() { awk '{ print $14 + $15 }' "/proc/$switch_pid/stat"; }
