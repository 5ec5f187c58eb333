#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# Writes the first inputs of fuzz_dns into the folder `dns`: make_dns_corpus.py FOLDER. Their format
# is that of LLVMFuzzerTestOneInput().
import pathlib
import struct
import sys

TCP, FORWARDS, SAME_QUESTION = 1, 2, 4
A, SOA, PTR, MX, AAAA, SRV, OPT, ANY = 1, 6, 12, 15, 28, 33, 41, 255
POINTER = b"\xc0\x0c"


def name(text):
    labels = [label.encode() for label in text.split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def header(flags, *counts):
    return struct.pack(">6H", 0x1234, flags, *counts)


def edns(size=1232, version=0, do=False, options=b""):
    return b"\0" + struct.pack(">HHBBHH", OPT, size, 0, version, do << 15, len(options)) + options


def question(text, kind, opt=b""):
    return header(0x0100, 1, 0, 0, bool(opt)) + name(text) + struct.pack(">HH", kind, 1) + opt


def record(kind, data, owner=POINTER):
    return owner + struct.pack(">HHIH", kind, 1, 60, len(data)) + data


def one(bits, asked, above=b""):
    return bytes([bits]) + struct.pack(">H", len(asked)) + asked + above


def inputs():
    ours = FORWARDS | SAME_QUESTION
    reverse6 = "1" + ".0" * 29 + ".d.f.ip6.arpa"
    for text, kind in [
        ("web", A),
        ("wWw.Net", AAAA),
        ("a.b", ANY),
        ("h", MX),
        ("x.net", A),
        ("_80._tcp.web", SRV),
        ("_http._tcp.www.net", SRV),
        ("1.0.0.10.in-addr.arpa", PTR),
        (reverse6, PTR),
        ("localhost", A),
        ("a.invalid", A),
    ]:
        yield text[:24], one(ours, question(text, kind))
    yield "edns", one(ours, question("web", A, edns(4096, do=True, options=b"\0\x0a\0\2xx")))
    yield "badvers", one(ours, question("web", A, edns(version=1)))
    yield "refused", one(ours, header(0x0100, 1, 0, 0, 0) + name("web") + b"\0\1\0\3")
    yield "notimp", one(ours, header(0x2800, 1, 0, 0, 0) + name("web") + b"\0\6\0\1")
    yield "pointer", one(ours, header(0x0100, 1, 0, 0, 0) + POINTER + b"\0\1\0\1")
    yield "root", one(0, question(".", A))

    asked = question("www.example.com", A, edns())
    address = record(A, bytes([192, 0, 2, 7]))
    soa = record(SOA, name("a") + name("b") + bytes(20), b"\xc0\x10")
    yield "above", one(ours, asked, header(0x8180, 1, 1, 0, 0) + address)
    yield "above_tcp", one(ours | TCP, asked, header(0x8180, 1, 200, 0, 0) + address * 200)
    yield "above_cut", one(ours, asked, header(0x8180, 1, 200, 0, 0) + address * 200)
    yield "above_extra", one(ours, asked, header(0x8180, 1, 1, 0, 80) + address * 81)
    yield "above_nothing", one(ours, asked, header(0x8583, 1, 0, 1, 0) + soa)
    forward = record(A, bytes([192, 0, 2, 7]), b"\xc6\x00")
    yield "above_forward", one(ours, asked, header(0x8180, 1, 200, 0, 0) + forward * 200)
    whole = header(0x8180, 1, 1, 0, 0) + asked[12:-11] + address
    yield "above_whole", one(FORWARDS, asked, whole)


folder = pathlib.Path(sys.argv[1]) / "dns"
folder.mkdir(parents=True, exist_ok=True)
for file_name, content in inputs():
    (folder / file_name).write_bytes(content)
