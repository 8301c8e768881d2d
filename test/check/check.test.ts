import { chmodSync, copyFileSync, existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openChecker } from '../../src/check/check.ts'
import type { Checker, CheckerOptions, CheckLimits } from '../../src/check/check.ts'
import type { SnapshotPath } from '../../src/model/brand.ts'
import type { Reading } from '../../src/model/reading.ts'
import { create, fillEvents, recipes } from '../support/databases.ts'
import { readInProcess } from '../support/read-in-process.ts'
import { Patient, recordBody } from '../support/surgeon.ts'

const top = mkdtempSync(join(tmpdir(), 'check-'))
afterAll(() => rmSync(top, { recursive: true }))
const isRoot = process.getuid?.() === 0
const signal = new AbortController().signal
const limits: CheckLimits = { timeoutMs: 30_000, memoryBytesMax: 1e9, niceness: 0 }

let folder: string
let snapshot: SnapshotPath
beforeEach(() => {
  folder = mkdtempSync(join(top, 'snapshots-'))
  snapshot = join(folder, 'tenant one.db ') as SnapshotPath
})

const open = (changes: Partial<Pick<CheckerOptions, 'engine'> & CheckLimits> = {}): Promise<Checker> => openChecker({ ...limits, engine: 'census', ...changes, folder, parallel: 2 })

async function check(depth: 'quick' | 'full' = 'full', changes: Partial<Pick<CheckerOptions, 'engine'> & CheckLimits> = {}): Promise<Reading> {
  await using checker = await open(changes)
  return await checker.check(snapshot, { depth, signal })
}

/** Makes a database at a path that better-sqlite3 can name, then gives it the snapshot's awkward one. */
function make(fill: (db: Database.Database) => void): void {
  const path = join(folder, 'made.db')
  create(path, 4096, fill)
  copyFileSync(path, snapshot)
  rmSync(path)
}

const messages = (reading: Reading): readonly string[] => reading.facts.flatMap((fact) => (fact.kind === 'message' ? [fact.text] : []))
const rules = (reading: Reading): readonly string[] => reading.facts.flatMap((fact) => (fact.kind === 'found' ? [fact.finding.rule] : []))

function expectBackInPlace(): void {
  expect(readdirSync(folder)).toEqual(['tenant one.db '])
  const stat = statSync(snapshot)
  expect([stat.uid, stat.nlink, stat.mode & 0o777]).toEqual([process.getuid?.(), 1, 0o600])
}

describe('healthy snapshots', () => {
  let checker: Checker
  const healthy = mkdtempSync(join(tmpdir(), 'check-healthy-'))
  beforeAll(async () => { checker = await openChecker({ ...limits, folder: healthy, parallel: 2, engine: 'census' }) })
  afterAll(async () => {
    await checker[Symbol.asyncDispose]()
    rmSync(healthy, { recursive: true })
  })
  test.each([512, 4096, 65_536].flatMap((size) => recipes.map((recipe) => [size, recipe.name, recipe] as const)))('page size %i, %s: nothing is found and all is read, at both depths', async (size, _, recipe) => {
    const path = join(healthy, 'healthy.db')
    recipe.build(path, size)
    for (const depth of ['quick', 'full'] as const) {
      const reading = await checker.check(path as SnapshotPath, { depth, signal })
      expect(reading).toMatchObject({ facts: [], complete: true, depth, engine: 'census', coverage: { skipped: [] } })
      expect(reading.coverage.pagesRead).toBe(reading.coverage.pages)
    }
    rmSync(path)
  })
})

