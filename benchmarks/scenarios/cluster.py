# SPDX-License-Identifier: BSD-3-Clause
import re
import signal
import statistics
import time

from benchmarks import cluster
from benchmarks.lab import Failed
from benchmarks.scenario import Case, Metric, Plot

TITLE = "A network across three hosts"
ABOUT = ("Three hosts with vswitchd and vsnetd, one etcd. `connect`: from `vsctl network connect` on "
         "one host to its end, and to the first answered ping from a container on another. `store "
         "down`: etcd is killed under traffic and started again; meanwhile containers are connected; "
         "then until the other host knows them all.")
PEERS = ["causeway"]
METRICS = {
    "connect_ms": Metric("network connect", "ms", False),
    "reach_ms": Metric("until a ping from another host is answered", "ms", False),
    "reach_max_ms": Metric("the slowest of these", "ms", False),
    "lost": Metric("packets lost between containers that were there", "packets", False),
    "new": Metric("containers connected meanwhile", ""),
    "twice": Metric("addresses given twice", "", False),
    "converged_ms": Metric("until all hosts know all, after the store is back", "ms", False),
}
CASES = [Case("connect", {"count": 30}, 0),
         Case("connect, a few", {"count": 3}, 0),
         Case("store down 60 s", {"new": 100, "seconds": 60}, 0),
         Case("store down 2 s", {"new": 5, "seconds": 2}, 0)]
QUICK = ["connect, a few", "store down 2 s"]
TWO_CORES = False
PLOTS = [Plot("reach_ms")]


def two(lab, made):
    """Network and a container on each of the first two hosts; returns the second's address."""
    first, second = made.nodes[:2]
    first.vsctl("network", "create", "-d", "overlay", "--subnet", "10.10.0.0/16", "multinet")
    for name, node in (("c1", first), ("c2", second)):
        lab.namespace(name)
        node.vsctl("network", "connect", "multinet", name)
    address = second.endpoints("multinet")["c2"]["ips"][0].split("/")[0]
    cluster.reach_ms(lab, "c1", address, time.monotonic())
    return address


def connect(lab, made, count):
    done, reached = [], []
    for i in range(count):
        name, address = "n%d" % i, "10.10.77.%d" % (i + 1)
        lab.namespace(name)
        start = time.monotonic()
        made.nodes[0].vsctl("network", "connect", "--ip", address, "multinet", name)
        done.append((time.monotonic() - start) * 1000)
        reached.append(cluster.reach_ms(lab, "c2", address, start))
    return {"connect_ms": statistics.median(done), "reach_ms": statistics.median(reached),
            "reach_max_ms": max(reached)}


def lost(out):
    """Requests of ping without an answer. The last one may have been under way when ping ended."""
    sent = re.search(r"(\d+) packets transmitted", out)
    answered = {int(seq) for seq in re.findall(r"bytes from .* icmp_seq=(\d+)", out)}
    if not sent or not answered:
        raise Failed("ping: " + out[-500:])
    return len(set(range(1, int(sent.group(1)))) - answered)


def store_down(lab, made, address, new, seconds):
    first, second = made.nodes[:2]
    names = ["n%d" % i for i in range(new)]
    for name in names:
        lab.namespace(name)
    ping = lab.spawn("ping", "-i", "0.01", address, namespace="c1", log="ping.log")
    time.sleep(0.5)
    lab.end(made.store, signal.SIGKILL)
    down = time.monotonic()
    for name in names:
        first.vsctl("network", "connect", "multinet", name)
    time.sleep(max(0, seconds - (time.monotonic() - down)))
    made.start_store()
    back = time.monotonic()
    lab.wait("the other host knows all", lambda: set(names) <= set(second.endpoints("multinet")), 30)
    converged = (time.monotonic() - back) * 1000
    ping.send_signal(signal.SIGINT)
    ping.wait(timeout=10)
    addresses = [a for e in second.endpoints("multinet").values() for a in e["ips"]]
    return {"lost": lost((lab.dir / "ping.log").read_text()), "new": new, "converged_ms": converged,
            "twice": len(addresses) - len(set(addresses))}


def measure(lab, switch, case):
    made = cluster.Cluster(lab, 3)
    address = two(lab, made)
    if "count" in case.options:
        return connect(lab, made, case.options["count"])
    return store_down(lab, made, address, **case.options)
