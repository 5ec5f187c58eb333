# SPDX-License-Identifier: BSD-3-Clause
import time

from benchmarks import containers
from benchmarks.scenario import Case, Metric, Plot

TITLE = "Idle"
ABOUT = ("CPU that the switch's processes use while two containers on TAP say nothing, and how "
         "long a request over TCP takes after 20 ms of silence, when all are asleep.")
PEERS = ["causeway", "causeway-busy", "tapfwd", "ovs-tso", "linux-bridge"]
METRICS = {
    "cpu_percent": Metric("CPU when idle", "%", False),
    "wake_p50_us": Metric("answer after silence, p50", "µs", False),
    "wake_p99_us": Metric("answer after silence, p99", "µs", False),
}
CASES = [Case("2 containers", {"more": 0}, pages=0), Case("34 containers", {"more": 32}, pages=0)]
QUICK = ["2 containers"]
TWO_CORES = True
PLOTS = [Plot("cpu_percent"), Plot("wake_p50_us")]


def measure(lab, switch, case):
    containers.up(lab, switch, "tap")
    if case.options["more"]:
        lab.namespace("farm")
    for i in range(case.options["more"]):
        switch.add_container("f%d" % i, "farm", "tap", None, "eth%d" % i)
    time.sleep(0.2 if lab.quick else 2)  # neighbour discovery of the new devices
    start, before = time.monotonic(), containers.cpu_seconds(switch.processes())
    time.sleep(lab.seconds)
    used = containers.cpu_seconds(switch.processes()) - before
    percent = used / (time.monotonic() - start) * 100
    rr = containers.round_trips(lab, lab.seconds, 20_000)
    return {"cpu_percent": percent, "wake_p50_us": rr["p50_us"], "wake_p99_us": rr["p99_us"]}
