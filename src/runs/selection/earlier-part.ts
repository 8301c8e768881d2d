/**
 * What an interrupted sweep has checked already. The sweep that goes on does not check it again. Its sound files count
 * as not due. Its other results become part of the new report, because a run that was killed has reported nothing.
 */

import type { Ledger, LedgerLine } from '../../ledger/ledger.ts'
import type { SweepScope } from '../../model/event.ts'
import type { Result } from '../../model/result/report.ts'
import type { Target } from '../begin/target.ts'
import { isPartOfSweep, type KnownResults } from './known-results.ts'

export interface EarlierPart {
  readonly sound: ReadonlySet<Target>
  /** Each names the run that made it. */
  readonly others: ReadonlyMap<Target, Result>
}

/** So many of the newest checks of a tenant are read to find one that was not sound. */
const checksRead = 100

/** @param scope of that sweep: a check that was less deep does not count @throws {Failure} LEDGER_UNUSABLE */
export async function earlierPartOf(
  targets: readonly Target[],
  { known, scope, now }: { readonly known: KnownResults; readonly scope: SweepScope; readonly now: number },
  ledger: Pick<Ledger, 'checks'>,
): Promise<EarlierPart> {
  const sound = new Set<Target>()
  const others = new Map<Target, Result>()
  for (const target of targets) {
    const result = known.of(target)
    if (result === null || !isPartOfSweep(result, scope, now)) continue
    if (result.verdict === 'sound') {
      sound.add(target)
      continue
    }
    const { lines } = await ledger.checks(result.tenant, checksRead)
    const found = lines.flatMap((line) => resultIn(line, target)).at(0)
    if (found !== undefined) others.set(target, found) // Else it is checked again.
  }
  return { sound, others }
}

function resultIn({ event, run }: LedgerLine, { named }: Target): readonly Result[] {
  return event.kind === 'checked' && event.result.path === named ? [{ ...event.result, run }] : []
}
