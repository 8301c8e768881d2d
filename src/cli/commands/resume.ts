import type { ServiceSettings } from '../../config/settings.ts'
import { newRunId } from '../../ledger/run-lock/run-id.ts'
import { tenantId, type TenantId } from '../../model/brand.ts'
import type { OpenHold } from '../../model/event.ts'
import { exitCodes, type ExitCode } from '../../model/exit-code.ts'
import { Failure } from '../../model/failure.ts'
import { mayBeOurs, type OtherHold } from '../../model/service-way.ts'
import { hintFor } from '../../report/text/hint.ts'
import { adviceOn, describeOther } from '../../report/text/other-holds.ts'
import { failureToResume, type OpenHoldOutcome } from '../../runs/open-holds/open-holds.ts'
import { resumeTenants, type Resumption } from '../../runs/open-holds/resume-tenants.ts'
import { jsonText } from '../../text/json-text.ts'
import { printable } from '../../text/printable.ts'
import type { Invocation } from '../invocation.ts'
import { waitOption, withCommon, type CommonOptions } from '../options.ts'
import { textOrDocument } from '../printing/printer.ts'
import { reportNotice, reportOtherHolds, reportOutcomes, reportResumeRetry } from '../run/report-holds.ts'
import { openRunAlarms, raiseRefused } from '../run/run-alarms.ts'
import { scheduledSettings } from '../run/scheduled-settings.ts'
import { runWaitOf } from '../run/wait-option.ts'
import { describeError } from '../terminal/errors.ts'
import type { Terminal } from '../terminal/terminal.ts'

interface ResumeCommandOptions extends CommonOptions {
  readonly all?: boolean
  readonly wait?: number
}

export function addResume(invocation: Invocation): void {
  withCommon(
    invocation
      .add('resume', textOrDocument)
      .description('end the pauses that a crash left open, and check that the tenants serve again'),
    'holdfast.resume/1',
  )
    .argument('[id]', 'tenant')
    .option('--all', 'end every open hold of this service')
    .addOption(waitOption())
    .addHelpText(
      'after',
      `
resume works even if the ledger cannot be written. With an ID it needs no ledger
at all. It then also ends a hold that was made through another service.admin or
other hooks, as soon as it has seen the tenant serve.

Examples:
  holdfast resume --all                also as ExecStopPost of a systemd unit
  holdfast resume acme                 one tenant

Exit codes: 0 no hold is open any more, 1 failed, or the tenants serve and the
  ledger could not be written, 3 the ledger was damaged and renamed, or could
  not be read, 4 a tenant may still be paused, 64 usage, 70 bug, 75 a run is
  active, 78 configuration, 129/130/131/143 ended by a signal`,
    )
    .action((id: string | undefined, options: ResumeCommandOptions) =>
      invocation.perform(() => resume(id, options, invocation.terminal)),
    )
}

async function resume(id: string | undefined, options: ResumeCommandOptions, terminal: Terminal): Promise<ExitCode> {
  if ((id === undefined) === (options.all !== true))
    throw new Failure('USAGE', 'name one tenant, or say --all', { hint: '`holdfast resume --help` shows how' })
  const run = newRunId()
  const { settings, outdated } = await scheduledSettings(
    options.config ?? null,
    terminal,
    undefined,
    raiseRefused({ terminal, options, run }),
  )
  const only = id === undefined ? null : tenantId(id)
  const waiting = runWaitOf(terminal, options)
  const alarms = await openRunAlarms(settings, { terminal, options, run, mode: 'resume', outdated })
  const end = (failure: Failure | null): Promise<readonly string[]> =>
    alarms.end({
      counts: null,
      whole: false,
      stopped: null,
      failure: failure === null ? null : describeError(failure, terminal.commandLine),
    })
  const resumption = await resumeTenants(settings, run, only, waiting, reportResumeRetry(terminal)).catch(
    async (error: unknown) => {
      if (error instanceof Failure) await end(error)
      throw error
    },
  )
  alarms.considerEndings(resumption.endings)
  if (options.json) await terminal.out(`${jsonText(documentOf(resumption, settings.file, terminal))}\n`)
  const left = notServing(resumption, settings.file) ?? notRecorded(resumption)
  reportHolds(resumption, left, settings.file, terminal)
  reportLedger(resumption, left, only === null ? settings.ledger.dir : null, terminal)
  if (!options.json && !options.quiet && foundNothing(resumption))
    await terminal.print(nothingOpen(only, resumption, settings.service.kind))
  await end(left?.about === 'tenant' ? left.failure : null)
  if (left !== null) throw left.failure
  // What could not be read may have been a hold.
  return resumption.notice === null && !resumption.unread ? exitCodes.sound : exitCodes.inconclusive
}

/** Reports on stderr what became of each hold, except for the one that the failure at the end names. */
function reportHolds(resumption: Resumption, left: ResumeFailure | null, config: string, terminal: Terminal): void {
  const known = resumption.endings.filter((ending) => !isPresumed(ending, resumption))
  const isSaidAtTheEnd = left === null || left.about === 'ledger'
  reportOutcomes(terminal, isSaidAtTheEnd ? known.map((ending) => ({ ...ending, unwritten: null })) : known)
  for (const { hold } of resumption.endings.filter((ending) => isPresumed(ending, resumption)))
    terminal.say(presumedText(hold, resumption))
  const others = resumption.others.filter((hold) => hold !== left?.hold)
  reportOtherHolds(terminal, others, config)
}

