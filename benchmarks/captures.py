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


# What the underlay of a tunnel is where there is no wire: next hop and remote endpoints are behind
# a gateway that nobody has to ask for.
TUNNEL_ADDRESS = "10.1.0.1"
TUNNEL_GATEWAY = "10.1.0.254"
GATEWAY_MAC = "02:00:00:00:01:fe"
PCAP_MAC = "02:70:63:61:70:00"  # of the first net_pcap device


def remotes(count):
    """Addresses of remote VTEPs."""
    return ["10.2.%d.%d" % divmod(i + 1, 250) for i in range(count)]


def partner(number):
    """The address on side 1 that frames of pairs() to the number go to."""
    return "02:01:00:%02x:%02x:%02x" % (number >> 16, number >> 8 & 255, number & 255)


def tunnel(lab, macs, vni):
    """VXLAN frames from a remote endpoint, each with a frame of 64 bytes of pairs()."""
    def make(path):
        rest = body(64, 0, 0)
        order = list(range(macs))
        random.Random(0).shuffle(order)
        frames = []
        for i in order:
            inner = struct.pack("!HIHI", 0x0201, i, 0x0200, i) + rest
            vxlan = struct.pack("!II", 0x08000000, vni << 8) + inner
            udp = struct.pack("!HHHH", 49152 + i % 16384, 4789, 8 + len(vxlan), 0) + vxlan
            packet = make_pcap.ipv4(remotes(1)[0], TUNNEL_ADDRESS, 17, udp, 0)
            frames.append((make_pcap.mac(PCAP_MAC), make_pcap.mac(GATEWAY_MAC), b"\x08\0" + packet))
        write(path, frames)

    return lab.cached("tunnel-%d.pcap" % macs, make)


def device(number, path):
    """devargs of a device that receives the file for ever, and frees what it is to send."""
    return "net_pcap%d,rx_pcap=%s,infinite_rx=1" % (number, path)