test('a reading tells objects, rows and pages', async () => {
  make((db) => {
    fillEvents(100)(db)
    db.exec('CREATE VIRTUAL TABLE "odd USING name" USING fts5(a); CREATE TABLE w(a PRIMARY KEY) WITHOUT ROWID; CREATE VIEW v AS SELECT 1')
  })
  const reading = await check()
  expect(reading.facts).toEqual([])
  expect(reading.content.filter(({ name }) => name === 'events' || name === 'users')).toEqual([{ name: 'events', rows: 100, digest: expect.any(String) as string }, { name: 'users', rows: 20, digest: expect.any(String) as string }])
  const objects = new Map(reading.objects.map((object) => [object.name, object]))
  expect(objects.get('odd USING name')).toMatchObject({ kind: 'virtual-table', module: 'fts5', root: 0 })
  expect(objects.get('odd USING name_data')).toMatchObject({ kind: 'table', shadowOf: 'odd USING name' })
  expect(objects.get('w')).toMatchObject({ kind: 'table', withoutRowid: true })
  expect(objects.get('v')).toMatchObject({ kind: 'view', root: 0 })
  expect(objects.get('events_kind')).toMatchObject({ kind: 'index', table: 'events' })
  expectBackInPlace()
})

describe('live sets with a WAL or a journal are settled into one plain file', () => {
  test('a WAL is written back, and its rows are there', async () => {
    const source = join(folder, 'source.db')
    const db = new Database(source)
    db.pragma('journal_mode=WAL')
    fillEvents(500)(db)
    copyFileSync(source, snapshot)
    copyFileSync(`${source}-wal`, `${snapshot}-wal`)
    db.close()
    rmSync(source)
    const reading = await check()
    expect(reading).toMatchObject({ facts: [], complete: true })
    expect(reading.content).toContainEqual({ name: 'events', rows: 500, digest: expect.any(String) as string })
    expectBackInPlace()
  })

  test('a hot journal is rolled back', async () => {
    const source = join(folder, 'source.db')
    create(source, 4096, fillEvents(500))
    const db = new Database(source)
    db.pragma('cache_size=1')
    db.pragma('cache_spill=1')
    db.exec("BEGIN; UPDATE events SET note = note || ' changed' || id; UPDATE users SET name = name || 'x'; DELETE FROM events WHERE id > 600")
    copyFileSync(source, snapshot)
    copyFileSync(`${source}-journal`, `${snapshot}-journal`)
    db.exec('ROLLBACK')
    db.close()
    rmSync(source)
    const reading = await check()
    expect(reading).toMatchObject({ facts: [], complete: true })
    expect(reading.content).toContainEqual({ name: 'events', rows: 500, digest: expect.any(String) as string })
    expectBackInPlace()
  })

  test('a journal that names a super-journal is left alone, and the other file is not looked at', async () => {
    make(fillEvents(50))
    const other = join(folder, 'live-mj01')
    writeFileSync(other, 'live')
    const name = Buffer.from(other)
    const trailer = Buffer.alloc(16)
    trailer.writeUInt32BE(name.length, 0)
    trailer.writeUInt32BE(name.reduce((sum, byte) => sum + byte, 0), 4)
    const magic = Buffer.from([0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7])
    magic.copy(trailer, 8)
    writeFileSync(`${snapshot}-journal`, Buffer.concat([magic, Buffer.alloc(504), name, trailer]))
    const reading = await check()
    expect(reading).toMatchObject({ complete: false, facts: [] })
    expect(reading.coverage.skipped).toEqual([{ object: 'journal', why: expect.stringContaining('live-mj01') }])
    expect(existsSync(`${snapshot}-journal`) && existsSync(other)).toBe(true)
  })
})

