#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# Writes the first inputs of fuzz_resolve and fuzz_underlay into the folders `resolve` and
# `underlay`: make_underlay_corpus.py FOLDER. Their formats are those of LLVMFuzzerTestOneInput().
import pathlib
import struct
import sys

ONE, TWO, ALL = bytes([2, 0, 0, 0, 0, 1]), bytes([2, 0, 0, 0, 0, 2]), b"\xff" * 6
IP1, IP2, IP0 = bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2]), bytes(4)
A1, A2, A0 = b"\xfd" + bytes(14) + b"\1", b"\xfd" + bytes(14) + b"\2", bytes(16)
GROUP = bytes.fromhex("ff0200000000000000000001ff000002")
CUT, TAGGED = 1, 2


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def arp(op, from_mac, spa, to_mac, tpa):
    return b"\x08\x06" + struct.pack(">HHBBH", 1, 0x800, 6, 4, op) + from_mac + spa + to_mac + tpa


def ip4(payload, df=True, extra=b""):
    head = struct.pack(
        ">BBHHHBBH",
        0x45 + len(extra) // 4,
        0,
        20 + len(extra) + len(payload),
        7,
        0x4000 * df,
        64,
        1,
        0,
    )
    head += IP1 + IP2 + extra
    return b"\x08\0" + head[:10] + struct.pack(">H", checksum(head)) + head[12:] + payload


def icmp(kind, rest):
    message = struct.pack(">BBH", kind, 0, 0) + rest
    return message[:2] + struct.pack(">H", checksum(message)) + message[4:]


def ip6(src, dst, kind, rest, first=58, extensions=b""):
    message = struct.pack(">BBH", kind, 0, 0) + rest
    pseudo = src + dst + struct.pack(">II", len(message), 58)
    message = message[:2] + struct.pack(">H", checksum(pseudo + message)) + message[4:]
    payload = extensions + message
    return (
        b"\x86\xdd"
        + struct.pack(">IHBB", 6 << 28, len(payload), first, 255)
        + src
        + dst
        + payload
    )


def all_frames():
    option = b"\1\1" + ONE
    return {
        "arp_request": (ALL, arp(1, ONE, IP1, bytes(6), IP2)),
        "arp_reply": (TWO, arp(2, ONE, IP1, TWO, IP2)),
        "arp_probe": (ALL, arp(1, ONE, IP0, bytes(6), IP2)),
        "arp_announce": (ALL, arp(1, ONE, IP1, bytes(6), IP1)),
        "ns": (ALL, ip6(A1, GROUP, 135, bytes(4) + A2 + option)),
        "ns_unicast": (TWO, ip6(A1, A2, 135, bytes(4) + A2)),
        "ns_dad": (ALL, ip6(A0, GROUP, 135, bytes(4) + A2)),
        "ns_dad_nonce": (ALL, ip6(A0, GROUP, 135, bytes(4) + A2 + b"\x0e\1abcdef")),
        "na": (TWO, ip6(A1, A2, 136, b"\x60\0\0\0" + A1 + b"\2\1" + ONE)),
        "echo4": (TWO, ip4(icmp(8, bytes(4) + b"x" * 56))),
        "echo6": (TWO, ip6(A1, A2, 128, bytes(4) + b"x" * 56)),
        "big4": (TWO, ip4(icmp(8, bytes(4) + b"x" * 700))),
        "options4": (TWO, ip4(icmp(8, bytes(4) + b"x" * 700), True, b"\1\1\1\0")),
        "error4": (TWO, ip4(icmp(3, bytes(4) + b"x" * 700))),
        "big6": (TWO, ip6(A1, A2, 128, bytes(4) + b"x" * 1400)),
        "fragment6": (
            TWO,
            ip6(
                A1,
                A2,
                128,
                bytes(4) + b"x" * 1400,
                0,
                b"\x2c\0\1\4\0\0\0\0" + b"\x3a\0\0\1\0\0\0\7",
            ),
        ),
    }


def resolve_inputs():
    frames = all_frames()
    mtu = struct.pack(">H", 1400)
    for name, (dst, rest) in frames.items():
        yield name, bytes([0, 0, 0]) + mtu + dst + ONE + rest
        tagged = dst + ONE + b"\x81\0\0\x0a" + rest
        yield name + "_tagged", bytes([TAGGED, 0, 0]) + mtu + tagged
    dst, rest = frames["big4"]
    yield "cut", bytes([CUT, 0, 40]) + mtu + dst + ONE + rest


def heartbeat(kind, version=1, padding=50):
    """As vxlan/heartbeat.h has it."""
    head = bytes.fromhex("0180c2000001") + ONE + b"\x88\xb5"
    return head + struct.pack(">4sBBxxIxxxxQ", b"CWhb", version, kind, 7, 99) + bytes(padding)


def vxlan(v6, vni=42, flags=8, with_checksum=False, inner=TWO + ONE + b"\x88\xb5" + b"x" * 46):
    payload = struct.pack(">BxxxI", flags, vni << 8) + inner
    udp = struct.pack(">HHHH", 50000, 4789, 8 + len(payload), 0) + payload
    if v6 or with_checksum:
        pseudo = A1 + A2 if v6 else IP1 + IP2
        total = checksum(pseudo + struct.pack(">II", len(udp), 17) + udp)
        udp = udp[:6] + struct.pack(">H", total or 0xFFFF) + udp[8:]
    if v6:
        head = struct.pack(">IHBB", 6 << 28, len(udp), 17, 64) + A1 + A2
        return TWO + ONE + b"\x86\xdd" + head + udp
    head = struct.pack(">HHHHBBH", 0x4500, 20 + len(udp), 0, 0x4000, 64, 17, 0) + IP1 + IP2
    head = head[:10] + struct.pack(">H", checksum(head)) + head[12:]
    return TWO + ONE + b"\x08\0" + head + udp


def underlay_inputs():
    others = [dst + ONE + rest for dst, rest in all_frames().values()]
    for v6 in (False, True):
        good = vxlan(v6)
        frames = {
            "good": [good, good + b"padding"],
            "checksum": [vxlan(v6, with_checksum=True)],
            "refused": [vxlan(v6, 43), vxlan(v6, 42, 0), vxlan(not v6), good[:-1], good[:60]],
            "others": others,
            "heartbeats": [
                vxlan(v6, inner=heartbeat(1)),
                vxlan(v6, inner=heartbeat(2)),
                vxlan(v6, inner=heartbeat(3)),
                vxlan(v6, inner=heartbeat(1, version=2)),
                vxlan(v6, inner=heartbeat(1, padding=0)),
                vxlan(v6, inner=heartbeat(1)[:-51]),
                vxlan(v6, 43, inner=heartbeat(1)),
                good,
            ],
            "mixed": [good] + others + [good],
        }
        for name, batch in frames.items():
            for outside in (0, 2):
                content = b"".join(struct.pack("<H", len(f)) + f for f in batch)
                yield f"{name}{6 if v6 else 4}_{outside}", bytes([v6 | outside]) + content


for target, inputs in (("resolve", resolve_inputs()), ("underlay", underlay_inputs())):
    folder = pathlib.Path(sys.argv[1]) / target
    folder.mkdir(parents=True, exist_ok=True)
    for file_name, content in inputs:
        (folder / file_name).write_bytes(content)
