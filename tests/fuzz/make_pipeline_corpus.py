#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# Writes the first inputs of fuzz_pipeline: make_pipeline_corpus.py FOLDER. The format is that of
# LLVMFuzzerTestOneInput() and read_frame() there.
import pathlib
import struct
import sys

BROADCAST = b"\xff" * 6
TCP, UDP = 6, 17
NEEDS_CSUM = 1
GSO_TCPV4, GSO_TCPV6, GSO_UDP_L4 = 1, 4, 5
GUARDED = 8  # a port
FIX = 3  # IP length and checksum start


def host(n):
    return bytes([2, 0, 0, 0, 0, n])


def ether(dst, src, tags=(), rest=b""):
    return dst + src + b"".join(struct.pack(">HH", 0x8100, t) for t in tags) + rest


def ip(v6, proto):
    l4 = struct.pack(">HH", 4000, 53)
    l4 += (
        struct.pack(">HH", 0, 0)
        if proto == UDP
        else struct.pack(">IIHHHH", 1, 2, 0x5098, 500, 0, 0)
    )
    if v6:
        head = struct.pack(">IHBB", 6 << 28, 0, proto, 64) + bytes(range(32))
        return b"\x86\xdd" + head + l4
    head = struct.pack(">HHHHBBH", 0x4500, 0, 7, 0x4000, 64, proto, 0)
    return b"\x08\x00" + head + bytes(range(8)) + l4


def record(port, frame, size=60, how=0, gso=0, segment=0, flags=0, last=False):
    if size > 4095:
        how |= 0x10
    hdr = struct.pack("<BBHHHH", flags, gso, 0, segment, 0, 0)
    return (
        bytes([port | (0x80 if last else 0), how])
        + hdr
        + struct.pack("<HB", size, len(frame))
        + frame
    )


def every_port(frame, **options):
    return b"".join(record(port, frame, **options) for port in range(8))


def inputs():
    plain = b"\x88\xb5"
    yield "broadcast", b"\0" + every_port(ether(BROADCAST, host(1), rest=plain))
    yield "tags", b"\0" + b"".join(
        every_port(ether(BROADCAST, host(1), tags, plain))
        for tags in ((10,), (20,), (0,), (0, 20), (10, 20), (30,), (4095,))
    )
    yield "known", b"\0" + b"".join(
        record(port, ether(BROADCAST, host(port), rest=plain), last=True)
        for port in range(8)
    ) + b"".join(
        record(a, ether(host(b), host(a), rest=plain)) for a in range(4) for b in range(8)
    )
    yield "refused", b"\0" + b"".join(
        record(1, frame, size=len(frame))
        for frame in (
            ether(host(2), BROADCAST, rest=plain),
            ether(host(2), bytes(6), rest=plain),
            ether(bytes.fromhex("0180c200000e"), host(1), rest=plain),
            host(2),
            ether(host(2), host(1), (5,)),
        )
    )
    for v6 in (False, True):
        for proto in (TCP, UDP):
            gso = GSO_UDP_L4 if proto == UDP else GSO_TCPV6 if v6 else GSO_TCPV4
            name = f"{'udp' if proto == UDP else 'tcp'}{6 if v6 else 4}"
            for tags in ((), (10,)):
                frame = ether(BROADCAST, host(1), tags, ip(v6, proto))
                port = 2 if tags else 0
                yield f"{name}_{len(tags)}", b"\0" + b"".join(
                    record(port, frame, size, FIX | chunk << 2, g, 1200, NEEDS_CSUM)
                    for size, g in ((200, 0), (5000, gso), (60000, gso), (9000, 0))
                    for chunk in (0, 1, 2)
                )
    own = [ip(False, TCP), ip(True, TCP), ip(False, UDP), ip(True, 58), b"\x08\x06" + bytes(28), plain]
    yield "guard", b"\0" + b"".join(
        record(GUARDED, ether(BROADCAST, host(n), tags, rest), 90, FIX | chunk << 2, last=n == 2)
        for rest in own
        for n in (1, 1, 2)
        for tags in ((), (7,), (7, 8))
        for chunk in (0, 3)
    )
    frame = ether(BROADCAST, host(1), (10, 20), ip(False, TCP))
    yield "two_tags_gso", b"\0" + record(2, frame, 9000, FIX, GSO_TCPV4, 1460, NEEDS_CSUM)
    frame = ether(BROADCAST, host(1), (10,), ip(False, TCP))
    yield "few_buffers", bytes([9 << 1 | 1]) + record(
        2, frame, 9000, FIX, GSO_TCPV4, 1400, NEEDS_CSUM
    ) + every_port(frame)


folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
for file_name, content in inputs():
    (folder / file_name).write_bytes(content)
