# SPDX-License-Identifier: BSD-3-Clause
"""Writes capture files; benchmarks/captures.py writes others with its parts.

make_pcap.py echo FILE SRC_MAC SRC_IP DST_MAC DST_IP COUNT
    COUNT ICMP echo requests.
"""

import socket
import struct
import sys


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ipv4(src, dst, proto, payload, ident):
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), ident, 0, 64, proto, 0)
    head += socket.inet_aton(src) + socket.inet_aton(dst)
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def write(path, frames):
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for frame in frames:
            file.write(struct.pack("<IIII", 0, 0, len(frame), len(frame)) + frame)


def echo(path, src_mac, src_ip, dst_mac, dst_ip, count):
    frames = []
    for i in range(int(count)):
        icmp = struct.pack("!BBHHH", 8, 0, 0, 1, i & 0xFFFF) + b"causeway" * 4
        icmp = icmp[:2] + struct.pack("!H", checksum(icmp)) + icmp[4:]
        frames.append(mac(dst_mac) + mac(src_mac) + b"\x08\0" + ipv4(src_ip, dst_ip, 1, icmp, i & 0xFFFF))
    write(path, frames)


if __name__ == "__main__":
    {"echo": echo}[sys.argv[1]](*sys.argv[2:])
