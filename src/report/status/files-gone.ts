/** Files that the service listed once and lists no more. A sweep reports each once, and then knows it no more. */

import { isFullSweep } from '../../ledger/full-sweep.ts'
import { count } from '../../text/count.ts'
import type { Absence, SweepFacts } from './absences.ts'
import { someNames } from './name-some.ts'

/** A file that the service listed once and lists no more. */
export interface GoneName {
  /** The tenant, or the path of a file whose tenant is still listed. */
  readonly name: string
  /** When a run reported it, in ms since 1970. */
  readonly at: number
}

/**
 * Files that are not listed any more, until another full sweep has ended. One sweep has told it, and a person must have
 * the time to see it. If no file is left at all, every sweep looks well because it has nothing to check: then for ever.
 * @param gone all that were ever reported and are not listed again @param filesLeft number of files that are listed
 */
export function filesGone(gone: readonly GoneName[], filesLeft: number, runs: SweepFacts['runs']): readonly Absence[] {
  const from = filesLeft === 0 ? 0 : (runs.find(isFullSweep)?.startedAt ?? 0)
  const told = gone.filter(({ at }) => at >= from)
  if (told.length === 0) return []
  const names = someNames([...new Set(told.map(({ name }) => name))].toSorted())
  return [
    {
      kind: 'tenants-gone',
      code: 1,
      since: Math.min(...told.map(({ at }) => at)),
      text: `the service no longer lists ${count(told.length, 'file')} that it listed before: ${names}`,
      command: 'holdfast explain TENANT_GONE',
    },
  ]
}
