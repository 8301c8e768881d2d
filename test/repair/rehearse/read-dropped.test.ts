/** A rebuild makes an index agree with its table. What only the index knew is listed before, to the last entry. */
import { readFileSync, writeFileSync } from 'node:fs'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { readDropped } from '../../../src/repair/rehearse/read-dropped.ts'
import { useRehearsals } from '../../support/remedies/rehearsal-fixture.ts'

const place = useRehearsals()
const rows = 6000

function build(path: string, more = ''): void {
  const db = new Database(path)
  db.pragma('synchronous=OFF')
  db.exec(`CREATE TABLE events(id INTEGER PRIMARY KEY, kind TEXT, at INTEGER);
    CREATE TABLE pairs(a TEXT, b INTEGER, c BLOB, PRIMARY KEY(a, b)) WITHOUT ROWID; ${more}`)
  const [event, pair] = ['events VALUES(?,?,?)', 'pairs VALUES(?,?,?)'].map((into) => db.prepare(`INSERT INTO ${into}`))
  db.transaction(() => {
    for (let i = 1; i <= rows; i++) event?.run(i, `kind ${i}`, i * 1000)
    for (let i = 1; i <= 50; i++) pair?.run(`a${i}`, i, Buffer.from([i, 0, 255]))
  })()
  db.close()
}

/** Changes the table while the index is out of the schema, so that the index keeps what it had. */
function behind(path: string, index: string, sql: string): void {
  const unsafely = <Value>(work: (db: Database.Database) => Value): Value => {
    const db = new Database(path)
    db.unsafeMode(true)
    db.pragma('writable_schema=ON')
    try {
      return work(db)
    } finally {
      db.close()
    }
  }
  const row = unsafely((db) => {
    const found = db.prepare('SELECT * FROM sqlite_schema WHERE name = ?').raw().get(index) as unknown[]
    db.prepare('DELETE FROM sqlite_schema WHERE name = ?').run(index)
    return found
  })
  unsafely((db) => db.exec(sql))
  unsafely((db) => db.prepare('INSERT INTO sqlite_schema VALUES(?,?,?,?,?)').run(row))
}

test('thousands of entries whose rows are gone are listed with keys and values', async () => {
  build(place.path, 'CREATE INDEX events_kind ON events(kind, at)')
  behind(place.path, 'events_kind', 'DELETE FROM events WHERE id % 3 = 0')
  const { dropped, integrity } = await place.mend({ do: 'rebuild', indexes: ['events_kind'], fts: [] })
  expect(integrity).toEqual([])
  const expected = Array.from({ length: rows / 3 }, (_, i) => {
    const id = 3 * (i + 1)
    return { index: 'events_kind', key: id, columns: ['kind', 'at'], values: [`kind ${id}`, id * 1000] }
  })
  expect(dropped.toSorted((a, b) => Number(a.key) - Number(b.key))).toEqual(expected)
})

test.each([
  [
    'an expression',
    'CREATE INDEX i ON events(upper(kind))',
    'UPDATE events SET kind = 7 WHERE id = 5',
    'i',
    [5],
    ['KIND 5'],
  ],
  [
    'a partial index',
    'CREATE INDEX i ON events(at) WHERE id < 10',
    'UPDATE events SET at = 1 WHERE id = 5',
    'i',
    [5],
    [5000],
  ],
  [
    'a table WITHOUT ROWID',
    'CREATE INDEX i ON pairs(c)',
    'UPDATE pairs SET c = NULL WHERE b = 7',
    'i',
    ['a7', 7],
    [{ blob: '0700ff' }],
  ],
] as const)('an entry of %s that differs from its row is listed', async (_, index, change, name, key, values) => {
  build(place.path, index)
  behind(place.path, name, change)
  const { dropped } = await place.mend({ do: 'rebuild', indexes: [name], fts: [] })
  expect(dropped).toEqual([
    { index: name, key: key.length === 1 ? key[0] : key, columns: expect.any(Array) as unknown, values },
  ])
})

test('nothing is listed for an index that only lacks entries, and only for those that are rebuilt', async () => {
  build(place.path, 'CREATE INDEX events_kind ON events(kind); CREATE INDEX pairs_c ON pairs(c)')
  behind(place.path, 'events_kind', "INSERT INTO events VALUES(9999, 'new', 1)")
  const { dropped } = await place.mend({ do: 'rebuild', indexes: ['events_kind'], fts: [] })
  expect(dropped).toEqual([])
})

test('a list that a confined process did not write is refused', async () => {
  build(place.path, 'CREATE INDEX events_kind ON events(kind)')
  behind(place.path, 'events_kind', 'DELETE FROM events WHERE id = 9')
  const rehearsed = await place.rehearse({ do: 'rebuild', indexes: ['events_kind'], fts: [] })
  if (rehearsed.kind !== 'sound' || rehearsed.dropped.file === null) throw new Error('an entry was dropped')
  await using _mended = rehearsed.mended
  const { file } = rehearsed.dropped
  const written = readFileSync(file, 'utf8')
  const read = async (text: string): Promise<unknown> => {
    writeFileSync(file, text)
    const entries: unknown[] = []
    for await (const entry of readDropped(rehearsed.dropped)) entries.push(entry)
    return entries
  }
  expect(await read(written)).toEqual([{ index: 'events_kind', key: 9, columns: ['kind'], values: ['kind 9'] }])
  for (const text of ['', written + written, written.slice(0, -1), '{"index":1}\n', 'x\n', '[]\n'])
    await expect(read(text)).rejects.toMatchObject({ code: 'READ_FAILED' })
})
