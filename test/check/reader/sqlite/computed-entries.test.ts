/** Indexes whose entries only SQL can compute: blind spots of integrity_check, with the exact rows. */
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, expect, test } from 'vitest'
import { diagnose } from '../../../../src/diagnosis/diagnose.ts'
import { create } from '../../../support/databases/create-database.ts'
import { acceptingContext, bareFileContext } from '../../../support/differential/engines.ts'
import { readInProcess } from '../../../support/read-in-process.ts'

const folder = mkdtempSync(join(tmpdir(), 'computed-'))
afterAll(() => rmSync(folder, { recursive: true }))

const fill = (db: Database.Database): void => {
  db.exec(`
    CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT, b REAL, c INTEGER, d AS (c * 2) VIRTUAL, e AS (a || '!') STORED);
    CREATE INDEX part ON t(a, c) WHERE c % 3 = 0; CREATE INDEX expr ON t(lower(a) COLLATE nocase DESC, c + 1);
    CREATE INDEX virt ON t(d); CREATE INDEX stored ON t(e);
    CREATE UNIQUE INDEX uniq ON t(a) WHERE b IS NOT NULL;
    CREATE TABLE w(k TEXT COLLATE nocase, n, v, PRIMARY KEY(k, n)) WITHOUT ROWID;
    CREATE INDEX w_expr ON w(v || 'x'); CREATE INDEX w_part ON w(v) WHERE n > 10`)
  const t = db.prepare('INSERT INTO t(id, a, b, c) VALUES(?,?,?,?)')
  const w = db.prepare('INSERT INTO w VALUES(?,?,?)')
  db.transaction(() => {
    for (let i = 1; i <= 500; i++) t.run(i, `Name ${i}`, i % 4 === 0 ? null : i, i)
    for (let i = 1; i <= 300; i++) w.run(`Key ${i % 20}`, i, i % 7)
  })()
}

/** Runs SQL with a changed schema, so that the indexes become wrong; then restores the schema. */
function behindTheirBack(path: string, hidden: string, sql: string): void {
  const db = new Database(path)
  db.unsafeMode(true)
  db.pragma('writable_schema=ON')
  const schema = db.prepare('SELECT rowid, sql FROM sqlite_schema').all() as { rowid: number; sql: string }[]
  db.exec(hidden)
  db.pragma('writable_schema=RESET')
  db.close()
  const blind = new Database(path)
  blind.exec(sql)
  blind.unsafeMode(true)
  blind.pragma('writable_schema=ON')
  for (const row of schema) blind.prepare('UPDATE sqlite_schema SET sql = ? WHERE rowid = ?').run(row.sql, row.rowid)
  blind.pragma('writable_schema=RESET')
  blind.close()
}

async function found(hidden: string | null, sql = ''): Promise<readonly unknown[]> {
  const path = join(folder, 'made.db')
  rmSync(path, { force: true })
  create(path, 1024, fill)
  if (hidden !== null) behindTheirBack(path, hidden, sql)
  copyFileSync(path, `${path}.copy`)
  const reading = await readInProcess(`${path}.copy`)
  return reading.facts.flatMap((fact): readonly unknown[] =>
    fact.kind === 'found'
      ? [
          {
            rule: fact.finding.rule,
            object: fact.finding.object.name,
            rows: fact.finding.rows,
            total: fact.finding.total,
          },
        ]
      : [fact],
  )
}

const rename = (name: string, from: string, to: string): string =>
  `UPDATE sqlite_schema SET sql = replace(sql, '${from}', '${to}') WHERE name = '${name}'`

test('healthy indexes have no finding', async () => {
  expect(await found(null)).toEqual([])
})

test('stale entries of a partial index, which integrity_check does not see', async () => {
  // As long as the index covers too many rows, it gets three more.
  expect(
    await found(
      rename('part', 'c % 3 = 0', 'c % 3 = 0 OR c > 996'),
      "INSERT INTO t(id, a, b, c) VALUES(1000, 'x', 1, 1000), (1001, 'y', 1, 1001), (1003, 'z', 1, 1003)",
    ),
  ).toEqual([{ rule: 'entry-without-row', object: 'part', rows: [1000, 1001, 1003], total: 3 }])
})

