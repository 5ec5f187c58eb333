# SPDX-License-Identifier: BSD-3-Clause
"""Sends the switch what no well-behaved client would. Each time it must answer with the right code,
name what is wrong, and be as it was before: same bridges, ports, entries, and no device left over."""

import json
import sys

import zmq


def request(method, **params):
    return json.dumps({"id": 1, "method": method, "params": params}).encode()


TAP = {"name": "x1", "type": "tap", "netns": "c1", "ifname": "eth7"}
ENTRY = {"mac": "02:00:00:00:00:55", "port": "c1"}
ZERO = "00:00:00:00:00:00"
NEIGH = {"ip": "10.0.0.9", "mac": "02:00:00:00:00:09"}
OTHER = {"mac": "02:00:00:00:00:56", "port": "c1"}
BIG = 20 << 20

CASES = [
    # (what is sent, the error's code, words of its message)
    # Not JSON, or not a request.
    (b"{", "bad_json", "line 1"),
    (b"", "bad_json", "not JSON"),
    (b"\xff\xfe\x00", "bad_json", "not JSON"),
    (b'{"id": 1, "method": "status"} {}', "bad_json", "end of file"),
    (b'{"id": 1, "id": 2, "method": "status"}', "bad_json", "duplicate"),
    (b'{"id": 99999999999999999999, "method": "status"}', "bad_json", "too big"),
    (b'{"id": 1, "method": "status", "params": ' + b'{"a":' * 5000 + b"1" + b"}" * 5001, "bad_json", "16"),
    (b"[1, 2]", "bad_request", "object"),
    (b'"text"', "bad_request", "object"),
    (b'{"id": 1}', "bad_request", "method"),
    (b'{"id": 1.5, "method": "status"}', "bad_request", "id"),
    (b'{"id": 1, "method": 5}', "bad_request", "method"),
    (b'{"id": 1, "method": "port.add", "params": []}', "bad_request", "params"),
    (b'{"id": 1, "method": "status", "x": 1}', "bad_request", "'x'"),
    (b'{"id": 1, "method": "status", "x": "' + b"y" * BIG + b'"}', "too_big", "split"),
    (b"[" * BIG, "too_big", "split"),
    (request("no.such"), "unknown_method", "no.such"),
    # Parameters.
    (request("status", colour=1), "unknown_param", "colour"),
    (request("port.add"), "missing_param", "bridge"),
    (request("port.add", bridge="br0"), "missing_param", "port, ports"),
    (request("port.add", bridge="br0", port=TAP, ports=[TAP]), "conflicting_params", "port, ports"),
    (request("port.add", bridge=7, port=TAP), "bad_type", "bridge"),
    (request("port.add", bridge="br0", port="x1"), "bad_type", "an object"),
    (request("port.add", bridge="br0", port=TAP, may_exist=1), "bad_type", "may_exist"),
    (request("port.add", bridge="br0", ports=[TAP, 1]), "bad_type", "ports[1]"),
    (request("port.add", bridge="br0", ports=[]), "out_of_bounds", "1 to 4096"),
    (request("port.add", bridge="br0", ports=[TAP] * 4097), "out_of_bounds", "1 to 4096"),
    (request("fdb.show", limit=0), "out_of_bounds", "limit"),
    (request("fdb.show", limit=1 << 62), "out_of_bounds", "limit"),
    (request("fdb.show", after="0001.000.nonsense"), "invalid", "cursor"),
    (request("fdb.show", after=" 1. 0.02:00:00:00:00:01"), "invalid", "cursor"),
    # Options of ports and bridges.
    (request("port.add", bridge="br0", port={}), "invalid", "name"),
    (request("port.add", bridge="br0", port=TAP | {"colour": 1}), "invalid", "colour"),
    (request("port.add", bridge="br0", port=TAP | {"tag": "10"}), "invalid", "tag"),
    (request("port.add", bridge="br0", port=TAP | {"tag": 1 << 40}), "invalid", "4094"),
    (request("port.add", bridge="br0", port=TAP | {"mtu": -1}), "invalid", "65535"),
    (request("port.add", bridge="br0", port=TAP | {"devargs": "net_null0"}), "invalid", "devargs"),
    (request("port.add", bridge="br0", port={"name": "x1", "type": "dpdk"}), "invalid", "devargs"),
    (request("bridge.add", bridge={"name": "br1", "ageing": 1 << 33}), "invalid", "32767"),
    (request("bridge.add", bridge={"name": "br1", "ports": {}}), "invalid", "ports"),
    (request("bridge.set", name="br0", bridge={"name": "br1"}), "not_supported", "renamed"),
    (request("port.set", name="c1", port={"type": "veth"}), "not_supported", "type"),
    # Names.
    (request("port.add", bridge="br0", port=TAP | {"name": "a/b"}), "invalid", "a/b"),
    (request("port.add", bridge="br0", port=TAP | {"name": "n" * 200}), "invalid", "63"),
    (request("port.add", bridge="br0", port=TAP | {"name": ""}), "invalid", "63"),
    (request("bridge.add", bridge={"name": "a/b"}), "invalid", "a/b"),
    (request("bridge.add", bridge={"name": "n" * 200}), "invalid", "63"),
    (b'{"id": 1, "method": "bridge.add", "params": {"bridge": {"name": "x\\u0000y"}}}', "bad_json", "NUL"),
    (request("bridge.del", name="n" * 200), "out_of_bounds", "63"),
    # What is there already, once or twice in one request, and what is not.
    (request("bridge.add", bridge={"name": "br0"}), "exists", "br0"),
    (request("port.add", bridge="br0", port=TAP | {"name": "c1"}), "exists", "c1"),
    (request("port.add", bridge="br1", port=TAP | {"name": "c1"}, may_exist=True), "exists", "c1"),
    (request("port.add", bridge="br0", ports=[TAP, TAP]), "invalid", "x1"),
    (request("port.add", bridge="br0", ports=[TAP, TAP | {"name": "c1"}]), "exists", "c1"),
    (request("port.add", bridge="br0", ports=[TAP, TAP | {"name": "x2"}]), "exists", "eth7"),
    (request("port.add", bridge="br0", port=TAP | {"ifname": "eth0"}), "exists", "eth0"),
    (request("port.add", bridge="br0", ports=[TAP, {"name": "x2", "type": "tap", "netns": "none"}]), "not_found", "none"),
    (request("port.add", bridge="br0", port={"name": "v", "type": "veth", "host_ifname": "h99"}), "no_device", "h99"),
    (request("port.add", bridge="br9", port=TAP), "not_found", "br9"),
    (request("port.del", name="x9"), "not_found", "x9"),
    (request("port.del", names=["c1", "x9"]), "not_found", "x9"),
    (request("port.del", names=["c1", "c1"]), "invalid", "twice"),
    (request("port.del", name="c1", bridge="br1"), "not_found", "on bridge br0"),
    (request("port.del", name="c1", bridge="br9", if_exists=True), "not_found", "br9"),
    (request("bridge.del", name="br9"), "not_found", "br9"),
    # Forwarding entries.
    (request("fdb.add", bridge="br0", entries=[ENTRY, OTHER | {"port": "x9"}]), "not_found", "x9"),
    (request("fdb.add", bridge="br1", entries=[ENTRY]), "not_found", "c1"),
    (request("fdb.add", bridge="br0", entries=[ENTRY, ENTRY | {"vlan": 4095}]), "out_of_bounds", "entries[1].vlan"),
    (request("fdb.add", bridge="br0", entries=[ENTRY | {"mac": "01:00:00:00:00:01"}]), "invalid", "unicast"),
    (request("fdb.add", bridge="br0", entries=[ENTRY, ENTRY | {"port": "c2"}]), "invalid", "twice"),
    (request("fdb.add", bridge="br0", entries=[{"mac": ENTRY["mac"]}]), "invalid", "port: the key is missing"),
    (request("fdb.del", bridge="br0", entries=[{"mac": "02:00:00:00:00:66"}]), "not_found", "02:00:00:00:00:66"),
    (request("fdb.add", bridge="br0", entries=[ENTRY | {"tunnel": "10.0.0.300"}]), "out_of_bounds", "entries[0].tunnel"),
    (request("fdb.add", bridge="br0", entries=[ENTRY | {"tunnel": "10.0.0.3"}]), "invalid", "of type tap"),
    (request("fdb.add", bridge="br0", entries=[{"mac": ZERO, "tunnel": "10.0.0.3"}]), "not_found", "no port of type vxlan"),
    (request("fdb.add", bridge="br0", entries=[{"mac": ZERO, "port": "c1"}]), "invalid", "needs tunnel"),
    (request("fdb.add", bridge="br0", entries=[ENTRY] * 131073), "out_of_bounds", "131073"),
    # Tunnel endpoints and networks.
    (request("vtep.add"), "missing_param", "vtep"),
    (request("vtep.add", vtep={}), "invalid", "no name"),
    (request("vtep.add", vtep={"name": "a/b"}), "invalid", "a/b"),
    (request("vtep.add", vtep={"name": "c1"}), "exists", "port"),
    (request("vtep.add", vtep={"name": "t", "udp_port": 0}), "invalid", "udp_port"),
    (request("vtep.set", name="t", vtep={"mtu": 1400}), "not_found", "VTEP t"),
    (request("vtep.del", name="t"), "not_found", "VTEP t"),
    (request("vtep.show", name="t"), "not_found", "VTEP t"),
    (request("port.add", bridge="br0", port={"name": "v", "type": "vxlan"}), "invalid", "key"),
    (request("port.add", bridge="br0", port={"name": "v", "type": "vxlan", "key": 1, "vtep": "t"}), "not_found", "'t'"),
    (request("port.add", bridge="br0", ports=[{"name": "v", "type": "vxlan", "key": 1}, {"name": "w", "type": "vxlan", "key": 1}]), "exists", "1"),
    # Neighbours.
    (request("neigh.add", bridge="br0", entries=[]), "out_of_bounds", "entries"),
    (request("neigh.add", bridge="br0", entries=[{"ip": "10.0.0.9"}]), "missing_param", "entries[0].mac"),
    (request("neigh.add", bridge="br0", entries=[NEIGH | {"ip": "10.0.0"}]), "out_of_bounds", "entries[0].ip"),
    (request("neigh.add", bridge="br0", entries=[NEIGH, NEIGH | {"ip": "ff02::1"}]), "invalid", "ff02::1"),
    (request("neigh.add", bridge="br0", entries=[NEIGH, NEIGH | {"mac": ZERO}]), "invalid", "unicast"),
    (request("neigh.add", bridge="br0", entries=[NEIGH, NEIGH]), "invalid", "twice"),
    (request("neigh.add", bridge="br9", entries=[NEIGH]), "not_found", "br9"),
    (request("neigh.del", bridge="br0", entries=[{"ip": "10.0.0.9"}]), "not_found", "10.0.0.9"),
    (request("neigh.list", bridge="br0", after="x"), "invalid", "cursor"),
]


