# SPDX-License-Identifier: BSD-3-Clause
"""Measurements between two containers, c1 (10.0.0.1) and c2 (10.0.0.2), pinned to their CPU."""

import glob
import json
import re
import time

from benchmarks import machine
from benchmarks.lab import Failed
from benchmarks.scenario import Metric

METRICS = {
    "tcp_1_gbits": Metric("TCP, 1 stream", "Gbit/s"),
    "tcp_4_gbits": Metric("TCP, 4 streams", "Gbit/s"),
    "udp_mpps": Metric("UDP of 18 bytes, received", "Mpps"),
    "ping_us": Metric("ping -f, average", "µs", False),
    "rr_p50_us": Metric("TCP request and answer, p50", "µs", False),
    "rr_p99_us": Metric("TCP request and answer, p99", "µs", False),
    "rr_p999_us": Metric("TCP request and answer, p99.9", "µs", False),
}
SERVER = "10.0.0.2"
CPU = machine.CONTAINER_CPU


def up(lab, switch, kind, hosts=False, **options):
    """Starts the switch with both containers on ports of that kind and waits until they meet.
    hosts: each is on a host of its own."""
    for name in ("c1", "c2"):
        lab.namespace(name)
    if hosts:
        switch.start_hosts([machine.SWITCH_CPU])
    else:
        switch.start([machine.SWITCH_CPU], **options)
    switch.add_container("p1", "c1", kind, "10.0.0.1/24")
    switch.add_container("p2", "c2", kind, SERVER + "/24")
    switch.ready()
    reach(lab)


def reach(lab):
    lab.wait("c1 reaches c2", lambda: lab.run(
        "ping", "-q", "-c", "1", "-W", "1", SERVER, namespace="c1"), 15)


def listening(lab, protocol, port):
    return lambda: lab.run("ss", "-Hln" + protocol, "sport = :%d" % port, namespace="c2").strip()


def tcp_gbits(lab, streams):
    """What iperf3 moves from c1 to c2."""
    server = lab.spawn("iperf3", "--server", "--one-off", namespace="c2", cpu=CPU, log="iperf3.log")
    lab.wait("iperf3", listening(lab, "t", 5201), 10, server)
    out = json.loads(lab.run(
        "iperf3", "--client", SERVER, "--omit", 0 if lab.quick else 1, "--time",
        max(1, round(lab.seconds)), "--parallel", streams, "--json", namespace="c1", cpu=CPU,
        timeout=lab.seconds + 30, check=False) or '{"error": "no answer"}')
    lab.end(server)
    if "sum_received" not in out.get("end", {}):
        raise Failed("iperf3: %s" % out.get("error", "no result"))
    return out["end"]["sum_received"]["bits_per_second"] / 1e9


def round_trips(lab, seconds, pause_us=0):
    """Requests and answers of a byte over TCP: what the tool rr prints."""
    server = lab.spawn(lab.tool("rr"), "server", 7000, namespace="c2", cpu=CPU, log="rr.log")
    lab.wait("rr", listening(lab, "t", 7000), 10, server)
    out = lab.run(lab.tool("rr"), "client", SERVER, 7000, seconds, pause_us, namespace="c1",
                  cpu=CPU, timeout=seconds + 30)
    lab.end(server)
    return json.loads(out)


def ping_us(lab):
    """The average of ping -f."""
    count = 1000 if lab.quick else 20000
    out = lab.run("ping", "-q", "-f", "-c", count, "-w", 20, SERVER, namespace="c1", cpu=CPU)
    return float(re.search(r"rtt [^=]*= [^/]*/([^/]*)/", out).group(1)) * 1000


class Udp:
    """A stream of datagrams from c1 to c2."""

    def __init__(self, lab, size, per_second):
        self.lab = lab
        tool = lab.tool("udp")
        self.receiver = lab.spawn(tool, "receive", 9000, namespace="c2", cpu=CPU, text=True,
                                  stdout=-1)
        lab.wait("udp", listening(lab, "u", 9000), 10, self.receiver)
        self.sender = lab.spawn(tool, "send", SERVER, 9000, size, per_second, namespace="c1",
                                cpu=CPU, text=True, stdout=-1)

    def stop(self):
        """Ends it. Returns what was sent, received, the seconds of receiving and the longest gap in
        it (gap_us)."""
        answers = {}
        for process in (self.sender, self.receiver):
            process.terminate()
            answers.update(json.loads(process.communicate(timeout=10)[0]))
            time.sleep(0.3)  # what is still under way
        return answers


def small_packets_mpps(lab):
    """What arrives of datagrams of 18 bytes (frames of 64), sent as fast as they can be."""
    stream = Udp(lab, 18, 0)
    time.sleep(lab.seconds)
    got = stream.stop()
    if not got["received"]:
        raise Failed("no UDP datagram arrived")
    return got["received"] / got["seconds"] / 1e6


def cpu_seconds(processes):
    """CPU time that the processes have used, all threads."""
    total = 0
    for pid in processes:
        for path in glob.glob("/proc/%d/task/*/schedstat" % pid):
            with open(path) as file:
                total += int(file.read().split()[0])
    return total / 1e9


def everything(lab, switch, kind, hosts=False):
    """The metrics of METRICS."""
    up(lab, switch, kind, hosts)
    rr = round_trips(lab, lab.seconds)
    return {
        "tcp_1_gbits": tcp_gbits(lab, 1), "tcp_4_gbits": tcp_gbits(lab, 4),
        "udp_mpps": small_packets_mpps(lab), "ping_us": ping_us(lab), "rr_p50_us": rr["p50_us"],
        "rr_p99_us": rr["p99_us"], "rr_p999_us": rr["p999_us"],
    }
