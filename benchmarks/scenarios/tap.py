# SPDX-License-Identifier: BSD-3-Clause
from benchmarks import containers
from benchmarks.scenario import Case, Plot

TITLE = "Two containers on TAP"
ABOUT = ("Both containers' ends on one CPU, the switch on the other. tapfwd moves segments "
         "between two TAP devices and looks at nothing: the limit of this way. The Linux bridge "
         "uses veth and no CPU of its own.")
PEERS = ["causeway", "causeway-busy", "tapfwd", "tapfwd-busy", "ovs", "ovs-tso", "linux-bridge"]
METRICS = containers.METRICS
CASES = [Case("tap to tap", pages=0)]
QUICK = ["tap to tap"]
TWO_CORES = True
PLOTS = [Plot(name) for name in ("tcp_1_gbits", "tcp_4_gbits", "udp_mpps", "rr_p50_us",
                                 "rr_p99_us")]


def measure(lab, switch, case):
    return containers.everything(lab, switch, "tap")
