# SPDX-License-Identifier: BSD-3-Clause
from benchmarks.loops import learning_rate
from benchmarks.scenario import Case, Metric, Plot

TITLE = "Learning"
ABOUT = ("Frames of 64 bytes, each from a new address, into an empty table: addresses learned a "
         "second, taken between 10 and 90 % of them. Open vSwitch gets at most 200,000, as many "
         "frames as its buffers can hold.")
PEERS = ["causeway", "ovs"]
METRICS = {"macs": Metric("learned", "million addresses/s")}
CASES = [Case("100k new MACs", {"macs": 100_000}),
         Case("1M new MACs", {"macs": 1_000_000}, pages=1792)]
QUICK = ["100k new MACs"]
TWO_CORES = False
PLOTS = [Plot("macs")]


def measure(lab, switch, case):
    return {"macs": learning_rate(lab, switch, case.options["macs"]) / 1e6}
