#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""A DNS server for tests, over UDP and TCP, that errs in the way it is told.

  fake_upstream.py [--zone FILE] [--mode MODE] [--control FILE] [--ready FILE] ADDRESS [PORT]

The zone has a record a line, "NAME TTL TYPE DATA": A, AAAA, CNAME, PTR, NS, TXT, MX, SRV, SOA; "#"
begins a comment. A name may begin with "*." and is then any name below. Names are without the last
dot. What is not there does not exist (NXDOMAIN, with a SOA of 60 s). Without a zone every name has
the address 192.0.2.1 (and 2001:db8::1), TTL 60. The mode is one of

  normal             as the zone says
  slow MS            as the zone says, but later
  dead               nothing, ever; TCP connections are taken and stay silent
  refuse, servfail, formerr, nxdomain   this to every question
  lying              each of the next five
  wrong-id, wrong-question, wrong-port, wrong-name    an answer that is not to be believed;
                     wrong-port comes from another socket, wrong-name has another owner's record
  not-response       the question as it came
  oversized BYTES    an answer of at least so many bytes over UDP, without TC (default 4200)
  truncating         TC over UDP, everything over TCP
  large BYTES        as truncating, with an answer of so many bytes over TCP (default 20000)
  no-edns            FORMERR, the header alone, to a question with EDNS; else as the zone says
  lower              as the zone says, with the question in lower case
  bogus              SERVFAIL with the extended error 6 (RFC 8914)
  validated          as the zone says, with AD for those who ask with AD or DO
  garbage            random bytes behind a correct id
  drop N             every question but each N-th is lost (default 2)
  loop ADDRESS[:PORT]  hands each question on to there, and the answer back

A new mode is taken from the file of --control as soon as it changes (write it by rename, or at
once), or from a question TXT "MODE.ARGUMENT.mode" (slow.500.mode). Questions of type TXT for
"stats" are answered in every mode: "udp=N", "tcp=N", "probes=N" (*.loop.causeway.invalid),
"mixed=N" (questions over UDP in upper and lower case), "ports=N" (that they came from), "mode=MODE"; "NAME.stats" has "count=N", "reset.stats" counts anew. None of these is counted. As in
  dig +short @127.0.0.9 -p 5300 www.example.stats TXT
