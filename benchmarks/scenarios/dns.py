# SPDX-License-Identifier: BSD-3-Clause
import re
import shutil
import signal
import statistics
import sys
import time

from benchmarks import cluster, machine
from benchmarks.lab import Failed, Skip
from benchmarks.scenario import Case, Metric, Plot
from benchmarks.scenarios import agent

TITLE = "Names"
ABOUT = ("Names of a network of which another container asks with dnsperf, on a CPU of its own; the DNS "
         "server has the other. Of Causeway these are endpoints of 999 made-up hosts, asked for at "
         "127.0.0.11 in the container and at the network's gateway, behind the switch; then the same "
         "with etcd killed and the server above silent, while somebody asks for 50 names a second that "
         "only it could know. Latency is that of 1,000 questions a second. dnsmasq has the names in a "
         "file; Docker's server has them as aliases. `connect`: three hosts; from the start of `vsctl "
         "network connect` on one to the first answer on another.")
PEERS = ["causeway", "dnsmasq", "docker"]
METRICS = {
    "qps": Metric("questions answered", "1/s"),
    "p50_us": Metric("latency at 1,000/s, p50", "µs", False),
    "p99_us": Metric("latency at 1,000/s, p99", "µs", False),
    "qps_gateway": Metric("questions answered at the gateway", "1/s"),
    "p99_gateway_us": Metric("latency at the gateway, p99", "µs", False),
    "qps_dead": Metric("questions answered, store and servers above dead", "1/s"),
    "p99_dead_us": Metric("latency then, p99", "µs", False),
    "ratio_dead": Metric("questions answered then, to before", ""),
    "rss_mb": Metric("memory of vsnetd", "MB", False),
    "connect_ms": Metric("network connect", "ms", False),
    "resolve_ms": Metric("until another host resolves the name", "ms", False),
    "resolve_max_ms": Metric("the slowest of these", "ms", False),
}
CASES = [Case("10,000 names", {"names": 10000}, 0),
         Case("300 names", {"names": 300}, 0),
         Case("connect", {"count": 30}, 0, peers=["causeway"]),
         Case("connect, a few", {"count": 3}, 0, peers=["causeway"])]
QUICK = ["300 names", "connect, a few"]
TWO_CORES = True
PLOTS = [Plot("qps"), Plot("p99_us")]

SERVER_CPU, CLIENT_CPU = machine.SWITCH_CPU, machine.CONTAINER_CPU
GATEWAY = "10.20.0.1"
FAKE = machine.TOP / "tests/dns/fake_upstream.py"
ABOVE = cluster.STORE  # the server above is beside etcd
BATCH = 20  # questions under way per client; 5 clients

# Prints the time of the first answer to NAME at 127.0.0.11.
POLL = """
import socket, sys, time
name = b"".join(bytes([len(x)]) + x for x in sys.argv[1].encode().split(b".")) + b"\\0"
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.connect(("127.0.0.11", 53))
sock.settimeout(1)
print("asks", flush=True)
while True:
    sock.send(b"\\0\\1\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0" + name + b"\\0\\1\\0\\1")
    answer = sock.recv(4096)
    if answer[3] & 15 == 0 and answer[7]:
        break
    time.sleep(0.0005)
print(time.monotonic())
"""

# Asks for 50 names a second, and does not listen: dnsperf would take a CPU for that.
UNKNOWN = """
import itertools, socket, time
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.connect(("127.0.0.11", 53))
for i in itertools.count():
    sock.send(b"\\0\\1\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0\\7n%06d\\7example\\3org\\0\\0\\1\\0\\1" % i)
    time.sleep(0.02)
"""


# ---- dnsperf ----

def questions(lab, names):
    path = lab.dir / "questions"
    path.write_text("".join(name + " A\n" for name in names))
    return path


def dnsperf(lab, where, path, *options):
    namespace, server = where
    seconds = 0.3 if lab.quick else lab.seconds
    out = lab.run("dnsperf", "-s", server, "-d", path, "-l", seconds, "-t", 1, *options,
                  namespace=namespace, cpu=CLIENT_CPU, timeout=seconds + 60)
    codes = re.search(r"Response codes: *(.*)", out)
    if not codes or not re.fullmatch(r"NOERROR \d+ \(100.00%\)", codes.group(1).strip()):
        raise Failed("dnsperf: %s" % (codes.group(1) if codes else out[-500:]))
    return out


def qps(lab, where, path):
    out = dnsperf(lab, where, path, "-c", 5, "-q", 5 * BATCH)
    return float(re.search(r"Queries per second: *([0-9.]+)", out).group(1))


