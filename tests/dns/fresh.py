#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""fresh.py CYCLES VSCTL NETWORK RUN_DIR:NAMESPACE…

Endpoints are connected, disconnected and moved between hosts, with addresses that others had just
before, while a container on each host (NAMESPACE, whose host's vsctl speaks with RUN_DIR) asks for
all names all the time. What is told must be what was true, in the order in which it was:
no answer from before once a later one was seen, on the host itself from when vsctl has returned.

There are more names than addresses, so an address has another owner each time. Namespaces n0, n1, …
must be there, as many as NAMES says."""
import ctypes
import itertools
import os
import random
import socket
import struct
import subprocess
import sys
import threading
import time

NAMES = 12
ADDRESSES = ["10.10.9.%d" % (i + 1) for i in range(8)]
CLONE_NEWNET = 0x40000000
DEADLINE_S = 60
NOWHERE = "nowhere"


def enter(path):
    with open(path) as file:
        if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), CLONE_NEWNET) < 0:
            raise OSError(ctypes.get_errno(), "setns " + path)


def reverse(address):
    return ".".join(reversed(address.split("."))) + ".in-addr.arpa"


def name_at(wire, at):
    """The name there, and where what follows it begins."""
    labels, end = [], None
    while wire[at]:
        if wire[at] >= 0xc0:
            end = end or at + 2
            at = (wire[at] & 0x3f) << 8 | wire[at + 1]
        else:
            labels.append(wire[at + 1:at + 1 + wire[at]].decode())
            at += 1 + wire[at]
    return ".".join(labels), end or at + 1


class Asker:
    """Asks in one container; of all threads, one at a time."""

    def __init__(self, namespace):
        enter("/run/netns/" + namespace)
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.connect(("127.0.0.11", 53))
        self.sock.settimeout(30)
        enter("/proc/1/ns/net")
        self.numbers = itertools.cycle(range(65536))

    def ask(self, name):
        """Its address, of a name for addresses whose it is, NOWHERE, or another word."""
        number, kind = next(self.numbers), 12 if name.endswith(".arpa") else 1
        labels = b"".join(bytes([len(x)]) + x.encode() for x in name.split("."))
        head = struct.pack("!6H", number, 0x0100, 1, 0, 0, 0)
        self.sock.send(head + labels + b"\0" + struct.pack("!2H", kind, 1))
        while True:
            answer = self.sock.recv(4096)
            if answer[:2] == head[:2]:
                break
        count, code = struct.unpack("!H", answer[6:8])[0], answer[3] & 15
        if code == 3:
            return NOWHERE
        if code == 0 and count == 1:
            data = name_at(answer, len(head) + len(labels) + 5)[1] + 10
            return name_at(answer, data)[0] if kind == 12 else socket.inet_ntoa(answer[data:data + 4])
        return "rcode %d with %d records" % (code, count)


class History:
    """What is true of a name or an address: states one after the other, each from its beginning, when the command
    was given, which is the earliest that anybody can know of it."""

    def __init__(self):
        self.states = [(0.0, NOWHERE)]

    def add(self, state):
        self.states.append((time.monotonic(), state))

    def place_of(self, state, first, got):
        """The earliest state from `first` on that the answer can be of, or None."""
        for i in range(first, len(self.states)):
            if self.states[i][0] > got:
                return None
            if self.states[i][1] == state:
                return i
        return None


class Host:
    def __init__(self, text, histories):
        self.run_dir, self.namespace = text.rsplit(":", 1)
        self.histories = histories
        self.seen = dict.fromkeys(histories, 0)
        self.asker = Asker(self.namespace)
        self.lock = threading.Lock()
        self.wrong = []
        self.asked = 0

    def look(self, name, at_least=None):
        """Asks once. at_least: the number of the state that it must know by now."""
        with self.lock:
            try:
                state = self.asker.ask(name)
            except socket.timeout:
                state = "no answer"
            history = self.histories[name]
            first = self.seen[name] if at_least is None else max(self.seen[name], at_least)
            place = history.place_of(state, first, time.monotonic())
            self.asked += 1
            if place is None:
                self.wrong.append("%s is told on %s that %s is %s; it was, up to now: %s" % (
                    self.namespace, self.run_dir, name, state,
                    ", ".join(s for _, s in history.states[max(0, first - 2):])))
            else:
                self.seen[name] = place
            return state

    def knows(self, name):
        """Whether it has seen the last state."""
        return self.seen[name] == len(self.histories[name].states) - 1

    def watch(self, stop):
        while not stop.is_set() and not self.wrong:
            for name in self.histories:
                self.look(name)
                time.sleep(0.001)

    def vsctl(self, program, *words):
        done = subprocess.run([program, "--run-dir", self.run_dir, *words], capture_output=True,
                              text=True, timeout=60, check=False)
        if done.returncode:
            sys.exit("vsctl %s on %s: %s" % (" ".join(words), self.run_dir, done.stderr))


class Run:
    def __init__(self, program, network, hosts):
        self.names = ["n%d" % i for i in range(NAMES)]
        self.histories = {name: History() for name in self.names + list(map(reverse, ADDRESSES))}
        self.hosts = [Host(text, self.histories) for text in hosts]
        self.program, self.network = program, network
        self.where = {}  # name: (host, address)
        self.free = list(ADDRESSES)
        self.rng = random.Random(1)
        self.late_ms = []

    def check(self):
        for host in self.hosts:
            if host.wrong:
                sys.exit("\n".join(host.wrong[:5]))

    def everywhere(self, name, own):
        """Until all hosts tell the last state; its own must tell it at once."""
        start = time.monotonic()
        own.look(name, len(self.histories[name].states) - 1)
        todo = [host for host in self.hosts if host is not own]
        while todo:
            self.check()
            for host in todo:
                host.look(name)
            todo = [host for host in todo if not host.knows(name)]
            if time.monotonic() > start + DEADLINE_S:
                sys.exit("%s does not learn that %s is %s" % (
                    todo[0].namespace, name, self.histories[name].states[-1][1]))
        self.late_ms.append((time.monotonic() - start) * 1000)

    def connect(self, name, host):
        # The one that was freed last: who had it before may still be remembered somewhere.
        address = self.free.pop()
        self.histories[name].add(address)
        self.histories[reverse(address)].add(name + "." + self.network)
        self.where[name] = host, address
        host.vsctl(self.program, "network", "connect", "--ip", address, self.network, name)
        self.everywhere(name, host)
        self.everywhere(reverse(address), host)

    def disconnect(self, name):
        host, address = self.where.pop(name)
        self.histories[name].add(NOWHERE)
        self.histories[reverse(address)].add(NOWHERE)
        host.vsctl(self.program, "network", "disconnect", self.network, name)
        self.everywhere(name, host)
        self.everywhere(reverse(address), host)
        self.free.append(address)

    def cycle(self):
        """One of: a container comes, goes, or moves to another host and gets another address."""
        idle = sorted(set(self.names) - set(self.where))
        if self.where and (not self.free or self.rng.random() < 0.5):
            name = self.rng.choice(sorted(self.where))
            was = self.where[name][0]
            self.disconnect(name)
            if idle and self.rng.random() < 0.5:  # somebody else gets its address at once
                self.connect(self.rng.choice(idle), self.rng.choice(self.hosts))
            if self.free and self.rng.random() < 0.7:
                self.connect(name, self.rng.choice([h for h in self.hosts if h is not was]))
        else:
            self.connect(self.rng.choice(idle), self.rng.choice(self.hosts))

    def run(self, cycles):
        stop = threading.Event()
        threads = [threading.Thread(target=host.watch, args=(stop,)) for host in self.hosts]
        for thread in threads:
            thread.start()
        try:
            for _ in range(cycles):
                self.cycle()
                self.check()
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        for name in sorted(self.where):
            self.disconnect(name)
        self.check()


def main():
    cycles, program, network = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    run = Run(program, network, sys.argv[4:])
    run.run(cycles)
    changes = sorted(run.late_ms)
    print("%d cycles, %d changes, %d answers, none stale; known everywhere after %.1f ms (median), "
          "%.1f ms (the last)" % (cycles, len(changes), sum(h.asked for h in run.hosts),
                                  changes[len(changes) // 2], changes[-1]))


if __name__ == "__main__":
    main()
