# SPDX-License-Identifier: BSD-3-Clause
"""Fills the switch with VLANs until there is no room, and expects the request that fails to leave
everything as it was: an entry that it would have replaced is where it was."""

import json
import sys

import zmq

VLANS = 4095  # 0..4094, of each bridge
ROOM = 65535  # pairs of bridge and VLAN in a switch


class Switch:
    def __init__(self, path):
        self.sock = zmq.Context().socket(zmq.REQ)
        self.sock.linger = 0
        self.sock.connect("ipc://" + path)

    def call(self, method, **params):
        self.sock.send(json.dumps({"id": 1, "method": method, "params": params}).encode())
        if not self.sock.poll(30000):
            sys.exit("no answer to " + method)
        return json.loads(self.sock.recv())

    def do(self, method, **params):
        answer = self.call(method, **params)
        if "result" not in answer:
            sys.exit("%s: %s" % (method, answer))
        return answer["result"]

    def static(self, bridge):
        entries = self.do("fdb.show", bridge=bridge)["entries"]
        return [e for e in entries if e["kind"] == "static"]


def entry(vlan, port, last):
    return {"mac": "02:00:00:%02x:%02x:%02x" % (vlan >> 8, vlan & 255, last), "vlan": vlan, "port": port}


def fill(switch, bridge, port):
    """An entry in each VLAN. Where addresses collide in the table, others are tried."""
    for last in range(1, 40):
        answer = switch.call("fdb.add", bridge=bridge, entries=[entry(v, port, last) for v in range(VLANS)])
        if "result" in answer:
            return
    sys.exit("%s cannot be filled: %s" % (bridge, answer))


def main(path):
    switch = Switch(path)
    full = ROOM // VLANS
    for i in range(full + 1):
        bridge, port = "b%d" % i, "p%d" % i
        switch.do("bridge.add", bridge={"name": bridge})
        switch.do("port.add", bridge=bridge, ports=[{"name": port}, {"name": port + "b"}])
    for i in range(full):
        fill(switch, "b%d" % i, "p%d" % i)
    last, port = "b%d" % full, "p%d" % full
    old = [entry(0, port, 1), entry(7, port, 1)]
    switch.do("fdb.add", bridge=last, entries=old)
    before = switch.static(last), switch.do("config.show")
    # The two that are there, on another port, before and among those that have no room.
    wanted = [entry(v, port + "b", 1) for v in range(VLANS)]
    answer = switch.call("fdb.add", bridge=last, entries=wanted)
    if answer.get("error", {}).get("code") != "no_space":
        sys.exit("not refused: %s" % json.dumps(answer)[:300])
    after = switch.static(last), switch.do("config.show")
    if before != after:
        sys.exit("the refused request changed something: %s" % after[0])
    if [e["port"] for e in after[0]] != [port, port]:
        sys.exit("not the entries that were there: %s" % after[0])
    # Deleting is all or none as well.
    answer = switch.call("fdb.del", bridge=last, entries=[{"mac": e["mac"], "vlan": e["vlan"]} for e in wanted[:9]])
    if answer.get("error", {}).get("code") != "not_found":
        sys.exit("not refused: %s" % answer)
    if switch.static(last) != before[0]:
        sys.exit("the refused deletion changed something")


if __name__ == "__main__":
    main(sys.argv[1])
