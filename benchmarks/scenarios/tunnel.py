# SPDX-License-Identifier: BSD-3-Clause
from benchmarks import containers
from benchmarks.scenario import Case, Plot

TITLE = "Two containers on two hosts, VXLAN"
ABOUT = ("The hosts are namespaces joined by a veth. It carries whole segments of a kernel's tunnel "
         "as no wire does; linux-vxlan-cut cuts them before, as a wire needs it. Causeway sends "
         "what a wire takes; causeway-linux has such a kernel on the other host.")
PEERS = ["causeway", "causeway-linux", "linux-vxlan", "linux-vxlan-cut"]
METRICS = containers.METRICS
CASES = [Case("tap", {"kind": "tap"}, pages=0), Case("veth", {"kind": "veth"}, pages=0)]
QUICK = ["tap"]
TWO_CORES = False
PLOTS = [Plot("tcp_1_gbits"), Plot("ping_us")]


def measure(lab, switch, case):
    return containers.everything(lab, switch, case.options["kind"], hosts=True)
