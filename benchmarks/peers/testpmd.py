# SPDX-License-Identifier: BSD-3-Clause
"""dpdk-testpmd, which looks nothing up: the limit of what a switch over DPDK devices can do.
testpmd-io hands packets over untouched, testpmd-mac writes their addresses."""

import functools
import re
import select
import shutil
import subprocess
import time

from benchmarks import lab as labs
from benchmarks import machine
from benchmarks.peers import Counters, Switch

PROMPT = "testpmd> "


def missing():
    if not shutil.which("dpdk-testpmd"):
        return "not installed: run scripts/setup --bench (Debian: dpdk-dev)"
    return None


def version():
    out = subprocess.run(["dpkg-query", "-W", "-f", "DPDK ${Version}", "dpdk-dev"], check=False,
                         capture_output=True, text=True)
    return out.stdout.strip() or "unknown version"


class Testpmd:
    """A process of testpmd that is told what to do: main thread on the containers' CPU,
    forwarding on cpus."""

    def __init__(self, lab, cpus, eal, arguments):
        if machine.huge_pages() == 0:
            raise labs.Skip("no huge pages")
        cores = ["0@%d" % machine.CONTAINER_CPU]
        cores += ["%d@%d" % (i + 1, cpu) for i, cpu in enumerate(cpus)]
        self.lab = lab
        # Line by line: its printf() would wait for a full buffer.
        self.process = lab.spawn(
            "stdbuf", "-oL", "dpdk-testpmd", "--lcores=" + ",".join(cores), "--no-pci",
            "--in-memory", "--no-telemetry", "--single-file-segments", *eal, "--", "-i",
            "--nb-cores=%d" % len(cpus), *arguments,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.text = ""

    def ready(self):
        self.until_prompt(60)

    def until_prompt(self, seconds=20):
        """What it printed up to its next prompt."""
        deadline = time.monotonic() + seconds
        while not self.text.endswith(PROMPT):
            left = deadline - time.monotonic()
            more = None
            if left > 0 and select.select([self.process.stdout], [], [], left)[0]:
                more = self.process.stdout.read1(65536).decode(errors="replace")
            if not more:
                raise labs.Failed("testpmd does not answer: " + self.text[-2000:])
            self.text += more
        said, self.text = self.text, ""
        return said

    def command(self, text):
        self.process.stdin.write((text + "\n").encode())
        self.process.stdin.flush()
        return self.until_prompt()

    def counters(self):
        before = time.monotonic()
        said = self.command("show port stats all")
        now = (before + time.monotonic()) / 2
        return Counters(now, *(sum(map(int, re.findall(way + r"-packets:\s*(\d+)", said)))
                               for way in ("RX", "TX")))


class TestpmdSwitch(Switch):
    def start(self, cpus, busy=False, mbufs=0, macs=0, dpdk=False):
        self.cpus = cpus
        self.mbufs = mbufs
        self.devices = []

    def add_device(self, name, devargs, tag=None, trunk=None):
        if tag or trunk:
            self.cannot("VLANs")
        self.devices.append(devargs)

    def add_vhost(self, name, path):
        self.devices.append("net_vhost%d,iface=%s,client=1" % (len(self.devices), path))

    def ready(self):
        eal = ["--vdev=" + device for device in self.devices]
        self.testpmd = Testpmd(self.lab, self.cpus, eal, [
            "--forward-mode=" + self.options["mode"], "--port-topology=paired",
            "--total-num-mbufs=%d" % max(65536, self.mbufs)])
        self.testpmd.ready()
        self.testpmd.command("start")

    def counters(self):
        return self.testpmd.counters()


PEERS = {"testpmd-io": functools.partial(TestpmdSwitch, mode="io"),
         "testpmd-mac": functools.partial(TestpmdSwitch, mode="mac")}
