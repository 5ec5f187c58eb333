# SPDX-License-Identifier: BSD-3-Clause
import time

from benchmarks import containers
from benchmarks.scenario import Case, Metric, Plot

TITLE = "Adding and removing ports"
ABOUT = ("Ports of another container are added one after the other, each by the switch's command "
         "line, with a device inside the container, and removed again; meanwhile 5000 datagrams "
         "a second go from one container to another.")
PEERS = ["causeway", "ovs-tso", "linux-bridge"]
METRICS = {
    "added": Metric("added", "ports/s"),
    "removed": Metric("removed", "ports/s"),
    "lost": Metric("lost between the others", "packets", False),
    "gap_ms": Metric("longest silence between the others", "ms", False),
}
CASES = [Case("64 ports on TAP", {"ports": 64, "kind": "tap"}, pages=0),
         Case("64 ports on veth", {"ports": 64, "kind": "veth"}, pages=0),
         Case("8 ports on TAP", {"ports": 8, "kind": "tap"}, pages=0)]
QUICK = ["8 ports on TAP"]
TWO_CORES = False
PLOTS = [Plot("added"), Plot("gap_ms")]


def measure(lab, switch, case):
    count, kind = case.options["ports"], case.options["kind"]
    containers.up(lab, switch, kind)
    lab.namespace("farm")
    stream = containers.Udp(lab, 64, 5000)
    time.sleep(0.3)
    start = time.monotonic()
    for i in range(count):
        switch.add_container("f%d" % i, "farm", kind, None, "eth%d" % i)
    between = time.monotonic()
    for i in range(count):
        switch.remove("f%d" % i)
    end = time.monotonic()
    got = stream.stop()
    return {"added": count / (between - start), "removed": count / (end - between),
            "lost": got["sent"] - got["received"], "gap_ms": got["gap_us"] / 1000}
