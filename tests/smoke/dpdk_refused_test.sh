#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A DPDK device that cannot be had is refused with its name, DPDK's reason and what to do; what was
# tried leaves nothing behind. A device that is opened says nothing in the log.
# sanitizers: yes
. "$(dirname "$0")/lib.sh"

# What the device that is given up below still holds hangs on DPDK's memory, which LeakSanitizer does not search.
echo 'leak:libpcap.so' >"$T/lsan"
export LSAN_OPTIONS=suppressions=$T/lsan:print_suppressions=0

start_switch
vsctl add-br br0
before=$(running)

# no_device DEVARGS WORDS
no_device() {
	refused "$2" vsctl add-port br0 p0 type=dpdk devargs="$1"
	grep -qF "${1%%,*}" "$T/err" || fail "does not name the device: $(cat "$T/err")"
}
no_device 0000:7f:1f.0 'there is no PCI device 0000:7f:1f.0; .lspci -D. lists them'
no_device net_nosuch0 'not a PCI address, and no DPDK driver'
no_device nonsense 'not a PCI address, and no DPDK driver'
no_device net_pcap0,bogus=1 'refuses.*compare its arguments'
no_device net_pcap0 'No rx or tx queues provided'
no_device net_pcap0,rx_pcap=/nonexistent 'nonexistent: No such file'
no_device net_af_xdp0,iface=none 'interface: none'
no_device net_virtio_user0,path=/nonexistent 'connect error, No such file'
no_device net_memif0,role=x 'Unknown role: x'
# Drivers over interfaces of the kernel, where there are port types for these.
ip link add h0 type veth peer name h1
no_device net_af_packet0,iface=h0 'not supported: .*type=veth host-ifname='
no_device net_tap0 'not supported: .*type=tap'
no_device net_tap0,iface=x0 'not supported: .*type=tap'
no_device eth_tap0 'not supported: .*type=tap'
no_device eth_af_packet0,iface=h0 'not supported: .*type=veth'
no_device 'net_failsafe0,dev(net_af_packet0,iface=h0)' 'not supported: .*type=veth'
no_device 'net_failsafe0,dev(net_null0),dev(net_tap0,iface=x0)' 'not supported: .*type=tap'
no_device net_tun0 'not supported: .*type=tap'
no_device net_pcap0,iface=h0 'not supported: .*type=veth'
no_device net_pcap0,rx_iface=h0,tx_iface=h0 'not supported: .*type=veth'
refused 'not supported: .*type=veth' vsctl add-port br0 p0 type=dpdk devargs=bus=vdev,name=net_af_packet0,iface=h0
[[ $(running) == "$before" ]] || fail "a refused port changed the configuration: $(running)"
# The words of the log are those of the switch: DPDK's own went into the errors.
grep -qE '^[0-9T:.-]+Z info: ' "$T/sw/log" || fail "the log is empty"
! grep -vE '^[0-9T:.-]+Z (info|warn|error): ' "$T/sw/log" || fail "DPDK wrote to the log"

# Both ways of DPDK to name a device.
vsctl add-port br0 p0 type=dpdk devargs=net_null0,no-rx=1
vsctl add-port br0 p1 type=dpdk devargs=bus=vdev,name=net_null1
for name in net_null0 net_null0,size=64 bus=vdev,name=net_null1; do
	refused "'$name' is in use by another port" \
		vsctl add-port br0 p2 type=dpdk devargs="$name"
done
vsctl del-port p0
vsctl add-port br0 p2 type=dpdk devargs=net_null0,no-rx=1
! grep -q 'Intr' "$T/sw/log" || fail "interrupts were asked for where there are none"

# A device whose queues cannot be set up: more frames than buffers, all of them to be held. The
# driver would free them twice, in memory that is gone with huge pages.
"$PYTHON" "$(dirname "$0")/make_pcap.py" echo "$T/many.pcap" 02:00:00:00:00:09 10.0.0.9 \
	02:00:00:00:00:01 10.0.0.1 100000
"$PYTHON" "$(dirname "$0")/make_pcap.py" echo "$T/few.pcap" 02:00:00:00:00:09 10.0.0.9 \
	02:00:00:00:00:01 10.0.0.1 10
vsctl del-port p1
refused 'Not enough mbufs' vsctl add-port br0 p3 type=dpdk \
	devargs="net_pcap3,rx_pcap=$T/many.pcap,infinite_rx=1"
refused 'net_pcap3.*could not be set up before.*another number' vsctl add-port br0 p3 type=dpdk \
	devargs="net_pcap3,rx_pcap=$T/few.pcap,infinite_rx=1"
vsctl add-port br0 p4 type=dpdk devargs="net_pcap4,rx_pcap=$T/few.pcap,infinite_rx=1"
vsctl del-port p4
kill -TERM "$SWITCH_PID"
wait "$SWITCH_PID" || fail "the switch ended with $?"
