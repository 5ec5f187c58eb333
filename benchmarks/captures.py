# SPDX-License-Identifier: BSD-3-Clause
"""Capture files that the DPDK device net_pcap plays for ever."""

import math
import random
import struct
import sys

from benchmarks import machine

sys.path.append(str(machine.TOP / "tests/smoke"))

import make_pcap  # noqa: E402

FCS_BYTES = 4
IMIX = [64] * 28 + [570] * 16 + [1518] * 4
SIZES = {"64": [64], "IMIX": IMIX, "1518": [1518]}


def body(size, side, vlan):
    """All of a frame behind its addresses."""
    udp_bytes = size - FCS_BYTES - 14 - 20
    udp = struct.pack("!HHHH", 1024, 1024, udp_bytes, 0) + b"\0" * (udp_bytes - 8)
    packet = make_pcap.ipv4("10.%d.0.1" % side, "10.%d.0.1" % (1 - side), 17, udp, 0)
    return (struct.pack("!HH", 0x8100, vlan) if vlan else b"") + b"\x08\0" + packet


def write(path, frames):
    """frames: (destination, source, body) of each."""
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for dst, src, rest in frames:
            size = 12 + len(rest)
            file.write(struct.pack("<IIII", 0, 0, size, size) + dst + src + rest)


def pairs(lab, side, macs, size="64", vlan=0, group=0):
    """Frames from each of a number of addresses on SIDE (0 or 1) to its partner on the other,
    shuffled, the same way every time. Returns the file and how many frames there are in it."""
    sizes = list(SIZES[size])
    count = math.lcm(macs, len(sizes))

    def make(path):
        rng = random.Random(side)
        order = list(range(macs))
        rng.shuffle(order)
        rng.shuffle(sizes)
        bodies = {s: body(s, side, vlan) for s in set(sizes)}
        addresses = [[struct.pack("!HI", 0x0200 + (group << 1) + s, i) for i in range(macs)]
                     for s in (0, 1)]
        write(path, ((addresses[1 - side][order[i % macs]], addresses[side][order[i % macs]],
                      bodies[sizes[i % len(sizes)]]) for i in range(count)))

    name = "pairs-%d-%d-%s-%d-%d.pcap" % (side, macs, size, vlan, group)
    return lab.cached(name, make), count


def sources(lab, macs):
    """Frames of 64 bytes from that many addresses to one that nobody has."""
    def make(path):
        rest = body(64, 0, 0)
        dst = bytes.fromhex("02ffffffffff")
        write(path, ((dst, struct.pack("!HI", 0x0200, i), rest) for i in range(macs)))

    return lab.cached("sources-%d.pcap" % macs, make)


def device(number, path):
    """devargs of a device that receives the file for ever, and frees what it is to send."""
    return "net_pcap%d,rx_pcap=%s,infinite_rx=1" % (number, path)
