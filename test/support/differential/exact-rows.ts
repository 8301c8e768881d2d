/**
 * Index wounds for which SQL can list every row: what the index must hold, what it does hold, and the difference, which
 * the census must name.
 */
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { computedEntries, computationOf } from '../../../src/check/reader/sqlite/computed-entries.ts'
import { quoteName } from '../../../src/check/reader/sqlite/open-database.ts'
import type { Rule } from '../../../src/model/result/finding.ts'
import { readCell } from '../../../src/sqlite/cell.ts'
import type { ColumnValue } from '../../../src/sqlite/column-value.ts'
import { cellOffset } from '../../../src/sqlite/page.ts'
import { buildGenerated } from '../databases/build-generated.ts'
import { removeDatabase } from '../databases/create-database.ts'
import type { GeneratedDatabase } from '../databases/generated-database.ts'
import { dropCell, EditableDatabase } from '../databases/surgeon.ts'
import { integersFrom } from '../random.ts'
import { readInProcess } from '../read-in-process.ts'

interface Entry {
  readonly entry: string
  /** The key of the row that the finding names. */
  readonly key: string
}

/**
 * Wounds the index i0 of a generated database in one of two ways.
 * @returns how many rows differ; null if there is no such index @throws if the census names other rows
 */
export async function tryExactRows(folder: string, shape: GeneratedDatabase, seed: number): Promise<number | null> {
  const path = join(folder, 'exact.db')
  try {
    buildGenerated(path, shape)
    const db = new Database(path, { readonly: true })
    const has = db.prepare("SELECT count(*) FROM sqlite_schema WHERE name = 'i0'").pluck().get() === 1
    db.close()
    if (!has) return null
    let holds = entriesOf(path, shape, 'table')
    if (seed % 2 === 0) changeBehind(path, 'i0', seed)
    else {
      dropEntries(path, 'i0', seed)
      holds = entriesOf(path, shape, 'index')
    }
    return await expectDifference(path, holds, entriesOf(path, shape, 'table'))
  } finally {
    removeDatabase(path)
  }
}

async function expectDifference(path: string, holds: readonly Entry[], mustHold: readonly Entry[]): Promise<number> {
  const missing = less(mustHold, holds).map(({ key }) => key)
  const extra = less(holds, mustHold).map(({ key }) => key)
  const differ = extra.filter((key) => missing.includes(key))
  const expected = new Map<Rule, readonly string[]>([
    ['row-missing-from-index', missing.filter((key) => !differ.includes(key))],
    ['entry-without-row', extra.filter((key) => !differ.includes(key))],
    ['entry-differs-from-row', differ],
  ])
  const { facts } = await readInProcess(path)
  const findings = facts.flatMap((fact) => (fact.kind === 'found' ? [fact.finding] : []))
  const others = findings.filter(
    ({ rule, object }) => !(expected.has(rule) || rule === 'unique-violated') || object.name !== 'i0',
  )
  if (others.length > 0) throw new Error(`only index i0 differs, but: ${JSON.stringify(others)}`)
  for (const [rule, keys] of expected) {
    const found = findings.find((finding) => finding.rule === rule)
    if ((found?.total ?? 0) !== keys.length)
      throw new Error(`${rule}: ${found?.total ?? 0} instead of ${keys.length}: ${JSON.stringify(facts)}`)
    const rows = (found?.rows ?? []).map((row) => JSON.stringify(row)).toSorted()
    if (keys.length <= 20 && JSON.stringify(rows) !== JSON.stringify(keys.toSorted()))
      throw new Error(`${rule}: rows ${rows.join(' ')} instead of ${keys.toSorted().join(' ')}`)
  }
  // A rebuild shows whether a key is there twice.
  const said = findings.some(({ rule }) => rule === 'unique-violated')
  if (said === canRebuild(path)) throw new Error(`a rebuild ${said ? 'works' : 'fails'}: ${JSON.stringify(facts)}`)
  return missing.length + extra.length - differ.length
}

function canRebuild(path: string): boolean {
  const db = new Database(path)
  try {
    db.exec('REINDEX i0')
    return true
  } catch (error) {
    if (error instanceof Database.SqliteError && error.code === 'SQLITE_CONSTRAINT_UNIQUE') return false
    throw error
  } finally {
    db.close()
  }
}

