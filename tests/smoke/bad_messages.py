# SPDX-License-Identifier: BSD-3-Clause
"""Sends the switch what no well-behaved client would, and expects a named error each time."""

import json
import sys

import zmq

CASES = [
    # (what is sent, a word of the error's code or message)
    (b"{", "JSON"),
    (b"", ""),
    (b"\xff\xfe\x00", "JSON"),
    (b"[1, 2]", "object"),
    (b'"text"', ""),
    (b'{"id": 1}', "method"),
    (b'{"id": 1, "method": 5}', "method"),
    (b'{"id": 1, "method": "no.such"}', "no.such"),
    (b'{"id": 1, "method": "port.add"}', "param"),
    (b'{"id": 1, "method": "port.add", "params": []}', "param"),
    (b'{"id": 1, "method": "port.add", "params": {"bridge": 7, "port": {}}}', "bridge"),
    (b'{"id": 1, "method": "port.add", "params": {"bridge": "br0", "port": {}}}', "name"),
    (b'{"id": 1, "method": "port.add", "params": {"bridge": "br0", "ports": []}}', "ports"),
    (b'{"id": 1, "method": "status", "params": {"colour": 1}}', "colour"),
    (b'{"id": 1, "method": "bridge.add", "params": {"bridge": {"name": "x\\u0000y"}}}', ""),
    (
        b'{"id": 1, "method": "port.add", "params": {"bridge": "br0", "ports": '
        b'[{"name": "ok1", "type": "tap"}, {"name": "ok1", "type": "tap"}]}}',
        "ok1",
    ),
    (b'{"id": 1, "method": "status", "params": ' + b'{"a":' * 5000 + b"1" + b"}" * 5001, ""),
    (b'{"id": 1, "method": "status", "x": "' + b"y" * (10 << 20) + b'"}', "bytes"),
]


def main(path):
    context = zmq.Context()
    failed = 0
    for message, word in CASES:
        sock = context.socket(zmq.DEALER)
        sock.linger = 0
        sock.connect("ipc://" + path)
        sock.send(message)
        shown = message[:70]
        if not sock.poll(10000):
            print("no answer to %r" % shown)
            failed += 1
            continue
        answer = json.loads(sock.recv_multipart()[-1])
        error = answer.get("error")
        if not error or not error.get("code") or not error.get("message"):
            print("no named error for %r: %s" % (shown, answer))
            failed += 1
        elif word.lower() not in json.dumps(error).lower():
            print("nothing of %r in the error for %r: %s" % (word, shown, error))
            failed += 1
        sock.close()
    # It still answers good ones.
    sock = context.socket(zmq.REQ)
    sock.connect("ipc://" + path)
    sock.send(b'{"id": 42, "method": "status"}')
    if not sock.poll(5000):
        print("no answer to a good message afterwards")
        return 1
    answer = json.loads(sock.recv())
    if answer.get("id") != 42 or "result" not in answer:
        print("bad answer to a good message afterwards: %s" % answer)
        failed += 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
