# SPDX-License-Identifier: BSD-3-Clause
from benchmarks.loops import tunnel_rate
from benchmarks.scenario import Case, Metric, Plot

TITLE = "VXLAN alone"
ABOUT = ("64-byte frames from memory, one core: plain to a device that forgets them, encapsulated "
         "to such a device, and taken out of VXLAN frames from memory. The difference to plain is "
         "what the tunnel costs.")
PEERS = ["causeway", "ovs"]
METRICS = {"mpps": Metric("forwarded", "Mpps")}
CASES = [Case("%s, %s" % (way, title), {"way": way, "macs": macs})
         for way in ("plain", "encap", "decap") for title, macs in (("1 MAC", 1), ("1k MACs", 1000))]
CASES += [Case("encap, 10k MACs", {"way": "encap", "macs": 10_000}),
          Case("encap, 10k MACs behind 1k remotes",
               {"way": "encap", "macs": 10_000, "remotes": 1000}, peers=["causeway"])]
QUICK = ["encap, 1k MACs", "decap, 1k MACs"]
TWO_CORES = False
PLOTS = [Plot("mpps")]


def measure(lab, switch, case):
    return {"mpps": tunnel_rate(lab, switch, **case.options) / 1e6}
