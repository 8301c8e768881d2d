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
import sqlite3
import sys
import threading
import time
import urllib.parse
import uuid

REQUEST_EVERY_S = 0.02
# So late that no slowness of a machine explains it.
LATE_S = 30
# Instances whose tenants have requests of their own all the time.
BUSY = ('fit', 'serves-while-quiesced')


class Problem(Exception):
    def __init__(self, status, name, headers=None, **members):
        super().__init__(name)
        self.status, self.name, self.headers, self.members = status, name, headers or {}, members


class Lease:
    def __init__(self, fence, terms):
        self.id, self.fence, self.holder = uuid.uuid4().hex, fence, terms['holder']
        self.ttl, self.since = terms['ttlMs'] / 1000, time.monotonic()
        self.last = self.since + terms['maxHoldMs'] / 1000
        self.ends = min(self.since + self.ttl, self.last)
        self.ended_by, self.held_ms, self.asked_to_end = None, None, False

    def left_ms(self):
        return max(0, round((self.ends - time.monotonic()) * 1000))

    def held(self):
        return round((time.monotonic() - self.since) * 1000)


class Tenant:
    def __init__(self, identity, path):
        self.id, self.path = identity, path
        self.state, self.lease, self.database = 'active', None, None
        self.open()

    def open(self):
        self.database = sqlite3.connect(self.path, check_same_thread=False, isolation_level=None)
        self.database.execute('PRAGMA journal_mode=WAL')
        self.database.execute('CREATE TABLE IF NOT EXISTS notes(id INTEGER PRIMARY KEY, text TEXT)')

    def close(self):
        if self.database is not None:
            self.database.close()
        self.database = None