describe('a WAL that was cut', () => {
  function makeWal(): { readonly frames: number; readonly frameBytes: number } {
    const source = join(folder, 'source.db')
    const db = new Database(source)
    db.pragma('journal_mode=WAL')
    db.exec('CREATE TABLE t(a)')
    for (let i = 0; i < 10; i++) db.prepare('INSERT INTO t VALUES(?)').run('x'.repeat(100))
    copyFileSync(source, snapshot)
    copyFileSync(`${source}-wal`, `${snapshot}-wal`)
    db.close()
    rmSync(source)
    return { frames: (statSync(`${snapshot}-wal`).size - 32) / 4120, frameBytes: 4120 }
  }
  const flip = (at: number): void => {
    const bytes = readFileSync(`${snapshot}-wal`)
    bytes[at] = (bytes[at] ?? 0) ^ 1
    writeFileSync(`${snapshot}-wal`, bytes)
  }

  test.each([['content', 1000], ['stored checksum', 17], ['salt', 9]])('a byte flipped in the %s of a committed frame is found', async (_, at) => {
    makeWal()
    flip(32 + 4120 * 4 + at)
    const reading = await check()
    expect(rules(reading)).toEqual(['wal-cut'])
    expect(reading.facts).toMatchObject([{ finding: { severity: 'damage', object: { kind: 'file' } } }])
  })

  test('a torn last frame is what a crash leaves, and no finding', async () => {
    const { frames } = makeWal()
    flip(32 + 4120 * (frames - 1) + 1000)
    expect(await check()).toMatchObject({ facts: [], complete: true })
  })

  test('frames of a transaction that was rolled back are no finding', async () => {
    const source = join(folder, 'source.db')
    const db = new Database(source)
    db.pragma('journal_mode=WAL')
    db.pragma('cache_size=2')
    db.pragma('cache_spill=2')
    db.exec('CREATE TABLE t(a)')
    db.exec("BEGIN; WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) INSERT INTO t SELECT printf('%0500d', i) FROM n; ROLLBACK; INSERT INTO t VALUES(1)")
    copyFileSync(source, snapshot)
    copyFileSync(`${source}-wal`, `${snapshot}-wal`)
    db.close()
    rmSync(source)
    expect(statSync(`${snapshot}-wal`).size).toBeGreaterThan(100_000)
    expect(await check()).toMatchObject({ facts: [], complete: true })
  })
})

