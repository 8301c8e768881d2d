/** A backup of the reference database, beside `.backup` of the sqlite3 shell and `zstd -3`. */
import { execFile } from 'node:child_process'
import { globSync, mkdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { SoundFile } from '../../../src/backup/manifest.ts'
import { openBackups } from '../../../src/backup/store.ts'
import type { SnapshotPath } from '../../../src/model/brand.ts'
import type { Workspace } from '../workspace.ts'
import { runHoldfastJson } from './holdfast-json.ts'

const run = promisify(execFile)

export interface BackupFigures {
  readonly bytes: number
  /** `holdfast backups add FILE`: hold, full check, and keeping. */
  readonly addMs: readonly number[]
  /** Keeping alone: compressed, synced, read back, compared. */
  readonly keepMs: readonly number[]
  readonly storedBytes: number
  /** `.backup`, then `zstd -3`. */
  readonly shellMs: readonly number[]
  readonly shellBytes: number
}

/** @param file sound and closed */
export async function measureBackups(workspace: Workspace, file: string, rounds: number): Promise<BackupFigures> {
  const folder = join(workspace.folder, 'backups')
  mkdirSync(folder, { mode: 0o700 })
  const times = { addMs: [] as number[], keepMs: [] as number[], shellMs: [] as number[] }
  const sizes = { storedBytes: 0, shellBytes: 0 }
  const about = await aboutFile(workspace, file)
  for (let round = 1; round <= rounds && workspace.hasTime; round++) {
    const store = join(folder, 'store')
    workspace.report(`round ${round} of ${rounds}: holdfast backups add`)
    times.addMs.push((await runHoldfastJson(workspace, ['backups', 'add', file, '--backups', store])).ms)
    sizes.storedBytes = globSync('**/*.zst', { cwd: store }).reduce(
      (sum, name) => sum + statSync(join(store, name)).size,
      0,
    )
    rmSync(store, { recursive: true })

    workspace.report(`round ${round} of ${rounds}: keeping alone`)
    mkdirSync(store, { mode: 0o700 })
    const keptAt = performance.now()
    await openBackups(store).keep(file as SnapshotPath, about, workspace.signal)
    times.keepMs.push(performance.now() - keptAt)
    rmSync(store, { recursive: true })

    workspace.report(`round ${round} of ${rounds}: .backup and zstd -3`)
    const copy = join(folder, 'copy.db')
    const shellAt = performance.now()
    await run('sqlite3', [file, `.backup '${copy}'`], { signal: workspace.signal })
    await run('zstd', ['-3', '-q', '-f', copy, '-o', `${copy}.zst`], { signal: workspace.signal })
    times.shellMs.push(performance.now() - shellAt)
    sizes.shellBytes = statSync(`${copy}.zst`).size
    for (const name of [copy, `${copy}.zst`]) rmSync(name)
  }
  rmSync(folder, { recursive: true })
  return { bytes: statSync(file).size, ...times, ...sizes }
}

/** What `keep` must know of a file, from a report about it. */
async function aboutFile(workspace: Workspace, file: string): Promise<SoundFile> {
  const { results } = await runHoldfastJson(workspace, ['check', '--snapshot', file])
  const [result] = results as unknown as readonly Pick<SoundFile, 'content' | 'evidence'>[]
  if (!result) throw new Error(`${file}: no result`)
  const { content, evidence } = result
  return {
    tenant: null,
    path: file,
    service: null,
    origin: 'holdfast' as SoundFile['origin'],
    takenAt: new Date().toISOString(),
    content,
    evidence,
    tool: { version: '0', sqlite: '0' },
  }
}
