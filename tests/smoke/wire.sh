# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# For tests of devices that join two processes: switch A with container c1 and switch B with
# container c2, each on a CPU of its own, and a DPDK port "w" of each as the wire between them.

# two_switches [configuration line…]: both, with a bridge and a container.
two_switches() {
	local name cpu
	container c1 c2
	for name in A B; do
		cpu=$([[ $name == A ]] && echo 0 || echo 1)
		mkdir -p "$T/$name"
		printf '%s\n' "workers: [$((cpu % $(nproc)))]" "$@" >"$T/$name/conf.yaml"
		switch_start "$T/$name" -c "$T/$name/conf.yaml" || fail "switch $name does not start"
		eval "pid_$name=\$SWITCH_PID"
		vsctl add-br br0
		if [[ $name == A ]]; then plug c1 10.0.0.1/24; else plug c2 10.0.0.2/24; fi
	done
}

# use A|B: the switch that vsctl and the end of the test speak to.
use() {
	local pid=pid_$1
	SWITCH_PID=${!pid}
	export CAUSEWAY_RUN_DIR=$T/$1/run
}

# wire A|B DEVARGS [option…]: the port "w" of that switch.
wire() {
	use "$1"
	vsctl add-port br0 w type=dpdk devargs="$2" "${@:3}"
}

# What must work over any wire: small and large packets, TCP both ways with right checksums.
try_wire() {
	wait_until 30 in_ns c1 ping -q -c 1 -W 1 10.0.0.2 || fail "no way from c1 to c2"
	reaches c1 10.0.0.2 -s 1400
	reaches c2 10.0.0.1
	tcp c1 c2 10.0.0.2
	tcp c1 c2 10.0.0.2 --reverse
}

# Frames larger than a buffer of 2 KiB.
try_jumbo() {
	local name
	for name in A B; do
		use "$name"
		vsctl set-port "c$([[ $name == A ]] && echo 1 || echo 2)" mtu=9000
	done
	reaches c1 10.0.0.2 -M "do" -s 8972
	tcp c1 c2 10.0.0.2
}

# Both switches leave cleanly, the wire first.
take_wire() {
	local name
	for name in A B; do
		use "$name"
		vsctl del-port w
		switch_stop || fail "switch $name ended with $?"
	done
	# shellcheck disable=SC2034
	SWITCH_PID= # lib.sh has none to stop
}

clean_up() {
	ip netns delete c1
	ip netns delete c2
	rm -rf "$T/A" "$T/B"
}
