# SPDX-License-Identifier: BSD-3-Clause
"""The kernel's own: its bridge with veth, which every reader compares with, and two such bridges
on two hosts (namespaces) joined by VXLAN. They work on the CPU of whoever sends."""

import functools
import platform

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
    the hosts, which no wire does; with segmentation they are cut before."""

    def start(self, cpus, busy=False, mbufs=0, macs=0, dpdk=False):
        self.hosts = []
        for name in ("h1", "h2"):
            self.lab.namespace(name)
        self.lab.run("ip", "link", "add", "u0", "netns", "h1", "mtu", "1500", "type", "veth",
                     "peer", "name", "u0", "netns", "h2")
        for number in (1, 2):
            self.host("h%d" % number, number, 3 - number)

    def host(self, name, own, other):
        def ip(*words):
            self.lab.run("ip", "-n", name, *words)

        ip("address", "add", "192.0.2.%d/24" % own, "dev", "u0")
        ip("link", "set", "u0", "up")
        if self.options["segmentation"]:
            self.lab.run("ethtool", "-K", "u0", "tx-udp_tnl-segmentation", "off",
                         "tx-udp_tnl-csum-segmentation", "off", namespace=name)
        ip("link", "add", "br0", "type", "bridge")
        ip("link", "add", "v0", "type", "vxlan", "id", "42", "local", "192.0.2.%d" % own, "remote",
           "192.0.2.%d" % other, "dstport", "4789", "dev", "u0")
        ip("link", "set", "v0", "master", "br0", "up")
        ip("link", "set", "br0", "up")

    def add_container(self, name, namespace, kind, address, ifname="eth0"):
        host = "h%d" % (len(self.hosts) + 1)
        self.hosts.append(host)
        self.lab.run("ip", "-n", host, "link", "add", name, "type", "veth", "peer", "name", ifname,
                     "mtu", "1450", "netns", namespace)
        self.lab.run("ip", "-n", host, "link", "set", name, "master", "br0", "up")
        self.lab.run("ip", "-n", namespace, "address", "add", address, "dev", ifname)
        self.lab.run("ip", "-n", namespace, "link", "set", ifname, "up")


PEERS = {"linux-bridge": Bridge,
         "linux-vxlan": functools.partial(Vxlan, segmentation=False),
         "linux-vxlan-cut": functools.partial(Vxlan, segmentation=True)}
