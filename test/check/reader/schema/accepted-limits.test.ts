/** `check.accept`: what was not read for an accepted reason does not keep a file from being sound. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type Database from 'better-sqlite3'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import type { DiagnosisContext } from '../../../../src/diagnosis/context.ts'
import { diagnose } from '../../../../src/diagnosis/diagnose.ts'
import { skippedWithLimits } from '../../../../src/diagnosis/limits.ts'
import { tenantId } from '../../../../src/model/brand.ts'
import { knownLimits, type Limit } from '../../../../src/model/result/verdict.ts'
import { create } from '../../../support/databases/create-database.ts'
import { acceptingContext, bareFileContext } from '../../../support/differential/engines.ts'
import { readInProcess } from '../../../support/read-in-process.ts'

const folder = mkdtempSync(join(tmpdir(), 'accepted-limits-'))
afterAll(() => rmSync(folder, { recursive: true }))
const path = join(folder, 'made.db')
beforeEach(() => rmSync(path, { force: true }))

interface Case {
  readonly what: string
  readonly sql: string
  /** The known words in the schema, and the application's words that take their place. */
  readonly words: readonly [string, string]
  readonly object: string
  readonly limit: Limit
}

const rows = "INSERT INTO t(a) VALUES('x'), ('y'), ('z')"
const table = (rest: string): string => `CREATE TABLE t(a, n DEFAULT 1${rest}); ${rows}`

const cases: readonly Case[] = [
  {
    what: 'an index on an own function',
    sql: `${table('')}; CREATE INDEX i ON t(abs(a))`,
    words: ['abs(', 'own_fn('],
    object: 'i',
    limit: 'unknown-function',
  },
  {
    what: 'a partial index with an own function',
    sql: `${table('')}; CREATE INDEX i ON t(a) WHERE abs(a) > 0`,
    words: ['abs(', 'own_fn('],
    object: 'i',
    limit: 'unknown-function',
  },
  {
    what: 'a CHECK with an own function',
    sql: table(', CHECK(abs(a) >= 0)'),
    words: ['abs(', 'own_fn('],
    object: 't',
    limit: 'unknown-function',
  },
  {
    what: 'a virtual column with an own function',
    sql: table(', g TEXT AS (abs(a)) NOT NULL'),
    words: ['abs(', 'own_fn('],
    object: 't',
    limit: 'unknown-function',
  },
  {
    what: 'a virtual column and a CHECK with an own function',
    sql: table(', g TEXT AS (abs(a)) NOT NULL, CHECK(abs(a) >= 0)'),
    words: ['abs(', 'own_fn('],
    object: 't',
    limit: 'unknown-function',
  },
  {
    what: 'an index by an own order',
    sql: `${table('')}; CREATE INDEX i ON t(a COLLATE nocase)`,
    words: ['nocase', 'own_order'],
    object: 'i',
    limit: 'unknown-collation',
  },
  {
    what: 'a table by an own order',
    sql: `CREATE TABLE t(a COLLATE nocase PRIMARY KEY, n DEFAULT 1) WITHOUT ROWID; ${rows}`,
    words: ['nocase', 'own_order'],
    object: 't',
    limit: 'unknown-collation',
  },
  {
    what: 'a CHECK by an own order',
    sql: `CREATE TABLE t(a COLLATE nocase, n DEFAULT 1, CHECK(a <> '')); ${rows}`,
    words: ['nocase', 'own_order'],
    object: 't',
    limit: 'unknown-collation',
  },
  {
    what: 'vectors of sqlite-vec with their shadow tables',
    sql: `${table('')}; CREATE VIRTUAL TABLE vec_items USING fts5(embedding);
      CREATE TABLE vec_items_chunks(chunk_id INTEGER PRIMARY KEY, size INTEGER NOT NULL, validity BLOB NOT NULL);
      CREATE TABLE vec_items_rowids(rowid INTEGER PRIMARY KEY, id, chunk_id INTEGER, chunk_offset INTEGER);
      INSERT INTO vec_items_chunks VALUES(1, 8, x'ff'); INSERT INTO vec_items_rowids VALUES(1, NULL, 1, 0)`,
    words: ['fts5(embedding)', 'vec0(embedding float[4])'],
    object: 'vec_items',
    limit: 'unknown-module',
  },
  {
    what: 'a full-text index with an own tokenizer',
    sql: `${table('')}; CREATE VIRTUAL TABLE texts USING fts5(body, tokenize = porter); INSERT INTO texts VALUES('a')`,
    words: ['tokenize = porter', "tokenize = 'own de'"],
    object: 'texts',
    limit: 'unknown-tokenizer',
  },
  {
    what: 'a table that only a newer SQLite understands',
    sql: `${table('')}; CREATE TABLE later(a, b) STRICT; CREATE INDEX later_b ON later(b)`.replace(
      'later(a, b)',
      'later(a TEXT, b TEXT)',
    ),
    words: [') STRICT', ') COLUMNAR'],
    object: 'later',
    limit: 'newer-sqlite',
  },
]

type Edit = readonly [string, string]

/** Makes the file, and then replaces words in its schema. */
function make(sql: string, edits: readonly Edit[]): void {
  create(path, 1024, (db) => {
    db.exec(sql)
    replaceInSchema(db, edits)
  })
}

