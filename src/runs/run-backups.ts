/**
 * The verified backups of a run: sound snapshots are kept, beside the pipeline and at no extra pause. That a backup
 * cannot be kept or looked up is a notice of the run, and never changes a verdict.
 */

import PQueue from 'p-queue'
import type { KeptBackup } from '../backup/keep.ts'
import type { BackedUpFile } from '../backup/layout.ts'
import type { RotationRule } from '../backup/rotation.ts'
import { openBackups, type Backups } from '../backup/store.ts'
import { contentFormat } from '../census/content-format.ts'
import type { Settings } from '../config/settings.ts'
import { monotonicMs } from '../host/clock.ts'
import { realPathOf } from '../host/files/path-kind.ts'
import type { LastResult } from '../ledger/ledger.ts'
import type { SnapshotPath, TenantId } from '../model/brand.ts'
import type { BackupSurvey } from '../model/event.ts'
import { Failure } from '../model/failure.ts'
import type { Backup } from '../model/result/backup.ts'
import type { Result } from '../model/result/report.ts'
import { count } from '../text/count.ts'
import type { Target } from './begin/target.ts'

const surveyMsMax = 60_000

export interface RunBackups extends Disposable {
  /** Whether a verified backup of the file exists. Does not throw failures. */
  hasVerified(target: Target): Promise<boolean>
  /**
   * Keeps the snapshot of a hold if its check was full and sound, then rotates. The check has left one plain file of
   * it. One snapshot at a time; others wait. Does not throw failures.
   * @param result of the check, with the evidence of the hold
   */
  keep(target: Target, settled: SnapshotPath, result: Result, signal: AbortSignal): Promise<void>
  /**
   * How old the newest backups of these files are. Looks up only files of which this run kept none, for at most a
   * minute.
   * @param results the newest check of each file
   * @param run the id of this run
   */
  survey(results: readonly LastResult[], run: string): Promise<BackupSurvey>
}

export interface RunBackupsOptions {
  /** Absolute path of the store. */
  readonly dir: string
  /** null: nothing is kept in this run. */
  readonly keep: RotationRule | null
  /** Name of the service; null for bare files. */
  readonly service: string | null
  readonly version: string
  readonly onKept: (kind: 'stored' | 'confirmed', backup: Backup) => void
  /** Called with one sentence for each kind of failure, and at the end with how often it came again. */
  readonly onNotice: (notice: string) => void
}

/** @returns null if the store cannot be used at all; `onNotice` says why */
export function openRunBackups(options: RunBackupsOptions): RunBackups | null {
  try {
    return new BackupsOfRun(openBackups(options.dir), options)
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    options.onNotice(`no backup is kept in this run: ${error.message}; ${error.hint}`)
    return null
  }
}

/** What a run does with the backups of its service, where `backups.dir` is configured. */
export type BackupsOfService = Pick<RunBackupsOptions, 'onKept' | 'onNotice'> & {
  /** Whether sound snapshots become verified backups. */
  readonly keep: boolean
}

/** @returns null if no folder of backups is configured, or if the store cannot be used */
export function openBackupsOfService(
  { backups, service }: Pick<Settings, 'backups' | 'service'>,
  { version, backups: { keep, ...observer } }: { readonly version: string; readonly backups: BackupsOfService },
): RunBackups | null {
  if (backups === null) return null
  const { dir, keep: rule } = backups
  return openRunBackups({ dir, keep: keep ? rule : null, service: service.name, version, ...observer })
}

class BackupsOfRun implements RunBackups {
  readonly #backups: Backups
  readonly #options: RunBackupsOptions
  readonly #queue = new PQueue({ concurrency: 1 })
  /** Failures that were not reported one by one, by code. */
  readonly #repeated = new Map<string, number>()

  constructor(backups: Backups, options: RunBackupsOptions) {
    this.#backups = backups
    this.#options = options
  }

