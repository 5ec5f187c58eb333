# SPDX-License-Identifier: BSD-3-Clause
"""Sends a request with the entries of a file of JSON lines; prints how many milliseconds the answer
took, best of three.  usage: timed_request.py SOCKET METHOD BRIDGE FILE"""

import json
import sys
import time

import zmq


def main(path, method, bridge, file):
    with open(file, encoding="ascii") as lines:
        entries = [json.loads(line) for line in lines]
    request = {"id": 1, "method": method, "params": {"bridge": bridge, "entries": entries}}
    text = json.dumps(request).encode()
    sock = zmq.Context().socket(zmq.REQ)
    sock.linger = 0
    sock.connect("ipc://" + path)
    took = []
    for _ in range(3):
        begin = time.monotonic()
        sock.send(text)
        answer = json.loads(sock.recv()) if sock.poll(60000) else None
        took.append(time.monotonic() - begin)
        if not answer or answer.get("result", {}).get("added") != len(entries):
            sys.exit(f"{method}: {answer}")
    print(round(min(took) * 1000))


main(*sys.argv[1:])
