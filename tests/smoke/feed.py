# SPDX-License-Identifier: BSD-3-Clause
"""Fills a bridge with forwarding entries and neighbours in a few requests and then, as an agent does,
adds, changes and deletes single ones, many requests at a time. Prints how often the switch wrote its
configuration meanwhile, and what a request took.  usage: feed.py SOCKET BRIDGE"""

import json
import sys
import time

import zmq

PRESENT, SINGLE, AT_A_TIME = 100000, 1000, 64


def mac(i):
    return "02:00:%02x:%02x:%02x:%02x" % (i >> 24 & 255, i >> 16 & 255, i >> 8 & 255, i & 255)


def fdb(i, remote=1):
    # In no order of the addresses.
    return {"mac": mac(i * 2654435761 & 0xFFFFFFFF), "tunnel": "10.1.0.%d" % remote}


def neigh(i, other=0):
    number = i * 40503 & 0xFFFFFF
    ip = "10.%d.%d.%d" % (number >> 16, number >> 8 & 255, number & 255)
    return {"ip": ip, "mac": mac(i + other)}


class Switch:
    def __init__(self, path):
        self.sock = zmq.Context().socket(zmq.DEALER)
        self.sock.linger = 0
        self.sock.connect("ipc://" + path)

    def send(self, method, params):
        request = {"id": 1, "method": method, "params": params}
        self.sock.send_multipart([b"", json.dumps(request).encode()])

    def receive(self):
        if not self.sock.poll(60000):
            sys.exit("no answer")
        answer = json.loads(self.sock.recv_multipart()[-1])
        if "result" not in answer:
            sys.exit(str(answer))
        return answer["result"]

    def call(self, method, **params):
        self.send(method, params)
        return self.receive()

    def saves(self):
        return self.call("status")["state"]["saves"]


def burst(switch, name, requests):
    """All of them, each answered, some under way at any time."""
    before, begin = switch.saves(), time.monotonic()
    for n, (method, params) in enumerate(requests):
        switch.send(method, params)
        if n >= AT_A_TIME:
            switch.receive()
    for _ in range(min(len(requests), AT_A_TIME)):
        switch.receive()
    took_us = (time.monotonic() - begin) / len(requests) * 1e6
    print("%s: %d saves, %.0f us each" % (name, switch.saves() - before, took_us))


def main(path, bridge):
    switch = Switch(path)

    def single(method, entries):
        return [(method, {"bridge": bridge, "entries": [e]}) for e in entries]

    switch.call("fdb.add", bridge=bridge, entries=[fdb(i) for i in range(PRESENT)])
    switch.call("neigh.add", bridge=bridge, entries=[neigh(i) for i in range(PRESENT)])
    new = range(PRESENT, PRESENT + SINGLE)
    old = range(0, PRESENT, PRESENT // SINGLE)
    burst(switch, "fdb.add", single("fdb.add", [fdb(i) for i in new]))
    burst(switch, "fdb.add again", single("fdb.add", [fdb(i, 2) for i in old]))
    burst(switch, "fdb.del", single("fdb.del", [{"mac": fdb(i)["mac"]} for i in new]))
    burst(switch, "neigh.add", single("neigh.add", [neigh(i) for i in new]))
    burst(switch, "neigh.add again", single("neigh.add", [neigh(i, 7) for i in old]))
    burst(switch, "neigh.del", single("neigh.del", [{"ip": neigh(i)["ip"]} for i in new]))
    found = {}
    after = None
    while after != "":
        page = switch.call("fdb.show", bridge=bridge, limit=20000, **({"after": after} if after else {}))
        found.update({e["mac"]: e["tunnel"] for e in page["entries"]})
        after = page.get("next", "")
    if len(found) != PRESENT or any(found[fdb(i)["mac"]] != "10.1.0.2" for i in old):
        sys.exit("the switch has %d entries, or not the right ones" % len(found))


main(*sys.argv[1:])