A link-local ADDRESS has its interface behind it (fe80::1%eth0).
--ready names a file that is made when it answers. SIGTERM ends it.
"""
import argparse
import os
import random
import signal
import socket
import struct
import sys
import threading

TYPES = {'A': 1, 'NS': 2, 'CNAME': 5, 'SOA': 6, 'PTR': 12, 'MX': 15, 'TXT': 16, 'AAAA': 28,
         'SRV': 33}
A, CNAME, SOA, TXT, AAAA, OPT, ANY = 1, 5, 6, 16, 28, 41, 255
FORMERR, SERVFAIL, NXDOMAIN, REFUSED = 1, 2, 3, 5
ERRORS = {'formerr': FORMERR, 'servfail': SERVFAIL, 'nxdomain': NXDOMAIN, 'refuse': REFUSED}
QR, AA, TC, RD, RA, AD = 0x8000, 0x0400, 0x0200, 0x0100, 0x0080, 0x0020
BOGUS = struct.pack('!HHH', 15, 2 + 3, 6) + b'bog'
LIES = ('wrong-id', 'wrong-question', 'wrong-port', 'wrong-name', 'not-response')
MODES = ('normal', 'slow', 'dead', 'lying', 'oversized', 'truncating', 'large', 'garbage', 'drop',
         'loop', 'no-edns', 'lower', 'bogus', 'validated') + LIES + tuple(ERRORS)


def name_wire(name):
    labels = [label for label in name.split('.') if label]
    return b''.join(bytes([len(x)]) + x.encode('latin-1') for x in labels) + b'\0'


def texts_wire(texts):
    return b''.join(bytes([len(x)]) + x.encode('latin-1') for x in texts)


def data_wire(kind, data):
    """The data of a record from its text."""
    words = data.split()
    if kind == 'A':
        return socket.inet_pton(socket.AF_INET, data)
    if kind == 'AAAA':
        return socket.inet_pton(socket.AF_INET6, data)
    if kind in ('CNAME', 'PTR', 'NS'):
        return name_wire(data)
    if kind == 'TXT':
        return texts_wire([data[i:i + 255] for i in range(0, len(data), 255)] or [''])
    if kind == 'MX':
        return struct.pack('!H', int(words[0])) + name_wire(words[1])
    if kind == 'SRV':
        return struct.pack('!HHH', *map(int, words[:3])) + name_wire(words[3])
    if kind == 'SOA':
        return name_wire(words[0]) + name_wire(words[1]) + struct.pack('!5I', *map(int, words[2:7]))
    raise ValueError('unknown type ' + kind)


def record(owner, kind, ttl, data):
    return owner + struct.pack('!HHIH', kind, 1, ttl, len(data)) + data


SOA_RECORD = record(b'\0', SOA, 60, data_wire('SOA', 'ns.fake admin.fake 1 3600 600 86400 60'))


class Question:
    """The first question of a message, which is enough of it."""

    def __init__(self, wire):
        self.wire = wire
        self.id, self.flags, count = struct.unpack('!HHH', wire[:6])
        if count != 1 or self.flags & QR:
            raise ValueError('not a question')
        labels, at = [], 12
        while wire[at]:
            if wire[at] > 63:
                raise ValueError('compressed')
            labels.append(wire[at + 1:at + 1 + wire[at]].decode('latin-1'))
            at += 1 + wire[at]
        self.type, self.kind_class = struct.unpack('!HH', wire[at + 1:at + 5])
        self.section = wire[12:at + 5]
        self.labels = [label.lower() for label in labels]
        self.name = '.'.join(self.labels)
        opt = wire.find(b'\0\0\x29', at + 5)
        self.edns = opt >= 0
        self.validates = bool(self.flags & AD or self.edns and wire[opt + 7] & 0x80)
        text = ''.join(labels)
        self.mixed = text not in (text.lower(), text.upper())


def reply(question, rcode=0, answers=(), authority=(), flags=0, query_id=None, section=None,
          options=b''):
    opt = [b'\0' + struct.pack('!HHIH', OPT, 1232, 0, len(options)) + options]
    opt = opt if question.edns else []
    head = struct.pack('!HHHHHH', question.id if query_id is None else query_id,
                       QR | RA | (question.flags & RD) | flags | rcode, 1, len(answers),
                       len(authority), len(opt))
    section = question.section if section is None else section
    return head + section + b''.join(answers) + b''.join(authority) + b''.join(opt)


class Zone:
    def __init__(self, path):
        self.records = None
        if path:
            self.records = {}
            with open(path, encoding='latin-1') as f:
                for line in f:
                    words = line.split('#')[0].split(None, 3)
                    if words:
                        name, ttl, kind, data = words
                        found = self.records.setdefault(name.lower().rstrip('.'), [])
                        found.append((kind, int(ttl), data.strip()))

    def find(self, name):
        if self.records is None:
            return [('A', 60, '192.0.2.1'), ('AAAA', 60, '2001:db8::1')]
        if name in self.records:
            return self.records[name]
        labels = name.split('.')
        for i in range(1, len(labels)):
            found = self.records.get('*.' + '.'.join(labels[i:]))
            if found:
                return found
        return None

    def answer(self, question, flags=0):
        answers, name = [], question.name
        for _ in range(8):
            found = self.find(name)
            if found is None:
                return reply(question, NXDOMAIN, answers, [SOA_RECORD], flags)
            mine = [r for r in found if question.type in (TYPES[r[0]], ANY)]
            alias = [r for r in found if r[0] == 'CNAME' and not mine]
            # What the question names is pointed to, so that its case is as it was asked.
            owner = b'\xc0\x0c' if name == question.name else name_wire(name)
            for kind, ttl, data in mine or alias:
                answers.append(record(owner, TYPES[kind], ttl, data_wire(kind, data)))
            if not alias:
                break
            name = alias[0][2].lower().rstrip('.')
        return reply(question, 0, answers, [] if answers else [SOA_RECORD], flags)


def padded(question, size, flags=0):
    answers, have = [], len(reply(question))
    while have < size:
        answers.append(record(b'\xc0\x0c', TXT, 60, texts_wire(['x' * 250])))
        have += len(answers[-1])
    return reply(question, 0, answers, flags=flags)


class Server:
    def __init__(self, args):
        self.zone = Zone(args.zone)
        self.family, _, _, _, self.address = socket.getaddrinfo(
            args.address, args.port, type=socket.SOCK_DGRAM)[0]
        self.control = args.control
        self.control_seen = None
        self.lock = threading.Lock()
        self.set_mode(args.mode)
        self.reset()
        self.udp = socket.socket(self.family, socket.SOCK_DGRAM)
        self.udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.udp.bind(self.address)
        self.tcp = socket.socket(self.family, socket.SOCK_STREAM)
        self.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.tcp.bind(self.address)
        self.tcp.listen(128)

    def reset(self):
        self.counts = {'udp': 0, 'tcp': 0, 'probes': 0, 'mixed': 0}
        self.names = {}
        self.ports = set()

    def set_mode(self, text):
        words = text.split()
        if not words or words[0] not in MODES:
            sys.exit(f'fake_upstream.py: unknown mode "{text}"')
        self.mode, self.argument = words[0], words[1] if len(words) > 1 else None

    def read_control(self):
        if not self.control:
            return
        try:
            seen = os.stat(self.control)
            seen = (seen.st_mtime_ns, seen.st_ino, seen.st_size)
            if seen == self.control_seen:
                return
            with open(self.control, encoding='ascii') as f:
                text = f.read()
        except FileNotFoundError:
            return
        if text.strip():  # it may be written just now
            self.control_seen = seen
            self.set_mode(text)

    def count(self, question, client):
        with self.lock:
            self.counts['udp' if client else 'tcp'] += 1
            if client:
                self.ports.add(client[1])
                self.counts['mixed'] += question.mixed
            self.names[question.name] = self.names.get(question.name, 0) + 1
            if question.name.endswith('.loop.causeway.invalid'):
                self.counts['probes'] += 1
            return self.counts['udp'] + self.counts['tcp']

    def controlled(self, question):
        """The answer to a question about or to the server itself, or None."""
        if question.type != TXT or not question.labels or \
           question.labels[-1] not in ('stats', 'mode'):
            return None
        before = question.labels[:-1]
        if question.labels[-1] == 'mode':
            self.set_mode(' '.join(before[:1] + (['.'.join(before[1:])] if before[1:] else [])))
            texts = ['mode=' + self.mode]
        elif before == ['reset']:
            self.reset()
            texts = ['reset']
        elif before:
            texts = [f'count={self.names.get(".".join(before), 0)}']
        else:
            texts = [f'{k}={v}' for k, v in self.counts.items()]
            texts += [f'ports={len(self.ports)}', 'mode=' + self.mode]
        return reply(question, 0, [record(b'\xc0\x0c', TXT, 0, texts_wire(texts))])

    def lie(self, question, mode, send):
        if mode == 'wrong-id':
            send(reply(question, 0, [record(b'\xc0\x0c', A, 60, b'\x06\x06\x06\x06')],
                       query_id=question.id ^ 0x5555))
        elif mode == 'wrong-question':
            send(reply(question, 0, [record(b'\xc0\x0c', A, 60, b'\x06\x06\x06\x06')],
                       section=name_wire('other.example') + question.section[-4:]))
        elif mode == 'wrong-name':
            send(reply(question, 0, [record(name_wire('other.example'), A, 60,
                                            b'\x06\x06\x06\x06')]))
        elif mode == 'not-response':
            send(question.wire)
        elif mode == 'wrong-port' and send.__self__.client:
            with socket.socket(self.family, socket.SOCK_DGRAM) as other:
                other.bind((self.address[0], 0))
                other.sendto(reply(question, 0, [record(b'\xc0\x0c', A, 60, b'\x06\x06\x06\x06')]),
                             send.__self__.client)

    def pass_on(self, wire, tcp):
        host, _, port = self.argument.partition(':')
        kind = socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM
        with socket.socket(socket.AF_INET, kind) as s:
            s.settimeout(5)
            s.connect((host, int(port or 53)))
            if not tcp:
                s.send(wire)
                return s.recv(65535)
            s.sendall(struct.pack('!H', len(wire)) + wire)
            return read_message(s)

    def handle(self, wire, out):
        try:
            question = Question(wire)
        except (ValueError, IndexError, struct.error):
            return
        tcp = out.client is None
        self.read_control()
        told = self.controlled(question)
        if told:
            out.send(told)
            return
        number = self.count(question, out.client)
        mode, argument = self.mode, self.argument
        if mode == 'dead' or (mode == 'drop' and number % int(argument or 2)):
            return
        if mode == 'slow':
            answer = self.zone.answer(question)
            threading.Timer(int(argument or 1000) / 1000, out.send, (answer,)).start()
        elif mode in ERRORS:
            out.send(reply(question, ERRORS[mode], [],
                           [SOA_RECORD] if mode == 'nxdomain' else []))
        elif mode == 'lying' or mode in LIES:
            for lie in LIES if mode == 'lying' else [mode]:
                self.lie(question, lie, out.send)
        elif mode == 'oversized' and not tcp:
            out.send(padded(question, int(argument or 4200)))
        elif mode in ('truncating', 'large') and not tcp:
            out.send(reply(question, flags=TC))
        elif mode == 'large':
            out.send(padded(question, int(argument or 20000)))
        elif mode == 'no-edns' and question.edns:
            out.send(struct.pack('!HHHHHH', question.id, QR | RA | FORMERR, 0, 0, 0, 0))
        elif mode == 'lower':
            answer = self.zone.answer(question)
            end = 12 + len(question.section)
            out.send(answer[:12] + question.section[:-4].lower() + answer[end - 4:])
        elif mode == 'bogus':
            out.send(reply(question, SERVFAIL, options=BOGUS))
        elif mode == 'validated':
            out.send(self.zone.answer(question, AD if question.validates else 0))
        elif mode == 'garbage':
            out.send(wire[:2] + os.urandom(random.randrange(1, 600)))
        elif mode == 'loop':
            threading.Thread(target=self.loop_once, args=(wire, out, tcp), daemon=True).start()
        else:
            out.send(self.zone.answer(question))

    def loop_once(self, wire, out, tcp):
        try:
            answer = self.pass_on(wire, tcp)
        except OSError:
            return
        if answer:
            out.send(answer)

    def serve_udp(self):
        while True:
            wire, client = self.udp.recvfrom(65535)
            self.handle(wire, UdpOut(self.udp, client))

    def serve_tcp(self):
        while True:
            conn, _ = self.tcp.accept()
            threading.Thread(target=self.serve_conn, args=(conn,), daemon=True).start()

    def serve_conn(self, conn):
        out = TcpOut(conn)
        try:
            while True:
                wire = read_message(conn)
                if not wire:
                    break
                self.handle(wire, out)
        except OSError:
            pass
        finally:
            conn.close()


class UdpOut:
    def __init__(self, sock, client):
        self.sock, self.client = sock, client

    def send(self, wire):
        try:
            self.sock.sendto(wire, self.client)
        except OSError:
            pass  # the client has gone


class TcpOut:
    client = None

    def __init__(self, conn):
        self.conn = conn
        self.lock = threading.Lock()

    def send(self, wire):
        try:
            with self.lock:
                self.conn.sendall(struct.pack('!H', len(wire)) + wire)
        except OSError:
            pass


def read_exactly(conn, size):
    have = b''
    while len(have) < size:
        more = conn.recv(size - len(have))
        if not more:
            return b''
        have += more
    return have


def read_message(conn):
    head = read_exactly(conn, 2)
    return read_exactly(conn, struct.unpack('!H', head)[0]) if head else b''


def main():
    parser = argparse.ArgumentParser(usage=__doc__, add_help=False)
    parser.add_argument('--zone')
    parser.add_argument('--mode', default='normal')
    parser.add_argument('--control')
    parser.add_argument('--ready')
    parser.add_argument('address')
    parser.add_argument('port', nargs='?', type=int, default=53)
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    server = Server(args)
    threading.Thread(target=server.serve_tcp, daemon=True).start()
    if args.ready:
        with open(args.ready, 'w', encoding='ascii'):
            pass
    server.serve_udp()


if __name__ == '__main__':
    main()
