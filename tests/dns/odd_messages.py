#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""odd_messages.py SERVER NAME ADDRESS: what no client should send, and unusual ways over TCP. The
server must say what is wrong, or be silent where an answer would be wrong, and still know that NAME
has ADDRESS."""
import os
import random
import socket
import struct
import sys
import time

FORMERR, NXDOMAIN, NOTIMP, REFUSED = 1, 3, 4, 5
SERVER, NAME, ADDRESS = sys.argv[1:]
WANT = socket.inet_aton(ADDRESS)


def wire_name(name):
    return b"".join(bytes([len(x)]) + x.encode() for x in name.split(".")) + b"\0"


def question(number, name=NAME, flags=0x0100, kind=1, kind_class=1, counts=(1, 0, 0, 0)):
    return (struct.pack("!HH4H", number, flags, *counts) + wire_name(name) +
            struct.pack("!HH", kind, kind_class))


def opt(version=0, size=1232):
    return b"\0" + struct.pack("!HHBBHH", 41, size, 0, version, 0, 0)


def ask(message, seconds=2):
    """The answer over UDP, None when there is none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(seconds)
        sock.connect((SERVER, 53))
        sock.send(message)
        try:
            return sock.recv(65535)
        except socket.timeout:
            return None


def rcode(answer):
    if answer is None:
        return None
    code = answer[3] & 15
    at = answer.rfind(b"\0\0\x29")  # the rest of the code is in OPT (RFC 6891)
    return code | answer[at + 5] << 4 if at > 0 else code


def check(what, good, got):
    if not good:
        sys.exit("%s: %r" % (what, got))


def known():
    answer = ask(question(77))
    check("%s is not known" % NAME, answer is not None and WANT in answer, answer)


def tcp():
    sock = socket.create_connection((SERVER, 53), 5)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def framed(message):
    return struct.pack("!H", len(message)) + message


def read_exactly(sock, size):
    have = b""
    while len(have) < size:
        more = sock.recv(size - len(have))
        check("the connection ended", more, have)
        have += more
    return have


def read(sock):
    return read_exactly(sock, struct.unpack("!H", read_exactly(sock, 2))[0])


def udp_oddities():
    for what, want, message in (
            ("opcode STATUS", (NOTIMP,), question(1, flags=0x1000)),
            ("opcode UPDATE", (NOTIMP,), question(2, flags=0x2800)),
            ("no question", (FORMERR,), struct.pack("!HH4H", 3, 0x0100, 0, 0, 0, 0)),
            ("two questions", (FORMERR, NOTIMP),
             question(4, counts=(2, 0, 0, 0)) + wire_name(NAME) + struct.pack("!HH", 1, 1)),
            ("a question that is cut", (FORMERR,), question(5)[:-3]),
            ("a label that is too long", (FORMERR,), question(6)[:12] + b"\x7f" + b"a" * 30),
            ("a pointer to itself", (FORMERR,), question(7)[:12] + b"\xc0\x0c" + b"\0\1\0\1"),
            ("version 1 of EDNS", (16,), question(8, counts=(1, 0, 0, 1)) + opt(version=1)),
            ("class CH", (FORMERR, NOTIMP, REFUSED), question(9, "version.bind", kind=16, kind_class=3)),
            ("AXFR", (NOTIMP, REFUSED), question(10, kind=252)),
    ):
        answer = ask(message)
        check(what, rcode(answer) in want and answer[:2] == message[:2], answer)
        known()
    check("an answer to a response", ask(question(11, flags=0x8180), 0.3) is None, None)
    check("an answer to 5 bytes", ask(b"12345", 0.3) is None, None)
    known()


def garbage():
    """Nothing of this may end the server."""
    rng = random.Random(7)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect((SERVER, 53))
        for _ in range(3000):
            message = bytearray(question(rng.randrange(65536), counts=(1, 0, 0, 1)) + opt())
            for _ in range(rng.randrange(1, 8)):
                message[rng.randrange(2, len(message))] = rng.randrange(256)
            sock.send(message[:rng.randrange(1, len(message) + 1)])
    deadline = time.monotonic() + 5
    while ask(question(78), 1) is None:  # what is before it in the queue
        check("no answer after garbage", time.monotonic() < deadline, None)
    known()


def over_tcp():
    with tcp() as sock:  # many at once on one connection, answers in any order
        sock.sendall(b"".join(framed(question(i)) for i in range(50)))
        answers = {read(sock)[:2] for _ in range(50)}
        check("answers are missing", len(answers) == 50, len(answers))
    with tcp() as sock:  # byte by byte
        for byte in framed(question(60)):
            sock.send(bytes([byte]))
        check("byte by byte", WANT in read(sock), None)
    with tcp() as sock:  # it says what comes, and then does not send it
        sock.sendall(b"\xff\xff" + os.urandom(100))
        known()
    with tcp() as sock:  # half closed: the answer comes all the same
        sock.sendall(framed(question(61)))
        sock.shutdown(socket.SHUT_WR)
        check("half closed", WANT in read(sock), None)
    with tcp() as sock:
        sock.sendall(b"\0\0" + framed(b"x") + os.urandom(500))
    idle = [tcp() for _ in range(150)]  # connections that say nothing keep nobody out
    with tcp() as sock:
        sock.sendall(framed(question(62)))
        check("beside idle connections", WANT in read(sock), None)
    for sock in idle:
        sock.close()
    known()


known()
udp_oddities()
garbage()
over_tcp()
