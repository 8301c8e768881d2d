/** The words of alarms. Text of databases and services is made printable, in UTF-8 whatever the locale. */

import type { Result } from '../model/result/report.ts'
import type { Remedy } from '../model/result/verdict.ts'
import { withConfiguration, withConfigurations } from '../report/text/hint.ts'
import { commandWhileStopped, isHarmless, nextCommand, signOfHarm } from '../report/text/next-command.ts'
import { count } from '../text/count.ts'
import { cutMiddle } from '../text/layout.ts'
import { printableInUtf8, printableSentenceInUtf8 } from '../text/printable.ts'
import type { AlarmTenant } from './alarm.ts'
import type { Condition, StandingSeverity } from './condition.ts'

/** How the text of an alarm begins. */
export const lead: Readonly<Record<StandingSeverity, string>> = {
  'HARM SUSPECTED': 'The cause may be holdfast itself, or locks that do not hold. Run nothing more on this service.',
  PAUSED: 'A tenant may be paused: it was not seen serving after holdfast.',
  DAMAGED: 'A check found damage.',
  STALE: 'Something that should have happened did not.',
  INCONCLUSIVE: 'These files were not proven, not read or not understood. This run cannot say that they are sound.',
}

export const takenBackLead =
  'A remedy was applied and taken back in a second pause. The file is as it was before, and the original is kept.'

/** A title is read on a phone. */
const nameLettersMax = 60
const namesMax = 3
const sentenceLettersMax = 600
const indexesMax = 20

const shortName = (name: string): string => cutMiddle(printableInUtf8(name), nameLettersMax)

export const sentence = (text: string): string => cutMiddle(printableSentenceInUtf8(text), sentenceLettersMax)

/** `acme, bolt, cube and 4 more` */
export function nameSome(names: readonly string[], total: number): string {
  const named = names.slice(0, namesMax).map(shortName)
  return total > named.length ? `${named.join(', ')} and ${total - named.length} more` : named.join(', ')
}

/**
 * A file in an alarm. Sentences about its content are left out, because some quote keys of rows.
 * @param config the configuration that commands must name; null if they find it
 */
export const alarmTenantOf = (
  { tenant, path, verdict, damage, remedy }: Result,
  config: string | null,
): AlarmTenant => ({
  tenant: tenant === null ? null : printableInUtf8(tenant),
  path: printableInUtf8(path),
  verdict,
  damage,
  remedy: verdict === 'damaged' ? printableRemedy(remedy, config) : null,
})

const printableRemedy = (remedy: Remedy, config: string | null): Remedy => ({
  ...remedy,
  indexes: remedy.indexes.slice(0, indexesMax).map(printableInUtf8),
  ...(remedy.fts === undefined
    ? {}
    : {
        fts: remedy.fts
          .slice(0, indexesMax)
          .map(({ name, source }) => ({ name: printableInUtf8(name), source: printableInUtf8(source) })),
      }),
  why: sentence(withConfigurations(remedy.why, config)),
  command: remedy.command === null ? null : printableSentenceInUtf8(withConfiguration(remedy.command, config)),
})

/** What a person reads of one result: the file, what is wrong with it, and what will mend it. */
export function describeResult({
  tenant,
  path,
  verdict,
  damage,
  findingsTotal,
  remedy,
  failure,
  reason,
}: Result): string {
  const name = tenant === null ? '' : `${shortName(tenant)}: `
  const file = printableInUtf8(path)
  if (failure !== undefined) return `${name}${file}: ${failure.code}: ${sentence(failure.message)}.`
  if (verdict === 'inconclusive') return `${name}${file}: ${sentence(reason ?? 'it was not proven or not read')}.`
  const rehearsed = remedy.rehearsed ? ' (rehearsed on a copy)' : ''
  return `${name}${file}: ${damage}, ${count(findingsTotal, 'finding')}; remedy: ${remedy.do}${rehearsed}.`
}

/** What to do in a crash loop; empty if there is nothing to say. */
export function adviceWhileStopped(result: Result, config: string | null): string {
  const command = commandWhileStopped(result, config)
  if (command === null) return ''
  return ` If the service crashes before it is mended: stop it, then run \`${printableSentenceInUtf8(command)}\`.`
}

/**
 * A condition as it is told while harm is suspected. Its commands change no data, pause no tenant and check nothing,
 * because each further pause may do further harm (I1.8).
 */
export const withoutChanges = (condition: Condition, config: string | null): Condition => ({
  ...condition,
  tenants: condition.tenants.map((one) =>
    one.remedy === null ? one : { ...one, remedy: { ...one.remedy, command: null } },
  ),
  command: isHarmless(condition.command) ? condition.command : withConfiguration('holdfast status', config),
})

/** The command for a result, as another person will type it. */
export const alarmCommand = (result: Result, config: string | null): string | null => {
  const next = nextCommand(result, { mode: 'sweep', copied: false }, config)
  const sign = signOfHarm(result)
  const command =
    sign !== null && next !== null && !isHarmless(next) ? withConfiguration(`holdfast explain ${sign}`, config) : next
  return command === null ? null : printableSentenceInUtf8(command)
}
