# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# What the scenarios share: switches (Causeway and its peers) brought up between two containers,
# pinned measurements, and the table at the end. Container ends run on CPU 0, the switch on CPU 1.

. "$TOP/benchmarks/peers/ovs.sh"

REPETITIONS=${REPETITIONS:-5}
SECONDS_EACH=${SECONDS_EACH:-5}
CONTAINER_CPU=0
SWITCH_CPU=1
results=$SCRATCH/results
: >"$results"
PIDS=()

# record PEER METRIC VALUE
record() {
	[[ -n $3 ]] || { echo "no value of $2 for $1" >&2 && return; }
	printf '%s %s %s\n' "$1" "$2" "$3" | tee -a "$results"
}

# kill_all: ends what this repetition started.
kill_all() {
	local pid
	for pid in "${PIDS[@]}"; do
		kill -TERM "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
	done
	PIDS=()
}

core_distance() {
	[[ ! -x $BUILD/benchmarks/corelat ]] || "$BUILD/benchmarks/corelat" "$CONTAINER_CPU" "$SWITCH_CPU"
}

# ---- two containers, c1 (10.0.0.1) and c2 (10.0.0.2), on each kind of switch ----

containers_up() {
	container c1 c2
}

containers_down() {
	kill_all
	ip netns delete c1
	ip netns delete c2
	rm -rf "$SCRATCH/sw"
}

# adopt DEVICE CONTAINER ADDRESS: moves a device into the container as its eth0.
adopt() {
	ip link set "$1" netns "$2" name eth0
	ip -n "$2" address add "$3" dev eth0
	ip -n "$2" link set eth0 up
}

# causeway_up TYPE: tap or veth ports.
causeway_up() {
	printf 'workers: [%d]\npolling: %s\n' "$SWITCH_CPU" "${POLLING:-adaptive}" >"$SCRATCH/conf.yaml"
	switch_start "$SCRATCH/sw" -c "$SCRATCH/conf.yaml" || return
	PIDS+=("$SWITCH_PID")
	vsctl add-br br0
	vsctl add-port br0 c1 type="$1" netns=c1 ifname=eth0 ip=10.0.0.1/24
	vsctl add-port br0 c2 type="$1" netns=c2 ifname=eth0 ip=10.0.0.2/24
}

causeway_busy_up() {
	POLLING=busy causeway_up "$1"
}

# The bare forwarder knows TAP only.
tapfwd_up() {
	shift
	taskset -c "$SWITCH_CPU" "$BUILD/benchmarks/tapfwd" "$@" t1 t2 &
	PIDS+=("$!")
	wait_until 5 ip link show t2
	adopt t1 c1 10.0.0.1/24
	adopt t2 c2 10.0.0.2/24
}

tapfwd_busy_up() {
	tapfwd_up "$1" --busy
}

# ovs_tso_up TYPE: Open vSwitch in user space, with its segments passed whole.
ovs_tso_up() {
	local i
	ovs_start other_config:userspace-tso-enable=true || return
	ovs add-br br0 -- set bridge br0 datapath_type=netdev
	for i in 1 2; do
		if [[ $1 == tap ]]; then
			ovs add-port br0 "p$i" -- set interface "p$i" type=internal
		else
			ip link add "p$i" type veth peer name "q$i"
			ip link set "p$i" up
			ovs add-port br0 "p$i"
		fi
	done
	for i in 1 2; do
		if [[ $1 == tap ]]; then adopt "p$i" "c$i" "10.0.0.$i/24"; else adopt "q$i" "c$i" "10.0.0.$i/24"; fi
	done
}

# The kernel's own bridge, on all its CPUs: what every reader compares with.
linux_bridge_up() {
	local i
	ip link add lb0 type bridge
	ip link set lb0 up
	for i in 1 2; do
		ip link add "p$i" type veth peer name "q$i"
		ip link set "p$i" master lb0 up
		adopt "q$i" "c$i" "10.0.0.$i/24"
	done
}

# ---- measurements ----

measure_tcp() {
	local peer=$1 streams=$2
	in_ns c1 taskset -c "$CONTAINER_CPU" timeout 60 iperf3 --client 10.0.0.2 --omit 1 \
		--time "$SECONDS_EACH" --parallel "$streams" --json >"$SCRATCH/iperf" || true
	record "$peer" "tcp_${streams}_gbits" "$(gbits "$SCRATCH/iperf")"
}

measure_ping() {
	record "$1" ping_f_avg_us "$(in_ns c1 taskset -c "$CONTAINER_CPU" ping -q -f -c 20000 -w 20 10.0.0.2 |
		sed -n 's,^rtt [^=]*= [^/]*/\([^/]*\)/.*,\1,p' | awk '{ print $1 * 1000 }')"
}

# compare_containers TYPE PEER…: repetitions interleaved, so that a slow minute of the machine
# hits all alike.
compare_containers() {
	local type=$1 peer round
	shift
	for ((round = 1; round <= REPETITIONS; round++)); do
		record machine core_round_trip_ticks "$(core_distance)"
		for peer; do
			containers_up
			if "${peer//-/_}_up" "$type" >"$SCRATCH/log" 2>&1 &&
				wait_until 10 in_ns c1 ping -q -c 1 -W 1 10.0.0.2; then
				iperf_server c2 taskset -c "$CONTAINER_CPU"
				PIDS+=("$!")
				measure_ping "$peer"
				measure_tcp "$peer" 1
				measure_tcp "$peer" 4
			else
				echo "$peer did not come up:" >&2
				cat "$SCRATCH/log" >&2
			fi
			"${peer//-/_}_down" 2>/dev/null || containers_down
			ip link delete lb0 2>/dev/null || true
		done
	done
	record machine core_round_trip_ticks "$(core_distance)"
}

ovs_tso_down() {
	ovs_stop
	containers_down
}

# ---- the result ----

# report SCENARIO: medians as a table, with each peer's ratio to Causeway, and as JSON.
report() {
	local out=$TOP/out/benchmarks/$1.json
	mkdir -p "${out%/*}"
	jq -R -s --arg scenario "$1" --arg cpu "$(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)" \
		--arg kernel "$(uname -r)" '
		def median: sort | if length % 2 == 1 then .[length / 2 | floor]
			else (.[length / 2 - 1] + .[length / 2]) / 2 end;
		{scenario: $scenario, cpu: $cpu, kernel: $kernel, results: [
			split("\n") | map(select(. != "") | split(" ")) |
			group_by([.[1], .[0]])[] |
			{metric: .[0][1], peer: .[0][0], values: map(.[2] | tonumber)} |
			. + {median: (.values | median), min: (.values | min), max: (.values | max)}]}
	' "$results" >"$out"
	echo
	jq -r '.results as $r | (["metric", "switch", "median", "min", "max", "causeway/this"] | @tsv),
		($r[] | . as $x | [.metric, .peer, .median, .min, .max,
			(($r[] | select(.peer == "causeway" and .metric == $x.metric) |
				if $x.median > 0 then .median / $x.median * 100 | round / 100 else "-" end)
			 // "-")] | @tsv)' "$out" | column -t -s $'\t'
	echo "JSON: ${out#"$TOP"/}"
}
