# SPDX-License-Identifier: BSD-3-Clause
"""The bare forwarder between two TAP devices (tapfwd.c): the practical limit of a switch over
TAP."""

import functools

from benchmarks import machine
from benchmarks.peers import Switch


def missing():
    if not (machine.TOOLS / "tapfwd").exists():
        return "not built: run scripts/build"
    return None


def version():
    return "the harness's own"


class Tapfwd(Switch):
    def start(self, cpus, busy=False, mbufs=0, macs=0, dpdk=False):
        self.cpus = cpus
        self.busy = ["--busy"] if busy or self.options["busy"] else []
        self.containers = []

    def add_container(self, name, namespace, kind, address, ifname="eth0"):
        if kind != "tap" or len(self.containers) == 2:
            self.cannot("anything but two TAP devices")
        self.containers.append((name, namespace, address, ifname))

    def ready(self):
        names = [name for name, *_ in self.containers]
        self.process = self.lab.spawn(machine.TOOLS / "tapfwd", *self.busy, *names,
                                      cpu=self.cpus[0], log="tapfwd.log")
        self.lab.wait("tapfwd", lambda: names[1] in self.lab.links(), 10,
                      self.process)
        for container in self.containers:
            self.lab.adopt(*container)

    def processes(self):
        return [self.process.pid]


PEERS = {"tapfwd": functools.partial(Tapfwd, busy=False),
         "tapfwd-busy": functools.partial(Tapfwd, busy=True)}
