# SPDX-License-Identifier: BSD-3-Clause
import signal
import time

from benchmarks import containers
from benchmarks.scenario import Case, Metric, Plot

TITLE = "Restart"
ABOUT = ("How long two containers do not hear each other while the switch is ended and started "
         "again with what it had: 2000 datagrams a second, the longest silence. Open vSwitch "
         "loses its TAP devices in a restart; over veth it comes back.")
PEERS = ["causeway", "ovs-tso"]
METRICS = {"gap_ms": Metric("silence", "ms", False)}
CASES = [
    Case("TAP, stopped", {"kind": "tap", "how": signal.SIGTERM}, 0, ["causeway"]),
    Case("TAP, killed", {"kind": "tap", "how": signal.SIGKILL}, 0, ["causeway"]),
    Case("veth, stopped", {"kind": "veth", "how": signal.SIGTERM}, 0),
    Case("veth, killed", {"kind": "veth", "how": signal.SIGKILL}, 0),
]
QUICK = ["TAP, stopped", "veth, killed"]
TWO_CORES = False
PLOTS = [Plot("gap_ms")]


def measure(lab, switch, case):
    containers.up(lab, switch, case.options["kind"])
    stream = containers.Udp(lab, 64, 2000)
    time.sleep(0.3)
    switch.restart(case.options["how"])
    containers.reach(lab)
    time.sleep(0.3)
    return {"gap_ms": stream.stop()["gap_us"] / 1000}
