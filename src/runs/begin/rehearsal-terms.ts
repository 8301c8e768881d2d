/** Which remedies a run on a service tries on a copy (`check.rehearse`). */

import type { CheckSettings } from '../../config/settings.ts'
import { openRehearsals, type RehearsalOptions } from '../../repair/rehearse/rehearse.ts'
import type { RunContext } from './run-context.ts'

/** A sweep takes no larger file, because a rehearsal takes some times as long as the check. In bytes. */
const sweepRehearsesMax = 1_000_000_000

/** Commands whose report names the remedy. */
const rehearsing: ReadonlySet<string> = new Set(['check', 'sweep', 'triage'])

/** Only commands that report a check rehearse. @param mode of the run @throws {Failure} CANNOT_CONFINE */
export async function rehearsalTerms(
  rehearse: CheckSettings['rehearse'],
  mode: string,
  options: RehearsalOptions,
): Promise<RunContext['rehearsing']> {
  if (rehearse === false || !rehearsing.has(mode)) return null
  return {
    rehearsals: await openRehearsals(options),
    bytesMax: rehearse === 'auto' && mode !== 'check' ? sweepRehearsesMax : null,
  }
}
