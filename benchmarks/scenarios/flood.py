# SPDX-License-Identifier: BSD-3-Clause
from benchmarks.loops import flood_rate
from benchmarks.scenario import Case, Metric, Plot

TITLE = "Flooding"
ABOUT = ("64-byte frames to an address that nobody has, from one device that receives for ever, "
         "to N ports: devices that drop what they are given, or TAP devices (DPDK knows at most "
         "32 devices of its own kind).")
PEERS = ["causeway", "ovs"]
METRICS = {"copies_mpps": Metric("copies", "Mpps")}
CASES = [Case("2 ports", {"ports": 2}), Case("8 ports", {"ports": 8}),
         Case("30 ports", {"ports": 30}), Case("8 TAP ports", {"ports": 8, "tap": True}),
         Case("64 TAP ports", {"ports": 64, "tap": True})]
QUICK = ["2 ports"]
TWO_CORES = False
PLOTS = [Plot("copies_mpps")]


def measure(lab, switch, case):
    return {"copies_mpps": flood_rate(lab, switch, **case.options) / 1e6}
