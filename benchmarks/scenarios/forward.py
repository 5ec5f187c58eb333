# SPDX-License-Identifier: BSD-3-Clause
from benchmarks.loops import devices_rate
from benchmarks.scenario import Case, Metric, Plot

TITLE = "Forwarding alone, by number of addresses"
ABOUT = ("Two devices that receive the same 64-byte frames from memory for ever and free what "
         "they send; one core switches. Frames go from N addresses on one to N on the other and "
         "back. testpmd looks nothing up: the limit.")
PEERS = ["causeway", "testpmd-io", "testpmd-mac", "ovs"]
METRICS = {"mpps": Metric("forwarded, both directions", "Mpps")}
CASES = [
    Case("1 MAC", {"macs": 1}),
    Case("1k MACs", {"macs": 1000}),
    Case("10k MACs", {"macs": 10_000}),
    Case("100k MACs", {"macs": 100_000}, pages=1280),
    Case("1M MACs", {"macs": 1_000_000}, pages=3072),
]
QUICK = ["1k MACs"]
TWO_CORES = False
PLOTS = [Plot("mpps", "lines")]


def measure(lab, switch, case):
    return {"mpps": devices_rate(lab, switch, macs=case.options["macs"]) / 1e6}
