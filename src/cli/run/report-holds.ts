/** What a person reads on stderr about earlier runs: holds and changes that they left open, plans, and the ledger. */

import type { RecoveredChange } from '../../hold/change/change-types.ts'
import type { TenantId } from '../../model/brand.ts'
import type { PlannedRemedy } from '../../model/result/remedy.ts'
import type { OtherHold } from '../../model/service-way.ts'
import { sincePlan } from '../../report/remedy/remedy-words.ts'
import { legibleCommand } from '../../report/text/legible.ts'
import { adviceOn, describeOther } from '../../report/text/other-holds.ts'
import type { Target } from '../../runs/begin/target.ts'
import type { OpenHoldOutcome } from '../../runs/open-holds/open-holds.ts'
import { withoutBreaks } from '../../text/layout.ts'
import { printable, printableSentence } from '../../text/printable.ts'
import { humanMs } from '../../text/units.ts'
import type { Terminal } from '../terminal/terminal.ts'

/**
 * Reports how holds ended that an earlier run had left open. Those that have not ended are a failure, which names them
 * (`requireAllResumed`).
 */
export function reportOutcomes(terminal: Pick<Terminal, 'say'>, outcomes: readonly OpenHoldOutcome[]): void {
  const sentences = outcomes.filter(({ failure }) => failure === null).map(describeOutcome)
  for (const sentence of new Set(sentences)) terminal.say(sentence)
}

function describeOutcome({ hold, how, complaint, unwritten }: OpenHoldOutcome): string {
  const end =
    how === 'tenant-gone' ? 'the service no longer lists this tenant, so the hold has ended with it' : 'it serves again'
  const notRecorded = unwritten === null ? '' : '. The ledger could not record this'
  const sentence = `an earlier run left a hold on ${printable(hold.tenant)} open; ${end}${notRecorded}`
  if (complaint === null) return sentence
  return (
    `${sentence}\n  ITS RESUME COMMAND FAILED: ${printableSentence(complaint)}. ` +
    'If the tenant is still paused, run the command of service.hooks.resume by hand'
  )
}

/** Names open holds that this service may not end, and the command that ends each. */
export function reportOtherHolds(terminal: Terminal, others: readonly OtherHold[], config: string): void {
  for (const hold of others) {
    const { said, next } = describeOther(hold, config)
    terminal.say(said)
    terminal.say(`  next: ${adviceOn(hold, config).replace(next, () => withoutBreaks(legibleCommand(next)))}`)
  }
}

/** Reports what the ledger has to say about itself, such as that it was set aside. */
export const reportNotice =
  (terminal: Terminal) =>
  (notice: string): void =>
    terminal.say(`holdfast: ledger: ${printableSentence(notice)}`)

/** Reports immediately that a tenant may still be paused: holdfast tries the resume again until its lease has ended. */
export const reportResumeRetry =
  (terminal: Pick<Terminal, 'say'>) =>
  (tenant: TenantId, why: Error): void =>
    terminal.say(`holdfast: the resume of ${printable(tenant)} failed; trying again: ${printableSentence(why.message)}`)

/** Reports what became of changes that an earlier run left half done. */
export const reportRecovered =
  (terminal: Pick<Terminal, 'say'>) =>
  (recovered: readonly RecoveredChange[]): void => {
    for (const { sentence } of recovered) terminal.say(printableSentence(sentence))
  }

/** Tells why a remedy seems to do nothing. */
export const reportAway =
  (terminal: Pick<Terminal, 'say'>) =>
  ({ tenant, named }: Target, msMax: number): void =>
    terminal.say(
      `holdfast: ${printable(tenant ?? named)}: the service does not answer, or restarts: ` +
        `waiting for it, at most ${humanMs(msMax)}`,
    )

/** Reports before a change whether the file is still what an earlier run has planned on. */
export const reportPlanned =
  (terminal: Pick<Terminal, 'say'>) =>
  ({ tenant, named }: Target, planned: PlannedRemedy): void =>
    terminal.say(`holdfast: ${printable(tenant ?? named)}: ${printableSentence(sincePlan(planned))}`)