def latencies_us(lab, where, path):
    """p50 and p99 at 1,000 questions a second."""
    out = dnsperf(lab, where, path, "-Q", 1000, "-v")
    if int(re.search(r"Queries lost: *(\d+)", out).group(1)):
        raise Failed("questions have no answer at 1,000 a second")
    took = sorted(float(line.split()[-1]) * 1e6 for line in out.splitlines()
                  if line.startswith("> "))
    return took[len(took) // 2], took[len(took) * 99 // 100]


# ---- Causeway ----

def pin_server(lab, process):
    """All threads of the agent to the server's CPU, that which answers among them."""
    lab.run("taskset", "-acp", SERVER_CPU, process.pid)


def above(lab):
    return lab.spawn(sys.executable, FAKE, "--mode", "nxdomain", "--ready", lab.dir / "above", ABOVE,
                     namespace="store", log="above.log")


def serve(lab, count):
    """A host that knows of so many names; returns the cluster, the name server above, and the names."""
    made = cluster.Cluster(lab, 1, ("cluster-store-opts: {heartbeat: 0, ttl: 60}",
                                    "dns: {servers: [%s]}" % ABOVE))
    node = made.nodes[0]
    server = above(lab)
    lab.wait("the server above", (lab.dir / "above").exists, 10, server)
    node.vsctl("network", "create", "-d", "overlay", "--subnet", "10.20.0.0/16", "names")
    for name in ("c1", "c2"):
        lab.namespace(name)
        node.vsctl("network", "connect", "names", name)
    net = made.get("networks/names")["id"]
    address = node.endpoints("names")["c1"]["ips"][0].split("/")[0]
    sample, host = made.get("nets/%s/ep/%s" % (net, address)), made.get("hosts/h1")
    agent.feed((("hosts/s%03d" % i, agent.host(host, i)) for i in range(agent.HOSTS)), 100)
    agent.feed((("nets/%s/ep/%s" % (net, r["ips"][0].split("/")[0]), r)
                for r in (agent.endpoint(sample, 0, i, 0) for i in range(count))), 100)
    lab.wait("all is here", lambda: agent.settled(node, count + 2), 60)
    pin_server(lab, node.agent)
    return made, server, ["e%d" % i for i in range(count)]


def unknown(lab):
    """Somebody who asks for what only the server above could know."""
    return lab.spawn(sys.executable, "-c", UNKNOWN, namespace="c2", cpu=CLIENT_CPU,
                     log="unknown.log")


def causeway(lab, count):
    made, server, names = serve(lab, count)
    path = questions(lab, names)
    container, gateway = ("c1", "127.0.0.11"), ("c1", GATEWAY)
    p50, p99 = latencies_us(lab, container, path)
    values = {"qps": qps(lab, container, path), "p50_us": p50, "p99_us": p99,
              "qps_gateway": qps(lab, gateway, path),
              "p99_gateway_us": latencies_us(lab, gateway, path)[1],
              "rss_mb": agent.memory_mb(made.nodes[0].agent)}
    lab.end(made.store, signal.SIGKILL)
    server.send_signal(signal.SIGSTOP)
    asks = unknown(lab)
    values["qps_dead"] = qps(lab, container, path)
    values["p99_dead_us"] = latencies_us(lab, container, path)[1]
    values["ratio_dead"] = values["qps_dead"] / values["qps"]
    if asks.poll() is not None:
        raise Failed("who asks for unknown names has ended: " + lab.log("unknown.log"))
    server.send_signal(signal.SIGCONT)
    return values


def connect(lab, count):
    made = cluster.Cluster(lab, 3)
    first, second = made.nodes[:2]
    first.vsctl("network", "create", "-d", "overlay", "--subnet", "10.20.0.0/16", "names")
    lab.namespace("c2")
    second.vsctl("network", "connect", "names", "c2")
    done, resolved = [], []
    for i in range(count):
        name = "n%d" % i
        lab.namespace(name)
        poll = lab.spawn(sys.executable, "-c", POLL, name, namespace="c2", text=True, stdout=-1)
        poll.stdout.readline()
        start = time.monotonic()
        first.vsctl("network", "connect", "names", name)
        done.append((time.monotonic() - start) * 1000)
        out = poll.communicate(timeout=10)[0]
        resolved.append((float(out) - start) * 1000)
    return {"connect_ms": statistics.median(done), "resolve_ms": statistics.median(resolved),
            "resolve_max_ms": max(resolved)}


def measure(lab, switch, case):
    if not shutil.which("dnsperf"):
        raise Skip("dnsperf is not installed")
    if "count" in case.options:
        return connect(lab, case.options["count"])
    count = case.options["names"]
    if switch.name == "causeway":
        return causeway(lab, count)
    names = {"e%d" % i: "10.20.%d.%d" % (i + 1024 >> 8, i + 1024 & 255) for i in range(count)}
    where = switch.names(names, SERVER_CPU)
    try:
        path = questions(lab, names)
        p50, p99 = latencies_us(lab, where, path)
        return {"qps": qps(lab, where, path), "p50_us": p50, "p99_us": p99}
    finally:
        switch.stop()
