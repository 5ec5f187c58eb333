# SPDX-License-Identifier: BSD-3-Clause
"""Sends one frame that says who it is from: spoof.py IFNAME KIND [key=value...]; with pause=SECONDS
the same again and again.

KIND: ip4, ip6, arp, na (neighbour advertisement), dhcp (of a client), offer (of a DHCP server),
redirect (of IPv4). Keys: mac (of the frame; the device's),
says (the MAC that ARP or the advertisement tells; the device's), ip, vlan.
"""

import socket
import struct
import sys
import time

BROADCAST = b"\xff" * 6
ALL_NODES = socket.inet_pton(socket.AF_INET6, "ff02::1")


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


def ip4(source, destination, proto, data):
    def header(check):
        return struct.pack("!BBHHHBBH", 0x45, 0, 28, 0, 0, 64, proto, check) + source + destination

    return 0x0800, header(checksum(header(0))) + data


def udp4(source, *ports):
    return ip4(source, b"\xff" * 4, 17, struct.pack("!HHHH", *ports, 8, 0))


def ip6(source, proto, payload):
    head = struct.pack("!IHBB", 6 << 28, len(payload), proto, 255)
    return 0x86DD, head + source + ALL_NODES + payload


def arp(says, source):
    return 0x0806, struct.pack("!HHBBH", 1, 0x0800, 6, 4, 2) + says + source + BROADCAST + source


def advertisement(says, source, target):
    option = struct.pack("!BB", 2, 1) + says
    message = struct.pack("!BBHI", 136, 0, 0, 0x20000000) + target + option
    pseudo = source + ALL_NODES + struct.pack("!II", len(message), 58)
    check = checksum(pseudo + message)
    return ip6(source, 58, message[:2] + struct.pack("!H", check) + message[4:])


def payload(kind, own, options):
    address = options.get("ip", "0.0.0.0")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    source = socket.inet_pton(family, address)
    says = mac(options["says"]) if "says" in options else own
    if kind == "ip4":
        return udp4(source, 1000, 2000)
    if kind == "dhcp":
        return udp4(bytes(4), 68, 67)
    if kind == "offer":
        return udp4(source, 67, 68)
    if kind == "redirect":
        return ip4(source, b"\xff" * 4, 1, struct.pack("!BBHI", 5, 1, 0, 0))
    if kind == "ip6":
        return ip6(source, 59, b"")
    if kind == "arp":
        return arp(says, source)
    target = socket.inet_pton(socket.AF_INET6, options.get("target", address))
    return advertisement(says, source, target)


def main(ifname, kind, *options):
    options = dict(option.split("=") for option in options)
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    sock.bind((ifname, 0))
    own = sock.getsockname()[4]
    ethertype, data = payload(kind, own, options)
    tag = struct.pack("!HH", 0x8100, int(options["vlan"])) if "vlan" in options else b""
    source = mac(options["mac"]) if "mac" in options else own
    frame = (BROADCAST + source + tag + struct.pack("!H", ethertype) + data).ljust(60, b"\0")
    sock.send(frame)
    while "pause" in options:
        time.sleep(float(options["pause"]))
        try:
            sock.send(frame)
        except OSError:  # the device has nobody behind it just now
            pass


if __name__ == "__main__":
    main(*sys.argv[1:])
