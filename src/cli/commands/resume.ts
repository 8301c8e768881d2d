import type { Command } from 'commander'
import { findConfiguration, loadSettings } from '../../config/load.ts'
import { requireAllResumed, resumeOpenHolds } from '../../fleet/open-holds.ts'
import { withLedger } from '../../fleet/run.ts'
import { newRunId } from '../../ledger/run-id.ts'
import { tenantId } from '../../model/brand.ts'
import { exitCodes, type ExitCode } from '../../model/exit-code.ts'
import { Failure } from '../../model/failure.ts'
import type { Face } from '../face.ts'
import type { Act } from '../main.ts'
import { openingOf } from '../opening.ts'
import { withCommon, type CommonOptions } from '../options.ts'

interface ResumeOptions extends CommonOptions {
  readonly all?: boolean
}

export function addResume(program: Command, face: Face, act: Act): void {
  withCommon(program.command('resume').description('end holds that a crash left open, and look whether the tenants serve'))
    .argument('[id]', 'tenant')
    .option('--all', 'every hold that stands open')
    .addHelpText('after', `
Examples:
  holdfast resume --all                      also as ExecStopPost of a systemd unit
  holdfast resume acme

Exit codes: 0 nothing is open any more, 4 a tenant may still be paused, 64 usage, 75 a run is active`)
    .action((id: string | undefined, options: ResumeOptions) => act(() => resume(id, options, face)))
}

async function resume(id: string | undefined, options: ResumeOptions, face: Face): Promise<ExitCode> {
  if ((id === undefined) === (options.all !== true)) throw new Failure('USAGE', 'name one tenant, or say --all')
  const settings = await loadSettings(await findConfiguration(options.config ?? null))
  const opening = openingOf(face, { ...options }, newRunId(), 'resume')
  return withLedger(settings, opening, async (ledger, service) => {
    if (id !== undefined && !(await ledger.openHolds()).some(({ tenant }) => tenant === id)) throw new Failure('TENANT_UNKNOWN', `no hold on ${id} stands open`)
    const endings = await resumeOpenHolds(service, ledger, id === undefined ? null : tenantId(id))
    if (options.json) await face.out(`${JSON.stringify({ schema: 'holdfast.resume/1', holds: endings.map(({ hold, failure }) => ({ ...hold, resumed: failure === null, failure: failure?.code ?? null })) }, null, 2)}\n`)
    else {
      opening.onEndings(endings)
      if (endings.length === 0 && !options.quiet) await face.out('no hold stands open\n')
    }
    requireAllResumed(endings)
    return exitCodes.sound
  })
}
