# SPDX-License-Identifier: BSD-3-Clause
from benchmarks import captures
from benchmarks.loops import devices_rate
from benchmarks.scenario import Case, Metric, Plot

TITLE = "Forwarding alone, by size of frames"
ABOUT = ("As by number of addresses, with 1000 on each side. IMIX: of 48 frames 28 have 64 "
         "bytes, 16 have 570, 4 have 1518. The device copies each frame when it receives it, "
         "which is most of the work with large ones.")
PEERS = ["causeway", "testpmd-io", "testpmd-mac", "ovs"]
METRICS = {"mpps": Metric("forwarded, both directions", "Mpps"),
           "gbits": Metric("forwarded, both directions", "Gbit/s")}
CASES = [Case(size + (" bytes" if size.isdigit() else ""), {"size": size})
         for size in captures.SIZES]
QUICK = ["IMIX"]
TWO_CORES = False
PLOTS = [Plot("mpps"), Plot("gbits")]


def measure(lab, switch, case):
    sizes = captures.SIZES[case.options["size"]]
    rate = devices_rate(lab, switch, macs=1000, size=case.options["size"])
    return {"mpps": rate / 1e6, "gbits": rate * 8 * sum(sizes) / len(sizes) / 1e9}
