# SPDX-License-Identifier: BSD-3-Clause
import copy
import json
import shutil
import subprocess
import sys
import time

from benchmarks import cluster, containers
from benchmarks.scenario import Case, Metric, Plot

TITLE = "An agent in a large cluster"
ABOUT = ("One host with vswitchd and vsnetd and a real etcd, in which 999 other hosts and their "
         "endpoints, in 10 networks, are made up. The host has a container in as many of the networks "
         "as `joined` says. Changes: endpoints of other hosts, in a network of this host, are replaced "
         "one after the other; the CPU time of the agent and of the switch's main thread for each.")
PEERS = ["causeway"]
METRICS = {
    "rss_mb": Metric("memory of vsnetd", "MB", False),
    "resync_s": Metric("from the start without any state until all is known and in the switch", "s",
                       False),
    "change_us": Metric("CPU time of vsnetd for one change elsewhere", "µs", False),
    "switch_us": Metric("CPU time of vswitchd for it", "µs", False),
    "writes": Metric("changes of the store for one connect", "", False),
}
CASES = [Case("1,000 endpoints, joined 1", {"endpoints": 1000, "joined": 1}, 0),
         Case("10,000 endpoints, joined 1", {"endpoints": 10000, "joined": 1}, 0),
         Case("100,000 endpoints, joined 1", {"endpoints": 100000, "joined": 1}, 0),
         Case("100,000 endpoints, joined 10", {"endpoints": 100000, "joined": 10}, 0)]
QUICK = ["1,000 endpoints, joined 1"]
TWO_CORES = False
PLOTS = [Plot("change_us"), Plot("resync_s")]

HOSTS = 999
NETWORKS = 10
CHANGES = 1000

# Puts what comes on standard input, a key and a value on each line, into etcd.
FEEDER = """
import base64, http.client, json, sys
conn = http.client.HTTPConnection(sys.argv[1], 2379)
def code(text): return base64.b64encode(text.encode()).decode()
def send(ops):
    conn.request("POST", "/v3/kv/txn", json.dumps({"success": ops}))
    reply = conn.getresponse().read()
    if b"succeeded" not in reply: sys.exit(reply.decode())
size, ops = int(sys.argv[2]), []
for line in sys.stdin:
    key, value = line.rstrip("\\n").split(" ", 1)
    ops.append({"requestPut": {"key": code(key), "value": code(value)}})
    if len(ops) == size:
        send(ops)
        ops = []
if ops: send(ops)
"""


def feed(pairs, at_once):
    text = "".join("%s/v1/%s %s\n" % (cluster.PREFIX, key, json.dumps(value, separators=(",", ":")))
                   for key, value in pairs)
    subprocess.run(["ip", "netns", "exec", "store", sys.executable, "-c", FEEDER, cluster.STORE,
                    str(at_once)], input=text, text=True, check=True, timeout=300)


def host(sample, number):
    return dict(sample, name="s%03d" % number, id="%032x" % (number + 1),
                vtep="10.2.%d.%d" % (number // 250, number % 250 + 1))


def endpoint(sample, net, number, version):
    """Of network number `net` (10.NET+20.0.0/16); addresses from .4.0 on are nobody's blocks."""
    ip = number + 1024
    record = copy.deepcopy(sample)
    record.update(name="e%d" % number, id="%08x%08x%016x" % (net, version, number),
                  host="s%03d" % (number % HOSTS), seq=version + 1,
                  ips=["10.%d.%d.%d/16" % (net + 20, ip >> 8, ip & 255)],
                  mac="02:42:0a:%02x:%02x:%02x" % (net + 20, ip >> 8, ip & 255))
    return record


def settled(node, count):
    status = node.status()
    return status["settled"] and status["endpoints"] >= count


def memory_mb(process):
    with open("/proc/%d/status" % process.pid) as file:
        line = next(line for line in file if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


def set_up(lab, made, joined):
    """Networks and this host's containers. Returns the networks' ids and samples of records."""
    node = made.nodes[0]
    for net in range(NETWORKS):
        node.vsctl("network", "create", "-d", "overlay", "--subnet", "10.%d.0.0/16" % (net + 20),
                   "n%d" % net)
    lab.namespace("c1")
    for net in range(joined):
        node.vsctl("network", "connect", "n%d" % net, "c1")
    ids = [made.get("networks/n%d" % net)["id"] for net in range(NETWORKS)]
    own = node.endpoints("n0")["c1"]["ips"][0].split("/")[0]
    return ids, made.get("hosts/h1"), made.get("nets/%s/ep/%s" % (ids[0], own))


def start_anew(made, total):
    """Seconds from the start of the agent until a host that knew nothing has all, its switch too."""
    node = made.nodes[0]
    node.stop()
    node.lab.end(node.switch.process)
    for name in ("net", "state"):
        shutil.rmtree(node.switch.dir / name)
    # The lease that the agent left behind would keep the name for another machine of that name.
    made.etcdctl("del", cluster.PREFIX + "/v1/hosts/h1")
    node.switch.launch()
    start = time.monotonic()
    node.launch()
    node.lab.wait("all is here again", lambda: settled(node, total), 60)
    return time.monotonic() - start


def change(made, ids, sample, per_net):
    """CPU time in microseconds of the agent and of the switch for one change, of many."""
    node = made.nodes[0]
    pids = (node.agent.pid, node.switch.process.pid)
    count = min(CHANGES, per_net)
    idle = [containers.cpu_seconds([pid]) for pid in pids]
    time.sleep(2)
    before = [containers.cpu_seconds([pid]) for pid in pids]
    start = time.monotonic()
    feed(((("nets/%s/ep/%s" % (ids[0], r["ips"][0].split("/")[0])), r)
          for r in (endpoint(sample, 0, i, 1) for i in range(count))), 1)
    made.lab.wait("the last change is here",
                  lambda: node.endpoints("n0")["e%d" % (count - 1)]["seq"] == 2, 30)
    took = time.monotonic() - start
    after = [containers.cpu_seconds([pid]) for pid in pids]
    return [max(0, (a - b) - (b - i) / 2 * took) / count * 1e6
            for i, b, a in zip(idle, before, after)]


def writes(made, lab):
    """What one connect costs the store, when this host owns addresses."""
    lab.namespace("c2")
    before = made.revision()
    made.nodes[0].vsctl("network", "connect", "n0", "c2")
    return made.revision() - before


def measure(lab, switch, case):
    total, joined = case.options["endpoints"], case.options["joined"]
    per_net = total // NETWORKS
    made = cluster.Cluster(lab, 1, ("cluster-store-opts: {heartbeat: 0, ttl: 60}",))
    node = made.nodes[0]
    ids, host_sample, sample = set_up(lab, made, joined)
    feed((("hosts/s%03d" % i, host(host_sample, i)) for i in range(HOSTS)), 100)
    for net in range(NETWORKS):
        feed((("nets/%s/ep/%s" % (ids[net], r["ips"][0].split("/")[0]), r)
              for r in (endpoint(sample, net, i, 0) for i in range(per_net))), 100)
    lab.wait("all is here", lambda: settled(node, total), 60)
    resync = start_anew(made, total)
    agent_us, switch_us = change(made, ids, sample, per_net)
    return {"resync_s": resync, "rss_mb": memory_mb(node.agent), "change_us": agent_us,
            "switch_us": switch_us, "writes": writes(made, lab)}
