# SPDX-License-Identifier: BSD-3-Clause
"""Measurements with DPDK devices: no container, or one that only takes what it is sent."""

import time

from benchmarks import captures, hosts, machine
from benchmarks.lab import Failed, Skip
from benchmarks.peers import testpmd

GUEST_MACS = ["02:00:00:00:01:01", "02:00:00:00:01:02"]


def settle(lab, switch):
    """Waits until the rate is steady: addresses and flows are learned, the CPU is at its clock."""
    if lab.quick:
        time.sleep(0.5)
        return
    time.sleep(2)
    deadline = time.monotonic() + 20
    before = switch.rate(0.5)
    while time.monotonic() < deadline:
        now = switch.rate(0.5)
        if abs(now - before) <= 0.05 * now:
            return
        before = now


def check_frames(switch, count):
    if switch.most_frames and count > switch.most_frames:
        raise Skip("its devices hold at most %d frames together" % switch.most_frames)


def devices_rate(lab, switch, macs, size="64", vlans=(0, 0), ports=({}, {}), pairs=1, cpus=None):
    """Packets a second that the switch forwards between pairs of pcap devices. vlans: the tag that
    frames on each side have; ports: options of the port of each side."""
    files = [captures.pairs(lab, side, macs, size, vlans[side], group)
             for group in range(pairs) for side in (0, 1)]
    frames = sum(count for _, count in files)
    check_frames(switch, frames)
    switch.start(cpus or [machine.SWITCH_CPU], busy=True, dpdk=True, macs=macs * 2 * pairs,
                 mbufs=65536 + frames)
    for number, (path, _) in enumerate(files):
        switch.add_device("p%d" % number, captures.device(number, path), **ports[number % 2])
    switch.ready()
    settle(lab, switch)
    return switch.rate(lab.seconds)


def tunnel_rate(lab, switch, way, macs, remotes=1):
    """Packets a second from one device to another: plain, or put into a VXLAN tunnel on the way
    (encap), or taken out of it (decap)."""
    switch.start([machine.SWITCH_CPU], busy=True, dpdk=True, macs=macs * 2, mbufs=65536 + macs)
    addresses = captures.remotes(remotes)
    behind = ["out"]
    if way == "decap":
        switch.add_tunnel(captures.device(0, captures.tunnel(lab, macs, hosts.VNI)), addresses)
        switch.add_device("out", "net_null0,no-rx=1")
    else:
        path, _ = captures.pairs(lab, 0, macs)
        if way == "encap":
            switch.add_tunnel("net_null0,no-rx=1", addresses)
            behind = addresses
        else:
            switch.add_device("out", "net_null0,no-rx=1")
        switch.add_device("in", captures.device(0, path))
    switch.know({captures.partner(i): behind[i % len(behind)] for i in range(macs)})
    switch.ready()
    settle(lab, switch)
    return switch.rate(lab.seconds)


def flood_rate(lab, switch, ports, tap=False):
    """Copies a second that the switch makes of frames to an unknown address."""
    switch.start([machine.SWITCH_CPU], busy=True, dpdk=True, mbufs=65536)
    if tap:
        lab.namespace("farm")
    for i in range(ports):
        if tap:
            switch.add_container("t%d" % i, "farm", "tap", None, "eth%d" % i)
        else:
            switch.add_device("n%d" % i, "net_null%d,no-rx=1" % i)
    switch.add_device("in", captures.device(0, captures.sources(lab, 1)))
    switch.ready()
    if not tap:
        settle(lab, switch)
        return switch.rate(lab.seconds)
    # Open vSwitch has no counters of devices that are in another namespace: ask the namespace.
    time.sleep(0.5 if lab.quick else 2)
    start, before = time.monotonic(), lab.received("farm")
    time.sleep(lab.seconds)
    copies = lab.received("farm") - before
    if copies == 0:
        raise Failed("no copy arrived")
    return copies / (time.monotonic() - start)


