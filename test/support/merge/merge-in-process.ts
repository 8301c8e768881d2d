/** A merge without a child process, and its account in memory: for small databases by the hundred. */
import { copyFileSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { accountedKinds } from '../../../src/model/result/account.ts'
import type { AccountedKind, ConflictRule } from '../../../src/model/result/account.ts'
import type { RowKey } from '../../../src/model/result/finding.ts'
import type { TableLoss } from '../../../src/model/result/remedy.ts'
import type { TableTotals } from '../../../src/repair/account/open-table.ts'
import { Merger } from '../../../src/repair/merge/child/merger.ts'
import { mergeFiles } from '../../../src/repair/merge/protocol.ts'
import type { UnmergedTable } from '../../../src/repair/merge/unmerged-table.ts'

interface MergedTableInTest {
  readonly totals: TableTotals
  readonly loss: TableLoss | null
  readonly keys: Readonly<Record<AccountedKind, readonly RowKey[]>>
  readonly pages: readonly number[]
}

export interface MergedInTest {
  readonly tables: ReadonlyMap<string, MergedTableInTest>
  readonly unmerged: readonly UnmergedTable[]
}

interface MergeInTest {
  readonly prefer?: ConflictRule
  readonly schemaIsWhole?: boolean
}

/** @param salvaged its facts are beside it, `-facts` */
export function mergeInProcess(backup: string, salvaged: string, to: string, options: MergeInTest = {}): MergedInTest {
  const folder = mkdtempSync(`${to}-sandbox-`)
  try {
    mkdirSync(folder, { recursive: true })
    copyFileSync(backup, join(folder, mergeFiles.result))
    copyFileSync(salvaged, join(folder, mergeFiles.newer))
    copyFileSync(`${salvaged}-facts`, join(folder, mergeFiles.facts))
    const { prefer = 'newer', schemaIsWhole = true } = options
    const merger = new Merger(folder, { prefer, schemaIsWhole })
    const places = merger.names.map((_, i) => i)
    for (const at of places) merger.compare(at)
    for (const at of places) merger.write(at)
    const unmerged = merger.complete()
    const tables = new Map(
      places.map((at) => [
        merger.names[at] ?? '',
        {
          ...merger.totals(at),
          keys: Object.fromEntries(accountedKinds.map((kind) => [kind, allKeys(merger, at, kind)])),
        },
      ]),
    )
    merger.close()
    renameSync(join(folder, mergeFiles.result), to)
    return { tables: tables as unknown as MergedInTest['tables'], unmerged }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function allKeys(merger: Merger, table: number, kind: AccountedKind): readonly RowKey[] {
  const keys: RowKey[] = []
  for (;;) {
    const batch = merger.keys(table, kind)
    keys.push(...batch.keys)
    if (batch.isLast) return keys
  }
}

/** Every value of every row, with its type and its exact bytes, by key. Generated columns are left out. */
export function exactRows(path: string, table: string, key = 'rowid'): ReadonlyMap<string, string> {
  const db = new Database(path, { readonly: true })
  try {
    const columns = db
      .prepare<[string], string>('SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 0')
      .pluck()
      .all(table)
      .map((name) => `"${name}"`)
    const exact = columns.map((one) => `typeof(${one}) || ':' || coalesce(hex(CAST(${one} AS BLOB)), '')`)
    const rows = db
      .prepare<[], readonly [unknown, string]>(
        `SELECT ${key}, ${exact.join(" || '|' || ")} FROM "${table}" ORDER BY ${key}`,
      )
      .raw()
      .safeIntegers()
      .all()
    return new Map(rows.map(([id, text]) => [String(id), text]))
  } finally {
    db.close()
  }
}

export function checkOfResult(path: string): unknown {
  const db = new Database(path, { readonly: true })
  try {
    return db.pragma('integrity_check', { simple: true })
  } finally {
    db.close()
  }
}
