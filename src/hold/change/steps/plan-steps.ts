/**
 * The order of the steps for one file. S is what SQLite makes of the original (main file, WAL and journal together), N
 * the mended file. S stands beside WAL and journal as well as alone: to replay them on it changes nothing. So each
 * state between two steps is, for SQLite, wholly old or wholly new (test/hold/change/between-steps.test.ts).
 *
 * Forward: S takes the place of the main file; the journal goes, then the WAL; N takes the place of S.
 * Back: S takes the place of N; the WAL comes, then the journal; the original main file takes the place of S.
 *
 * The journal goes before the WAL: rolled back on S without the WAL, it would undo what the WAL had committed. A `-shm`
 * goes last: it is an index of the WAL, and SQLite makes it anew.
 */
import type { ChangeId } from '../../../model/brand.ts'
import { invariant } from '../../../model/bug.ts'
import type { LiveSetPart } from '../../../model/result/evidence.ts'
import { nameBeside, type LiveFolder } from './live-folder.ts'
import { move, takeName } from './move.ts'
import { overwriteCovered, overwriteJournalled, type OverwriteTerms } from './overwrite.ts'
import type { StagedFile } from './staged-file.ts'
import type { Step } from './step.ts'

export interface FileInChange {
  readonly folder: LiveFolder
  readonly change: ChangeId
  /** Of the file in its change, counted from 1. */
  readonly nth: number
}

/** How the main file gets another content: a file beside it takes its name, or it is overwritten. */
export type Replacement =
  | { readonly method: 'swap' }
  | { readonly method: 'in-place'; readonly overwriting: OverwriteTerms }

/** A content that the main file is to have, or has now. */
export interface Content {
  /** Null if the content is in the live file only. */
  readonly descriptor: number | null
  /** Null for a content that is only written into the live file. */
  readonly beside: StagedFile | null
}

/** Companions in the order in which they go. */
const goingOrder = ['-journal', '-wal', '-shm'] as const satisfies readonly LiveSetPart[]

/**
 * @param present parts that lie beside the main file now
 * @param covers whether one of them has bytes; then `settled` is S
 */
export function forwardSteps(
  at: FileInChange,
  replacing: Replacement,
  { present, covers }: { readonly present: readonly LiveSetPart[]; readonly covers: boolean },
  { before, settled, mended }: { readonly before: Content; readonly settled: Content; readonly mended: Content },
): readonly Step[] {
  if (!covers) return [...dropShm(at, present), replace(at, replacing, mended, settled, 'alone')]
  return [
    replace(at, replacing, settled, before, 'covered'),
    ...goingOrder.filter((part) => present.includes(part)).map((part) => aside(at, part)),
    replace(at, replacing, mended, settled, 'alone'),
  ]
}

/**
 * @param present as for `forwardSteps`; none of them has bytes
 * @param companions the kept WAL and journal, beside the live file
 */
export function backwardSteps(
  at: FileInChange,
  replacing: Replacement,
  present: readonly LiveSetPart[],
  companions: ReadonlyMap<'-wal' | '-journal', StagedFile>,
  { mended, settled, original }: { readonly mended: Content; readonly settled: Content; readonly original: Content },
): readonly Step[] {
  const gone = goingOrder.filter((part) => present.includes(part)).map((part) => aside(at, part))
  const covers = [...companions.values()].some(({ content }) => content.bytes > 0)
  const come = (['-wal', '-journal'] as const).flatMap((part) => {
    const beside = companions.get(part)
    return beside === undefined ? [] : [move(at.folder, beside.name, at.folder.base + part)]
  })
  if (!covers) return [...gone, replace(at, replacing, original, mended, 'alone'), ...come]
  return [
    ...gone,
    replace(at, replacing, settled, mended, 'alone'),
    ...come,
    replace(at, replacing, original, settled, 'covered'),
  ]
}

function replace(
  { folder, change, nth }: FileInChange,
  replacing: Replacement,
  next: Content,
  now: Content,
  how: 'alone' | 'covered',
): Step {
  if (replacing.method === 'swap') {
    const { beside } = next
    invariant(beside, 'a file that takes the name of the live one lies beside it')
    return takeName(folder, beside)
  }
  const { overwriting } = replacing
  invariant(next.descriptor !== null, 'a content that is written into the live file is open')
  if (how === 'alone')
    return overwriteJournalled(overwriting, nameBeside(change, nth, 'rollback'), next.descriptor, now.descriptor)
  invariant(now.descriptor !== null, 'a covered content is open')
  return overwriteCovered(overwriting, next.descriptor, now.descriptor)
}

/** Moved, not deleted: so it can come back. It is deleted when the tenant serves again. */
const aside = ({ folder, change, nth }: FileInChange, part: (typeof goingOrder)[number]): Step =>
  move(folder, folder.base + part, nameBeside(change, nth, `aside${part.slice(1)}`))

/** Without bytes in a WAL, its index says nothing. It is dropped all the same: the index of another inode. */
const dropShm = (at: FileInChange, present: readonly LiveSetPart[]): readonly Step[] =>
  present.includes('-shm') ? [aside(at, '-shm')] : []
