# SPDX-License-Identifier: BSD-3-Clause
"""gso_size.py IFNAME BYTES: sets gso_ipv4_max_size, which iproute2 before 6.2 does not know."""

import socket
import struct
import sys

RTM_NEWLINK, NLM_F_REQUEST_ACK, NLMSG_ERROR = 16, 5, 2
IFLA_GSO_IPV4_MAX_SIZE = 63  # include/uapi/linux/if_link.h

info = struct.pack("BxHiII", 0, 0, socket.if_nametoindex(sys.argv[1]), 0, 0)
body = info + struct.pack("HHI", 8, IFLA_GSO_IPV4_MAX_SIZE, int(sys.argv[2]))
sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
sock.send(struct.pack("IHHII", 16 + len(body), RTM_NEWLINK, NLM_F_REQUEST_ACK, 1, 0) + body)
answer = sock.recv(4096)
kind, error = struct.unpack_from("H", answer, 4)[0], struct.unpack_from("i", answer, 16)[0]
sys.exit(kind != NLMSG_ERROR or -error)
