# SPDX-License-Identifier: BSD-3-Clause
"""Causeway itself, as the build made it."""

import functools
import json
import subprocess

from benchmarks import captures, hosts
from benchmarks import lab as labs
from benchmarks import machine
from benchmarks.peers import Counters, Switch

VSWITCHD = machine.BUILD / "vswitch/daemon/vswitchd"
VSCTL = machine.BUILD / "cli/vsctl"


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


class Process:
    """One vswitchd and how to speak with it. host: the namespace it runs in."""

    def __init__(self, lab, name, conf, host=None):
        self.lab = lab
        self.name = name
        self.host = host
        self.dir = lab.dir / name
        self.dir.mkdir()
        (self.dir / "conf.yaml").write_text(conf)
        self.launch()

    def launch(self):
        log = self.name + ".log"
        self.process = self.lab.spawn(
            VSWITCHD, "-c", self.dir / "conf.yaml", "--run-dir", self.dir / "run", "--state-dir",
            self.dir / "state", namespace=self.host, log=log)
        try:
            self.lab.wait("vswitchd answers", lambda: self.vsctl("status"), 60, self.process)
        except labs.Failed as error:
            raise labs.Failed("%s\n%s" % (error, self.lab.log(log))) from None

    def vsctl(self, *words):
        return self.lab.run(VSCTL, "--run-dir", self.dir / "run", "--timeout", "60", *words)


class Causeway(Switch):
    left = ()  # hosts without a container

    def conf(self, cpus, busy=False, mbufs=0):
        busy = busy or self.options.get("busy", False)
        return "workers: [%s]\npolling: %s\nmbufs: %d\n" % (
            ", ".join(map(str, cpus)), "busy" if busy else "adaptive", max(16384, mbufs))

    def start(self, cpus, busy=False, mbufs=0, macs=0, dpdk=False):
        self.main = Process(self.lab, "causeway", self.conf(cpus, busy, mbufs))
        self.vsctl("add-br", "br0", "fdb-limit=%d" % max(65536, 2 * macs))

    def start_hosts(self, cpus):
        """The other host may be the kernel's."""
        self.left = []
        hosts.join(self.lab, self.options.get("cut", False))
        for name in hosts.NAMES:
            if self.options.get("far") == "linux" and name == hosts.NAMES[1]:
                hosts.kernel(self.lab, name)
                self.left.append((name, None))
                continue
            process = Process(self.lab, "causeway-" + name, self.conf(cpus), name)
            process.vsctl("add-br", "br0")
            process.vsctl("add-vtep", "te0", "address=" + hosts.address(name))
            process.vsctl("add-port", "br0", "vx0", "type=vxlan", "key=%d" % hosts.VNI,
                          "remote=" + hosts.address(hosts.other(name)))
            self.left.append((name, process))

    def vsctl(self, *words):
        return self.main.vsctl(*words)

    def query(self, *words):
        return json.loads(self.vsctl("--json", *words))

    def add_device(self, name, devargs, tag=None, trunk=None):
        vlan = (["tag=%d" % tag] if tag else []) + (["trunks=%d" % trunk] if trunk else [])
        self.vsctl("add-port", "br0", name, "type=dpdk", "devargs=" + devargs, *vlan)

    def add_vhost(self, name, path):
        self.add_device(name, "net_vhost_%s,iface=%s,client=1" % (name, path))

    def add_container(self, name, namespace, kind, address, ifname="eth0"):
        words = ["add-port", "br0", name, "type=" + kind, "netns=" + namespace, "ifname=" + ifname]
        words += ["ip=" + address] if address else []
        if not self.left:
            self.vsctl(*words)
            return
        host, process = self.left.pop(0)
        if process:
            process.vsctl(*words, "mtu=auto")
        else:
            hosts.kernel_container(self.lab, host, name, namespace, address, ifname)

    def add_tunnel(self, devargs, remotes):
        self.vsctl("add-vtep", "te0", "underlay=port", "type=dpdk", "devargs=" + devargs,
                   "checksum=off", "address=%s/24" % captures.TUNNEL_ADDRESS,
                   "gateway=" + captures.TUNNEL_GATEWAY, "gateway-mac=" + captures.GATEWAY_MAC)
        self.vsctl("add-port", "br0", "vx0", "type=vxlan", "key=%d" % hosts.VNI,
                   "remote=" + remotes[0])

    def know(self, places):
        path = self.main.dir / "places"
        path.write_text("".join("%s %s\n" % item for item in places.items()))
        self.vsctl("fdb", "load", "br0", path)

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
        self.lab.end(self.main.process, how)
        self.main.launch()

    def processes(self):
        return [self.main.process.pid]


PEERS = {"causeway": Causeway, "causeway-busy": functools.partial(Causeway, busy=True),
         "causeway-linux": functools.partial(Causeway, far="linux", cut=True)}
