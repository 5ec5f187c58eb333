# SPDX-License-Identifier: BSD-3-Clause
"""Sends one request to a control socket and prints what it answers: the result, or the error with
status 1.  usage: request.py SOCKET METHOD [PARAMS-AS-JSON]"""

import json
import sys

import zmq


def main(path, method, params="{}"):
    sock = zmq.Context().socket(zmq.REQ)
    sock.linger = 0
    sock.connect("ipc://" + path)
    sock.send(json.dumps({"id": 1, "method": method, "params": json.loads(params)}).encode())
    if not sock.poll(30000):
        sys.exit(f"{method}: no answer")
    answer = json.loads(sock.recv())
    if "error" in answer:
        print(answer["error"]["message"], file=sys.stderr)
        return 1
    print(json.dumps(answer["result"]))
    return 0


sys.exit(main(*sys.argv[1:]))
