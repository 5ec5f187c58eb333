# SPDX-License-Identifier: BSD-3-Clause
"""Measurements with DPDK devices and no container."""

import time

from benchmarks import captures, machine


def settle(lab, macs=0):
    """Time to learn all addresses, and for the clock of the CPU to rise."""
    time.sleep(0.5 if lab.quick else 2 + macs / 500_000)


def devices_rate(lab, switch, macs, size="64", vlans=(0, 0), ports=({}, {}), pairs=1, cpus=None):
    """Packets a second that the switch forwards between pairs of pcap devices. vlans: the tag that
    frames on each side have; ports: options of the port of each side."""
    files = [captures.pairs(lab, side, macs, size, vlans[side], group)
             for group in range(pairs) for side in (0, 1)]
    switch.start(cpus or [machine.SWITCH_CPU], busy=True, dpdk=True, macs=macs * pairs,
                 mbufs=65536 + sum(count for _, count in files))
    for number, (path, _) in enumerate(files):
        switch.add_device("p%d" % number, captures.device(number, path), **ports[number % 2])
    switch.ready()
    settle(lab, macs)
    return switch.rate(lab.seconds)