/** The entries of i0 as SQLite computes them from the table, or as it reads them from the index itself. */
function entriesOf(path: string, shape: GeneratedDatabase, from: 'table' | 'index'): readonly Entry[] {
  const db = new Database(path, { readonly: true })
  try {
    const computing = computationOf(db, 'i0', 't')
    if (computing.kind === 'not-possible') throw new Error(computing.why)
    const query =
      from === 'table'
        ? computing
        : {
            ...computing,
            sql: computing.sql.replace(/NOT INDEXED|INDEXED BY "(?:[^"]|"")*"/, `INDEXED BY ${quoteName('i0')}`),
          }
    const { withoutRowid } = shape
    const parts = db.prepare<[], { cid: number }>("SELECT cid FROM pragma_index_xinfo('i0') ORDER BY seqno").all()
    const primary = db
      .prepare<[], { cid: number; key: number }>(
        "SELECT x.cid, x.key FROM pragma_index_list('t') l, " +
          "pragma_index_xinfo(l.name) x WHERE l.origin = 'pk' ORDER BY x.seqno",
      )
      .all()
    const identity = withoutRowid
      ? primary.filter(({ key }) => key === 1).map(({ cid }) => parts.findLastIndex((part) => part.cid === cid))
      : [parts.length - 1]
    const encoding = shape.encoding === 'UTF-8' ? 'utf-8' : shape.encoding
    return [...computedEntries(db, query)].map((values) => ({
      entry: JSON.stringify(values.map(show)),
      key: JSON.stringify(
        withoutRowid ? identity.map((i) => keyOf(values[i], encoding)) : keyOf(values[parts.length - 1], encoding),
      ),
    }))
  } finally {
    db.close()
  }
}

/** To SQLite a whole real equals the integer. */
function show(value: ColumnValue): string {
  if ('bytes' in value) return value.kind + Buffer.from(value.bytes).toString('hex')
  if (value.kind === 'real' && isWhole(value.value)) return `integer${BigInt(value.value)}`
  return value.kind === 'null' ? 'null' : `${value.kind}${value.value}`
}

const isWhole = (value: number): boolean => Number.isInteger(value) && value < 2 ** 63 && value >= -(2 ** 63)

function keyOf(value: ColumnValue | undefined, encoding: string): unknown {
  switch (value?.kind) {
    case 'integer':
      return Number.isSafeInteger(Number(value.value)) ? Number(value.value) : value.value.toString()
    // Reports print whole reals as the integers that they equal.
    case 'real':
      return isWhole(value.value) && !Number.isSafeInteger(value.value)
        ? BigInt(value.value).toString()
        : Object.is(value.value, -0)
          ? 0
          : value.value
    case 'text':
      return new TextDecoder(encoding).decode(value.bytes.subarray(0, 1024))
    case 'blob':
      return { blob: Buffer.from(value.bytes.subarray(0, 1024)).toString('hex') }
    default:
      return null
  }
}

/** Changes the table while SQLite does not know the index, which therefore keeps its old entries. */
function changeBehind(path: string, index: string, seed: number): void {
  const db = new Database(path)
  try {
    db.unsafeMode(true)
    db.pragma('writable_schema=ON')
    const row = db
      .prepare('SELECT type, name, tbl_name, rootpage, sql FROM sqlite_schema WHERE name = ?')
      .raw()
      .get(index) as unknown[]
    db.prepare('DELETE FROM sqlite_schema WHERE name = ?').run(index)
    db.pragma(`schema_version=${Number(db.pragma('schema_version', { simple: true })) + 1}`)
    const other = new Database(path)
    changeRows(other, seed)
    other.close()
    db.prepare('INSERT INTO sqlite_schema(type, name, tbl_name, rootpage, sql) VALUES(?,?,?,?,?)').run(...row)
  } finally {
    db.close()
  }
}

/** Adds, deletes and changes rows of t, except for what the constraints refuse. */
export function changeRows(db: Database.Database, seed: number): void {
  for (const statement of [
    `DELETE FROM t WHERE abs(coalesce(CAST(k AS INTEGER), 0) % 1000 + ${seed}) % 5 = 0`,
    `UPDATE t SET c0 = ${['NULL', '0', "'changed'", 'c0', "x'00'"][seed % 5]} WHERE ` +
      `abs(coalesce(CAST(k AS INTEGER), 0) % 1000 + ${seed}) % 3 = 1`,
    `INSERT INTO t(k, l, c0) VALUES(${seed + 5_000_000}, 1, 1), (${seed + 6_000_000}, 2, 1.0)`,
  ]) {
    try {
      db.exec(statement)
    } catch (error) {
      if (!(error instanceof Database.SqliteError)) throw error
    }
  }
}

/** Removes one entry from some leaves of an index; none with overflow pages, which would then belong to nothing. */
function dropEntries(path: string, index: string, seed: number): void {
  const random = integersFrom(seed)
  using database = new EditableDatabase(path)
  for (const page of database.pages(index)) {
    const bytes = database.read(page)
    const bTree = database.bTree(page)
    if (!bTree.leaf || bTree.cellCount < 2 || bytes.readUInt16BE(1) !== 0) continue
    const i = random(bTree.cellCount)
    const cell = readCell(bytes, cellOffset(bytes, bTree, i), bTree, database.layout)
    if (cell.kind === 'cell' && cell.overflow === 0) dropCell(database, page, i)
  }
}

/** `left` less `right`, as multisets. */
function less(left: readonly Entry[], right: readonly Entry[]): Entry[] {
  const counts = new Map<string, number>()
  for (const { entry } of right) counts.set(entry, (counts.get(entry) ?? 0) + 1)
  return left.filter(({ entry }) => {
    const count = counts.get(entry) ?? 0
    counts.set(entry, count - 1)
    return count <= 0
  })
}
