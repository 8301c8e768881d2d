/** Random histories: a backup at some time, more changes, then lost pages. The test keeps its own model of all rows. */
import { array, assert, boolean, constantFrom, integer, property, record, tuple, type Arbitrary } from 'fast-check'
import { expect, it } from 'vitest'
import type { ConflictRule } from '../../../src/model/result/account.ts'
import { MergeFixture } from '../../support/merge/merge-fixture.ts'
import { exactRows, checkOfResult, mergeInProcess } from '../../support/merge/merge-in-process.ts'

const idMax = 9
const id = integer({ min: 1, max: idMax })
/** SQL, because a value must have its own type. `u` is UNIQUE. */
const u = constantFrom('NULL', '1', "'1'", '1.5', "x'31'", "'a'", '9007199254740993')
const v = constantFrom(
  'NULL',
  '0',
  '0.0',
  "'0'",
  '0.5',
  "x'00'",
  "''",
  "'text'",
  '-9223372036854775808',
  "'a' || char(0)",
)
/** `move`: another row gets the value of `u`. */
const change = record({
  do: constantFrom('put' as const, 'delete' as const, 'move' as const, 'move' as const),
  id,
  to: id,
  u,
  v,
})
type RowEdit = typeof change extends Arbitrary<infer Value> ? Value : never

const range = tuple(id, integer({ min: 0, max: 2 })).map(([low, more]) => [low, low + more] as const)
const history = record({
  before: array(change, { maxLength: 4 }),
  after: array(change, { maxLength: 8 }),
  ranges: array(range, { maxLength: 2 }),
  /** Rows that cannot be read though their page can. */
  cells: array(id, { maxLength: 2 }),
  indexed: boolean(),
  complete: boolean(),
  doubted: array(id, { maxLength: 6 }),
  prefer: constantFrom<ConflictRule>('newer', 'backup'),
  keyed: boolean(),
  pragma: constantFrom('', "PRAGMA encoding='UTF-16le'", 'PRAGMA page_size=512', 'PRAGMA auto_vacuum=1'),
})

const sqlOf = (changes: readonly RowEdit[]): string =>
  changes
    .map((one) => {
      switch (one.do) {
        case 'put':
          return `INSERT OR IGNORE INTO t(id, u, v) VALUES(${one.id}, ${one.u}, ${one.v});
            UPDATE OR IGNORE t SET u = ${one.u}, v = ${one.v} WHERE id = ${one.id};`
        case 'delete':
          return `DELETE FROM t WHERE id = ${one.id};`
        case 'move':
          return `CREATE TEMP TABLE moved AS SELECT u FROM t WHERE id = ${one.id};
            UPDATE t SET u = NULL WHERE id = ${one.id};
            UPDATE OR IGNORE t SET u = (SELECT u FROM moved) WHERE id = ${one.to}; DROP TABLE moved;`
      }
    })
    .join('\n')

type Rows = ReadonlyMap<string, string>
const uniqueOf = (row: string): string | null => {
  const [, value = ''] = row.split('|')
  return value.startsWith('null') ? null : value
}