function replaceInSchema(db: Database.Database, edits: readonly Edit[]): void {
  db.unsafeMode(true)
  db.pragma('writable_schema=ON')
  for (const [from, to] of edits)
    expect(
      db.prepare('UPDATE sqlite_schema SET sql = replace(sql, ?, ?) WHERE instr(sql, ?)').run(from, to, from).changes,
    ).toBeGreaterThan(0)
}

async function judge(context: DiagnosisContext) {
  const reading = await readInProcess(path)
  return { ...diagnose(reading, context), skipped: skippedWithLimits(reading, context) }
}

const other =
  'CREATE TABLE other(v, w); CREATE INDEX other_w ON other(w) WHERE v > 1; INSERT INTO other VALUES(1, 1), (2, 2)'

describe.each(cases)('$what', ({ sql, words, object, limit }) => {
  test('is inconclusive, and sound where it is accepted', async () => {
    make(sql, [words])
    const refused = await judge(bareFileContext)
    expect(refused).toMatchObject({ verdict: { kind: 'inconclusive' }, findings: [] })
    expect(refused.skipped).toContainEqual({ object, why: expect.any(String) as string, limit })
    const accepted = await judge(acceptingContext(limit))
    expect(accepted).toMatchObject({ verdict: { kind: 'sound' }, findings: [] })
    const unnamed = limit === 'newer-sqlite' ? { acceptedUnnamed: true } : {}
    expect(accepted.skipped).toContainEqual({
      ...unnamed,
      object,
      why: expect.any(String) as string,
      limit,
      accepted: true,
    })
    expect(accepted.skipped.filter((part) => part.accepted !== true)).toEqual([])
  })

  test('stays inconclusive where other limits, other objects or other tenants are accepted', async () => {
    make(sql, [words])
    expect((await judge(acceptingContext(...knownLimits.filter((one) => one !== limit)))).verdict.kind).toBe(
      'inconclusive',
    )
    const narrowed = async (
      tenants: readonly string[] | null,
      objects: readonly string[] | null,
      tenant: string | null,
    ) =>
      judge({
        ...bareFileContext,
        tenant: tenant === null ? null : tenantId(tenant),
        accept: [{ limit, tenants, objects }],
      })
    expect((await narrowed(null, ['another*'], null)).verdict.kind).toBe('inconclusive')
    expect((await narrowed(['a*'], null, 'bolt')).verdict.kind).toBe('inconclusive')
    expect((await narrowed(['a*'], null, null)).verdict.kind).toBe('inconclusive')
    expect((await narrowed(['a*'], ['*'], 'acme')).verdict.kind).toBe('sound')
  })

  test('does not hide an index of another table that has lost entries', async () => {
    make(`${sql}; ${other}`, [words, [' WHERE v > 1', '']])
    const found = await judge(acceptingContext(...knownLimits))
    expect(found.verdict.kind).toBe('damaged')
    expect(found.findings.map((finding) => finding.object.name)).toContain('other_w')
  })

  test('does not hide a NULL that the table beside it forbids', async () => {
    make(
      sql.replace(
        "INSERT INTO t(a) VALUES('x')",
        "INSERT INTO t(a, n) VALUES('w', NULL); INSERT INTO t(a) VALUES('x')",
      ),
      [words, ['n DEFAULT 1', 'n NOT NULL DEFAULT 1']],
    )
    const found = await judge(acceptingContext(...knownLimits))
    expect(found.findings).toContainEqual(expect.objectContaining({ rule: 'null-in-not-null' }))
    expect(found.verdict.kind).toBe('damaged')
  })
})

test('a value of a wrong type in a STRICT table is found, although its CHECK needs an own function', async () => {
  make(`CREATE TABLE t(a INT, g TEXT AS (abs(a)), CHECK(abs(a) >= 0)); INSERT INTO t VALUES('no number'), (2)`, [
    ['abs(', 'own_fn('],
    [' >= 0))', ' >= 0)) STRICT'],
  ])
  const found = await judge(acceptingContext('unknown-function'))
  expect(found.findings).toContainEqual(
    expect.objectContaining({ rule: 'type-mismatch', severity: 'damage', rows: [1], total: 1 }),
  )
})

test('an index on a column that its table lacks is accepted by nobody, whatever SQLite wrote the file', async () => {
  make('CREATE TABLE t(a, b); CREATE INDEX t_b ON t(b); INSERT INTO t VALUES(1, 2)', [['ON t(b)', 'ON t(c)']])
  const bytes = readFileSync(path)
  bytes.writeUInt32BE(3_099_000, 96) // The version of the SQLite that wrote the file last.
  writeFileSync(path, bytes)
  const found = await judge(acceptingContext(...knownLimits))
  expect([found.verdict.kind, found.skipped.map(({ object, accepted }) => [object, accepted])]).toEqual([
    'inconclusive',
    [['t_b', undefined]],
  ])
})

test('a format that is not understood as a whole is accepted by nobody', async () => {
  make(table(''), [])
  const reading = await readInProcess(path)
  const why = 'its format is not understood: the schema has format 5'
  const unread = {
    ...reading,
    complete: false,
    coverage: { ...reading.coverage, skipped: [{ object: 'header', why }] },
  }
  expect(diagnose(unread, acceptingContext(...knownLimits)).verdict.kind).toBe('inconclusive')
  expect(skippedWithLimits(unread, acceptingContext(...knownLimits))).toEqual([
    { object: 'header', why, limit: 'newer-sqlite' },
  ])
})