describe('blind spots of integrity_check', () => {
  test('a leaked page behind a view or an fts5vocab table, which SQLite calls ok, is found', async () => {
    let trapped = 0
    for (let i = 0; i < 12; i++) {
      make((db) => {
        db.exec('CREATE TABLE t(a); INSERT INTO t VALUES(1)')
        for (let k = 0; k < i; k++) db.exec(k % 2 === 0 ? `CREATE VIEW v${k} AS SELECT 1` : `CREATE TABLE u${k}(a)`)
      })
      {
        using patient = new Patient(copyOf(snapshot))
        patient.truncate(patient.bytes + 4096)
        patient.write32At(28, patient.bytes / 4096)
      }
      const db = new Database(copied)
      if (db.pragma('integrity_check', { simple: true }) === 'ok') trapped++
      db.close()
      copyFileSync(copied, snapshot)
      rmSync(copied)
      expect(rules(await readInProcess(snapshot))).toEqual(['page-unowned'])
    }
    expect(trapped).toBeGreaterThan(0)
  })

  test('rows that come before SQLite throws are kept', async () => {
    make(fillEvents(3000))
    wound((patient) => {
      const bytes = patient.read(patient.leaf('events_kind'))
      bytes.fill(0)
      patient.write(patient.leaf('events_kind'), bytes)
    })
    const reading = await check()
    expect(messages(reading).some((text) => text.startsWith('Tree '))).toBe(true)
    expect(reading.facts.every((fact) => fact.kind !== 'message' || (!fact.text.includes('\n') && !fact.text.startsWith('***')))).toBe(true)
    expect(reading.owners.size).toBeGreaterThan(0)
    expectBackInPlace()
  })

  test('more than a hundred messages are all told', async () => {
    make(fillEvents(3000))
    wound((patient) => {
      for (const page of patient.pages('events_at').filter((page) => patient.bTree(page).leaf).slice(1, 4)) {
        for (let i = 0; i < 50; i++) {
          const at = recordBody(patient, page, i)
          patient.edit(page, (bytes) => { bytes[at + 1] = (bytes[at + 1] ?? 0) ^ 0x55 })
        }
      }
    })
    expect(messages(await check('full', { engine: 'sqlite' })).length).toBeGreaterThan(150)
    const found = (await check()).facts.flatMap((fact) => (fact.kind === 'found' && fact.finding.rule === 'entry-differs-from-row' ? [fact.finding.total] : []))
    expect(found).toEqual([150])
  })

  test('an unknown collation hides neither the damage elsewhere nor itself', async () => {
    make((db) => {
      fillEvents(500)(db)
      db.exec('CREATE TABLE odd(a TEXT); CREATE INDEX odd_a ON odd(a)')
      db.unsafeMode(true)
      db.pragma('writable_schema=ON')
      db.exec("UPDATE sqlite_schema SET sql = 'CREATE TABLE odd(a TEXT COLLATE klingon)' WHERE name = 'odd'")
    })
    const sound = await check()
    expect(sound.coverage.skipped).toEqual([{ object: 'odd_a', why: 'its order: collation klingon is the application\u2019s own' }, { object: 'odd', why: 'no such collation sequence: klingon' }])
    expect(sound).toMatchObject({ complete: false })
    expect(sound.facts.filter((fact) => fact.kind !== 'thrown' || fact.object !== 'odd')).toEqual([])
    wound((patient) => {
      const at = recordBody(patient, patient.leaf('events_kind'), 2)
      patient.edit(patient.leaf('events_kind'), (bytes) => { bytes[at + 3] = 0x7a })
    })
    expect(rules(await check())).toContain('entry-differs-from-row')
  })

  test('a virtual table without its module is named', async () => {
    make((db) => {
      db.exec('CREATE TABLE t(a)')
      db.unsafeMode(true)
      db.pragma('writable_schema=ON')
      db.exec("INSERT INTO sqlite_schema VALUES('table','geo','geo',0,'CREATE VIRTUAL TABLE geo USING VirtualSpatialIndex()')")
    })
    const reading = await check()
    expect(reading.coverage.skipped).toContainEqual({ object: 'geo', why: 'module VirtualSpatialIndex is not part of this SQLite' })
    expect(reading.objects).toContainEqual(expect.objectContaining({ name: 'geo', kind: 'virtual-table', module: 'VirtualSpatialIndex' }))
  })

  test('rows without a parent are facts of their own, with the first twenty rows and the exact total', async () => {
    make((db) => {
      db.pragma('foreign_keys=OFF')
      db.exec('CREATE TABLE p(id INTEGER PRIMARY KEY); CREATE TABLE c(id INTEGER PRIMARY KEY, p REFERENCES p(id)); CREATE TABLE mismatch(a REFERENCES p(absent))')
      db.exec('WITH RECURSIVE n(i) AS (SELECT 9007199254740990 UNION ALL SELECT i + 1 FROM n WHERE i < 9007199254741020) INSERT INTO c SELECT i, 5 FROM n')
    })
    const reading = await check()
    expect(reading.facts).toMatchObject([{ kind: 'orphans', table: 'c', parent: 'p', total: 31 }])
    expect(reading.facts[0]).toMatchObject({ rows: expect.arrayContaining([9007199254740990, '9007199254740993']) })
    expect(reading.complete).toBe(true)
    expect((await check('quick')).facts).toEqual([])
  })
})

describe('files that are no database', () => {
  test.each([['noise', Buffer.alloc(5000, 0x41)], ['an empty file', Buffer.alloc(0)], ['a header and nothing else', Buffer.from('SQLite format 3\0')]])('%s ends as a reading', async (_, bytes) => {
    writeFileSync(snapshot, bytes)
    const reading = await check()
    expect(reading.facts.length > 0 || !reading.complete).toBe(true)
    expectBackInPlace()
  })
})

/** A snapshot over which SQLite thinks for ages: a CHECK that is slow, on many rows. */
function makeHanging(): void {
  make((db) => {
    db.exec('CREATE TABLE slow(a CHECK(length(hex(hex(zeroblob(3000000 + a)))) > 0))')
    db.pragma('ignore_check_constraints=ON')
    db.exec('WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) INSERT INTO slow SELECT i FROM n')
  })
}