  async hasVerified(target: Target): Promise<boolean> {
    const newest = async () => this.#backups.newestVerified({ ...(await fileOf(target)), before: null })
    return (await this.#orNotice(newest(), 'the backups of', target)) !== null
  }

  async keep(target: Target, settled: SnapshotPath, result: Result, signal: AbortSignal): Promise<void> {
    const { keep, onKept } = this.#options
    if (keep === null || signal.aborted || !isWhollySound(result)) return
    await this.#queue.add(async () => {
      if (signal.aborted) return
      const work = this.#store(target, settled, result, signal)
      const kept = await this.#orNotice(work, 'no backup was kept of', target)
      if (kept === null) return
      onKept(kept.kind, kept.backup)
      await this.#orNotice(this.#backups.rotate(kept.backup, keep), 'no old backup was deleted of', target)
    })
  }

  async #store(target: Target, settled: SnapshotPath, result: Result, signal: AbortSignal): Promise<KeptBackup> {
    const about = {
      ...(await fileOf(target)),
      service: this.#options.service,
      origin: 'held' as const,
      takenAt: result.evidence.proofs[0]?.at ?? new Date().toISOString(),
      content: { format: contentFormat(), tables: result.content.tables },
      evidence: result.evidence,
      tool: { version: this.#options.version, sqlite: result.readBy?.sqlite ?? '' },
    }
    return this.#backups.keep(settled, about, signal)
  }

  async survey(results: readonly LastResult[], run: string): Promise<BackupSurvey> {
    const untilMs = monotonicMs() + surveyMsMax
    const keeps = this.#options.keep !== null && this.#repeated.size === 0
    let oldest: { readonly at: number; readonly tenant: TenantId } | null = null
    let missing = 0
    for (const result of results) {
      const { tenant, path, settled } = result
      if (monotonicMs() > untilMs) break
      const isFresh = keeps && result.run === run && settled?.run === run && settled.verdict === 'sound'
      const at = isFresh ? settled.at : await this.#newestAt({ tenant, named: path })
      if (at === null) missing += settled?.verdict === 'sound' ? 1 : 0
      else if (oldest === null || at < oldest.at) oldest = { at, tenant }
    }
    return { oldestAt: oldest?.at ?? null, tenant: oldest?.tenant ?? null, missing }
  }

  /** When the content of the newest verified backup was last seen on the live file, in ms since 1970. */
  async #newestAt(target: Target): Promise<number | null> {
    const newest = async () => this.#backups.newestVerified({ ...(await fileOf(target)), before: null })
    const found = await this.#orNotice(newest(), 'the backups of', target)
    return found === null ? null : Date.parse(found.confirmedAt ?? found.takenAt)
  }

  /** @returns null after a failure. An interruption is none: the run itself reports it. */
  async #orNotice<Value>(work: Promise<Value>, what: string, { tenant, named }: Target): Promise<Value | null> {
    try {
      return await work
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      if (error.code === 'INTERRUPTED') return null
      const before = this.#repeated.get(error.code)
      this.#repeated.set(error.code, before === undefined ? 0 : before + 1)
      if (before === undefined)
        this.#options.onNotice(`${what} ${tenant ?? named}: ${error.code}: ${error.message}; ${error.hint}`)
      return null
    }
  }

  [Symbol.dispose](): void {
    for (const [code, times] of this.#repeated)
      if (times > 0) this.#options.onNotice(`the same (${code}) for ${count(times, 'more file')}`)
    this.#repeated.clear()
  }
}

/** A bare file is known by its real path, whatever name leads to it. */
const fileOf = async ({ tenant, named }: Target): Promise<BackedUpFile> => ({
  tenant,
  path: tenant === null ? ((await realPathOf(named)) ?? named) : named,
})

/** A full check by both engines, sound with all that the hold had to prove. */
const isWhollySound = ({ verdict, depth, readBy, failure }: Result): boolean =>
  verdict === 'sound' && depth === 'full' && readBy?.engine === 'census' && failure === undefined
