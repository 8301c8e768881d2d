/** Tries the rebuild that a check proposes on a copy of the snapshot, so that the report says whether it helps. */

import { statSync } from 'node:fs'
import type { DiagnosisContext } from '../../diagnosis/context.ts'
import { afterRehearsal } from '../../diagnosis/remedy.ts'
import type { SnapshotPath } from '../../model/brand.ts'
import { Failure } from '../../model/failure.ts'
import type { KeptFiles } from '../../model/kept-file.ts'
import { orFailure } from '../../model/or-failure.ts'
import type { Reading } from '../../model/result/reading.ts'
import type { Result } from '../../model/result/report.ts'
import { mendingOf } from '../../repair/mend/mend-order.ts'
import type { Rehearsals } from '../../repair/rehearse/rehearse.ts'
import { humanBytes } from '../../text/units.ts'

/** Of which files a run rehearses the remedies (`check.rehearse`). */
export interface RehearsalTerms {
  readonly rehearsals: Rehearsals
  /** A larger file is not rehearsed; null: any size. */
  readonly bytesMax: number | null
  /** Reserves space for the copies of one rehearsal; null if there is none. Default: nothing else needs the space. */
  readonly reserve?: (bytes: number) => Disposable | null
}

const bytesOf = (path: SnapshotPath): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0

/** A snapshot that was checked wholly: recovery has left it as one plain file. */
interface SettledSnapshot {
  readonly path: SnapshotPath
  readonly kept: KeptFiles
  readonly reading: Reading
  readonly context: DiagnosisContext
}

/**
 * @returns the result with its remedy rehearsed; the same result if there is no rebuild to rehearse
 * @throws {Failure} INTERRUPTED
 */
export async function rehearseRemedy(
  result: Result,
  settled: SettledSnapshot,
  terms: RehearsalTerms | null,
  signal: AbortSignal,
): Promise<Result> {
  const mending = result.verdict === 'damaged' && result.depth === 'full' ? mendingOf(result.remedy) : null
  if (mending === null || terms === null) return result
  const because = (why: string): Result => ({
    ...result,
    remedy: { ...result.remedy, why: `${result.remedy.why}; it was not rehearsed: ${why}` },
  })
  const { rehearsals, bytesMax, reserve } = terms
  if (bytesMax !== null && bytesOf(settled.path) > bytesMax)
    return because(`a sweep rehearses files of at most ${humanBytes(bytesMax)} unless check.rehearse is true`)
  const bytes = rehearsals.bytesFor(settled, mending)
  using reserved = reserve?.(bytes) ?? null
  if (reserve !== undefined && reserved === null)
    return because(
      `its copies may need ${humanBytes(bytes)}, and the other snapshots of this run leave less free space`,
    )
  const rehearsed = await orFailure(rehearsals.rehearse(settled, mending, signal))
  if (rehearsed instanceof Failure) {
    if (rehearsed.code === 'INTERRUPTED') throw rehearsed
    return because(rehearsed.message)
  }
  if (rehearsed.kind === 'sound') await rehearsed.mended[Symbol.asyncDispose]()
  const refused = rehearsed.kind === 'sound' ? null : rehearsed.failure.message
  return { ...result, remedy: afterRehearsal(result.remedy, refused, settled.context) }
}
