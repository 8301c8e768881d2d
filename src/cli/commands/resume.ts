import type { Command } from 'commander'
import { findConfiguration, loadSettings } from '../../config/load.ts'
import { requireAllResumed, resumeOpenHolds } from '../../fleet/open-holds.ts'
import { withLedger } from '../../fleet/run.ts'
import { HoldLocks } from '../../ledger/hold-locks.ts'
import { newRunId } from '../../ledger/run-id.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import { tenantId, type TenantId } from '../../model/brand.ts'
import { exitCodes, type ExitCode } from '../../model/exit-code.ts'
import { Failure } from '../../model/failure.ts'
import { printable } from '../../report/printable.ts'
import type { Service } from '../../service/port.ts'
import type { Face } from '../face.ts'
import type { Act } from '../main.ts'
import { openingOf } from '../opening.ts'
import { withCommon, type CommonOptions } from '../options.ts'

interface ResumeOptions extends CommonOptions {
  readonly all?: boolean
}

export function addResume(program: Command, face: Face, act: Act): void {
  withCommon(program.command('resume').description('end holds that a crash left open, and look whether the tenants serve'), 'holdfast.resume/1')
    .argument('[id]', 'tenant')
    .option('--all', 'every hold that stands open')
    .addHelpText('after', `
Examples:
  holdfast resume --all                also as ExecStopPost of a systemd unit
  holdfast resume acme

Exit codes: 0 nothing is open any more, 1 failed, 3 the ledger had to be set
  aside, 4 a tenant may still be paused, 64 usage, 70 bug, 75 a run is active,
  78 configuration, 129/130/131/143 ended by a signal`)
    .action((id: string | undefined, options: ResumeOptions) => act(() => resume(id, options, face)))
}

async function resume(id: string | undefined, options: ResumeOptions, face: Face): Promise<ExitCode> {
  if ((id === undefined) === (options.all !== true)) throw new Failure('USAGE', 'name one tenant, or say --all')
  const settings = await loadSettings(await findConfiguration(options.config ?? null))
  const opening = openingOf(face, { ...options }, newRunId(), 'resume')
  return withLedger(settings, opening, async (ledger, service, signal) => {
    const only = id === undefined ? null : tenantId(id)
    using locks = HoldLocks.open(settings.ledger.dir)
    const endings = await resumeOpenHolds(service, ledger, only, { locks, guard: null })
    if (only !== null && endings.length === 0 && !(await isKnown(only, ledger, service, signal))) throw new Failure('TENANT_UNKNOWN', `neither the ledger nor the service knows ${only}`)
    if (options.json) await face.out(`${JSON.stringify({ schema: 'holdfast.resume/1', holds: endings.map(({ hold, failure }) => ({ ...hold, resumed: failure === null, failure: failure?.code ?? null })) }, null, 2)}\n`)
    else {
      opening.onEndings(endings)
      if (endings.length === 0 && !options.quiet) await face.out(`no hold${only === null ? '' : ` on ${printable(only)}`} stands open${ledger.notice === null ? '' : ' in the ledger as it is now'}\n`)
    }
    requireAllResumed(endings)
    return ledger.notice === null ? exitCodes.sound : exitCodes.inconclusive // Of what could not be read nobody knows whether it was a hold.
  })
}

/** Who was ever held is in the ledger; who never was, the service may list. */
const isKnown = async (tenant: TenantId, ledger: Ledger, service: Service, signal: AbortSignal): Promise<boolean> =>
  (await ledger.history(tenant, 1)).length > 0 || (await service.tenants(signal)).some(({ id }) => id === tenant)