class Switch:
    def __init__(self, path):
        self.context = zmq.Context()
        self.path = path

    def send(self, message):
        """The answer to the message, None when there is none."""
        sock = self.context.socket(zmq.DEALER)
        sock.linger = 0
        sock.connect("ipc://" + self.path)
        sock.send(message)
        answer = json.loads(sock.recv_multipart()[-1]) if sock.poll(10000) else None
        sock.close()
        return answer

    def state(self):
        """All that a refused request must not change."""
        shown = self.send(request("show"))["result"]["bridges"]
        for bridge in shown:
            for port in bridge["ports"]:
                del port["since"]
        return shown, self.send(request("config.show"))["result"]["yaml"]


def problem(answer, code, words):
    """What is wrong with the answer, or None."""
    if not answer:
        return "no answer"
    error = answer.get("error")
    if not error or "result" in answer:
        return "no error"
    if error["code"] != code:
        return "not " + code
    if words not in error["message"] and words != error["data"].get("param"):
        return "nothing of '%s'" % words
    return None


def main(path):
    switch = Switch(path)
    before = switch.state()
    failed = 0
    for message, code, words in CASES:
        answer = switch.send(message)
        wrong = problem(answer, code, words)
        if not wrong and switch.state() != before:
            wrong = "the switch has changed"
            before = switch.state()
        if wrong:
            print("%s: %r: %s" % (wrong, message[:150], json.dumps(answer)[:300]))
            failed += 1
    # A change would have been seen.
    for method, params in (("bridge.add", {"bridge": {"name": "br7"}}), ("bridge.del", {"name": "br7"})):
        last = switch.state()
        switch.send(request(method, **params))
        if switch.state() == last:
            print("%s was not seen in the state that is compared" % method)
            failed += 1
    # It still answers good ones.
    answer = switch.send(b'{"id": 42, "method": "status"}')
    if not answer or answer.get("id") != 42 or "result" not in answer:
        print("bad answer to a good message afterwards: %s" % answer)
        failed += 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
