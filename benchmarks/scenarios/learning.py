# SPDX-License-Identifier: BSD-3-Clause
from benchmarks.loops import learning_rates
from benchmarks.scenario import Case, Metric, Plot

TITLE = "Learning"
ABOUT = ("Frames of 64 bytes, each from a new address: addresses learned a second, taken between "
         "10 and 90 % of them, by a new switch, whose table has to grow, and again when all were "
         "forgotten. Open vSwitch gets at most 200,000, as many frames as its buffers can hold.")
PEERS = ["causeway", "ovs"]
METRICS = {"new": Metric("learned by a new switch", "million addresses/s"),
           "again": Metric("learned again", "million addresses/s")}
CASES = [Case("100k new MACs", {"macs": 100_000}),
         Case("1M new MACs", {"macs": 1_000_000}, pages=1792)]
QUICK = ["100k new MACs"]
TWO_CORES = False
PLOTS = [Plot("new"), Plot("again")]


def measure(lab, switch, case):
    new, again = learning_rates(lab, switch, case.options["macs"])
    return {"new": new / 1e6, "again": again / 1e6}
