# SPDX-License-Identifier: BSD-3-Clause
"""Causeway itself, as the build made it."""

import functools
import json
import subprocess

from benchmarks import lab as labs
from benchmarks import machine
from benchmarks.peers import Counters, Switch

VSWITCHD = machine.BUILD / "vswitch/vswitchd"
VSCTL = machine.BUILD / "ctrl/vsctl"


def missing():
    if not VSWITCHD.exists() or not VSCTL.exists():
        return "not built: run scripts/build"
    return None


def version():
    out = subprocess.run([VSWITCHD, "--version"], check=True, capture_output=True, text=True)
    commit = subprocess.run(["git", "-c", "safe.directory=*", "-C", machine.TOP, "describe",
                             "--always", "--dirty", "--abbrev=12"],
                            check=False, capture_output=True, text=True)
    return " ".join((out.stdout + commit.stdout).split())


class Causeway(Switch):
    def start(self, cpus, busy=False, mbufs=0, macs=0, dpdk=False):
        self.dir = self.lab.dir / "causeway"
        self.dir.mkdir()
        busy = busy or self.options.get("busy", False)
        (self.dir / "conf.yaml").write_text(
            "workers: [%s]\npolling: %s\nmbufs: %d\n" % (
                ", ".join(map(str, cpus)), "busy" if busy else "adaptive", max(16384, mbufs)))
        self.launch()
        self.vsctl("add-br", "br0", "fdb-limit=%d" % max(65536, 2 * macs))

    def launch(self):
        self.process = self.lab.spawn(
            VSWITCHD, "-c", self.dir / "conf.yaml", "--run-dir", self.dir / "run", "--state-dir",
            self.dir / "state", log="vswitchd.log")
        try:
            self.lab.wait("vswitchd answers", lambda: self.vsctl("status"), 60, self.process)
        except labs.Failed as error:
            raise labs.Failed("%s\n%s" % (error, self.lab.log("vswitchd.log"))) from None

    def vsctl(self, *words, **options):
        return self.lab.run(VSCTL, "--run-dir", self.dir / "run", "--timeout", "60", *words,
                            **options)

    def query(self, *words):
        return json.loads(self.vsctl("--json", *words))

    def add_device(self, name, devargs, tag=None, trunk=None):
        vlan = (["tag=%d" % tag] if tag else []) + (["trunks=%d" % trunk] if trunk else [])
        self.vsctl("add-port", "br0", name, "type=dpdk", "devargs=" + devargs, *vlan)

    def add_vhost(self, name, path):
        self.add_device(name, "net_vhost_%s,iface=%s,client=1" % (name, path))

    def add_container(self, name, namespace, kind, address, ifname="eth0"):
        self.vsctl("add-port", "br0", name, "type=" + kind, "netns=" + namespace,
                   "ifname=" + ifname, *(["ip=" + address] if address else []))

    def remove(self, name):
        self.vsctl("del-port", name)

    def counters(self):
        stats = self.query("stats")
        return Counters(stats["time_us"] / 1e6, sum(p["rx_packets"] for p in stats["ports"]),
                        sum(p["tx_packets"] for p in stats["ports"]))

    def learned(self):
        return self.query("status")["fdb"]["learned"]

    def flush(self):
        self.vsctl("fdb", "flush", "br0")

    def restart(self, how):
        self.lab.end(self.process, how)
        self.launch()

    def processes(self):
        return [self.process.pid]


PEERS = {"causeway": Causeway, "causeway-busy": functools.partial(Causeway, busy=True)}
