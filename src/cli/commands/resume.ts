import type { Command } from 'commander'
import { findConfiguration, loadSettings } from '../../config/load.ts'
import { notResumed, type OpenHoldOutcome } from '../../fleet/open-holds/open-holds.ts'
import { resumeTenants, type Resumption } from '../../fleet/open-holds/resume-tenants.ts'
import { newRunId } from '../../ledger/run-lock/run-id.ts'
import { tenantId, type TenantId } from '../../model/brand.ts'
import type { OpenHold } from '../../model/event.ts'
import { exitCodes, type ExitCode } from '../../model/exit-code.ts'
import { Failure } from '../../model/failure.ts'
import { mayBeOurs, type OtherHold } from '../../model/service-way.ts'
import { hintFor } from '../../report/text/hint.ts'
import { adviceOn, describeOther } from '../../report/text/other-holds.ts'
import { jsonText } from '../../text/json-text.ts'
import { printable } from '../../text/printable.ts'
import type { Act } from '../main.ts'
import { waitOption, withCommon, type CommonOptions } from '../options.ts'
import { noticeTo, resumeRetryTo, tellEndings, tellOthers } from '../run/run-options.ts'
import { waitingOf } from '../run/waiting.ts'
import type { Terminal } from '../terminal/terminal.ts'

interface ResumeOptions extends CommonOptions {
  readonly all?: boolean
  readonly wait?: number
}

export function addResume(program: Command, face: Terminal, act: Act): void {
  withCommon(
    program.command('resume').description('end holds that a crash left open, and look whether the tenants serve'),
    'holdfast.resume/1',
  )
    .argument('[id]', 'tenant')
    .option('--all', 'every hold of this service that stands open')
    .addOption(waitOption())
    .addHelpText(
      'after',
      `
resume works even if the ledger cannot be written. With an ID it needs no ledger
at all. It then also ends a hold that was made with another service.admin or
other hooks than the configuration has now, once the tenant is seen serving.

Examples:
  holdfast resume --all                also as ExecStopPost of a systemd unit
  holdfast resume acme

Exit codes: 0 nothing is open any more, 1 failed, or the tenants serve and it
  could not be written down, 3 the ledger had to be set aside or could not be
  read, 4 a tenant may still be paused, 64 usage, 70 bug, 75 a run is active,
  78 configuration, 129/130/131/143 ended by a signal`,
    )
    .action((id: string | undefined, options: ResumeOptions) => act(() => resume(id, options, face)))
}

async function resume(id: string | undefined, options: ResumeOptions, face: Terminal): Promise<ExitCode> {
  if ((id === undefined) === (options.all !== true))
    throw new Failure('USAGE', 'name one tenant, or say --all', { hint: '`holdfast resume --help` tells how' })
  const settings = await loadSettings(await findConfiguration(options.config ?? null))
  const only = id === undefined ? null : tenantId(id)
  const waiting = waitingOf(face, options)
  const resumption = await resumeTenants(settings, newRunId(), only, waiting, resumeRetryTo(face))
  const { notice, unwritable: trouble, isNew } = resumption
  if (options.json) await face.out(`${jsonText(documentOf(resumption, settings.file, face))}\n`)
  const standing = notServing(resumption, settings.file)
  const left = standing ?? notWritten(resumption)
  const told = resumption.endings.filter((ending) => !isPresumed(ending, resumption))
  tellEndings(face, standing === null ? told.map((ending) => ({ ...ending, unwritten: null })) : told)
  for (const { hold } of resumption.endings.filter((ending) => isPresumed(ending, resumption)))
    face.say(presumedText(hold, resumption))
  tellOthers(
    face,
    resumption.others.filter((hold) => hold !== left?.hold),
    settings.file,
  )
  // Each thing once: what the failure says at the end is not said before it.
  const saidAtTheEnd = left?.failure.message ?? ''
  const tell = (sentence: string): void => {
    if (!saidAtTheEnd.includes(sentence)) noticeTo(face)(sentence)
  }
  if (notice !== null) tell(notice)
  // It may have been lost, or be looked for in the wrong place: then nobody knows what stands open.
  if (isNew && only === null)
    tell(`there is no ledger in ${printable(settings.ledger.dir)}: no hold is known; \`holdfast resume ID\` needs none`)
  if (trouble !== null) tell(trouble.message)
  if (
    !options.json &&
    !options.quiet &&
    resumption.endings.length === 0 &&
    !resumption.unknown &&
    !resumption.others.some(mayBeOurs)
  )
    await face.print(nothingOpen(only, resumption))
  if (left !== null) throw left.failure
  // Of what could not be read nobody knows whether it was a hold.
  return notice === null && !resumption.unread ? exitCodes.sound : exitCodes.inconclusive
}

