/** Rebuilding the three indexes of the reference database, beside REINDEX by the sqlite3 shell. */
import { execFile } from 'node:child_process'
import { copyFileSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { openChecker } from '../../../src/check/check.ts'
import type { DiagnosisContext } from '../../../src/diagnosis/context.ts'
import type { SnapshotPath } from '../../../src/model/brand.ts'
import { openRehearsals } from '../../../src/repair/rehearse/rehearse.ts'
import type { Workspace } from '../workspace.ts'
import { damagedIndexes } from './damage-indexes.ts'

const run = promisify(execFile)

export interface RebuildFigures {
  /** Milliseconds of each round: the mending alone, in a confined process, on a copy. */
  readonly mendMs: readonly number[]
  /** The whole rehearsal: copy, mend, full check, check by SQLite, comparison of all contents. */
  readonly rehearsalMs: readonly number[]
  /** `sqlite3 COPY 'REINDEX ...'`. */
  readonly shellMs: readonly number[]
}

const contextOf = (path: string): DiagnosisContext => ({
  tenant: null,
  path,
  serviceSqlite: null,
  fileSystem: null,
  links: 1,
  verifiedBackup: false,
  accept: [],
})

/** @param damaged closed, one plain file */
export async function measureRebuild(workspace: Workspace, damaged: string, rounds: number): Promise<RebuildFigures> {
  const folder = join(workspace.folder, 'rebuild')
  mkdirSync(folder, { mode: 0o700 })
  const figures = { mendMs: [] as number[], rehearsalMs: [] as number[], shellMs: [] as number[] }
  const limits = { timeoutMs: 3_600_000, memoryBytesMax: 2e9, niceness: 0 }
  await using checker = await openChecker({ folder, parallel: 2, engine: 'census', ...limits })
  const rehearsals = await openRehearsals({ checker, folder, limits })
  const path = damaged as SnapshotPath
  workspace.report('checking the damaged database')
  const reading = await checker.check(path, { depth: 'full', signal: workspace.signal })
  const settled = { path, kept: null, reading, context: contextOf(damaged) }
  for (let round = 1; round <= rounds && workspace.hasTime; round++) {
    workspace.report(`round ${round} of ${rounds}: the rehearsal of a rebuild`)
    const begun = new Map<string, number>()
    const startedAt = performance.now()
    const rehearsed = await rehearsals.rehearse(
      settled,
      { do: 'rebuild', indexes: damagedIndexes, fts: [] },
      workspace.signal,
      (step) => begun.set(step, performance.now()),
    )
    figures.rehearsalMs.push(performance.now() - startedAt)
    figures.mendMs.push((begun.get('check') ?? Number.NaN) - (begun.get('mend') ?? Number.NaN))
    if (rehearsed.kind !== 'sound') throw new Error(`the rebuild was refused: ${rehearsed.failure.message}`)
    await rehearsed.mended[Symbol.asyncDispose]()

    workspace.report(`round ${round} of ${rounds}: REINDEX by sqlite3`)
    const copy = join(folder, 'copy.db')
    copyFileSync(damaged, copy)
    const shellAt = performance.now()
    await run('sqlite3', [copy, damagedIndexes.map((name) => `REINDEX ${name}`).join(';')], {
      signal: workspace.signal,
    })
    figures.shellMs.push(performance.now() - shellAt)
    for (const part of ['', '-wal', '-shm']) rmSync(copy + part, { force: true })
  }
  rmSync(folder, { recursive: true, force: true })
  return figures
}
