# SPDX-License-Identifier: BSD-3-Clause
"""Sends numbered datagrams, each of which is answered; a few are under way at any time, so that none
is lost to a machine that is busy.

count_udp.py send ADDRESS PORT STOP_FILE BYTES  until STOP_FILE, which has the least number to send,
                                                exists; prints how many were sent
count_udp.py receive PORT                       prints how many different ones arrived
"""

import os
import socket
import struct
import sys
import time

PATIENCE = 60  # seconds without any answer
BYTES_UNDER_WAY = 65536
SO_RCVBUFFORCE = 33  # asm-generic/socket.h
END = 0xFFFFFFFF


def stops(stop_file, number):
    if not os.path.exists(stop_file):
        return False
    with open(stop_file, encoding="ascii") as file:
        return number >= int(file.read())


def answers(sock, missing, most):
    """Takes answers until so many are missing at most."""
    end = time.monotonic() + PATIENCE
    while len(missing) > most:
        sock.settimeout(max(0.001, end - time.monotonic()))
        try:
            missing.discard(struct.unpack("!I", sock.recv(64))[0])
        except TimeoutError:
            sys.exit("no answer to %d datagrams, number %d first" % (len(missing), min(missing)))


def send(address, port, stop_file, size):
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    rest = bytes(int(size) - 4)
    sock.connect((address, int(port)))
    under_way = max(1, min(8, BYTES_UNDER_WAY // int(size)))
    number, missing = 0, set()
    while not stops(stop_file, number):
        missing.add(number)
        sock.send(struct.pack("!I", number) + rest)
        number += 1
        answers(sock, missing, under_way - 1)
    answers(sock, missing, 0)
    missing.add(END)
    sock.send(struct.pack("!I", END))
    answers(sock, missing, 0)
    print(number)


def receive(port):
    sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)  # and IPv4
    sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
    sock.bind(("::", int(port)))
    sock.settimeout(4 * PATIENCE)
    seen = set()
    number = 0
    while number != END:
        data, sender = sock.recvfrom(65536)
        number = struct.unpack("!I", data[:4])[0]
        seen.add(number)
        sock.sendto(data[:4], sender)
    print(len(seen) - 1)


if __name__ == "__main__":
    {"send": send, "receive": receive}[sys.argv[1]](*sys.argv[2:])
