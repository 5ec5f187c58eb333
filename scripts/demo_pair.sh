# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Two containers on one switch. Sourced by scripts/demo.

started=$SECONDS
step "Making two containers (network namespaces) c1 and c2"
container c1 c2

step "Starting vswitchd, the switch: one worker thread, asleep while there is nothing to do"
switch_start "$SCRATCH/demo"
export PATH=$BUILD/cli:$PATH
unset -f vsctl
run vsctl status

step "Making a bridge and plugging both containers into it"
run vsctl add-br br0
run vsctl add-port br0 c1 type=tap netns=c1 ifname=eth0 ip=10.0.0.1/24
run vsctl add-port br0 c2 type=tap netns=c2 ifname=eth0 ip=10.0.0.2/24

step "c1 pings c2"
run in_ns c1 ping -c 3 -i 0.2 10.0.0.2

step "Round trip of 2000 pings, one after the other (ping -f)"
round_trip=$(in_ns c1 ping -q -f -c 2000 10.0.0.2 | sed -n 's,^rtt [^=]*= [^/]*/\([^/]*\)/.*,\1,p')
echo "      average: $round_trip ms"

step "TCP from c1 to c2 for three seconds (iperf3), then four connections at once"
iperf_server c2
in_ns c1 iperf3 --client 10.0.0.2 --time 3 --json >"$SCRATCH/one"
in_ns c1 iperf3 --client 10.0.0.2 --time 3 --parallel 4 --json >"$SCRATCH/four"
echo "      one connection:   $(gbits "$SCRATCH/one") Gbit/s"
echo "      four connections: $(gbits "$SCRATCH/four") Gbit/s"

step "What the switch has seen"
run vsctl show
run vsctl fdb ls br0
run vsctl stats

step "Unplugging, and stopping the switch"
run vsctl del-br br0
switch_stop
step "Done in $((SECONDS - started)) s after the build: ping $round_trip ms, TCP" \
	"$(gbits "$SCRATCH/one") Gbit/s through a switch in user space"
