/** `backups add`: tenants and bare files are held and checked as by `check`, and what is sound is kept. */
import { defaultBackupMaxAgeMs } from '../../config/defaults.ts'
import { findConfiguration, loadSettings } from '../../config/load.ts'
import type { Settings } from '../../config/settings.ts'
import { isThere, realPathOf } from '../../host/files/path-kind.ts'
import { newRunId } from '../../ledger/run-lock/run-id.ts'
import { tenantId } from '../../model/brand.ts'
import { exitCodes } from '../../model/exit-code.ts'
import { Failure } from '../../model/failure.ts'
import { exitCodeOfResult } from '../../model/failures/exit-of-failure.ts'
import type { Backup } from '../../model/result/backup.ts'
import type { Result } from '../../model/result/report.ts'
import { withFileRun } from '../../runs/begin/file-run.ts'
import { besideLockedFile, limitsFor } from '../../runs/begin/run-limits.ts'
import { withServiceRun } from '../../runs/begin/service-run.ts'
import type { Target } from '../../runs/begin/target.ts'
import { runPipeline, type RunTotals } from '../../runs/pipeline.ts'
import { openRunBackups, type RunBackupsOptions } from '../../runs/run-backups.ts'
import { sweep, type SweepObserver } from '../../runs/sweep.ts'
import { databasesOf } from '../database-files.ts'
import type { CommonOptions } from '../options.ts'
import { showProgress } from '../progress/progress.ts'
import type { BackupsDocument } from '../report-run/backups-document.ts'
import { ResultsDocument } from '../report-run/results-document.ts'
import { fileRunOptions } from '../run/file-run-options.ts'
import { withRecordedEnd } from '../run/record-end.ts'
import { serviceRunOptions } from '../run/service-run-options.ts'
import type { WaitOptions } from '../run/wait-option.ts'
import type { Terminal } from '../terminal/terminal.ts'
import type { OpenedStore } from './open-store.ts'

type AddOptions = CommonOptions & WaitOptions & { readonly snapshots?: string }

interface AddRun {
  readonly store: OpenedStore
  readonly options: AddOptions
  readonly terminal: Terminal
  readonly document: BackupsDocument
}

/**
 * @param words tenants, or files: those with a slash, and names of existing files
 * @throws {Failure} what stopped the run
 */
export async function addBackupsOf(words: readonly string[], run: AddRun): Promise<void> {
  const files: string[] = []
  const tenants: string[] = []
  for (const word of words) (word.includes('/') || (await isThere(word)) ? files : tenants).push(word)
  if (tenants.length > 0) await addTenants(tenants, run)
  if (files.length > 0) await addFiles(files, run)
}

async function addTenants(ids: readonly string[], run: AddRun): Promise<void> {
  const { store, options, terminal } = run
  const settings = store.settings ?? (await settingsFor(ids, options.config ?? null))
  const { folder } = store.backups
  const backups = { fetch: null, maxAgeMs: defaultBackupMaxAgeMs, ...settings.backups, dir: folder, keep: store.keep }
  const collector = new Collector(run, new Map())
  await collector.collect(async (results, watching) => {
    const runOptions = {
      ...serviceRunOptions(terminal, options, results.id, 'check'),
      backups: { keep: true, onKept: collector.onKept, onNotice: collector.onNotice },
    }
    return withServiceRun({ ...settings, backups }, runOptions, (service) =>
      withRecordedEnd(service, results.document, false, () =>
        sweep(service, { selection: { kind: 'tenants', ids: ids.map(tenantId) }, depth: 'full' }, watching),
      ),
    )
  })
}

/** A folder alone is enough for files. A word that names no file may be a mistyped name of one: the failure says so. */
async function settingsFor([first = '']: readonly string[], config: string | null): Promise<Settings> {
  try {
    return await loadSettings(await findConfiguration(config))
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'CONFIG_INVALID') throw error
    throw new Failure('CONFIG_INVALID', `there is no file ${first}; for a tenant: ${error.message}`, {
      hint: 'check the name of the file; for a tenant write a holdfast.yaml, or name yours with --config FILE',
      cause: error,
    })
  }
}