/** Reports on stderr what is wrong with the ledger. @param dir its folder if all tenants were meant, else null */
function reportLedger(
  { notice, unwritable: trouble, isNew }: Resumption,
  left: ResumeFailure | null,
  dir: string | null,
  terminal: Terminal,
): void {
  // Each thing once: what the failure at the end says is not said before it.
  const saidAtTheEnd = left?.failure.message ?? ''
  const report = (sentence: string): void => {
    if (!saidAtTheEnd.includes(sentence)) reportNotice(terminal)(sentence)
  }
  if (notice !== null) report(notice)
  // The ledger may be lost, or the configuration may name the wrong folder: then open holds are not known.
  if (isNew && dir !== null)
    report(`there is no ledger in ${printable(dir)}: no hold is known; \`holdfast resume ID\` needs none`)
  if (trouble !== null) report(trouble.message)
}

/** The tenant serves, and nothing else is known: the ledger could not say whether a hold was open. */
const isPresumed = ({ hold, how, complaint }: OpenHoldOutcome, { presumed }: Resumption): boolean =>
  hold === presumed && how !== null && how !== 'tenant-gone' && complaint === null

const presumedText = ({ tenant }: OpenHold, { isNew }: Resumption): string =>
  `${printable(tenant)} serves. ` +
  `${isNew ? 'There is no ledger' : 'The ledger could not be read'}, so it is not ` +
  'known whether a hold was open'

const foundNothing = ({ endings, unknown, others }: Resumption): boolean =>
  endings.length === 0 && !unknown && !others.some(mayBeOurs)

function nothingOpen(only: TenantId | null, { notice, unread }: Resumption, kind: ServiceSettings['kind']): string {
  const known = notice === null && !unread ? '' : ' in the ledger as it is now'
  const files = kind === 'files' ? '; with service.files holdfast pauses nothing' : ''
  return only === null
    ? `no tenant is known to be paused (no hold is open${known}${files})\n`
    : `${printable(only)} is not known to be paused (no hold on it stands open${known}${files})\n`
}

/** Every field beside `holds` is left out if there is nothing to say in it. */
function documentOf(resumption: Resumption, config: string, { commandLine }: Terminal): object {
  const { endings, others, leases, unknown, unwritable: trouble } = resumption
  const presumed = endings.find((ending) => isPresumed(ending, resumption))
  return {
    schema: 'holdfast.resume/1',
    holds: endings
      .filter((ending) => ending !== presumed)
      .map(({ hold, how, failure, complaint, unwritten }) => ({
        ...hold,
        resumed: failure === null,
        how,
        failure: failure?.code ?? null,
        complaint,
        written: failure === null && unwritten === null,
      })),
    ...(presumed === undefined ? {} : { presumed: { tenant: presumed.hold.tenant } }),
    ...(others.length === 0 ? {} : { others: others.map((hold) => ({ ...hold, ...describeOther(hold, config) })) }),
    ...(trouble === null
      ? {}
      : { trouble: { code: trouble.code, message: trouble.message, hint: hintFor(trouble, commandLine) } }),
    ...(unknown ? { unknown, leases } : {}),
  }
}

/** The failure that ends the command although holdfast has done what it could. */
interface ResumeFailure {
  readonly failure: Failure
  /** A tenant that may not serve, or a ledger that does not record that all serve. */
  readonly about: 'tenant' | 'ledger'
  /** The hold of others that it is about; null if it is about ours. */
  readonly hold: OtherHold | null
}

/** null once every tenant of this service is known to serve */
function notServing(
  { endings, others, leases, unknown, unwritable: trouble, notice }: Resumption,
  config: string,
): ResumeFailure | null {
  const open = failureToResume(endings)
  if (open !== null) return { failure: open, about: 'tenant', hold: null }
  if (unknown) {
    const named =
      leases.length === 0
        ? ''
        : `; the service lists leases of a holdfast for ${leases.map(({ tenant }) => tenant).join(', ')}`
    const failure = new Failure(
      'LEDGER_UNUSABLE',
      'holdfast does not know which holds are open: ' +
        `${trouble?.message ?? notice ?? 'the ledger does not list them'}${named}`,
      {
        tenant: 'maybe-paused',
        cause: trouble,
        hint: 'ask the service which tenants are paused, and run `holdfast resume ID` for each: that needs no ledger',
      },
    )
    return { failure, about: 'tenant', hold: null }
  }
  const [first] = others.filter(mayBeOurs)
  if (first === undefined) return null
  const { said } = describeOther(first, config)
  return {
    failure: new Failure('RESUME_FAILED', said, { hint: adviceOn(first, config) }),
    about: 'tenant',
    hold: first,
  }
}

/** null if the ledger has recorded every end */
function notRecorded({ endings }: Resumption): ResumeFailure | null {
  const unwritten = endings.filter((ending) => ending.unwritten !== null)
  const [first] = unwritten
  if (!first?.unwritten) return null
  const tenants = [...new Set(unwritten.map(({ hold }) => hold.tenant))].join(', ')
  const failure = new Failure(
    'LEDGER_UNUSABLE',
    `${tenants}: the hold has ended, but the ledger could not be written: ${first.unwritten.message}`,
    {
      tenant: 'active',
      cause: first.unwritten,
      hint: `${first.unwritten.hint}; until then each run resumes the tenant again, which does no harm`,
    },
  )
  return { failure, about: 'ledger', hold: null }
}
