# SPDX-License-Identifier: BSD-3-Clause
"""Open vSwitch in user space, in folders of its own: no service, nothing of the machine's. It
switches as it does without being told: action NORMAL, learning."""

import functools
import os
import pathlib
import re
import shutil
import subprocess
import time

from benchmarks import captures, hosts
from benchmarks import lab as labs
from benchmarks import machine
from benchmarks.peers import Counters, Switch

WITH_DPDK = pathlib.Path("/usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk")
SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"


def program():
    return WITH_DPDK if WITH_DPDK.exists() else shutil.which("ovs-vswitchd")


def missing():
    if not program() or not shutil.which("ovsdb-server"):
        return "not installed: run scripts/setup --bench (Debian: openvswitch-switch-dpdk)"
    return None


def version():
    out = subprocess.run([program(), "--version"], check=True, capture_output=True, text=True)
    return ", ".join(line.replace("ovs-vswitchd ", "") for line in out.stdout.splitlines())


class Ovs(Switch):
    bridges = ["br0"]
    most_frames = 200_000  # of 262144 buffers that it makes for all its ports

    def start(self, cpus, busy=False, mbufs=0, macs=0, dpdk=False):
        self.cpus = cpus
        self.dpdk = dpdk
        self.dir = self.lab.dir / "ovs"
        self.dir.mkdir()
        for key in ("OVS_RUNDIR", "OVS_LOGDIR", "OVS_DBDIR"):
            os.environ[key] = str(self.dir)
        self.lab.run("ovsdb-tool", "create", self.dir / "conf.db", SCHEMA)
        self.server = self.lab.spawn(
            "ovsdb-server", self.dir / "conf.db", "--remote=punix:%s/db.sock" % self.dir,
            "--unixctl=%s/db.ctl" % self.dir, log="ovsdb.log")
        self.lab.wait("ovsdb-server", (self.dir / "db.sock").exists, 20, self.server)
        self.vsctl("--no-wait", "init")
        self.vsctl("--no-wait", "set", "Open_vSwitch", ".", *self.settings())
        self.launch()
        self.vsctl("add-br", "br0", "--", "set", "bridge", "br0", "datapath_type=netdev",
                   "other_config:mac-table-size=%d" % max(8192, 2 * macs))

    def settings(self):
        if self.dpdk:
            if program() != WITH_DPDK:
                raise labs.Skip("Open vSwitch is installed without DPDK")
            if machine.huge_pages() == 0:
                raise labs.Skip("no huge pages")
            return ["other_config:dpdk-init=true",
                    'other_config:dpdk-extra="--no-pci --in-memory --single-file-segments"',
                    "other_config:pmd-cpu-mask=0x%x" % sum(1 << cpu for cpu in self.cpus),
                    "other_config:dpdk-lcore-mask=0x%x" % (1 << machine.CONTAINER_CPU)]
        return ["other_config:userspace-tso-enable=%s" % str(self.options["tso"]).lower()]

    def launch(self):
        # Without DPDK devices its main thread does the work.
        cpu = None if self.dpdk else self.cpus[0]
        (self.dir / "vs.ctl").unlink(missing_ok=True)
        self.process = self.lab.spawn(program(), "unix:%s/db.sock" % self.dir, "--unixctl=%s/vs.ctl"
                                      % self.dir, cpu=cpu, log="ovs-vswitchd.log")
        try:
            self.lab.wait("ovs-vswitchd answers", lambda: self.appctl("version"), 60, self.process)
        except labs.Failed as error:
            raise labs.Failed("%s\n%s" % (error, self.lab.log("ovs-vswitchd.log"))) from None

    def vsctl(self, *words):
        return self.lab.run("ovs-vsctl", "--timeout=60", "--db=unix:%s/db.sock" % self.dir, *words,
                            timeout=90)

    def appctl(self, *words):
        return self.lab.run("ovs-appctl", "--target=%s/vs.ctl" % self.dir, *words)

    def add_port(self, name, kind, *words, vlan=()):
        self.vsctl("add-port", "br0", name, *vlan, "--", "set", "interface", name, "type=" + kind,
                   *words)

    def add_device(self, name, devargs, tag=None, trunk=None):
        vlan = (["tag=%d" % tag] if tag else []) + (["trunks=%d" % trunk] if trunk else [])
        self.add_port(name, "dpdk", 'options:dpdk-devargs="%s"' % devargs, vlan=vlan)
        error = self.vsctl("get", "interface", name, "error").strip()
        if error != "[]":
            raise labs.Failed("Open vSwitch, port %s: %s" % (name, error))

    def add_vhost(self, name, path):
        self.add_port(name, "dpdkvhostuserclient", "options:vhost-server-path=%s" % path)

    def add_memif(self, name, number, path):
        self.cannot("memif to a guest with one queue: it asks for a ring for each of its threads")

    def add_container(self, name, namespace, kind, address, ifname="eth0"):
        if kind == "tap":
            self.add_port(name, "internal")
            self.lab.adopt(name, namespace, address, ifname)
        else:
            self.lab.run("ip", "link", "add", name, "type", "veth", "peer", "name", name + "c")
            self.lab.run("ip", "link", "set", name, "up")
            self.add_port(name, "system")
            self.lab.adopt(name + "c", namespace, address, ifname)

    def add_tunnel(self, devargs, remotes):
        self.bridges = ["br0", "br-phy"]
        self.vsctl("add-br", "br-phy", "--", "set", "bridge", "br-phy", "datapath_type=netdev",
                   'other_config:hwaddr="%s"' % captures.PCAP_MAC)
        self.vsctl("add-port", "br-phy", "wire", "--", "set", "interface", "wire", "type=dpdk",
                   'options:dpdk-devargs="%s"' % devargs)
        self.lab.run("ip", "address", "add", captures.TUNNEL_ADDRESS + "/24", "dev", "br-phy")
        self.lab.run("ip", "link", "set", "br-phy", "up")
        self.lab.run("ip", "route", "add", "10.2.0.0/16", "via", captures.TUNNEL_GATEWAY)
        self.appctl("tnl/arp/set", "br-phy", captures.TUNNEL_GATEWAY, captures.GATEWAY_MAC)
        self.add_port("vx0", "vxlan", "options:remote_ip=" + remotes[0], "options:key=%d" % hosts.VNI)

    def know(self, places):
        ports = self.lab.run("ovs-vsctl", "--db=unix:%s/db.sock" % self.dir, "list-ports",
                             "br0").split()
        for mac, place in places.items():
            self.appctl("fdb/add", "br0", place if place in ports else "vx0", "0", mac)

    def remove(self, name):
        self.vsctl("del-port", "br0", name)

    def counters(self):
        before = time.monotonic()
        said = "".join(self.lab.run("ovs-ofctl", "--names", "dump-ports", "unix:%s/%s.mgmt" % (
            self.dir, bridge)) for bridge in self.bridges)
        now = (before + time.monotonic()) / 2
        # What enters a tunnel is counted as sent three times. What was received, once.
        ports = [port for port in said.split("  port ") if not port.startswith(('vx0', '"vx0"'))]
        rx, tx = (sum(int(n) for n in re.findall(way + r" pkts=(\d+)", "".join(ports)))
                  for way in ("rx", "tx"))
        return Counters(now, rx, min(rx, tx) if len(self.bridges) > 1 else tx)

    def learned(self):
        said = self.appctl("fdb/stats-show", "br0")
        return int(re.search(r"Total number of learned MAC entries *: *(\d+)", said).group(1))

    def flush(self):
        self.appctl("fdb/flush", "br0")

    def restart(self, how):
        self.lab.end(self.process, how)
        self.launch()

    def processes(self):
        return [self.process.pid, self.server.pid]


PEERS = {"ovs": functools.partial(Ovs, tso=False), "ovs-tso": functools.partial(Ovs, tso=True)}
