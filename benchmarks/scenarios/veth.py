# SPDX-License-Identifier: BSD-3-Clause
from benchmarks import containers
from benchmarks.scenario import Case, Plot

TITLE = "Two containers on veth"
ABOUT = ("As with TAP. Open vSwitch in user space passes TCP over veth only with userspace-tso- "
         "enable, or when containers switch their offloads off; it is taken with the former.")
PEERS = ["causeway", "causeway-busy", "ovs-tso", "linux-bridge"]
METRICS = containers.METRICS
CASES = [Case("veth to veth", pages=0)]
QUICK = ["veth to veth"]
TWO_CORES = True
PLOTS = [Plot(name) for name in ("tcp_1_gbits", "tcp_4_gbits", "udp_mpps", "rr_p50_us",
                                 "rr_p99_us")]


def measure(lab, switch, case):
    return containers.everything(lab, switch, "veth")
