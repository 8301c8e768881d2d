/** Sentences about plans and losses: plain words and exact numbers. */

import type { ChosenBackup, PlannedRemedy, RemedyPlan, RemedyResult, TableLoss } from '../../model/result/remedy.ts'
import { count, groupDigits, listFirst } from '../../text/count.ts'
import { humanMs } from '../../text/units.ts'
import { legibleName, legibleSentence } from '../text/legible.ts'
import { printableKey } from '../text/problem.ts'

const keysShownMax = 5
const objectsShownMax = 8

/** Rows that a remedy loses, for a table: a number, `?` if it is not known, `-` without a plan. */
export function lossOf({ plan, rehearsal, applied }: RemedyResult): string {
  if (rehearsal === null && applied === null) return '-'
  const lost = plan.losses.map((table) => table.lost)
  return lost.includes(null) ? '?' : groupDigits(lost.reduce<number>((sum, one) => sum + (one ?? 0), 0))
}

/** What the plan does, as `to` (rebuild) or `did` (rebuilt). */
export function planWords({ do: todo, objects, backup }: RemedyPlan, tense: 'to' | 'did'): string {
  const did = tense === 'did'
  switch (todo) {
    case 'rebuild':
      return `${did ? 'rebuilt' : 'rebuild'} ${namesOf(objects)}`
    case 'rewrite':
      return `${did ? 'wrote' : 'write'} the whole file anew, with every row in its place`
    case 'restore':
      if (backup === null) return did ? 'restored a backup' : 'restore a backup'
      return did
        ? `restored the backup ${legibleName(backup.id)} of ${takenWhen(backup)}`
        : `restore ${describeBackup(backup)}`
    case 'salvage':
      return `${did ? 'wrote' : 'write'} every row that is readable into a new file`
    case 'undo':
      return did ? 'put the original back' : 'put the original back'
    case 'ask':
    case 'nothing':
      return 'nothing'
  }
}

const namesOf = (objects: readonly string[]): string =>
  listFirst(objects.slice(0, objectsShownMax).map(legibleName), objects.length)

function describeBackup(backup: ChosenBackup): string {
  const { id, verifiedAt } = backup
  const verified = verifiedAt === null ? 'never verified' : `last verified ${whenUtc(verifiedAt)}`
  return `the backup ${legibleName(id)}, taken ${takenWhen(backup)}, ${verified}`
}

const takenWhen = ({ takenAt, takenAtLatest }: ChosenBackup): string =>
  `${whenUtc(takenAt)}${takenAtLatest === true ? ' or earlier' : ''}`

/** `2026-11-28 03:12:44 UTC`; the text itself if it is no time. */
export const whenUtc = (iso: string): string =>
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/.test(iso) ? `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC` : legibleSentence(iso)

/** Whether the file is still what an earlier run has planned on. */
export const sincePlan = ({ at, same }: PlannedRemedy): string =>
  same
    ? `the file is the same as in the plan of ${whenUtc(at)}`
    : `the file has changed since the plan of ${whenUtc(at)}; the remedy was tried anew on what it holds now`

/** How old a backup is, seen from `at`; null if that is not known. */
export function backupAge(backup: ChosenBackup, at: number): string | null {
  const takenAt = Date.parse(backup.takenAt)
  return backup.takenAtLatest !== true && Number.isFinite(takenAt) && at >= takenAt ? humanMs(at - takenAt) : null
}

/**
 * `events: 7 rows LOST, …`: one sentence for each table that loses anything. A salvage loses the rows that it cannot
 * read; a restore loses others besides.
 */
export function describeLoss(loss: TableLoss, todo: RemedyPlan['do']): string {
  const { table, inBoth, lost, changed, recovered, unreadable, doubted = 0, keys, keysTotal } = loss
  const unread = unreadable ?? 0
  // Rows that come back may be deleted ones instead of those that cannot be read.
  const isLeast = todo === 'restore' && unread > 0 && recovered !== 0
  const isPart = todo === 'salvage' && lost !== null && lost >= unread
  const whyLost =
    !isPart || unread === 0 ? '' : unread === lost ? ' (unreadable)' : ` (${groupDigits(unread)} unreadable)`
  const parts = [
    lost === null
      ? 'it is not known how many rows are lost'
      : lost === 0
        ? null
        : `${isLeast ? 'at least ' : ''}${count(lost, 'row')} LOST${whyLost}`,
    changed === null || changed === 0 ? null : `${count(changed, 'row')} with older values`,
    unread === 0 || isPart ? null : `${count(unread, 'row')} cannot be read now`,
    recovered === null || recovered === 0
      ? null
      : `${count(recovered, 'row')} ${recovered === 1 ? 'comes' : 'come'} back`,
    doubted === 0 ? null : `${count(doubted, 'row')} that an index CONTRADICTS`,
    inBoth === null ? null : `${count(inBoth, 'row')} unchanged`,
  ].filter((part) => part !== null)
  const shown = keys.slice(0, keysShownMax).map(printableKey)
  const named = shown.length === 0 ? '' : `; ${keyWord(keys)} ${listFirst(shown, keysTotal ?? shown.length)}`
  return `${legibleName(table)}: ${parts.join(', ')}${named}`
}

/** Rows of a table with a rowid are named by it, also where the primary key is another column. */
const keyWord = (keys: TableLoss['keys']): string => (keys.some(Array.isArray) ? 'keys' : 'rowids')
