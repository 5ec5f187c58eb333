# SPDX-License-Identifier: BSD-3-Clause
from benchmarks import containers
from benchmarks.scenario import Case, Plot

TITLE = "Two containers on two hosts, VXLAN"
ABOUT = ("The hosts are namespaces joined by a veth, which carries whole segments of the tunnel "
         "as no wire does; linux-vxlan-cut cuts them before, as a wire needs it. Causeway has no "
         "VXLAN yet: this is what it will be measured against.")
PEERS = ["linux-vxlan", "linux-vxlan-cut"]
METRICS = containers.METRICS
CASES = [Case("kernel VXLAN", pages=0)]
QUICK = ["kernel VXLAN"]
TWO_CORES = False
PLOTS = [Plot("tcp_1_gbits")]


def measure(lab, switch, case):
    return containers.everything(lab, switch, "veth")
