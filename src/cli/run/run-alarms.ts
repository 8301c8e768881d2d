/** How a command raises alarms: while it works, and when its report has all that it will have. */
import type { LedgerFacts, RunAlarms, EndedRun } from '../../alarm/alarms.ts'
import type { OnExpiredCopy, OutdatedConfiguration } from '../../config/last-good.ts'
import { wayOf } from '../../config/service-way.ts'
import type { Settings } from '../../config/settings.ts'
import type { LedgerReader } from '../../ledger/ledger.ts'
import { readLedger } from '../../ledger/open-ledger.ts'
import { tenantId, type RunId } from '../../model/brand.ts'
import { Failure } from '../../model/failure.ts'
import { absencesIn, outdatedConfiguration, refusedConfiguration, type Absence } from '../../report/status/absences.ts'
import type { RunTotals } from '../../runs/pipeline.ts'
import { printableSentence } from '../../text/printable.ts'
import { logLine } from '../log/log.ts'
import type { CommonOptions } from '../options.ts'
import type { ResultsDocument } from '../report-run/results-document.ts'
import { describeError } from '../terminal/errors.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { absenceTermsOf, alarmMaxAgeMs, readSweepFacts } from './sweep-facts.ts'

export interface AlarmedRun {
  readonly terminal: Terminal
  readonly options: Pick<CommonOptions, 'logLevel'>
  readonly run: RunId
  readonly mode: string
  /** The report, which says what did not arrive. */
  readonly document: Pick<ResultsDocument, 'addNotice'> & { readonly counts: NonNullable<EndedRun['counts']> }
  /** Whether it was a sweep of all tenants at full depth. Called at the end. */
  readonly isWhole: () => boolean
  /** The copy of the configuration that is used in the place of the file; null or left out if the file is. */
  readonly outdated?: OutdatedConfiguration | null
  /** The copy that may not be used any more: only its sinks are told; null or left out for a run. */
  readonly refused?: OutdatedConfiguration | null
}

/**
 * Works, and then sends the alarms that come of it. The report waits for sinks for a few seconds at most; the process
 * ends when they have taken or refused them.
 * @throws what the work throws
 */
export async function withAlarms<Done extends Pick<RunTotals, 'stopped'>>(
  settings: Settings,
  about: AlarmedRun,
  work: (alarms: RunAlarms) => Promise<Done>,
): Promise<Done> {
  const { terminal, document, isWhole } = about
  const alarms = await openRunAlarms(settings, about)
  const end = async (ending: Pick<EndedRun, 'stopped' | 'failure'>): Promise<void> => {
    const counts = ending.failure !== null && document.counts.selected === 0 ? null : document.counts
    for (const notice of await alarms.end({ ...ending, counts, whole: isWhole() })) document.addNotice(notice)
  }
  let done: Done
  try {
    done = await work(alarms)
  } catch (error) {
    await end({ stopped: null, failure: describeError(error, terminal.commandLine) })
    throw error
  }
  await end({ stopped: done.stopped, failure: null })
  return done
}

/** Without sinks nothing is loaded or read. */
export async function openRunAlarms(
  settings: Settings,
  about: Pick<AlarmedRun, 'terminal' | 'options' | 'run' | 'mode' | 'outdated' | 'refused'>,
): Promise<RunAlarms> {
  if (settings.alerts.length === 0) return noAlarms
  const { terminal, options, run, mode, outdated = null, refused = null } = about
  const { openAlarms } = await import('../../alarm/open-alarms.ts')
  const { file } = settings
  return openAlarms(settings, {
    run,
    mode,
    // Another person reads the alarm, in another folder.
    config: terminal.commandLine.config ?? (file === '/etc/holdfast/holdfast.yaml' ? null : file),
    now: Date.now,
    onComplaint: (sentence) => terminal.say(`holdfast: alarms: ${printableSentence(sentence)}`),
    onAttempt: (attempt) => logLine(terminal, options.logLevel, { run, tenant: null, step: 'alarm', ...attempt }),
    // Nothing is over while nothing is checked.
    learn: (paused) => (refused === null ? learnAnew(settings, paused) : Promise.resolve(null)),
    known: [
      ...(outdated === null ? [] : [outdatedConfiguration(outdated.since, outdated.failure.message)]),
      ...(refused === null ? [] : [refusedConfiguration(refused.since, refused.failure.message)]),
    ],
  })
}

/** Tells the sinks of the last valid configuration that its time is over, and that nothing is checked any more. */
export const raiseRefused =
  (about: Pick<AlarmedRun, 'terminal' | 'options' | 'run'>): OnExpiredCopy =>
  async ({ settings, outdated }) => {
    const alarms = await openRunAlarms(settings, { ...about, mode: 'configuration', refused: outdated })
    const unsent = await alarms.end({ counts: null, whole: false, stopped: null, failure: null })
    for (const notice of unsent) about.terminal.say(`holdfast: ${printableSentence(notice)}`)
  }

const noAlarms: RunAlarms = {
  consider: () => undefined,
  revise: () => undefined,
  culprit: () => undefined,
  considerRemedy: () => undefined,
  considerEndings: () => undefined,
  joinIncident: () => undefined,
  learn: () => Promise.resolve(),
  end: () => Promise.resolve([]),
}

/**
 * What the ledger knows at the end of a run.
 * @param own the id of the run; null for one that never began
 * @param paused tenants that may be paused, as earlier alarms said
 */
export async function learnFrom(
  ledger: LedgerReader,
  settings: Settings,
  own: string | null,
  paused: readonly string[],
): Promise<LedgerFacts> {
  const now = Date.now()
  const facts = await readSweepFacts(ledger, settings, own)
  const maxAgeMs = alarmMaxAgeMs(settings)
  const absences = absencesIn(facts, absenceTermsOf(settings, now, maxAgeMs))
  const held = (await ledger.openHolds()).map(({ tenant }) => tenant)
  return {
    absences: absences.filter((absence) => isNews(absence, now, maxAgeMs)),
    held,
    served: await endsOfHolds(ledger, paused),
    recordedSince: facts.runs.at(-1)?.startedAt ?? null,
    holdsLost: ledger.holdsLost,
    othersWork: facts.atWork !== null,
  }
}

/** A hold is followed by a line for each file of its tenant. */
const linesOfTenantMax = 100

/** When the newest hold of each of these tenants was seen to end. Without one that did, a tenant is left out. */
async function endsOfHolds(ledger: LedgerReader, tenants: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const ends = new Map<string, number>()
  for (const tenant of tenants) {
    const lines = await ledger.history(tenantId(tenant), linesOfTenantMax)
    const newest = lines.find(({ event }) => holdEvents.has(event.kind))
    if (newest?.event.kind === 'hold-ended') ends.set(tenant, newest.at)
  }
  return ends
}

const holdEvents: ReadonlySet<string> = new Set(['hold-asked', 'hold-quiesced', 'resume-failed', 'hold-ended'])

/** A service that is new has no full sweep yet, and a run that began just now may be its first. */
const isNews = ({ kind, since }: Absence, now: number, maxAgeMs: number): boolean =>
  kind !== 'sweep-too-old' || since === null || now - since > maxAgeMs

/** For a run that failed before it had a ledger, such as one that another run keeps out. */
async function learnAnew(settings: Settings, paused: readonly string[]): Promise<LedgerFacts | null> {
  try {
    await using ledger = await readLedger(settings.ledger.dir, wayOf(settings))
    return await learnFrom(ledger, settings, null, paused)
  } catch (error) {
    if (error instanceof Failure) return null
    throw error
  }
}
