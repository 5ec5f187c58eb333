# SPDX-License-Identifier: BSD-3-Clause
from benchmarks.loops import devices_rate
from benchmarks.scenario import Case, Metric, Plot

TITLE = "Forwarding alone, VLANs"
ABOUT = ("As by number of addresses, with 1000 on each side. Access to trunk: a tag is pushed in "
         "one direction and popped in the other. Trunk to trunk: tagged frames stay so.")
PEERS = ["causeway", "ovs"]
METRICS = {"mpps": Metric("forwarded, both directions", "Mpps")}
CASES = [
    Case("untagged", {}),
    Case("access to trunk", {"vlans": (0, 10), "ports": ({"tag": 10}, {"trunk": 10})}),
    Case("trunk to trunk", {"vlans": (10, 10), "ports": ({"trunk": 10}, {"trunk": 10})}),
]
QUICK = ["access to trunk"]
TWO_CORES = False
PLOTS = [Plot("mpps")]


def measure(lab, switch, case):
    return {"mpps": devices_rate(lab, switch, macs=1000, **case.options) / 1e6}
