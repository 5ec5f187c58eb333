# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Forwarding alone: two pcap devices that receive the same 64-byte frames for ever and free what
# they send, one core. Frames go from N addresses on one to N on the other, and back.
# testpmd "mac" touches the headers and looks nothing up: the limit.

pcap_devargs() {
	echo "net_pcap$1,rx_pcap=$SCRATCH/$2-$1.pcap,infinite_rx=1"
}

huge_up() {
	huge_before=$(cat /proc/sys/vm/nr_hugepages)
	((huge_before >= 1024)) || echo 1024 >/proc/sys/vm/nr_hugepages ||
		echo "no huge pages to be had; going on without" >&2
}

huge_down() {
	echo "$huge_before" >/proc/sys/vm/nr_hugepages || true
}

# counted: packets transmitted so far by all ports, and when (microseconds).
counted() {
	vsctl --json stats | jq -r '"\([.ports[].tx_packets] | add) \(.time_us)"'
}

pcap_causeway() {
	local n=$1 packets0 time0 packets time
	printf 'workers: [%d]\npolling: busy\nmbufs: 65536\n' "$SWITCH_CPU" >"$SCRATCH/conf.yaml"
	switch_start "$SCRATCH/sw" -c "$SCRATCH/conf.yaml" || return
	vsctl add-br br0
	vsctl add-port br0 p0 type=dpdk "devargs=$(pcap_devargs 0 "$n")"
	vsctl add-port br0 p1 type=dpdk "devargs=$(pcap_devargs 1 "$n")"
	sleep 2
	read -r packets0 time0 < <(counted)
	sleep "$SECONDS_EACH"
	read -r packets time < <(counted)
	record causeway "mpps_${n}_macs" "$(awk -v p=$((packets - packets0)) -v t=$((time - time0)) \
		'BEGIN { printf "%.2f", p / t }')"
	vsctl --json workers >"$TOP/out/benchmarks/pcap-$n-workers.json"
	switch_stop
	rm -rf "$SCRATCH/sw"
}

pcap_testpmd() {
	local n=$1
	timeout --signal=INT $((SECONDS_EACH + 6)) dpdk-testpmd -l "$CONTAINER_CPU,$SWITCH_CPU" --no-pci \
		--in-memory --no-telemetry --vdev "$(pcap_devargs 0 "$n")" --vdev "$(pcap_devargs 1 "$n")" \
		-- --forward-mode=mac --nb-cores=1 --total-num-mbufs=65536 --stats-period=1 \
		>"$SCRATCH/testpmd" 2>&1 </dev/null || true
	# The rates of both ports, second by second: the sum's median.
	local rates
	mapfile -t rates < <(sed -n 's/.*Tx-pps: *\([0-9]*\) .*/\1/p' "$SCRATCH/testpmd" |
		paste - - | awk 'NR > 2 { print ($1 + $2) / 1e6 }')
	record testpmd-mac "mpps_${n}_macs" "$(median "${rates[@]}")"
}

pcap_ovs() {
	local n=$1 i
	ovs_start other_config:dpdk-init=true "other_config:dpdk-extra=\"--no-pci --in-memory\"" \
		other_config:pmd-cpu-mask=$((1 << SWITCH_CPU)) other_config:dpdk-lcore-mask=$((1 << CONTAINER_CPU))
	ovs add-br br0 -- set bridge br0 datapath_type=netdev other_config:mac-table-size=100000
	for i in 0 1; do
		ovs add-port br0 "p$i" -- set interface "p$i" type=dpdk \
			"options:dpdk-devargs=\"$(pcap_devargs "$i" "$n")\""
	done
	sleep 5
	ovs-appctl --target="$OVS_RUNDIR/vs.ctl" dpif-netdev/pmd-stats-clear >/dev/null
	sleep "$SECONDS_EACH"
	record ovs-normal "mpps_${n}_macs" "$(ovs-appctl --target="$OVS_RUNDIR/vs.ctl" \
		dpif-netdev/pmd-stats-show | awk -v s="$SECONDS_EACH" \
		'/packets received:/ { p += $3 } END { printf "%.2f", p / s / 1e6 }')"
	ovs_stop
}

mkdir -p "$TOP/out/benchmarks"
huge_up
trap huge_down EXIT
for n in ${MACS:-1 1000}; do
	for side in 0 1; do
		"$PYTHON" "$TOP/tests/smoke/make_pcap.py" pairs "$SCRATCH/$n-$side.pcap" "$side" "$n"
	done
done
for ((round = 1; round <= REPETITIONS; round++)); do
	for n in ${MACS:-1 1000}; do
		pcap_causeway "$n"
		pcap_testpmd "$n"
		[[ -n ${NO_OVS:-} ]] || pcap_ovs "$n"
	done
done
