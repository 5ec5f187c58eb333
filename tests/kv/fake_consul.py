#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Answers as agents of Consul do to every request that the driver makes, and refuses all others.

Written after the documentation of Consul's HTTP API and the answers of its agents (v1.14). The real
one is met by kv_consul_test.sh where it is installed.
  fake_consul.py [--token T] STATE_FILE PORT...   one agent at each port, of one store
While there is a file STATE_FILE.read-only, nobody may change a key.
SIGTERM saves the state, SIGUSR1 makes all answer "No cluster leader" for a second, SIGUSR2 makes the
first agent stop answering, or answer again.
"""
import base64
import json
import os
import random
import re
import signal
import sys
import threading
import time
import urllib.parse
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MAX_OPS = 64
MAX_BYTES = 512 * 1024


class Refused(Exception):
    def __init__(self, status, text):
        super().__init__(text)
        self.status = status
        self.text = text


class Store:
    def __init__(self, path):
        self.path = path
        self.changed = threading.Condition()
        self.index = 10
        self.table = 10  # of all keys, deleted ones too
        self.keys = {}
        self.tombstones = {}
        self.sessions = {}
        if os.path.exists(path):
            with open(path, encoding='utf-8') as f:
                state = json.load(f)
            self.index, self.table = state['index'], state['table']
            self.keys, self.tombstones = state['keys'], state['tombstones']
            self.sessions = state['sessions']
        for session in self.sessions.values():
            session['renewed'] = time.monotonic()
        threading.Thread(target=self.expire, daemon=True).start()

    def save(self):
        with self.changed, open(self.path + '.new', 'w', encoding='utf-8') as f:
            json.dump({'index': self.index, 'table': self.table, 'keys': self.keys,
                       'tombstones': self.tombstones, 'sessions': self.sessions}, f)
        os.rename(self.path + '.new', self.path)

    def expire(self):
        while True:
            time.sleep(0.1)
            with self.changed:
                now = time.monotonic()
                for name, session in list(self.sessions.items()):
                    if now - session['renewed'] > session['ttl']:
                        self.destroy(name)

    def destroy(self, name):
        self.index += 1
        del self.sessions[name]
        for key in [k for k, v in self.keys.items() if v.get('Session') == name]:
            self.delete(key)
        self.changed.notify_all()

    def delete(self, key):
        if self.keys.pop(key, None):
            self.tombstones[key] = self.table = self.index
            self.changed.notify_all()

    def set(self, key, value, session=None):
        old = self.keys.get(key)
        entry = {'LockIndex': old['LockIndex'] if old else 0, 'Key': key, 'Flags': 0,
                 'Value': value or None, 'CreateIndex': old['CreateIndex'] if old else self.index,
                 'ModifyIndex': self.index}
        if session:
            entry['LockIndex'] += 1
            entry['Session'] = session
        elif old and 'Session' in old:
            entry['Session'] = old['Session']
        self.keys[key] = entry
        self.table = self.index
        self.changed.notify_all()
        return {k: v for k, v in entry.items() if k != 'Value'} | {'Value': None}

    def read(self, key, recurse):
        if recurse:
            found = [v for k, v in sorted(self.keys.items()) if k.startswith(key)]
            gone = [i for k, i in self.tombstones.items() if k.startswith(key)]
        else:
            found = [self.keys[key]] if key in self.keys else []
            gone = []
        index = max([v['ModifyIndex'] for v in found] + gone, default=self.table)
        return found, index

    def verb(self, op):
        """Returns the result, None for none, or a text that says why not."""
        verb, key = op['Verb'], op['Key']
        old = self.keys.get(key)
        modified = old['ModifyIndex'] if old else 0
        value = op.get('Value', '')
        base64.b64decode(value, validate=True)
        if verb == 'set':
            return self.set(key, value)
        if verb == 'cas':
            if op['Index'] != modified:
                return f'failed to set key "{key}", index is stale'
            return self.set(key, value)
        if verb == 'lock':
            session = op['Session']
            if session not in self.sessions:
                return f'failed to lock key "{key}", invalid session "{session}"'
            if old and old.get('Session', session) != session:
                return f'failed to lock key "{key}", lock is already held'
            return self.set(key, value, session)
        if verb == 'delete':
            self.delete(key)
            return None
        if verb == 'delete-cas':
            if op['Index'] != modified:
                return f'failed to delete key "{key}", index is stale'
            self.delete(key)
            return None
        if verb == 'check-index':
            if not old:
                return f'key "{key}" doesn\'t exist'
            if op['Index'] != modified:
                return f'current modify index {modified} does not match'
            return {k: v for k, v in old.items() if k != 'Value'} | {'Value': None}
        if verb == 'check-not-exists':
            return f'key "{key}" exists' if old else None
        raise Refused(400, f'unknown verb "{verb}"')


class Agent(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    disable_nagle_algorithm = True

    def log_message(self, *args):
        pass

    def answer(self, status, body, index=None):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header('Content-Length', str(len(data)))
        self.send_header('Content-Type', 'application/json')
        if index is not None:
            self.send_header('X-Consul-Index', str(index))
            self.send_header('X-Consul-KnownLeader', 'true')
        self.end_headers()
        self.wfile.write(data)

    def serve(self):
        body = self.rfile.read(int(self.headers.get('Content-Length') or 0))
        while self.server.number == 0 and hanging.is_set():
            time.sleep(0.05)
        url = urllib.parse.urlsplit(self.path)
        self.query = urllib.parse.parse_qs(url.query, keep_blank_values=True)
        try:
            if time.monotonic() < no_leader_until[0]:
                raise Refused(500, 'No cluster leader')
            if token and self.headers.get('X-Consul-Token') != token:
                raise Refused(403, 'Permission denied: token with AccessorID \'00000000-0000-'
                              '0000-0000-000000000002\' lacks permission \'key:read\'')
            if len(body) > MAX_BYTES:
                raise Refused(413, f'Request body(with {len(body)} bytes) too large, max size: '
                              f'{MAX_BYTES} bytes. See the txn_max_req_len documentation.')
            self.route(urllib.parse.unquote(url.path), body)
        except Refused as refused:
            self.answer(refused.status, refused.text.encode())

    do_GET = do_PUT = serve

    def allow(self, *names):
        for name in self.query:
            if name not in names:
                raise Refused(400, f'not expected: {name} in {self.path}')

    def route(self, path, body):
        if self.command == 'GET' and path.startswith('/v1/kv/'):
            self.get(path[len('/v1/kv/'):])
        elif self.command == 'PUT' and path == '/v1/txn':
            self.allow()
            self.txn(json.loads(body))
        elif self.command == 'PUT' and path == '/v1/session/create':
            self.allow()
            self.create(json.loads(body))
        elif match := re.fullmatch('/v1/session/(renew|destroy)/([0-9a-f-]{36})', path):
            self.allow()
            self.session(match[1], match[2])
        else:
            raise Refused(400, f'not expected: {self.command} {self.path}')

    def get(self, key):
        self.allow('recurse', 'consistent', 'index', 'wait')
        recurse = 'recurse' in self.query
        if not key and not recurse:
            raise Refused(400, 'Missing key name')
        with store.changed:
            found, index = store.read(key, recurse)
            if 'index' in self.query:
                wait = re.fullmatch('([0-9]+)s', self.query['wait'][0])
                seconds = min(int(wait[1]), wait_max)
                end = time.monotonic() + seconds + random.uniform(0, seconds / 16)
                known = int(self.query['index'][0])
                while index == known and time.monotonic() < end:
                    store.changed.wait(end - time.monotonic())
                    found, index = store.read(key, recurse)
        if time.monotonic() < no_leader_until[0]:
            raise Refused(500, 'No cluster leader')
        self.answer(200 if found else 404, found if found else b'', index)

    def txn(self, ops):
        if len(ops) > MAX_OPS:
            raise Refused(413, f'Transaction contains too many operations ({len(ops)} > {MAX_OPS})')
        if os.path.exists(store.path + '.read-only'):
            what = 'Permission denied: token lacks permission \'key:write\''
            self.answer(409, {'Results': None, 'Errors': [{'OpIndex': 0, 'What': what}]})
            return
        with store.changed:
            before = dict(store.keys), dict(store.tombstones), store.index, store.table
            store.index += 1
            results = []
            for i, op in enumerate(ops):
                if set(op) != {'KV'} or set(op['KV']) - {'Verb', 'Key', 'Value', 'Index', 'Session'}:
                    raise Refused(400, f'not expected: {op}')
                result = store.verb(op['KV'])
                if isinstance(result, str):
                    store.keys, store.tombstones, store.index, store.table = before
                    errors = [{'OpIndex': i, 'What': result}]
                    self.answer(409, {'Results': None, 'Errors': errors})
                    return
                if result:
                    results.append({'KV': result})
        self.answer(200, {'Results': results, 'Errors': None})

    def create(self, args):
        ttl = re.fullmatch('([0-9]+)s', args['TTL'])
        if not ttl or not 10 <= int(ttl[1]) <= 86400:
            raise Refused(400, 'Request decode failed: Invalid Session TTL, must be between 10s '
                          'and 24h0m0s')
        wanted = {'Name': 'causeway', 'LockDelay': '0s', 'Behavior': 'delete', 'Checks': [],
                  'NodeChecks': [], 'TTL': args['TTL']}
        if args != wanted:
            raise Refused(400, f'not expected: {args}')
        name = str(uuid.uuid4())
        with store.changed:
            store.index += 1
            store.sessions[name] = {'ttl': int(ttl[1]), 'renewed': time.monotonic()}
        self.answer(200, {'ID': name})

    def session(self, verb, name):
        with store.changed:
            session = store.sessions.get(name)
            if verb == 'destroy':
                if session:
                    store.destroy(name)
            elif session:
                session['renewed'] = time.monotonic()
        if verb == 'destroy':
            self.answer(200, True)
        elif session:
            self.answer(200, [{'ID': name, 'Name': 'causeway', 'TTL': f'{session["ttl"]}s'}])
        else:
            raise Refused(404, f'Session id \'{name}\' not found')


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    allow_reuse_address = True
    number = 0

    def handle_error(self, request, client_address):
        """A client that went away is no news; anything else is a fault of this program."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def end(*_):
    # Not from within the lock that the main thread, which only waits, never holds.
    store.save()
    os._exit(0)


arguments = sys.argv[1:]
token = None
if arguments[0] == '--token':
    token = arguments[1]
    arguments = arguments[2:]
wait_max = float(os.environ.get('FAKE_WAIT_MAX', '600'))
store = Store(arguments[0])
hanging = threading.Event()
no_leader_until = [0.0]


def lose_leader(*_):
    no_leader_until[0] = time.monotonic() + 1


def toggle(*_):
    if hanging.is_set():
        hanging.clear()
    else:
        hanging.set()


signal.signal(signal.SIGTERM, end)
signal.signal(signal.SIGUSR1, lose_leader)
signal.signal(signal.SIGUSR2, toggle)
for number, port in enumerate(arguments[1:]):
    server = Server((os.environ.get('FAKE_ADDRESS', '127.0.0.1'), int(port)), Agent)
    server.number = number
    threading.Thread(target=server.serve_forever, daemon=True).start()
while True:
    time.sleep(60)