def learning_rates(lab, switch, macs):
    """Addresses a second that a new table learns, and the same table again after it was emptied."""
    if switch.most_frames:
        macs = min(macs, switch.most_frames)
    path = captures.sources(lab, macs)
    switch.start([machine.SWITCH_CPU], busy=True, dpdk=True, macs=macs, mbufs=65536 + macs)
    switch.add_device("out", "net_null0,no-rx=1")
    switch.add_device("in", captures.device(0, path))
    switch.ready()
    first = learning_rate(lab, switch, macs, 0)
    before = switch.learned()
    switch.flush()
    return first, learning_rate(lab, switch, macs, before)


def learning_rate(lab, switch, macs, before):
    """Addresses a second between 10 and 90 % of those that come now."""
    samples = []
    deadline = time.monotonic() + max(10, 2 * lab.seconds)
    while time.monotonic() < deadline and (not samples or samples[-1][1] < macs):
        samples.append((time.monotonic(), switch.learned() - before))
    total = samples[-1][1]
    middle = [sample for sample in samples if 0.1 * total <= sample[1] <= 0.9 * total]
    # As seen by a command that takes some milliseconds: coarse, but what is learned takes longer.
    if len(middle) < 2 or middle[0][1] == middle[-1][1]:
        below = [sample for sample in samples if sample[1] < 0.1 * total] or samples[:1]
        middle = [below[-1], samples[-1]]
    if middle[-1][1] == middle[0][1]:
        raise Failed("nothing is learned, or too fast to be seen: %s" % samples[-4:])
    return (middle[-1][1] - middle[0][1]) / (middle[-1][0] - middle[0][0])


def guest_rate(lab, switch, kind, bursts):
    """Packets a second that come back to a guest with two devices through the switch. Bursts are of
    32 frames, sent once by each device."""
    why = testpmd.missing()
    if why:
        raise Skip("testpmd, which plays the guest, is " + why)
    sockets = [lab.dir / ("guest%d.sock" % i) for i in (0, 1)]
    eal = []
    for i, path in enumerate(sockets):
        if kind == "vhost":
            eal.append("--vdev=net_virtio_user%d,path=%s,server=1,queue_size=1024,mac=%s" % (
                i, path, GUEST_MACS[i]))
        else:
            eal.append("--vdev=net_memif%d,id=0,role=server,socket=%s,socket-abstract=no,mac=%s" % (
                i, path, GUEST_MACS[i]))
    guest = testpmd.Testpmd(lab, [machine.CONTAINER_CPU], eal, [
        "--forward-mode=macswap", "--port-topology=loop", "--total-num-mbufs=65536",
        "--eth-peer=0," + GUEST_MACS[1], "--eth-peer=1," + GUEST_MACS[0]])
    switch.start([machine.SWITCH_CPU], busy=True, dpdk=True, mbufs=65536)
    if kind == "vhost":
        # The guest makes its second device when the first has met the switch.
        lab.wait("the guest's socket", sockets[0].exists, 30, guest.process)
    else:
        guest.ready()
    for i, path in enumerate(sockets):
        if kind == "vhost":
            switch.add_vhost("v%d" % i, path)
        else:
            switch.add_memif("m%d" % i, i, path)
    switch.ready()
    if kind == "vhost":
        guest.ready()
    try:
        lab.wait("both links are up",
                 lambda: guest.command("show port summary all").count(" up") == 2)
    except Failed as why:
        raise Failed("%s: %s" % (why, guest.command("show port summary all"))) from None
    guest.command("start tx_first %d" % bursts)
    time.sleep(0.5 if lab.quick else 2)
    before = guest.counters()
    time.sleep(lab.seconds)
    after = guest.counters()
    if after.rx == before.rx:
        raise Failed("nothing goes round")
    return (after.rx - before.rx) / (after.time_s - before.time_s)