async function addFiles(words: readonly string[], run: AddRun): Promise<void> {
  const { store, options, terminal } = run
  const { databases } = await databasesOf(words, false)
  const realPaths = new Map<string, string>()
  const targets: Target[] = []
  for (const named of databases) {
    const real = (await realPathOf(named)) ?? named
    if (![...realPaths.values()].includes(real)) targets.push({ tenant: null, named })
    realPaths.set(named, real)
  }
  const collector = new Collector(run, realPaths)
  await collector.collect(async (results, watching) => {
    const { wait: _, ...fileOptions } = options
    const fileRun = await fileRunOptions({ ...fileOptions, depth: 'full', engine: 'census' }, terminal, results.id)
    using backups = openRunBackups({
      dir: store.backups.folder,
      keep: store.keep,
      service: null,
      version: terminal.version,
      onKept: collector.onKept,
      onNotice: collector.onNotice,
    })
    watching.onSelected(targets)
    return await withFileRun({ ...fileRun, backups }, targets, terminal.interrupt.signal, async (context, signal) => {
      const limits = await limitsFor(context.folder, 'full', 1, fileRun.checksInParallel, besideLockedFile)
      const totals = await runPipeline(targets, context, limits, watching, signal)
      return { ...totals, selected: targets.length }
    })
  })
}

/** Brings together what the run says of each file: its result, and the backup that was kept of it. */
class Collector {
  readonly #run: AddRun
  readonly #realPaths: ReadonlyMap<string, string>
  readonly #kept = new Map<string, Backup>()
  #notice: string | null = null

  /** @param realPaths of bare files, by the names that were given */
  constructor(run: AddRun, realPaths: ReadonlyMap<string, string>) {
    this.#run = run
    this.#realPaths = realPaths
  }

  readonly onKept: RunBackupsOptions['onKept'] = (_, backup) => {
    this.#kept.set(keyOf(backup), backup)
  }

  readonly onNotice = (notice: string): void => {
    this.#notice ??= notice
  }

  /** @throws {Failure} what stopped the run */
  async collect(
    work: (
      results: { readonly id: ReturnType<typeof newRunId>; readonly document: ResultsDocument },
      watching: SweepObserver,
    ) => Promise<RunTotals>,
  ): Promise<void> {
    const { terminal, options } = this.#run
    const id = newRunId()
    // For the ledger, which records how each run ended. It is not printed.
    using document = new ResultsDocument(terminal, {}, { id, mode: 'check', registry: 'live' })
    using line = await showProgress(terminal, options.quiet ?? false)
    const { stopped } = await work(
      { id, document },
      {
        onSelected: (targets) => document.select(targets),
        onRevised: (result, before) => document.revise(result, before),
        onProgress: (progress) => line.update(progress),
        onResult: (result) => {
          document.add(result)
          this.#take(result)
        },
      },
    )
    if (stopped !== null) throw stopped
  }

  #take(result: Result): void {
    const { document } = this.#run
    const path = result.tenant === null ? (this.#realPaths.get(result.path) ?? result.path) : result.path
    const kept = this.#kept.get(keyOf({ tenant: result.tenant, path }))
    if (kept !== undefined) return document.add(kept)
    const code = result.verdict === 'sound' ? exitCodes.failed : exitCodeOfResult(result)
    document.addNotKept({ tenant: result.tenant, path: result.path, why: this.#whyNot(result) }, code)
  }

  #whyNot({ verdict, findings, reason, failure }: Result): string {
    switch (verdict) {
      case 'sound':
        return this.#notice ?? 'it is sound, but it could not be kept'
      case 'damaged':
        return `it is damaged: ${findings[0]?.text ?? 'see `holdfast check`'}`
      case 'inconclusive':
      case 'failed':
        return reason ?? failure?.message ?? 'its check was not conclusive'
    }
  }
}

const keyOf = ({ tenant, path }: Pick<Backup, 'tenant' | 'path'>): string => JSON.stringify([tenant, path])