test('entries that another expression has computed', async () => {
  expect(
    await found(rename('expr', 'c + 1', 'c + 2'), "INSERT INTO t(id, a, b, c) VALUES(1000, 'x', 1, 1000)"),
  ).toEqual([{ rule: 'entry-differs-from-row', object: 'expr', rows: [1000], total: 1 }])
})

test('missing entries of a partial index', async () => {
  expect(
    await found(rename('uniq', 'b IS NOT NULL', 'b IS NULL'), "INSERT INTO t(id, a, b, c) VALUES(1000, 'x', 1, 1000)"),
  ).toEqual([{ rule: 'row-missing-from-index', object: 'uniq', rows: [1000], total: 1 }])
})

test('a virtual column that was computed differently', async () => {
  expect(
    await found(rename('t', 'c * 2', 'c * 3'), "INSERT INTO t(id, a, b, c) VALUES(1000, 'x', NULL, 1000)"),
  ).toEqual([{ rule: 'entry-differs-from-row', object: 'virt', rows: [1000], total: 1 }])
})

test('a table WITHOUT ROWID names its rows by their key', async () => {
  expect(await found(rename('w_part', 'n > 10', 'n < 0'), "INSERT INTO w VALUES('New', 1000, 'v')")).toEqual([
    { rule: 'row-missing-from-index', object: 'w_part', rows: [['New', 1000]], total: 1 },
  ])
})

test('entries in an unknown collation are not compared, and no configuration makes that sound', async () => {
  const path = join(folder, 'klingon.db')
  create(path, 1024, (db) => {
    db.exec(
      'CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT COLLATE NOCASE); CREATE INDEX part ON t(id) WHERE a > ' +
        "'b'; CREATE INDEX plain ON t(a); INSERT INTO t VALUES(1, 'abc'), (2, 'def'), (3, 'ghi')",
    )
    db.unsafeMode(true)
    db.pragma('writable_schema=ON')
    db.exec("UPDATE sqlite_schema SET sql = replace(sql, 'NOCASE', 'klingon')")
  })
  const context = acceptingContext('unknown-collation')
  expect(diagnose(await readInProcess(path), context).verdict).toEqual({
    kind: 'inconclusive',
    reason: expect.stringContaining('part: neither the census nor SQLite could compare') as string,
  })
  expect(diagnose(await readInProcess(path, 'full', 'sqlite'), context).verdict).toEqual({
    kind: 'inconclusive',
    reason: expect.stringContaining('t: SQLite broke off before it had compared its rows with its indexes') as string,
  })
  // If the condition needs no collation, the entries are compared, and one is missing now.
  const db = new Database(path)
  db.unsafeMode(true)
  db.pragma('writable_schema=ON')
  db.exec("UPDATE sqlite_schema SET sql = 'CREATE INDEX part ON t(id) WHERE a IS NOT NULL' WHERE name = 'part'")
  db.close()
  expect(diagnose(await readInProcess(path), context).verdict.kind).toBe('damaged')
})

/**
 * Double quotes in the schema of a build that reads them as strings. This build does not do so in statements of ours.
 */
const quoted: readonly (readonly [string, string])[] = [
  ['CREATE INDEX part ON t(a) WHERE b = "open"', "CREATE INDEX part ON t(a) WHERE b = 'open'"],
  [
    'CREATE INDEX expr ON t(json_extract(a, "$.k"), "A" || "-" || "rowid" DESC)',
    "CREATE INDEX expr ON t(json_extract(a, '$.k'), a || '-' || 'rowid' DESC)",
  ],
  [
    'CREATE INDEX byid ON t(b) WHERE "rowid" > "" OR t."b" <> "oid"',
    'CREATE INDEX byid ON t(b) WHERE "rowid" > \'\' OR t."b" <> "oid"',
  ],
  ['CREATE INDEX konst ON t("nothing")', "CREATE INDEX konst ON t('' || 'nothing')"],
  [
    'CREATE INDEX wpart ON w(v) WHERE v <> "a" COLLATE "nocase"',
    'CREATE INDEX wpart ON w(v) WHERE v <> \'a\' COLLATE "nocase"',
  ],
]