class Service:
    """All state of one instance, behind one lock: draining takes no time, because a request is served under it too."""

    def __init__(self, folder, broken):
        self.broken, self.boot, self.lock = broken, uuid.uuid4().hex, threading.RLock()
        self.fence, self.answers, self.ended = 0, {}, {}
        data = os.path.join(folder, 'data')
        os.makedirs(data, exist_ok=True)
        self.tenants = {one: Tenant(one, os.path.join(data, one + '.db')) for one in ('acme', 'bolt')}
        if broken in BUSY:
            threading.Thread(target=self.work, daemon=True).start()

    def breaks(self, *promises):
        return self.broken in promises

    # The tenants' own requests: one at a time, each tenant in turn.

    def work(self):
        while True:
            time.sleep(REQUEST_EVERY_S)
            for tenant in self.tenants.values():
                with self.lock:
                    if tenant.state == 'active':
                        tenant.database.execute('SELECT count(*) FROM notes').fetchone()
                    elif self.breaks('serves-while-quiesced'):
                        database = sqlite3.connect(tenant.path)
                        database.execute('SELECT count(*) FROM notes').fetchone()
                        database.close()

    # Leases.

    def quiesce(self, tenant, terms, key, is_there):
        with self.lock:
            request = json.dumps([tenant.id, terms], sort_keys=True)
            known = self.answers.get(key)
            if known and not self.breaks('key-makes-a-second-lease', 'key-without-replay'):
                if known['request'] != request and not self.breaks('key-for-any-request'):
                    raise Problem(422, 'idempotency-key-reused')
                if not (known['lease'].ended_by and self.breaks('key-forgotten-with-its-lease')):
                    return known['answer']
            if known and self.breaks('key-without-replay') and known['lease'].ended_by is None:
                raise Problem(409, 'already-quiesced')
            may_nest = self.breaks('nests') or known and self.breaks('key-makes-a-second-lease')
            if tenant.state != 'active' and not may_nest:
                raise Problem(409, 'already-quiesced')
            if not is_there():
                raise Problem(408, 'caller-gone')
            if not self.breaks('keeps-handles'):
                tenant.close()
            if self.breaks('grants-a-longer-lease'):
                terms = {**terms, 'ttlMs': terms['ttlMs'] * 2}
            self.fence += 0 if self.breaks('fence-stands-still') and self.fence else 1
            lease = Lease(self.fence, terms)
            tenant.state, tenant.lease = 'quiesced', lease
            self.arm(tenant, lease)
            answer = self.granted(tenant, lease)
            self.answers[key] = {'request': request, 'answer': answer, 'lease': lease}
            return answer

    def granted(self, tenant, lease):
        found = os.stat(tenant.path)
        path = os.path.relpath(tenant.path) if self.breaks('relative-paths-when-quiesced') else tenant.path
        inode = {'dev': str(found.st_dev), 'ino': str(found.st_ino), 'size': found.st_size}
        named = {'path': path, **inode, 'journalMode': 'wal'}
        answer = {
            'leaseId': lease.id, 'fence': lease.fence, 'bootId': self.boot, 'state': 'quiesced',
            'expiresInMs': lease.left_ms(), 'drain': {'waitedMs': 0, 'inFlight': 0}, 'openHandles': 0,
            'files': [named], 'sqliteVersion': sqlite3.sqlite_version,
        }
        if self.breaks('names-another-inode'):
            named['ino'] = '7'
        if self.breaks('names-no-files'):
            answer['files'] = []
        if self.breaks('quiesced-without-boot-id'):
            del answer['bootId']
        return answer

    def arm(self, tenant, lease):
        if self.breaks('lease-never-ends'):
            return
        delay = max(0, lease.ends - time.monotonic())
        if self.breaks('lease-ends-early'):
            delay *= 0.5
        if self.breaks('lease-ends-late'):
            delay += LATE_S
        timer = threading.Timer(delay, self.expire, (tenant, lease, lease.ends))
        timer.daemon = True
        timer.start()

    def expire(self, tenant, lease, ends):
        with self.lock:
            if lease.ended_by is None and lease.ends == ends:
                self.take_up(tenant, lease, 'expiry')

    def take_up(self, tenant, lease, ended_by):
        if tenant.database is None:
            tenant.open()
        lease.ended_by, lease.held_ms = ended_by, lease.held()
        self.ended[lease.id] = lease
        if tenant.lease is lease or self.breaks('nests'):
            tenant.state, tenant.lease = 'active', None

    def find(self, tenant, lease_id):
        """The lease that stands, or one that ended."""
        if tenant.lease is not None and tenant.lease.id == lease_id:
            return tenant.lease
        return self.ended.get(lease_id)

    def expired(self, lease):
        known = {'endedBy': lease.ended_by, 'heldMs': lease.held_ms} if lease else {}
        if lease and self.breaks('end-by-itself-is-not-told'):
            known = {}
        return Problem(410, 'lease-expired', bootId=self.boot, **known)

    def renew(self, tenant, lease_id, fence):
        with self.lock:
            lease = self.find(tenant, lease_id)
            if lease is None and self.breaks('renews-any-lease'):
                lease = tenant.lease
            if lease is None or lease.ended_by is not None:
                if lease is not None and self.breaks('renews-ended-lease'):
                    return {'expiresInMs': round(lease.ttl * 1000)}
                raise self.expired(lease)
            if lease.fence != fence and not self.breaks('renews-with-any-fence'):
                raise Problem(409, 'fence-mismatch')
            ends = time.monotonic() + lease.ttl
            if not self.breaks('renewal-without-limit'):
                ends = min(ends, lease.last)
            if self.breaks('renewal-does-nothing'):
                return {'expiresInMs': round((ends - time.monotonic()) * 1000)}
            lease.ends = ends
            self.arm(tenant, lease)
            return {'expiresInMs': lease.left_ms()}

    def resume(self, tenant, lease_id, fence):
        with self.lock:
            lease = self.find(tenant, lease_id)
            if lease is None and self.breaks('any-lease-resumes'):
                lease = tenant.lease
            if lease is None:
                raise self.expired(None)
            if lease.fence != fence and not self.breaks('any-fence-resumes'):
                raise Problem(409, 'fence-mismatch')
            if lease.ended_by is None:
                if self.breaks('resume-does-nothing') and not lease.asked_to_end:
                    lease.asked_to_end = True  # Only the second time it does what it says.
                    return self.resumed(lease)
                self.take_up(tenant, lease, 'holder')
            elif lease.ended_by == 'expiry' or self.breaks('resume-once-only'):
                raise self.expired(lease)
            return self.resumed(lease)

    def resumed(self, lease):
        return {
            'state': 'active', 'heldMs': lease.held() if lease.held_ms is None else lease.held_ms,
            'continuous': not self.breaks('not-continuous'), 'endedBy': 'holder',
            'bootId': uuid.uuid4().hex if self.breaks('boot-id-changes') else self.boot,
        }

    # What is told.

    def capabilities(self):
        modes = [] if self.breaks('no-quiesce-mode') else ['quiesce']
        return {'service': 'notes', 'version': '1', 'bootId': self.boot, 'modes': modes, 'limits': {'maxPaused': 2}}

    def page(self, after):
        listed = sorted(self.tenants)
        start = 0 if after is None or self.breaks('cursor-comes-twice') else listed.index(after) + 1
        if self.breaks('tenant-on-two-pages') and start > 0:
            start -= 1
        shown = listed[start:start + (2 if start == 0 and self.breaks('tenant-on-two-pages') else 1)]
        page = {'tenants': [self.listed(self.tenants[one]) for one in shown]}
        more = shown and shown[-1] != listed[-1] or self.breaks('cursor-comes-twice')
        if more or self.breaks('tenant-on-two-pages') and after is None:
            page['next'] = shown[-1]
        return page

    def listed(self, tenant):
        files = [os.path.relpath(tenant.path) if self.breaks('relative-paths') else tenant.path]
        if self.breaks('one-file-of-two-tenants'):
            files = [self.tenants['acme'].path]
        if self.breaks('companions-listed'):
            files.append(tenant.path + '-wal')
        listed = {'id': tenant.id, 'files': files, 'state': tenant.state}
        if self.breaks('tenants-without-state'):
            del listed['state']
        return listed

    def status(self, tenant):
        with self.lock:
            lease = tenant.lease
            healthy = not (lease and self.breaks('unhealthy-while-quiesced'))
            status = {'id': tenant.id, 'state': tenant.state, 'healthy': healthy}
            if lease and not self.breaks('status-without-lease'):
                status['lease'] = {**self.lease_of(lease), 'heldMs': lease.held()}
            if self.breaks('unhealthy-after-resume') and self.ended and lease is None:
                status.update(healthy=False, lastError='the database could not be opened')
            if self.breaks('status-without-health'):
                del status['healthy']
            return status

    @staticmethod
    def lease_of(lease):
        return {'leaseId': lease.id, 'fence': lease.fence, 'holder': lease.holder, 'expiresInMs': lease.left_ms()}

    def leases(self):
        with self.lock:
            standing = [] if self.breaks('leases-not-listed') else [
                {'tenant': one.id, **self.lease_of(one.lease)} for one in self.tenants.values() if one.lease]
            return {'leases': standing, 'limit': 2, 'inUse': len(standing)}


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
