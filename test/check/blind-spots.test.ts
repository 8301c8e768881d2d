import { copyFileSync, rmSync } from 'node:fs'
import Database from 'better-sqlite3'
import { describe, expect, test } from 'vitest'
import { diagnose } from '../../src/diagnosis/diagnose.ts'
import { cellOffset } from '../../src/sqlite/page.ts'
import { varintNumber } from '../../src/sqlite/varint.ts'
import { fillEvents } from '../support/databases/create-database.ts'
import { EditableDatabase, recordBody } from '../support/databases/surgeon.ts'
import { bareFileContext } from '../support/differential/engines.ts'
import { readInProcess } from '../support/read-in-process.ts'
import { messagesIn, rulesIn, useSnapshotFolder } from '../support/snapshot-folder.ts'

const place = useSnapshotFolder()
const { check, make, wound, expectBackInPlace } = place

describe('blind spots of integrity_check', () => {
  test('a leaked page behind a view or an fts5vocab table, which SQLite calls ok, is found', async () => {
    let trapped = 0
    for (let i = 0; i < 12; i++) {
      make((db) => {
        db.exec('CREATE TABLE t(a); INSERT INTO t VALUES(1)')
        for (let k = 0; k < i; k++) db.exec(k % 2 === 0 ? `CREATE VIEW v${k} AS SELECT 1` : `CREATE TABLE u${k}(a)`)
      })
      const copied = place.copy()
      {
        using database = new EditableDatabase(copied)
        database.truncate(database.bytes + 4096)
        database.write32At(28, database.bytes / 4096)
      }
      const db = new Database(copied)
      if (db.pragma('integrity_check', { simple: true }) === 'ok') trapped++
      db.close()
      copyFileSync(copied, place.snapshot)
      rmSync(copied)
      expect(rulesIn(await readInProcess(place.snapshot))).toEqual(['page-unowned'])
    }
    expect(trapped).toBeGreaterThan(0)
  })

  test('rows that come before SQLite throws are kept', async () => {
    make(fillEvents(3000))
    wound((database) => {
      const bytes = database.read(database.leaf('events_kind'))
      bytes.fill(0)
      database.write(database.leaf('events_kind'), bytes)
    })
    const reading = await check()
    expect(messagesIn(reading).some((text) => text.startsWith('Tree '))).toBe(true)
    expect(
      reading.facts.every(
        (fact) => fact.kind !== 'message' || (!fact.text.includes('\n') && !fact.text.startsWith('***')),
      ),
    ).toBe(true)
    expect(reading.owners.size).toBeGreaterThan(0)
    expectBackInPlace()
  })

  test('more than a hundred messages are all reported', async () => {
    make(fillEvents(3000))
    wound((database) => {
      for (const page of database
        .pages('events_at')
        .filter((page) => database.bTree(page).leaf)
        .slice(1, 4)) {
        for (let i = 0; i < 50; i++) {
          const at = recordBody(database, page, i)
          database.edit(page, (bytes) => {
            bytes[at + 1] = (bytes[at + 1] ?? 0) ^ 0x55
          })
        }
      }
    })
    expect(messagesIn(await check('full', { engine: 'sqlite' })).length).toBeGreaterThan(150)
    const found = (await check()).facts.flatMap((fact) =>
      fact.kind === 'found' && fact.finding.rule === 'entry-differs-from-row' ? [fact.finding.total] : [],
    )
    expect(found).toEqual([150])
  })

  test('each of many lost pages is counted once, whoever names it', async () => {
    make(fillEvents(10))
    const pages = 60
    let first = 0
    wound((database) => {
      first = database.bytes / 4096 + 1
      database.truncate(database.bytes + pages * 4096)
      database.write32At(28, database.bytes / 4096)
    })
    const { findings } = diagnose(await check(), bareFileContext)
    expect(findings).toMatchObject([{ rule: 'page-unowned', severity: 'leak', total: pages }])
    expect(findings[0]?.text).toContain(`: ${first}-${first + pages - 1}`)
  })

  test('a record without bytes, as zeros are, is named, and is not taken for a row of NULLs', async () => {
    make(fillEvents(300))
    let row = 0
    wound((database) => {
      const leaf = database.leaf('events')
      database.edit(leaf, (bytes, bTree) => {
        const at = cellOffset(bytes, bTree, 3)
        bytes[at] = 0
        row = varintNumber(bytes, at + 1)
      })
    })
    const { findings } = diagnose(await check(), bareFileContext)
    expect(findings.filter(({ rule }) => rule !== 'page-malformed')).toMatchObject([
      { rule: 'record-malformed', object: { name: 'events' }, rows: [row] },
      ...['events_at', 'events_kind', 'events_note'].map((name) => ({
        rule: 'entry-without-row',
        object: { name },
        rows: [row],
      })),
    ])
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
    expect(sound.coverage.skipped).toEqual([
      { object: 'odd_a', why: "its order: collation klingon is the application's own" },
      { object: 'odd', why: 'no such collation sequence: klingon' },
    ])
    expect(sound).toMatchObject({ complete: false })
    expect(sound.facts.filter((fact) => fact.kind !== 'thrown' || fact.object !== 'odd')).toEqual([])
    wound((database) => {
      const at = recordBody(database, database.leaf('events_kind'), 2)
      database.edit(database.leaf('events_kind'), (bytes) => {
        bytes[at + 3] = 0x7a
      })
    })
    expect(rulesIn(await check())).toContain('entry-differs-from-row')
  })

  test('a virtual table without its module is named', async () => {
    make((db) => {
      db.exec('CREATE TABLE t(a)')
      db.unsafeMode(true)
      db.pragma('writable_schema=ON')
      db.exec(
        "INSERT INTO sqlite_schema VALUES('table','geo','geo',0,'CREATE " +
          "VIRTUAL TABLE geo USING VirtualSpatialIndex()')",
      )
    })
    const reading = await check()
    expect(reading.coverage.skipped).toContainEqual({
      object: 'geo',
      why: 'module VirtualSpatialIndex is not part of this SQLite',
    })
    expect(reading.objects).toContainEqual(
      expect.objectContaining({ name: 'geo', kind: 'virtual-table', module: 'VirtualSpatialIndex' }),
    )
  })

  test('rows without a parent are facts, with the first twenty rows and the exact total', async () => {
    make((db) => {
      db.pragma('foreign_keys=OFF')
      db.exec(
        'CREATE TABLE p(id INTEGER PRIMARY KEY); CREATE TABLE c(id INTEGER PRIMARY KEY, p ' +
          'REFERENCES p(id)); CREATE TABLE mismatch(a REFERENCES p(absent))',
      )
      db.exec(
        'WITH RECURSIVE n(i) AS (SELECT 9007199254740990 UNION ALL SELECT i + 1 FROM n ' +
          'WHERE i < 9007199254741020) INSERT INTO c SELECT i, 5 FROM n',
      )
    })
    const reading = await check()
    expect(reading.facts).toMatchObject([
      {
        kind: 'found',
        finding: {
          rule: 'foreign-key-violated',
          severity: 'notice',
          object: { name: 'c' },
          total: 31,
          rows: [
            9007199254740990,
            9007199254740991,
            '9007199254740992',
            ...Array.from({ length: 17 }, () => expect.any(String)),
          ],
          text: '31 rows of c refer to rows that do not exist in p',
        },
      },
    ])
    expect(reading.complete).toBe(true)
    expect((await check('quick')).facts).toEqual([])
  })
})
