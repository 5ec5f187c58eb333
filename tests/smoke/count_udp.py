# SPDX-License-Identifier: BSD-3-Clause
"""Sends numbered datagrams at a steady rate, or counts those that arrive.

count_udp.py send ADDRESS PORT PER_SECOND STOP_FILE [BYTES]  prints how many were sent
count_udp.py receive PORT                                    prints how many different ones arrived
"""

import os
import socket
import struct
import sys
import time

SO_RCVBUFFORCE = 33  # asm-generic/socket.h
END = 0xFFFFFFFF


def send(address, port, per_second, stop_file, size=64):
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    rest = bytes(int(size) - 4)
    sock.connect((address, int(port)))
    gap, due, number = 1 / float(per_second), time.monotonic(), 0
    while number % 256 or not os.path.exists(stop_file):
        sock.send(struct.pack("!I", number) + rest)
        number += 1
        due += gap
        time.sleep(max(0, due - time.monotonic()))
    time.sleep(0.3)
    for _ in range(5):
        sock.send(struct.pack("!I", END))
    print(number)


def receive(port):
    sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)  # and IPv4
    # Large enough for all: what is lost, the switch has lost.
    sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 256 << 20)
    sock.bind(("::", int(port)))
    sock.settimeout(120)
    seen = set()
    while True:
        number = struct.unpack("!I", sock.recv(2048)[:4])[0]
        if number == END:
            break
        seen.add(number)
    print(len(seen))


if __name__ == "__main__":
    {"send": send, "receive": receive}[sys.argv[1]](*sys.argv[2:])
