"""A service with tenants in SQLite files, written from admin-api.yaml alone. Standard library only.

    service.py FOLDER NAME...

Serves one instance for each NAME, in FOLDER/NAME: its tenants' files in FOLDER/NAME/data, its admin API on
FOLDER/NAME/admin.sock. The instance `fit` keeps the contract; any other NAME is the one promise that it breaks.
Prints one line when all of them listen, and ends when its standard input does.
"""
import http.server
import json
import os
import re
import select
import socket
import socketserver
import sys
import threading
import urllib.parse

sys.dont_write_bytecode = True  # Beside the sources of the tests nothing is left.

from tenants import Problem, Service


FIELDS = {'holder': str, 'reason': str, 'ttlMs': int, 'maxHoldMs': int, 'drainTimeoutMs': int}
LONGEST = {'holder': 200, 'reason': 1000}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def answer(self):
        try:
            self.send(*self.route())
        except Problem as problem:
            kind = '' if self.service.breaks('problems-without-type') else 'urn:notes:' + problem.name
            document = {'title': problem.name.replace('-', ' '), 'status': problem.status, **problem.members}
            if kind:
                document['type'] = kind
            if self.service.breaks('problems-without-title'):
                del document['title']
            plain = self.service.breaks('problems-of-another-type')
            media = 'application/json' if plain else 'application/problem+json'
            self.send(problem.status, document, {'Content-Type': media, **problem.headers})

    do_GET = do_POST = do_DELETE = answer

    def send(self, status, document, headers=None):
        body = json.dumps(document).encode()
        self.send_response(status)
        told = {'Content-Type': 'application/json', 'Content-Length': str(len(body)), **(headers or {})}
        for name, value in told.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def route(self):
        path, _, query = self.path.partition('?')
        self.given = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        self.body = self.rfile.read(int(self.headers.get('Content-Length') or 0))
        self.authorize()
        parts = [urllib.parse.unquote(part) for part in path.split('/')]
        service, call = self.service, (self.command, len(parts), parts[3:4])
        if parts[:3] != ['', 'admin', 'v1']:
            raise Problem(404, 'not-found')
        if call == ('GET', 4, ['capabilities']):
            self.parameters()
            return 200, service.capabilities()
        if call == ('GET', 4, ['tenants']):
            self.parameters('after')
            return 200, service.page(self.given.get('after'))
        if call == ('GET', 4, ['quiesce']):
            self.parameters()
            return 200, service.leases()
        if parts[3:4] != ['tenants'] or len(parts) < 5:
            raise Problem(404, 'not-found')
        return self.of_tenant(parts)

    def of_tenant(self, parts):
        service, call, lease = self.service, (self.command, len(parts)), (parts + ['', ''])[6]
        if call == ('POST', 6) and parts[5] == 'quiesce':
            self.parameters()
            terms = self.terms()
            key = self.headers.get('Idempotency-Key')
            if not key and not service.breaks('quiesce-without-key'):
                raise Problem(400, 'idempotency-key-missing')
            return 201, service.quiesce(self.tenant(parts[4]), terms, key, self.is_there)
        if call == ('GET', 5):
            self.parameters()
            return 200, service.status(self.tenant(parts[4]))
        if call == ('POST', 8) and parts[7] == 'renew':
            self.parameters()
            fields = self.fields('fence', tolerant=service.breaks('renew-ignores-unknown-fields'))
            return 200, service.renew(self.tenant(parts[4]), lease, fields.get('fence'))
        if call == ('DELETE', 7):
            self.parameters('fence', tolerant=service.breaks('resume-ignores-unknown-parameters'))
            fence = self.given.get('fence', '')
            if not re.fullmatch('[1-9][0-9]*', fence):
                tenant = self.tenant(parts[4])
                if not (service.breaks('resume-without-fence') and tenant.lease):
                    raise Problem(400, 'invalid-request')
                fence = tenant.lease.fence
            return 200, service.resume(self.tenant(parts[4]), lease, int(fence))
        raise Problem(404, 'not-found')

    def is_there(self):
        """Is the caller still connected? One that has gone left the end of its stream to read."""
        readable, _, _ = select.select([self.connection], [], [], 0)
        return not readable or bool(self.connection.recv(1, socket.MSG_PEEK))

    def authorize(self):
        wanted = 'Bearer ' + self.service.token if self.service.token else None
        unguarded = 'looks-without-token' if self.command == 'GET' else 'acts-without-token'
        if wanted and self.headers.get('Authorization') != wanted and not self.service.breaks(unguarded):
            challenge = {} if self.service.breaks('no-challenge') else {'WWW-Authenticate': 'Bearer'}
            raise Problem(401, 'auth', challenge)

    def tenant(self, identity):
        found = self.service.tenants.get(identity)
        if found is None:
            if self.service.breaks('unknown-tenant-is-known'):
                return next(iter(self.service.tenants.values()))
            if self.service.breaks('unknown-tenant-is-400'):
                raise Problem(400, 'invalid-request')
            raise Problem(404, 'tenant-unknown')
        return found

    def parameters(self, *known, tolerant=False):
        ignored = tolerant or self.command == 'GET' and self.service.breaks('ignores-unknown-parameters')
        if not ignored and any(name not in known for name in self.given):
            raise Problem(400, 'unknown-field')

    def fields(self, *known, tolerant=False):
        try:
            fields = json.loads(self.body)
        except ValueError:
            raise Problem(400, 'invalid-request')
        if not isinstance(fields, dict):
            raise Problem(400, 'invalid-request')
        if not tolerant and any(name not in known for name in fields):
            raise Problem(400, 'unknown-field')
        return fields

    def terms(self):
        fields = self.fields(*FIELDS, tolerant=self.service.breaks('ignores-unknown-fields'))
        if 'ttlMs' not in fields and self.service.breaks('ttl-is-not-mandatory'):
            fields['ttlMs'] = 5000
        for name, kind in FIELDS.items():
            value = fields.get(name)
            if value is None and name == 'drainTimeoutMs':
                continue
            fits = type(value) is kind and (0 < len(value) <= LONGEST[name] if kind is str else value > 0)
            if not fits and not (value == 0 and self.service.breaks('ttl-may-be-0')):
                raise Problem(400, 'invalid-request')
        return {name: fields.get(name) for name in FIELDS}

    def log_message(self, *_):
        pass


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        """A caller that goes away is no trouble."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def start(folder, name):
    os.makedirs(folder, exist_ok=True)
    service = Service(folder, name)
    service.token = 'secret' if name in TOKENED else None
    socket = os.path.join(folder, 'admin.sock')
    handler = type('BoundHandler', (Handler,), {'service': service})
    server = Server(socket, handler)
    os.chmod(socket, 0o666 if name == 'socket-open-to-all' else 0o660)
    threading.Thread(target=server.serve_forever, daemon=True).start()


TOKENED = ('fit-with-token', 'looks-without-token', 'acts-without-token', 'no-challenge')

if __name__ == '__main__':
    for name in sys.argv[2:]:
        start(os.path.join(sys.argv[1], name), name)
    print('ready', flush=True)
    sys.stdin.read()
