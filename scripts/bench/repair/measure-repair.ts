/** What remedies cost on the reference database: rebuilding, pauses of changes, backups. */
import { execFile } from 'node:child_process'
import { copyFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Workspace } from '../workspace.ts'
import { damageIndexes } from './damage-indexes.ts'
import { measureBackups, type BackupFigures } from './measure-backups.ts'
import { measureRebuild, type RebuildFigures } from './measure-rebuild.ts'
import { measureSwaps, type SwapFigures } from './measure-swaps.ts'

export interface RepairBenchOptions {
  /** Rows of the largest table. */
  readonly rows: number
  readonly rounds: number
  /** Pauses in which the tenant is changed; an even number. */
  readonly changes: number
}

export interface RepairFigures {
  readonly bytes: number
  readonly rebuild: RebuildFigures
  readonly backups: BackupFigures
  readonly swaps: SwapFigures
}

const run = promisify(execFile)

export async function measureRepair(workspace: Workspace, options: RepairBenchOptions): Promise<RepairFigures> {
  const [sound, damaged] = ['reference.db', 'damaged.db'].map((name) => join(workspace.folder, name)) as [
    string,
    string,
  ]
  workspace.report(`making a database of ${options.rows} rows`)
  // A process of its own, so that the memory that filling takes is not ours.
  await run(process.execPath, [join(import.meta.dirname, '../reference.ts'), sound, String(options.rows)], {
    signal: workspace.signal,
  })
  copyFileSync(sound, damaged)
  damageIndexes(damaged)
  const rebuild = await measureRebuild(workspace, damaged, options.rounds)
  const backups = await measureBackups(workspace, sound, options.rounds)
  const swaps = await measureSwaps(workspace, damaged, options.changes)
  return { bytes: statSync(sound).size, rebuild, backups, swaps }
}