/** Makes indexes of other rows than their statements in double quotes say. @param but the rows that each misses */
function makeQuoted(path: string, but: (name: string) => string): void {
  rmSync(path, { force: true })
  create(path, 1024, (db) => {
    db.exec(
      'CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT, b TEXT); CREATE ' +
        'TABLE w(k TEXT PRIMARY KEY, v TEXT) WITHOUT ROWID',
    )
    for (let i = 1; i <= 90; i++) {
      db.prepare('INSERT INTO t VALUES(?,?,?)').run(i, `{"k": ${i % 7}}`, i % 3 === 0 ? 'done' : 'open')
      db.prepare('INSERT INTO w VALUES(?,?)').run(`k${i}`, i % 4 === 0 ? 'A' : `v${i}`)
    }
    db.unsafeMode(true)
    db.pragma('writable_schema=ON')
    for (const [written, meant] of quoted) {
      const name = /INDEX (\w+)/.exec(meant)?.[1] ?? ''
      db.exec(
        meant.includes(' WHERE ')
          ? meant.replace(' WHERE ', ` WHERE (${but(name)}) AND (`) + ')'
          : `${meant} WHERE ${but(name)}`,
      )
      db.prepare('UPDATE sqlite_schema SET sql = ? WHERE name = ?').run(written, name)
    }
  })
}

const conclude = async (path: string) => diagnose(await readInProcess(path), bareFileContext)

test('strings in double quotes: healthy indexes are sound, and missing rows are named', async () => {
  const path = join(folder, 'quoted.db')
  makeQuoted(path, () => 'true')
  expect(await conclude(path)).toMatchObject({ verdict: { kind: 'sound' } })
  makeQuoted(path, (name) => (name === 'wpart' ? "k <> 'k7'" : 'id <> 8'))
  expect((await conclude(path)).findings.map(({ rule, object, rows }) => [object.name, rule, rows])).toEqual([
    ['byid', 'row-missing-from-index', [8]],
    ['expr', 'row-missing-from-index', [8]],
    ['konst', 'row-missing-from-index', [8]],
    ['part', 'row-missing-from-index', [8]],
    ['wpart', 'row-missing-from-index', [['k7']]],
  ])
})

/** Gives a partial index two entries too many, which SQLite's own check does not find. */
function makeGhosts(path: string, table: string): void {
  rmSync(path, { force: true })
  create(path, 1024, (db) => {
    db.exec(table)
    db.exec(
      'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50) INSERT INTO t SELECT i, i, ' +
        "i, 'v' || (i % 5) FROM n; CREATE INDEX part ON t(v) WHERE v = 'v1' OR v = 'v2' AND _rowid_ < 10",
    )
    db.unsafeMode(true)
    db.pragma('writable_schema=ON')
    db.prepare("UPDATE sqlite_schema SET sql = ? WHERE name = 'part'").run("CREATE INDEX part ON t(v) WHERE v = 'v1'")
  })
  const db = new Database(path, { readonly: true })
  expect(db.pragma('integrity_check', { simple: true }), 'a blind spot of SQLite').toBe('ok')
  db.close()
}

test('if all names of the rowid are taken, the column that is the rowid replaces them', async () => {
  const path = join(folder, 'alias.db')
  makeGhosts(path, 'CREATE TABLE t(oid INTEGER PRIMARY KEY, rowid, _rowid_, v)')
  expect((await conclude(path)).findings).toMatchObject([{ rule: 'entry-without-row', rows: [2, 7], total: 2 }])
})

test.each([
  ['no name is left for the rowid', 1e9, 'part'],
  ['there is no memory for a census', 8e6, 'census'],
])('where %s, SQLite decides: never sound, and reported', async (_, memory, object) => {
  const path = join(folder, 'fallback.db')
  makeGhosts(path, memory === 1e9 ? 'CREATE TABLE t(oid, rowid, _rowid_, v)' : 'CREATE TABLE t(a, b, _rowid_, v)')
  const reading = await readInProcess(path, 'full', 'census', false, null, false, memory)
  expect(diagnose(reading, bareFileContext)).toMatchObject({ verdict: { kind: 'inconclusive' }, findings: [] })
  expect(reading.coverage.skipped).toMatchObject([
    { object, why: expect.stringMatching(/^SQLite checked this instead of the census/) },
  ])
})
