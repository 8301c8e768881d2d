import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import * as fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import type { ColumnValue } from '../../src/census/column-value.ts'
import { computedEntries, computingOf } from '../../src/check/computed-entries.ts'
import { readHeader } from '../../src/sqlite/header.ts'
import { askInProcess, damage } from '../support/fuzz.ts'
import { recipes, removeDatabase } from '../support/databases.ts'
import { Patient } from '../support/surgeon.ts'
import { createPatient, wounds } from '../support/wounds.ts'
import { build, generated } from './generated.ts'
import { census } from './support.ts'

const folder = mkdtempSync(join(tmpdir(), 'census-'))
afterAll(() => rmSync(folder, { recursive: true }))
let made = 0
const fresh = (): string => join(folder, `${++made}.db`)
const cases = Number(process.env['CASES'] ?? 50)

/** What the index must hold now, as SQLite computes it: each entry as text, and the row it names. */
function entriesOf(path: string, index: string): readonly { readonly entry: string; readonly key: string }[] {
  const db = new Database(path, { readonly: true })
  try {
    const computing = computingOf(db, index, 't')
    if (computing.kind === 'not-possible') throw new Error(computing.why)
    const wr = db.prepare("SELECT wr FROM pragma_table_list WHERE name = 't'").pluck().get() === 1
    const parts = db.prepare<[string], { cid: number }>('SELECT cid FROM pragma_index_xinfo(?) ORDER BY seqno').all(index)
    const primary = db.prepare<[], { cid: number; key: number }>("SELECT x.cid, x.key FROM pragma_index_list('t') l, pragma_index_xinfo(l.name) x WHERE l.origin = 'pk' ORDER BY x.seqno").all()
    const identity = wr ? primary.filter(({ key }) => key === 1).map(({ cid }) => parts.findLastIndex((part) => part.cid === cid)) : [parts.length - 1]
    return [...computedEntries(db, computing)].map((values) => {
      const shown = values.map(show)
      return { entry: JSON.stringify(shown), key: JSON.stringify(wr ? identity.map((i) => keyOf(values[i])) : keyOf(values[parts.length - 1])) }
    })
  } finally {
    db.close()
  }
}

/** A whole real is the same to SQLite as the integer. */
function show(value: ColumnValue): string {
  if ('bytes' in value) return value.kind + Buffer.from(value.bytes).toString('hex')
  if (value.kind === 'real' && Number.isInteger(value.value) && value.value < 2 ** 63 && value.value >= -(2 ** 63)) return `integer${BigInt(value.value)}`
  return value.kind === 'null' ? 'null' : `${value.kind}${value.value}`
}

let encoding = 'utf-8'
function keyOf(value: ColumnValue | undefined): unknown {
  switch (value?.kind) {
    case 'integer': return Number.isSafeInteger(Number(value.value)) ? Number(value.value) : value.value.toString()
    // Whole reals are told as the integers that they equal.
    case 'real': return Number.isInteger(value.value) && value.value < 2 ** 63 && value.value >= -(2 ** 63) && !Number.isSafeInteger(value.value) ? BigInt(value.value).toString() : Object.is(value.value, -0) ? 0 : value.value
    case 'text': return new TextDecoder(encoding).decode(value.bytes.subarray(0, 1024))
    case 'blob': return { blob: Buffer.from(value.bytes.subarray(0, 1024)).toString('hex') }
    default: return null
  }
}

/** Changes the table while SQLite does not know of the index, which so keeps its old entries. */
function changeBehind(path: string, index: string, seed: number): void {
  const db = new Database(path)
  try {
    db.unsafeMode(true)
    db.pragma('writable_schema=ON')
    const row = db.prepare('SELECT type, name, tbl_name, rootpage, sql FROM sqlite_schema WHERE name = ?').raw().get(index) as unknown[]
    db.prepare('DELETE FROM sqlite_schema WHERE name = ?').run(index)
    db.pragma(`schema_version=${Number(db.pragma('schema_version', { simple: true })) + 1}`)
    const other = new Database(path)
    for (const statement of [
      `DELETE FROM t WHERE abs(coalesce(CAST(k AS INTEGER), 0) % 1000 + ${seed}) % 5 = 0`,
      `UPDATE t SET c0 = ${['NULL', '0', "'changed'", 'c0', "x'00'"][seed % 5]} WHERE abs(coalesce(CAST(k AS INTEGER), 0) % 1000 + ${seed}) % 3 = 1`,
      `INSERT INTO t(k, l, c0) VALUES(${seed + 5_000_000}, 1, 1), (${seed + 6_000_000}, 2, 1.0)`,
    ]) {
      try {
        other.exec(statement)
      } catch (error) {
        if (!(error instanceof Database.SqliteError)) throw error
      }
    }
    other.close()
    db.prepare('INSERT INTO sqlite_schema(type, name, tbl_name, rootpage, sql) VALUES(?,?,?,?,?)').run(...row)
  } finally {
    db.close()
  }
}

/** `left` less `right`, as multisets. */
function less<T extends { readonly entry: string }>(left: readonly T[], right: readonly T[]): T[] {
  const counts = new Map<string, number>()
  for (const { entry } of right) counts.set(entry, (counts.get(entry) ?? 0) + 1)
  return left.filter(({ entry }) => {
    const count = counts.get(entry) ?? 0
    counts.set(entry, count - 1)
    return count <= 0
  })
}

