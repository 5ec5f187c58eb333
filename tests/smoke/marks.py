# SPDX-License-Identifier: BSD-3-Clause
"""UDP datagrams with a traffic class, as they are or in VXLAN.

marks.py say ADDRESS CLASS...                 sends one of each class to port 9999 there
marks.py hear                                 prints "ready", then the class of each that comes
marks.py tunnelled ADDRESS VNI MAC TO CLASSES...
                                              sends them inside VXLAN to that MAC and IP address, as
                                              10.0.0.2 or fd00::2; CLASSES are OUTER:INNER
marks.py outer IFNAME                         prints "ready", then class and TTL of each VXLAN packet
                                              with one, and the class inside
"""

import ipaddress
import socket
import struct
import sys

PORT, VXLAN_PORT = 9999, 4789
ETH_P_ALL = 3
IP, IPV6, UDP = 0x0800, 0x86DD, 17


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def set_class(sock, value):
    if sock.family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, value)
    else:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, value)


def say(address, *classes):
    sock = socket.socket(family_of(address), socket.SOCK_DGRAM)
    for value in classes:
        set_class(sock, int(value, 0))
        sock.sendto(b"hello", (address, PORT))


def hear():
    sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTOS, 1)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVTCLASS, 1)
    sock.bind(("::", PORT))
    print("ready", flush=True)
    while True:
        _, ancillary, _, _ = sock.recvmsg(2000, 256)
        print(ancillary[0][2][0], flush=True)


def checksum(data):
    data += bytes(len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def datagram(to, value):
    """An IP packet."""
    to = ipaddress.ip_address(to).packed
    src = ipaddress.ip_address("10.0.0.2" if len(to) == 4 else "fd00::2").packed
    udp = struct.pack("!HHHH", 5555, PORT, 13, 0) + b"hello"
    udp = udp[:6] + struct.pack("!H", checksum(src + to + struct.pack("!HH", UDP, 13) + udp)) + udp[8:]
    if len(to) == 16:
        return struct.pack("!IHBB", 6 << 28 | value << 20, 13, UDP, 64) + src + to + udp
    header = struct.pack("!BBHHHBBH", 0x45, value, 33, 1, 0, 64, UDP, 0) + src + to
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + udp


def tunnelled(address, vni, mac, to, *classes):
    sock = socket.socket(family_of(address), socket.SOCK_DGRAM)
    ethertype = IPV6 if ":" in to else IP
    header = struct.pack("!BxxxI", 8, int(vni) << 8)
    header += bytes.fromhex(mac.replace(":", "") + "020000000099") + struct.pack("!H", ethertype)
    for pair in classes:
        outside, inside = (int(value, 0) for value in pair.split(":"))
        set_class(sock, outside)
        sock.sendto(header + datagram(to, inside), (address, VXLAN_PORT))


def read_ip(data):
    """Class, TTL, protocol and what follows, of an Ethernet frame."""
    ethertype = struct.unpack_from("!H", data, 12)[0]
    if ethertype == IPV6 and len(data) >= 54:
        return struct.unpack_from("!I", data, 14)[0] >> 20 & 0xFF, data[21], data[20], data[54:]
    if ethertype == IP and len(data) >= 34:
        return data[15], data[22], data[23], data[34:]
    return 0, 0, 0, b""


def is_udp(protocol, data, port):
    return protocol == UDP and len(data) >= 8 and struct.unpack_from("!H", data, 2)[0] == port


def outer(ifname):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    sock.bind((ifname, ETH_P_ALL))
    print("ready", flush=True)
    while True:
        value, ttl, protocol, data = read_ip(sock.recv(65536))
        if not is_udp(protocol, data, VXLAN_PORT) or len(data) < 30:
            continue
        inside, _, protocol, data = read_ip(data[16:])
        if is_udp(protocol, data, PORT):
            print(value, ttl, inside, flush=True)


if __name__ == "__main__":
    {"say": say, "hear": hear, "tunnelled": tunnelled, "outer": outer}[sys.argv[1]](*sys.argv[2:])
