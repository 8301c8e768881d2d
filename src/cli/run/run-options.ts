import type { OpenHoldOutcome } from '../../fleet/open-holds/open-holds.ts'
/** How a command opens a run against the service. */
import type { RunOptions } from '../../fleet/run/service-run.ts'
import type { RunId, TenantId } from '../../model/brand.ts'
import type { OtherHold } from '../../model/service-way.ts'
import { legibleCommand } from '../../report/text/legible.ts'
import { adviceOn, describeOther } from '../../report/text/other-holds.ts'
import { unbroken } from '../../text/layout.ts'
import { printable, printableSentence } from '../../text/printable.ts'
import { logSteps } from '../log.ts'
import type { CommonOptions } from '../options.ts'
import type { ReportRun } from '../report-run/report-run.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { waitingOf, type WaitOptions } from './waiting.ts'

export function openingOf(
  face: Terminal,
  options: CommonOptions & WaitOptions,
  run: RunId,
  mode: RunOptions['mode'],
  more: Partial<Pick<RunOptions, 'keepSnapshot' | 'engine' | 'map' | 'showValues'>> & {
    readonly outcome?: Pick<ReportRun, 'leave'>
  } = {},
): RunOptions {
  return {
    run,
    mode,
    keepSnapshot: more.keepSnapshot ?? null,
    engine: more.engine ?? 'census',
    map: more.map ?? false,
    showValues: more.showValues ?? false,
    version: face.version,
    argv: process.argv.slice(2),
    interrupt: face.interrupt.signal,
    waiting: waitingOf(face, options),
    onStep: logSteps(face, run, options.logLevel),
    onResumeRetry: resumeRetryTo(face),
    onNotice: noticeTo(face),
    onEndings: (endings) => tellEndings(face, endings),
    onOthers: (others, config) => {
      tellOthers(face, others, config)
      more.outcome?.leave(others, config)
    },
  }
}

/**
 * Says how holds ended that an earlier run had left open. Those that have not ended are a failure, which names them
 * (`requireAllResumed`).
 */
export function tellEndings(face: Pick<Terminal, 'say'>, endings: readonly OpenHoldOutcome[]): void {
  const said = endings
    .filter(({ failure }) => failure === null)
    .map(({ hold, how, complaint, unwritten }) =>
      [
        `an earlier run left a hold on ${printable(hold.tenant)} open; ` +
          `${endOf(how)}${unwritten === null ? '' : '. The ledger could not record this'}`,
        ...(complaint === null
          ? []
          : [
              `  ITS RESUME COMMAND FAILED: ${printableSentence(complaint)}. If ` +
                'the tenant stands still, run the command by hand',
            ]),
      ].join('\n'),
    )
  for (const sentence of new Set(said)) face.say(sentence)
}

const endOf = (how: OpenHoldOutcome['how']): string =>
  how === 'tenant-gone' ? 'the service no longer lists this tenant, so the hold has ended with it' : 'it serves again'

/** Names holds that are not this service's to end, and what to type. */
export function tellOthers(face: Terminal, others: readonly OtherHold[], config: string): void {
  for (const hold of others) {
    const { said, next } = describeOther(hold, config)
    face.say(said)
    face.say(`  next: ${adviceOn(hold, config).replace(next, () => unbroken(legibleCommand(next)))}`)
  }
}

/** Says on stderr what has to be said of the ledger itself. */
/** Says immediately that a tenant may still be paused: until its lease must have ended, the resume is tried again. */
export const resumeRetryTo =
  (face: Pick<Terminal, 'say'>) =>
  (tenant: TenantId, why: Error): void =>
    face.say(`holdfast: the resume of ${printable(tenant)} failed; trying again: ${printableSentence(why.message)}`)

export const noticeTo =
  (face: Terminal) =>
  (notice: string): void =>
    face.say(`holdfast: ledger: ${printableSentence(notice)}`)