describe('what a hostile file may cost', () => {
  test('a check that does not end is ended, and what was read before is kept', async () => {
    makeHanging()
    const reading = await check('full', { timeoutMs: 1500 })
    expect(reading).toMatchObject({ complete: false, facts: [{ kind: 'child-ended', how: 'timeout', during: 'integrity' }] })
    expect(reading.coverage.pagesRead).toBe(reading.coverage.pages)
    expect(reading.objects).toHaveLength(1)
    expectBackInPlace()
  })

  test('a check that takes too much memory is ended', async () => {
    make((db) => {
      db.exec('CREATE TABLE fat(a CHECK(length(hex(zeroblob(450000000 + a))) > 0)); INSERT INTO fat(a) SELECT 1 WHERE 0')
      db.pragma('ignore_check_constraints=ON')
      db.exec('INSERT INTO fat VALUES(1),(2),(3)')
    })
    const reading = await check('full', { memoryBytesMax: 250e6 })
    expect(reading).toMatchObject({ complete: false, facts: [{ kind: 'child-ended', how: 'memory', during: 'integrity' }] })
    expectBackInPlace()
  })

  test('a child that is killed is a fact, and the next snapshot is read by another', async () => {
    makeHanging()
    await using checker = await open()
    const reading = checker.check(snapshot, { depth: 'full', signal })
    const pid = await childAtWork()
    if (isRoot) {
      // Seen from outside: it has no rights left, and its root is the room (hold.md, Security).
      const status = readFileSync(`/proc/${pid}/status`, 'utf8')
      expect(status).toMatch(/^Uid:\t65534\t65534\t65534\t65534$/m)
      expect(status).toMatch(/^CapEff:\t0+$/m)
      expect(status).toMatch(/^NoNewPrivs:\t1$/m)
      expect(readlinkSync(`/proc/${pid}/root`)).toContain(join(folder, `room-${process.pid}-`))
    }
    process.kill(pid, 'SIGSEGV')
    expect(await reading).toMatchObject({ complete: false, facts: [{ kind: 'child-ended', how: 'crashed', during: 'integrity', detail: 'signal SIGSEGV' }] })
    rmSync(snapshot)
    make(fillEvents(10))
    expect(await checker.check(snapshot, { depth: 'full', signal })).toMatchObject({ facts: [], complete: true })
  })

  test('an abort ends the child at once and puts the snapshot back', async () => {
    makeHanging()
    await using checker = await open()
    const aborting = new AbortController()
    const reading = checker.check(snapshot, { depth: 'full', signal: aborting.signal })
    const pid = await childAtWork()
    aborting.abort(new Error('enough'))
    await expect(reading).rejects.toThrow('enough')
    expect(existsSync(`/proc/${pid}`)).toBe(false)
    expect(lstatSync(snapshot).nlink).toBe(1)
    expect(statSync(snapshot).uid).toBe(process.getuid?.())
  })
})

/** Waits for a reading child that has used half a second of the processor: starting takes less, so it is at work on the snapshot. */
async function childAtWork(): Promise<number> {
  const deadline = Date.now() + 20_000
  while (Date.now() < deadline) {
    for (const pid of readingChildren()) {
      const [, utime] = /^(?:\S+ ){11}(\d+) /.exec(statOf(pid)) ?? []
      if (Number(utime) > 50) return pid
    }
    await new Promise((resolve) => { setTimeout(resolve, 20) })
  }
  throw new Error('no reading child came to work')
}

const statOf = (pid: number): string => {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return text.slice(text.lastIndexOf(')') + 2)
  } catch {
    return ''
  }
}

function readingChildren(): readonly number[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => statOf(pid).split(' ')[1] === String(process.pid))
}

test('children end with the checker, and rooms go with them', async () => {
  make(fillEvents(10))
  {
    await using checker = await open()
    await checker.check(snapshot, { depth: 'full', signal })
    expect(readingChildren().length).toBeGreaterThan(0)
  }
  expect(readingChildren()).toEqual([])
  expectBackInPlace()
})

let copied = ''
function copyOf(path: string): string {
  copied = join(folder, 'copied.db')
  copyFileSync(path, copied)
  chmodSync(copied, 0o600)
  return copied
}

function wound(change: (patient: Patient) => void): void {
  {
    using patient = new Patient(copyOf(snapshot))
    change(patient)
  }
  copyFileSync(copied, snapshot)
  rmSync(copied)
}
