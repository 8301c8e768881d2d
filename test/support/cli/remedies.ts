/** What tests of remedies share: the one document of a command, and files that are damaged in one place. */
import { readFileSync, writeFileSync } from 'node:fs'
import Database from 'better-sqlite3'
import { expect } from 'vitest'
import type { RemedyReport, RemedyResult } from '../../../src/model/result/remedy.ts'
import { damageIndex, makeDatabase } from './folder.ts'
import { holdfast } from './program.ts'

/** The document of a command with `--json`; its exit code is that of the process. */
export async function remedyOf(...args: readonly string[]): Promise<RemedyReport> {
  const { stdout, stderr, code } = await holdfast([...args, '--json'])
  expect(stdout, stderr).toMatch(/^\{[^]*\}\n$/)
  const document = JSON.parse(stdout) as RemedyReport
  expect(document.summary.exitCode).toBe(code)
  return document
}

export function onlyRemedy({ results }: RemedyReport): RemedyResult {
  const [result, ...others] = results
  if (result === undefined || others.length > 0) throw new Error(`${results.length} results`)
  return result
}

export function inDatabase<Value>(path: string, work: (database: Database.Database) => Value): Value {
  const database = new Database(path)
  try {
    return work(database)
  } finally {
    database.close()
  }
}

export const integrityOf = (path: string): unknown =>
  inDatabase(path, (database) => database.pragma('integrity_check', { simple: true }))

/** A database whose index lacks half of its entries. */
export function makeDamaged(path: string): string {
  makeDatabase(path)
  damageIndex(path)
  return path
}

/** Zeroes the third leaf of the table: its rows are gone. */
export function zeroTableLeaf(path: string): void {
  const page = inDatabase(path, (database) =>
    database
      .prepare("SELECT pageno FROM dbstat WHERE name = 'notes' AND pagetype = 'leaf' ORDER BY pageno LIMIT 1 OFFSET 2")
      .pluck()
      .get(),
  ) as number
  const bytes = readFileSync(path)
  bytes.fill(0, (page - 1) * 4096, page * 4096)
  writeFileSync(path, bytes)
}
