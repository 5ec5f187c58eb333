# shellcheck shell=bash disable=SC2034,SC2154
# SPDX-License-Identifier: BSD-3-Clause
# Forwarding alone: two pcap ports that receive from memory for ever, 64-byte frames, N addresses a
# side, one CPU, learning on. No NIC, no kernel.
title='Forwarding alone, 64-byte frames, one CPU'
peers=(causeway testpmd_mac ovs)
units=(mpps_1=Mpps mpps_1000=Mpps)

PAGES=600

captures() {
	local side
	for side in 0 1; do
		[[ -f $work/$side-$1.pcap ]] ||
			python3 "$root/tests/smoke/make_pcap.py" pairs "$work/$side-$1.pcap" "$side" "$1"
	done
}

each_size() {
	local n
	reserve_hugepages "$PAGES" || return
	for n in 1 1000; do
		captures "$n"
		echo "mpps_$n $("$1" "$n")" || return
	done
}

vdev() { echo "net_pcap$1,rx_pcap=$work/$1-$2.pcap,infinite_rx=1"; }

measure_causeway() { each_size causeway_mpps; }

sent() { vsctl --json stats | jq '[.ports[].tx_packets] | add'; }

causeway_mpps() {
	local before after
	start_causeway 'mbufs: 65536'
	vsctl add-port br0 p0 type=dpdk devargs="$(vdev 0 "$1")"
	vsctl add-port br0 p1 type=dpdk devargs="$(vdev 1 "$1")"
	sleep 1
	before="$(sent) $(date +%s%N)"
	sleep "$SECONDS_EACH"
	after="$(sent) $(date +%s%N)"
	awk -v b="$before" -v a="$after" \
		'BEGIN { split(b, x); split(a, y); print (y[1] - x[1]) / (y[2] - x[2]) * 1000 }'
	stop_switch
}

# testpmd that rewrites the addresses and switches nothing: the limit.
measure_testpmd_mac() {
	have dpdk-testpmd || skip 'testpmd is not installed (scripts/setup --bench)' || return
	each_size testpmd_mpps
}

testpmd_mpps() {
	timeout $((SECONDS_EACH + 8)) dpdk-testpmd -l "$ENDS_CPU,$SWITCH_CPU" \
		--main-lcore "$ENDS_CPU" --in-memory --no-pci --vdev "$(vdev 0 "$1")" \
		--vdev "$(vdev 1 "$1")" -- --forward-mode=mac --nb-cores=1 --stats-period 1 \
		--total-num-mbufs=65536 >"$work/testpmd.log" 2>&1
	# Both ports' rates of each second; the first seconds are warm-up.
	sed -n 's/.*Tx-pps: *\([0-9]*\).*/\1/p' "$work/testpmd.log" | paste - - | tail -n +3 |
		awk '{ print ($1 + $2) / 1e6 }' | sort -n |
		awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

measure_ovs() {
	have_ovs || skip 'Open vSwitch with DPDK is not installed (scripts/setup --bench)' || return
	each_size ovs_mpps
}

ovs_mpps() {
	start_ovs dpdk-init=true pmd-cpu-mask="$(printf '0x%x' $((1 << SWITCH_CPU)))" \
		'dpdk-extra=--in-memory --no-pci' dpdk-socket-mem=512
	ovs_vsctl set bridge br0 other_config:mac-table-size=100000
	for p in 0 1; do
		ovs_vsctl add-port br0 "p$p" -- set interface "p$p" type=dpdk \
			options:dpdk-devargs="$(vdev $p "$1" | sed 's/,/\\,/g')"
	done
	sleep 3
	ovs-appctl -t "$work/ovs/switch.ctl" dpif-netdev/pmd-stats-clear
	sleep "$SECONDS_EACH"
	ovs-appctl -t "$work/ovs/switch.ctl" dpif-netdev/pmd-stats-show |
		awk -v s="$SECONDS_EACH" '/packets received/ && $3 > n { n = $3 } END { print n / s / 1e6 }'
	stop_ovs >&2
}
