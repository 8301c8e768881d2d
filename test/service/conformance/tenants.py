"""The tenants of one instance, their leases, and what quiesce, renew and resume do to them."""
import json
import os
import sqlite3
import threading
import time
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