/** It serves, and that is all that is known of it. */
const isPresumed = ({ hold, how, complaint }: OpenHoldOutcome, { presumed }: Resumption): boolean =>
  hold === presumed && how !== null && how !== 'tenant-gone' && complaint === null

const presumedText = ({ tenant }: OpenHold, { isNew }: Resumption): string =>
  `${printable(tenant)} serves. ` +
  `${isNew ? 'There is no ledger' : 'The ledger could not be read'}, so it is not ` +
  'known whether a hold was open'

function nothingOpen(only: TenantId | null, { notice, unread }: Resumption): string {
  const known = notice === null && !unread ? '' : ' in the ledger as it is now'
  return only === null
    ? `no tenant is known to be paused (no hold stands open${known})\n`
    : `${printable(only)} is not known to be paused (no hold on it stands open${known})\n`
}

/** What there is to say beside the holds stands there only when there is. */
const documentOf = (
  { endings, others, leases, unknown, unwritable: trouble }: Resumption,
  config: string,
  { commandLine }: Terminal,
): object => ({
  schema: 'holdfast.resume/1',
  holds: endings.map(({ hold, how, failure, complaint, unwritten }) => ({
    ...hold,
    resumed: failure === null,
    how,
    failure: failure?.code ?? null,
    complaint,
    written: failure === null && unwritten === null,
  })),
  ...(others.length === 0 ? {} : { others: others.map((hold) => ({ ...hold, ...describeOther(hold, config) })) }),
  ...(trouble === null
    ? {}
    : { trouble: { code: trouble.code, message: trouble.message, hint: hintFor(trouble, commandLine) } }),
  ...(unknown ? { unknown, leases } : {}),
})

/** What is left to do. */
interface Left {
  readonly failure: Failure
  /** The hold of others that it is about; null where it is about ours. */
  readonly hold: OtherHold | null
}

/** null once every tenant of this service is known to serve */
function notServing(
  { endings, others, leases, unknown, unwritable: trouble, notice }: Resumption,
  config: string,
): Left | null {
  const standing = notResumed(endings)
  if (standing !== null) return { failure: standing, hold: null }
  if (unknown) {
    const named =
      leases.length === 0
        ? ''
        : `; the service names leases of a holdfast: ${leases.map(({ tenant }) => tenant).join(', ')}`
    const failure = new Failure(
      'LEDGER_UNUSABLE',
      `it is not known which holds stand open: ${trouble?.message ?? notice ?? 'the ledger does not say'}${named}`,
      {
        tenant: 'maybe-paused',
        cause: trouble,
        hint: 'ask the service which tenants stand still, and run `holdfast resume ID` for each: that needs no ledger',
      },
    )
    return { failure, hold: null }
  }
  const [first] = others.filter(mayBeOurs)
  if (first === undefined) return null
  const { said } = describeOther(first, config)
  return { failure: new Failure('RESUME_FAILED', said, { hint: adviceOn(first, config) }), hold: first }
}

/** null where the ledger knows of all that serve again */
function notWritten({ endings }: Resumption): Left | null {
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
  return { failure, hold: null }
}
