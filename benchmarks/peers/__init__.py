# SPDX-License-Identifier: BSD-3-Clause
"""The switches that are measured, one file each.

A file declares PEERS, {name: class or function that makes a Switch of a lab}, missing(), which
returns why it cannot run here or None, and version(). Nothing else is needed.
"""

import dataclasses
import importlib
import pathlib
import pkgutil
import time

from benchmarks import lab as labs


@dataclasses.dataclass
class Counters:
    """What the ports of a switch have received and sent by a time (seconds, monotonic)."""
    time_s: float
    rx: int
    tx: int


class Switch:
    """One switch in a lab: start(), ports, ready(), and it goes with the lab."""

    name = ""
    most_frames = None  # that its receiving devices can hold; None: no limit to think of

    def __init__(self, lab, **options):
        self.lab = lab
        self.options = options

    def cannot(self, what):
        raise labs.Skip("%s cannot: %s" % (self.name, what))

    def start(self, cpus, busy=False, mbufs=0, macs=0, dpdk=False):
        """cpus: of its threads, where it has such; busy: they never sleep, where there is a
        choice; mbufs: packet buffers that its devices hold; macs: addresses it has to know; dpdk:
        it gets DPDK devices."""
        raise NotImplementedError

    def start_hosts(self, cpus):
        """Starts it on two hosts with VXLAN between them; the containers that are added then are on
        one each."""
        self.cannot("VXLAN between two hosts")

    def add_device(self, name, devargs, tag=None, trunk=None):
        """A DPDK device as a port. tag: access port of that VLAN; trunk: carries that VLAN."""
        self.cannot("DPDK devices")

    def add_vhost(self, name, path):
        """A port that is the client of the vhost-user socket."""
        self.cannot("vhost-user")

    def add_memif(self, name, number, path):
        """A port that is the client of the memif socket; numbers differ."""
        self.add_device(name, "net_memif%d,id=0,role=client,socket=%s,socket-abstract=no" % (
            number, path))

    def add_container(self, name, namespace, kind, address, ifname="eth0"):
        """A port of kind tap or veth whose other end is a device of the namespace."""
        self.cannot("ports of containers")

    def add_tunnel(self, devargs, remotes):
        """A VXLAN network with these remote endpoints over an underlay that is a DPDK device, whose
        next hop is known (captures.TUNNEL)."""
        self.cannot("VXLAN over DPDK devices")

    def know(self, places):
        """Static forwarding entries: {MAC: name of a port or address of a remote endpoint}."""
        self.cannot("static forwarding entries")

    def remove(self, name):
        self.cannot("removing ports")

    def ready(self):
        """All ports are there."""

    def counters(self):
        self.cannot("counters")

    def learned(self):
        """How many addresses it has learned so far."""
        self.cannot("counting what it learned")

    def flush(self):
        """Forgets what it learned."""
        self.cannot("forgetting what it learned")

    def restart(self, how):
        """Ends the switch with that signal and starts it again, as it was."""
        self.cannot("a restart")

    def names(self, addresses, cpu):
        """Serves {name: address} to a container, on the CPU. Returns its namespace and the address
        that it asks at."""
        self.cannot("names")

    def stop(self):
        """Ends what does not go with the lab."""

    def processes(self):
        """Process numbers of what runs."""
        return []

    def rate(self, seconds):
        """Packets a second that leave it, by its own count."""
        before = self.counters()
        time.sleep(seconds)
        after = self.counters()
        return (after.tx - before.tx) / (after.time_s - before.time_s)


def load():
    """{peer name: module}"""
    found = {}
    folder = pathlib.Path(__file__).resolve().parent
    for info in sorted(pkgutil.iter_modules([str(folder)]), key=lambda m: m.name):
        module = importlib.import_module("benchmarks.peers." + info.name)
        for name in module.PEERS:
            found[name] = module
    return found