/** What must come out, from the rows of the backup and of the live file before it was damaged. */
function expectedOf(
  backup: Rows,
  live: Rows,
  { ranges, cells, indexed, complete, doubted, prefer }: typeof history extends Arbitrary<infer Value> ? Value : never,
) {
  const isLost = (key: string): boolean => ranges.some(([low, high]) => Number(key) >= low && Number(key) <= high)
  const isBroken = (key: string): boolean => cells.includes(Number(key))
  const newer = new Map([...live].filter(([key]) => !isLost(key) && !isBroken(key)))
  const known = [...live.keys()].filter((key) => isBroken(key) || (indexed && isLost(key)))
  const result = new Map<string, string>()
  const kinds = { added: [] as string[], conflicting: [] as string[], deleted: [] as string[], leftOut: [] as string[] }
  const older = new Map<string, string>()
  for (const [key, row] of backup) {
    const now = newer.get(key)
    if (now === undefined) {
      const returns = known.includes(key) || (isLost(key) && !(indexed && complete))
      if (returns) older.set(key, row)
      else kinds.deleted.push(key)
    } else if (now !== row || doubted.includes(Number(key))) {
      kinds.conflicting.push(key)
      if (prefer === 'backup' || doubted.includes(Number(key))) older.set(key, row)
    } else result.set(key, row)
  }
  const clashes = (row: string, with_: Rows): string | undefined =>
    uniqueOf(row) === null ? undefined : [...with_].find(([, other]) => uniqueOf(other) === uniqueOf(row))?.[0]
  if (prefer === 'newer') {
    for (const [key, row] of newer) if (!older.has(key)) result.set(key, row)
    // A doubted row whose older version clashes gets its newer one, which may displace others.
    for (let changed = true; changed;) {
      changed = false
      for (const [key, row] of older) {
        if (clashes(row, result) === undefined) continue
        older.delete(key)
        const now = newer.get(key)
        if (now === undefined) kinds.leftOut.push(key)
        else result.set(key, now)
        changed = true
      }
    }
    for (const [key, row] of older) result.set(key, row)
  } else {
    for (const [key, row] of older) result.set(key, row)
    for (const [key, row] of newer) {
      if (backup.has(key)) continue
      const inBackup = new Map([...result].filter(([other]) => backup.has(other)))
      if (clashes(row, inBackup) === undefined) result.set(key, row)
      else kinds.leftOut.push(key)
    }
  }
  for (const key of newer.keys()) if (!backup.has(key) && !kinds.leftOut.includes(key)) kinds.added.push(key)
  return {
    result,
    added: kinds.added,
    conflicting: [...kinds.conflicting, ...kinds.leftOut],
    deleted: kinds.deleted,
    leftOut: kinds.leftOut,
    unreadable: known.filter((key) => !backup.has(key)),
    union: new Set([...backup.keys(), ...newer.keys(), ...known]).size,
  }
}

const sorted = (keys: Iterable<unknown>): readonly string[] =>
  [...keys].map((key) => String(Array.isArray(key) ? key[0] : key)).toSorted((a, b) => Number(a) - Number(b))

it('gives what the model of the test expects, after any history and any loss', () => {
  assert(
    property(history, (one) => {
      const key = one.keyed ? 'INT PRIMARY KEY' : 'INTEGER PRIMARY KEY'
      const create = `CREATE TABLE t(id ${key}, u UNIQUE, v)${one.keyed ? ' WITHOUT ROWID' : ''};
        CREATE INDEX t_v ON t(v);
        INSERT INTO t SELECT value, 'own ' || value, 0 FROM series WHERE value <= ${idMax};`
      const isRead = (at: number): boolean =>
        !one.cells.includes(at) && !one.ranges.some(([low, high]) => at >= low && at <= high)
      const doubted = one.doubted.filter(isRead)
      const lost = {
        table: 't',
        ...(one.keyed
          ? { keys: one.ranges.map(([low, high]) => [low - 1, high + 1] as const) }
          : { rowids: one.ranges }),
        cells: `id IN (${one.cells.join(', ')})`,
        indexed: one.indexed,
        complete: one.indexed && one.complete,
        doubted: `id IN (${doubted.join(', ')})`,
      }
      using files = new MergeFixture(create + sqlOf(one.before), sqlOf(one.after), [lost], one.pragma)
      const merged = mergeInProcess(files.backup, files.salvaged, files.result, { prefer: one.prefer }).tables.get('t')
      const rows = (path: string): Rows => exactRows(path, 't', 'id')
      const expected = expectedOf(rows(files.backup), rows(files.live), one)
      expect(sorted(rows(files.result).keys())).toEqual(sorted(expected.result.keys()))
      for (const [at, row] of rows(files.result)) expect(row).toBe(expected.result.get(at))
      for (const kind of ['added', 'conflicting', 'deleted', 'unreadable', 'leftOut'] as const)
        expect([kind, sorted(merged?.keys[kind] ?? [])]).toEqual([kind, sorted(expected[kind])])
      expect(merged?.totals.union).toBe(expected.union)
      expect(checkOfResult(files.result)).toBe('ok')
    }),
    { numRuns: Number(process.env['HOLDFAST_RUNS'] ?? 60) },
  )
})
