# SPDX-License-Identifier: BSD-3-Clause
"""Single frames of an ethertype of their own, as they are or in VXLAN.

frames.py frame IFNAME DESTINATION [--vlan ID]      sends one to that hardware address
frames.py count IFNAME [--vlan ID]                  prints "ready", then "count N" at each one that
                                                    comes, until it is ended
frames.py tunnelled ADDRESS VNI [--flags N] [--bytes N] [--cut N] [--count N]
                                                    sends them inside VXLAN, broadcast
frames.py outer IFNAME                              prints "ready", then the destination of each
                                                    VXLAN packet with one, until it is ended
"""

import argparse
import ipaddress
import socket
import struct

ETHERTYPE = 0x88B5  # IEEE 802 local experimental
ETH_P_ALL = 3
IP, UDP = 0x0800, 17
VXLAN_PORT = 4789
SOL_PACKET, PACKET_AUXDATA, TP_STATUS_VLAN_VALID = 263, 8, 0x10
BROADCAST = b"\xff" * 6


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def device(ifname, protocol):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(protocol))
    sock.bind((ifname, protocol))
    return sock


def ethernet(dst, src, payload_bytes=46, vlan=0):
    tag = struct.pack("!HH", 0x8100, vlan) if vlan else b""
    return dst + src + tag + struct.pack("!H", ETHERTYPE) + bytes(payload_bytes)


def vlan_of(ancillary):
    """The kernel takes a tag out of the frame and puts it beside (struct tpacket_auxdata)."""
    for level, kind, data in ancillary:
        if (level, kind) == (SOL_PACKET, PACKET_AUXDATA):
            status, tci = struct.unpack_from("I12xH", data)
            return tci & 0xFFF if status & TP_STATUS_VLAN_VALID else 0
    return 0


def arrivals(sock):
    """What comes from outside, each frame with its VLAN."""
    sock.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    print("ready", flush=True)
    while True:
        data, ancillary, _, (_, _, kind, *_) = sock.recvmsg(65536, 256)
        if kind != socket.PACKET_OUTGOING:
            yield data, vlan_of(ancillary)


def send_frame(args):
    sock = device(args.ifname, ETHERTYPE)
    sock.send(ethernet(mac(args.destination), sock.getsockname()[4], vlan=args.vlan))


def count(args):
    wanted = struct.pack("!H", ETHERTYPE), args.vlan
    number = 0
    for data, vlan in arrivals(device(args.ifname, ETH_P_ALL)):
        if (data[12:14], vlan) == wanted:
            number += 1
            print("count", number, flush=True)


def tunnelled(args):
    family = socket.AF_INET6 if ":" in args.address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    header = struct.pack("!BxxxI", args.flags, args.vni << 8)
    data = header + ethernet(BROADCAST, mac("020000000099"), args.bytes)
    for _ in range(args.count):
        sock.sendto(data[: args.cut], (args.address, VXLAN_PORT))


def outer(args):
    sock = device(args.ifname, ETH_P_ALL)
    sock.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)  # SO_RCVBUFFORCE
    for data, _ in arrivals(sock):
        if len(data) < 64 or struct.unpack_from("!H", data, 12)[0] != IP or data[23] != UDP:
            continue
        port, inner = (struct.unpack_from("!H", data, at)[0] for at in (36, 62))
        if port == VXLAN_PORT and inner == ETHERTYPE:
            print(ipaddress.ip_address(data[30:34]), flush=True)


def arguments():
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(required=True)
    for name, function in (("frame", send_frame), ("count", count), ("outer", outer)):
        command = commands.add_parser(name)
        command.set_defaults(function=function)
        command.add_argument("ifname")
        command.add_argument("--vlan", type=int, default=0)
        if name == "frame":
            command.add_argument("destination")
    command = commands.add_parser("tunnelled")
    command.set_defaults(function=tunnelled)
    command.add_argument("address")
    command.add_argument("vni", type=int)
    command.add_argument("--flags", type=lambda text: int(text, 16), default=0x08)
    command.add_argument("--bytes", type=int, default=46)
    command.add_argument("--cut", type=int)
    command.add_argument("--count", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    options = arguments()
    options.function(options)
