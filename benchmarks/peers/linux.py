# SPDX-License-Identifier: BSD-3-Clause
"""The kernel's own: its bridge with veth, which every reader compares with, and two such bridges
on two hosts (namespaces) joined by VXLAN. They work on the CPU of whoever sends."""

import functools
import platform

from benchmarks import hosts
from benchmarks.peers import Switch


def missing():
    return None


def version():
    return "Linux " + platform.release()


class Bridge(Switch):
    def start(self, cpus, busy=False, mbufs=0, macs=0, dpdk=False):
        self.lab.run("ip", "link", "add", "br0", "type", "bridge")
        self.lab.run("ip", "link", "set", "br0", "up")

    def add_container(self, name, namespace, kind, address, ifname="eth0"):
        self.lab.run("ip", "link", "add", name, "type", "veth", "peer", "name", name + "c")
        self.lab.run("ip", "link", "set", name, "master", "br0", "up")
        self.lab.adopt(name + "c", namespace, address, ifname)

    def remove(self, name):
        self.lab.run("ip", "link", "delete", name)


class Vxlan(Switch):
    """Each container is on a host of its own. A veth carries whole segments of the tunnel between
    the hosts, which no wire does; with `cut` they are cut before."""

    def start_hosts(self, cpus):
        hosts.join(self.lab, self.options["cut"])
        for name in hosts.NAMES:
            hosts.kernel(self.lab, name)
        self.left = list(hosts.NAMES)

    def add_container(self, name, namespace, kind, address, ifname="eth0"):
        hosts.kernel_container(self.lab, self.left.pop(0), name, namespace, address, ifname)


PEERS = {"linux-bridge": Bridge,
         "linux-vxlan": functools.partial(Vxlan, cut=False),
         "linux-vxlan-cut": functools.partial(Vxlan, cut=True)}
