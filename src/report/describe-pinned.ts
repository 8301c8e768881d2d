/** Level `pinned` in plain words: how the snapshot was taken, what that proves, and what a second one showed. */

import type { PinEvidence } from '../model/result/evidence.ts'
import type { Result } from '../model/result/report.ts'
import { copyForSalvage } from '../runs/notices/in-use.ts'
import { count, groupDigits } from '../text/count.ts'
import { wrap } from '../text/layout.ts'
import { humanBytes, humanMs } from '../text/units.ts'
import { legibleSentence } from './text/legible.ts'
import type { TextOptions } from './text/result-words.ts'

/** What the level proves, and what it does not. */
export const whatPinnedProves =
  'pinned: the locks of SQLite kept the copied bytes still while programs went on. That does not show that no ' +
  'program ignores these locks.'

/** What must be said below results of which any is pinned: their verdict is weaker than it looks in a table. */
export function describePinned(
  results: readonly (Pick<Result, 'tenant' | 'verdict' | 'evidence'> | null)[],
  { width }: TextOptions,
): readonly string[] {
  const pinned = results.filter((one) => one !== null && one.evidence.level === 'pinned' && one.verdict !== 'failed')
  if (pinned.length === 0) return []
  const tenants = pinned.flatMap((one) => one?.tenant ?? [])
  const moments =
    new Set(tenants).size < tenants.length
      ? ' Each file of a tenant was pinned for itself: they are not of one moment.'
      : ''
  return wrap(`P${whatPinnedProves.slice(1)}${moments} \`holdfast explain pinned\` says more.`, width)
}

/** How the snapshot was taken, as clauses. @param pin undefined in reports of an older holdfast */
export function pinClauses(pin: PinEvidence | null | undefined): readonly string[] {
  if (pin === null || pin === undefined) return []
  const { branch, heldMs, mark, walGrewBytes, journal, lastSeenConnected } = pin
  const time = humanMs(heldMs)
  switch (branch) {
    case 'wal':
      return [
        `writers went on for the ${time} of the copy` +
          (mark === null ? '' : `, which ends with frame ${groupDigits(mark.frames)} of the WAL`),
        ...(walGrewBytes > 0 ? [`the WAL grew by ${humanBytes(walGrewBytes)} meanwhile`] : []),
        ...(lastSeenConnected
          ? []
          : ['the program closed the file meanwhile, and its WAL waits for the next start of the program']),
      ]
    case 'idle':
      return ['no program was connected to the database, and none came during the copy']
    case 'rollback-journal':
      return [
        `a commit could wait ${time} for the copy, and 100 ms more because SQLite sleeps between two attempts`,
        ...(journal === 'hot' ? ['a journal that a crash has left was copied too'] : []),
      ]
  }
}

/** What a second snapshot says of the damage; null if none was asked for. */
export function secondSnapshotWords({ secondSnapshot }: Result): string | null {
  if (secondSnapshot === undefined) return null
  const { confirmed, unconfirmedTotal, failure, verdict } = secondSnapshot
  if (failure !== undefined)
    return `no second snapshot could confirm the damage: ${failure.code}: ${legibleSentence(failure.message)}`
  if (confirmed === 0) return `a second snapshot, pinned later, shows none of it (its verdict: ${verdict})`
  const alone =
    unconfirmedTotal === 0
      ? ''
      : `; ${count(unconfirmedTotal, 'other finding is', 'other findings are')} in one of the two only`
  return `a second snapshot, pinned later, shows the same ${count(confirmed, 'finding')} of damage${alone}`
}

/** What a person must know before a remedy; null if the file was held, or no program had it open. */
export const beforeRemedy = (result: Result): string | null => {
  const { tenant, path, verdict, damage, remedy } = result
  return isUsedByPrograms(result) && verdict === 'damaged' && damage !== 'none' && remedy.do !== 'nothing'
    ? 'a remedy needs a file that no program has open: stop the program first, or let hooks stop and start it ' +
        `(src/service/hooks/README.md)${tenant === null && remedy.do === 'ask' ? `; ${copyForSalvage(path)}` : ''}`
    : null
}

/** True if the snapshot was taken while programs had the file open. */
export const isUsedByPrograms = ({ evidence: { level, pin } }: Result): boolean =>
  level === 'pinned' && pin?.branch !== 'idle'