test(`an index that missed changes is told of to the row (${cases} generated databases)`, () => {
  let differing = 0
  fc.assert(fc.property(generated, fc.nat({ max: 30 }), (shape, seed) => {
    const path = fresh()
    build(path, shape)
    encoding = shape.encoding === 'UTF-8' ? 'utf-8' : shape.encoding
    const db = new Database(path, { readonly: true })
    const has = db.prepare("SELECT count(*) FROM sqlite_schema WHERE name = 'i0'").pluck().get() === 1
    const said = db.pragma('integrity_check', { simple: true })
    db.close()
    fc.pre(has && said === 'ok')
    const holds = entriesOf(path, 'i0')
    changeBehind(path, 'i0', seed)
    const mustHold = entriesOf(path, 'i0')
    const missing = less(mustHold, holds).map(({ key }) => key)
    const extra = less(holds, mustHold).map(({ key }) => key)
    const differ = extra.filter((key) => missing.includes(key))
    const expected = {
      'row-missing-from-index': missing.filter((key) => !differ.includes(key)),
      'entry-without-row': extra.filter((key) => !differ.includes(key)),
      'entry-differs-from-row': differ,
    }
    const { findings, accounting, thrown } = census(path)
    expect({ accounting, thrown }).toEqual({ accounting: [], thrown: null })
    expect(findings.filter(({ rule }) => !(rule in expected)), 'nothing but differences').toEqual([])
    expect(findings.every(({ object }) => object.name === 'i0')).toBe(true)
    for (const [rule, keys] of Object.entries(expected)) {
      const found = findings.find((finding) => finding.rule === rule)
      expect(found?.total ?? 0, rule).toBe(keys.length)
      if (keys.length <= 20) expect((found?.rows ?? []).map((row) => JSON.stringify(row)).toSorted(), rule).toEqual(keys.toSorted())
      differing += keys.length
    }
    removeDatabase(path)
  }), { numRuns: cases, interruptAfterTimeLimit: 45_000 })
  expect(differing, 'or the test shows nothing').toBeGreaterThan(cases)
})

/** Lines that are not the census's matter: what virtual tables say, what an application may have written, and how a page uses its free space (`quick_check` says both). */
const notOurs = /^(?:fts5: |malformed inverted index|In RTree|Node |Mapping |NULL value|NUMERIC value|TEXT value|non-\w+ value|CHECK constraint)|Multiple uses for byte|Fragmentation of|free space corruption|missing rowid/

function mustComplain(path: string): { readonly sqlite: readonly string[]; readonly ours: number; readonly said: readonly string[] } {
  const said = askInProcess(path)
  // Where SQLite gives a page up for its free space, it calls all that the page points to unused, and counts none of its entries.
  const givenUp = said.lines.some((line) => line.includes('free space corruption'))
  const lines = [...said.lines.filter((line) => !notOurs.test(line) && !(givenUp && /never used|wrong # of entries/.test(line))), ...(said.thrown === null ? [] : [said.thrown])]
  const { accounting, findings, thrown, skipped } = census(path)
  // What the header says is looked at before anything else (check/look).
  const header = readHeader(readFileSync(path).subarray(0, 100)).kind === 'header' ? 0 : 1
  return { sqlite: lines, ours: header + accounting.length + findings.length + skipped.length + (thrown === null ? 0 : 1), said: [...accounting, ...findings].map(({ text }) => text) }
}

test(`where SQLite complains of random damage to generated databases, so do we (${cases} of them)`, () => {
  let complained = 0
  fc.assert(fc.property(generated, fc.nat(), (shape, seed) => {
    const healthy = fresh()
    const path = fresh()
    build(healthy, shape)
    const done = damage(healthy, path, seed)
    const { sqlite, ours, said } = mustComplain(path)
    if (sqlite.length > 0) complained++
    if (sqlite.length > 0) expect(ours, `${done}: ${sqlite.slice(0, 3).join(' | ')} but ${said.join(' | ')}`).toBeGreaterThan(0)
    removeDatabase(healthy)
    removeDatabase(path)
  }), { numRuns: cases * 2, interruptAfterTimeLimit: 45_000 })
  expect(complained, 'or the test shows nothing').toBeGreaterThan(cases / 4)
})

test(`where SQLite complains of random damage to any kind of database, so do we (${cases} times)`, () => {
  const healthy = recipes.map((recipe, i) => {
    const path = fresh()
    recipe.build(path, i % 2 === 0 ? 512 : 1024)
    return path
  })
  for (let seed = 1; seed <= cases; seed++) {
    const path = fresh()
    const from = healthy[seed % healthy.length] ?? ''
    copyFileSync(from, path)
    const done = damage(from, path, seed * 7919 + Number(process.env['SEED'] ?? 0))
    const recipe = recipes[seed % healthy.length]
    const { sqlite: all, ours } = mustComplain(path)
    // A virtual table that fails over its own content says no more than this.
    const sqlite = /fts|r-tree/.test(recipe?.name ?? '') ? all.filter((line) => line !== 'database disk image is malformed') : all
    if (sqlite.length > 0) expect(ours, `${recipe?.name}, seed ${seed}, ${done}: ${sqlite.slice(0, 3).join(' | ')}`).toBeGreaterThan(0)
    removeDatabase(path)
  }
})

test.each([false, true])('every wound of the surgeon that SQLite sees is seen (auto-vacuum: %s)', (autoVacuum) => {
  for (const wound of wounds) {
    if (wound.only === 'auto-vacuum' && !autoVacuum) continue
    const path = fresh()
    createPatient(path, 1024, autoVacuum)
    {
      using patient = new Patient(path)
      wound.make(patient)
    }
    const { sqlite, ours } = mustComplain(path)
    if (sqlite.length > 0) expect(ours, `${wound.name}: ${sqlite[0]}`).toBeGreaterThan(0)
    removeDatabase(path)
  }
})
