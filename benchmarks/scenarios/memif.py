# SPDX-License-Identifier: BSD-3-Clause
from benchmarks.loops import guest_rate
from benchmarks.scenario import Case, Metric, Plot

TITLE = "memif loop"
ABOUT = ("testpmd plays a guest with two devices on one CPU and sends back whatever comes; a "
         "fixed number of 64-byte frames goes round through the switch on the other CPU. "
         "testpmd-io as the switch is the limit.")
PEERS = ["causeway", "testpmd-io", "ovs"]
METRICS = {"mpps": Metric("through the switch", "Mpps")}
CASES = [Case("512 frames", {"bursts": 8})]
QUICK = ["512 frames"]
TWO_CORES = True
PLOTS = [Plot("mpps")]


def measure(lab, switch, case):
    return {"mpps": guest_rate(lab, switch, "memif", case.options["bursts"]) / 1e6}
