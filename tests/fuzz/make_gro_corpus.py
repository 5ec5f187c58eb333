#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# Writes the first inputs of fuzz_gro: make_gro_corpus.py FOLDER. The format is described there.
import pathlib
import struct
import sys

NEXT, FIX, CUT, SAME_ID, INPUT, REMOTE, PARTIAL = 1, 2, 4, 8, 0x10, 0x20, 0x40
PSH = 8


def frame(v6=False, tag=b"", payload=100, options=12, how=FIX):
    tcp = struct.pack(">HHIIBBHHH", 4000, 80, 0xFFFFFF00, 9, (20 + options) << 2, 16, 500, 0, 0)
    l4 = tcp + b"\1" * options + bytes(i & 0xFF for i in range(payload))
    if v6:
        ip = b"\x86\xdd" + struct.pack(">IHBB", 6 << 28, 0, 6, 64) + bytes(range(32))
    else:
        ip = b"\x08\x00" + struct.pack(">HHHHBBH", 0x4500, 0, 0xFFFE, 0x4000, 64, 6, 0)
        ip += bytes(range(8))
    data = bytes([2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1]) + tag + ip + l4
    return bytes([how]) + struct.pack(">H", len(data) - 1) + data


def following(at=0, flip=0, how=0):
    return bytes([NEXT | FIX | how, at, flip])


def inputs():
    tag = struct.pack(">HH", 0x8100, 10)
    for v6 in (False, True):
        version = 6 if v6 else 4
        flags = 14 + (40 if v6 else 20) + 13
        yield f"train{version}", frame(v6) + following() * 9 + following(flags, PSH)
        yield f"partial{version}", frame(v6, how=FIX | PARTIAL) + following(
            how=PARTIAL
        ) * 5 + following() + following(how=PARTIAL) + b"\0"
        yield f"tagged{version}", frame(v6, tag) + following() * 5 + b"\0"
        yield f"two_buffers{version}", frame(v6, how=FIX | CUT) + following(how=CUT) * 40 + b"\0"
        yield f"changes{version}", frame(v6, tag) + b"".join(
            following() + following(at, 1) * 2
            for at in range(flags + 4 + 12 + 8)
            if at not in (12, 13, 16, 17)  # what else would say where the headers are?
        )
        yield f"two_flows{version}", frame(v6) + (
            following(flags - 10, 1) + following(flags - 10, 1)
        ) * 20
        yield f"bad_sums{version}", frame(v6) + (following() * 3 + bytes([NEXT, 110, 1])) * 5
        yield f"tunnels{version}", frame(v6) + b"".join(
            following(how=how) * 3 for how in (INPUT, REMOTE, INPUT | REMOTE, 0)
        )
    yield "large", frame(payload=1448) + following() * 60
    yield "same_id", frame() + following(how=SAME_ID) * 9
    yield "short", b"".join(frame()[:3] + frame()[3 : 3 + n] for n in (1, 14, 17, 30, 60))
    yield "no_payload", frame(payload=0) + following() * 3 + b"\0"


folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
for file_name, content in inputs():
    (folder / file_name).write_bytes(content)
