#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""many.py feed COUNT NETWORK_ID HOST_RECORD ENDPOINT_RECORD
    puts COUNT endpoints e0, e1, … of other hosts into the store of scripts/hosts.sh, in a network with
    the subnet 10.20.0.0/16; every hundredth of the first 10,000 has the alias crowd.
many.py check COUNT QUESTIONS NAMESPACE
    asks that container's resolver for that many of them at random, by name and by address."""
import ctypes
import json
import pathlib
import random
import socket
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
from benchmarks.scenarios import agent  # noqa: E402  pylint: disable=wrong-import-position

AT_ONCE = 50  # questions that are under way


def feed(count, net_id, host, sample):
    agent.feed((("hosts/s%03d" % i, agent.host(host, i)) for i in range(agent.HOSTS)), 100)
    records = []
    for number in range(count):
        record = agent.endpoint(sample, 0, number, 0)
        record["aliases"] = ["alias%d" % number]
        if number % 100 == 0 and number < 10000:
            record["aliases"].append("crowd")
        records.append(("nets/%s/ep/%s" % (net_id, address(record)), record))
    agent.feed(records, 100)


def address(record):
    return record["ips"][0].split("/")[0]


def labels(name):
    return b"".join(bytes([len(x)]) + x.encode() for x in name.split(".")) + b"\0"


def question(sample, number):
    """(name, type, what the answer ends with)"""
    ip = address(agent.endpoint(sample, 0, number, 0))
    name = "e%d" % number
    return random.choice((
        (name, 1, socket.inet_aton(ip)),
        (name.upper() + ".manynet", 1, socket.inet_aton(ip)),
        ("alias%d" % number, 1, socket.inet_aton(ip)),
        (".".join(reversed(ip.split("."))) + ".in-addr.arpa", 12, labels(name + ".manynet")),
    ))


def check(count, questions, namespace):
    sample = {"ips": [], "name": "", "id": ""}
    with open("/run/netns/" + namespace) as file:
        if ctypes.CDLL(None).setns(file.fileno(), 0x40000000) < 0:
            sys.exit("setns")
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.connect(("127.0.0.11", 53))
    sock.settimeout(30)
    waiting = {}
    for i in range(questions + AT_ONCE):
        if i < questions:
            name, kind, end = question(sample, random.randrange(count))
            waiting[i & 0xffff] = name, end
            sock.send(struct.pack("!6H", i & 0xffff, 0x100, 1, 0, 0, 0) + labels(name) +
                      struct.pack("!2H", kind, 1))
            if i < AT_ONCE:
                continue
        answer = sock.recv(4096)
        number, flags, _, answers = struct.unpack("!4H", answer[:8])
        name, end = waiting.pop(number)
        if flags & 15 or answers != 1 or not answer.endswith(end):
            sys.exit("%s: rcode %d, %d records: %r" % (name, flags & 15, answers, answer))
    print("%d questions, all answered right" % questions)


if sys.argv[1] == "feed":
    feed(int(sys.argv[2]), sys.argv[3], json.loads(sys.argv[4]), json.loads(sys.argv[5]))
else:
    check(int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
