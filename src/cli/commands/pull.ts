import type { Command } from 'commander'
import { findConfiguration, loadSettings } from '../../config/load.ts'
import { keepSnapshotsIn } from '../../fleet/keep-snapshot.ts'
import { withServiceRun } from '../../fleet/run/service-run.ts'
import { sweep } from '../../fleet/sweep.ts'
import { newRunId } from '../../ledger/run-lock/run-id.ts'
import { tenantId } from '../../model/brand.ts'
import type { ExitCode } from '../../model/exit-code.ts'
import type { Act } from '../main.ts'
import { depthOption, waitOption, withReport, type ReportOptions } from '../options.ts'
import { ReportRun } from '../report-run/report-run.ts'
import { untilFinished } from '../run/finishing.ts'
import { openingOf } from '../run/run-options.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { tellKept, withProgress } from './check.ts'

interface PullOptions extends ReportOptions {
  readonly depth: 'quick' | 'full'
  readonly wait?: number
}

export function addPull(program: Command, face: Terminal, act: Act): void {
  withReport(
    program.command('pull').description("a tenant's files as they are, with their evidence, to study elsewhere"),
  )
    .argument('<id>', 'tenant')
    .argument('<dir>', 'folder to put them in; nothing in it is overwritten')
    .addOption(depthOption())
    .addOption(waitOption())
    .addHelpText(
      'after',
      `
Examples:
  holdfast pull acme /var/tmp/acme           then copy the folder anywhere
  holdfast check --snapshot acme             there: recognised by its manifest

Exit codes: 0 sound, 1 failed, 2 damaged, 3 inconclusive,
  4 a tenant may be paused, 64 usage, 70 bug, 75 another run is active,
  78 configuration, 129/130/131/143 ended by a signal; the files are pulled
  whether sound or damaged`,
    )
    .action((id: string, folder: string, options: PullOptions) => act(() => pullTenant(id, folder, options, face)))
}

async function pullTenant(id: string, folder: string, options: PullOptions, face: Terminal): Promise<ExitCode> {
  const run = newRunId()
  using outcome = new ReportRun(face, options, { id: run, mode: 'pull', registry: 'live' })
  return await outcome.of(async () => {
    const settings = await loadSettings(await findConfiguration(options.config ?? null))
    const keep = await keepSnapshotsIn(folder, face.version, tellKept('pulled to', face, options))
    return withServiceRun(settings, openingOf(face, options, run, 'pull', { keepSnapshot: keep, outcome }), (service) =>
      untilFinished(service, outcome, false, () =>
        withProgress(face, options, outcome, (watching) =>
          sweep(service, { selection: { kind: 'tenants', ids: [tenantId(id)] }, depth: options.depth }, watching),
        ),
      ),
    )
  })
}
