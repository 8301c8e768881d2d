/** How `repair` and `restore` run: over tenants of the configured service, or over bare files. */
import { resolve } from 'node:path'
import type { RunAlarms } from '../../alarm/alarms.ts'
import { findConfiguration, loadSettings } from '../../config/load.ts'
import { tenantId } from '../../model/brand.ts'
import { withServiceRun } from '../../runs/begin/service-run.ts'
import { remedyFiles, type RemedyFileOptions } from '../../runs/remedies/remedy-files.ts'
import type { RemedyRequest } from '../../runs/remedies/remedy-request.ts'
import type { RemedyObserver } from '../../runs/remedies/remedy-run.ts'
import type { RemedyTotals } from '../../runs/remedies/remedy-targets.ts'
import { remedyTenants } from '../../runs/remedies/remedy-tenants.ts'
import { showProgress } from '../progress/progress.ts'
import type { RemedyDocument } from '../report-run/remedy-document.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { fileRunOptions } from './file-run-options.ts'
import { applyOverrides } from './overrides.ts'
import { withRecordedEnd } from './record-end.ts'
import type { RemedyOptions } from './remedy-options.ts'
import { reportAway, reportPlanned, reportRecovered } from './report-holds.ts'
import { withAlarms } from './run-alarms.ts'
import { serviceRunOptions } from './service-run-options.ts'

interface RemedyOutput {
  readonly terminal: Terminal
  readonly document: RemedyDocument
}

/** @throws {Failure} what the run throws */
export async function runRemedies(
  files: readonly string[],
  options: RemedyOptions,
  request: RemedyRequest,
  { terminal, document }: RemedyOutput,
): Promise<RemedyTotals> {
  const settings = async () => loadSettings(await findConfiguration(options.config ?? null))
  const withObserver = async (
    work: (watching: RemedyObserver) => Promise<RemedyTotals>,
    alarms: RunAlarms | null = null,
  ): Promise<RemedyTotals> => {
    using line = await showProgress(terminal, options.quiet ?? false)
    return await work({
      onSelected: (targets) => document.select(targets),
      onPlanned: options.quiet ? () => {} : reportPlanned(terminal),
      onAway: options.quiet ? () => {} : reportAway(terminal),
      onOutcome: (outcome) => {
        document.add(outcome)
        alarms?.considerRemedy(outcome.result)
      },
      onProgress: (progress) => line.update(progress),
    })
  }
  if (options.tenant === undefined) {
    const { quarantine, accounts, backups } = options.config === undefined ? nothingConfigured : await settings()
    const configured: RemedyFileOptions['configured'] =
      quarantine === null ? null : { quarantine: quarantine.dir, accounts: accounts.dir, backups: backups?.dir ?? null }
    const fileRun = await fileRunOptions({ ...options, depth: 'full', engine: 'census' }, terminal, request.id)
    const targets = files.map((named) => ({ tenant: null, named }))
    const absolute = { ...request, quarantine: absoluteOf(request.quarantine), backups: absoluteOf(request.backups) }
    const fileOptions = { request: absolute, configured, onRecovered: reportRecovered(terminal) }
    return withObserver((watching) => remedyFiles(fileRun, targets, fileOptions, watching, terminal.interrupt.signal))
  }
  const ids = options.tenant.map(tenantId)
  const mode = request.restore === null ? 'repair' : 'restore'
  const about = { terminal, options, run: request.id, document, mode, isWhole: () => false }
  const chosen = applyOverrides(await settings(), { timeout: options.timeout })
  await document.keepWith(chosen)
  return withAlarms(chosen, about, (alarms) =>
    withServiceRun(chosen, serviceRunOptions(terminal, options, request.id, mode, { document, alarms }), (service) => {
      const work = (watching: RemedyObserver) => remedyTenants(service, ids, request, watching)
      return withRecordedEnd(service, document, false, () => withObserver(work, alarms), alarms)
    }),
  )
}

const nothingConfigured = { quarantine: null, accounts: null, backups: null }

const absoluteOf = (folder: string | null): string | null => (folder === null ? null : resolve(folder))
