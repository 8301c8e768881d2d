/** Which backups of one file are kept, and which are one too many. Pure. */
import { ageOf } from '../model/age.ts'
import type { VerifiedBackup } from '../model/result/backup.ts'

/** How many backups of a file are kept: the newest ones, and one for each of the last days and weeks that have any. */
export interface RotationRule {
  /** At least 1. */
  readonly last: number
  readonly daily: number
  readonly weekly: number
}

const dayMs = 86_400_000
/** 1970-01-01 was a Thursday; weeks begin on Monday, as in ISO 8601. Days and weeks are those of UTC. */
const mondayOffsetMs = 3 * dayMs

/**
 * A backup stands for every day from its `takenAt` to its `confirmedAt`. The file had its content on the first and on
 * the last of them. Of each day or week the newest backup is kept. A backup of the future was made while the clock was
 * wrong: it stays, and no other has to go for it.
 * @param backups verified backups of one file
 * @param nowMs wall clock
 * @returns those that may be deleted; never the newest
 */
export function surplusOf(
  backups: readonly VerifiedBackup[],
  rule: RotationRule,
  nowMs: number,
): readonly VerifiedBackup[] {
  const newestFirst = backups.filter((one) => !isOfFuture(one, nowMs)).toSorted((a, b) => (a.id < b.id ? 1 : -1))
  const kept = new Set(newestFirst.slice(0, Math.max(1, rule.last)))
  for (const backup of inPeriods(newestFirst, rule.daily, nowMs, (ms) => Math.floor(ms / dayMs))) kept.add(backup)
  const weekOf = (ms: number): number => Math.floor((ms + mondayOffsetMs) / (7 * dayMs))
  for (const backup of inPeriods(newestFirst, rule.weekly, nowMs, weekOf)) kept.add(backup)
  return newestFirst.filter((backup) => !kept.has(backup)).toReversed()
}

/** True for a backup that was made while the clock was wrong. */
export const isOfFuture = ({ takenAt }: VerifiedBackup, nowMs: number): boolean =>
  ageOf(Date.parse(takenAt), nowMs) === null

/** The newest backup of each of the last `count` periods that have one. */
function inPeriods(
  newestFirst: readonly VerifiedBackup[],
  count: number,
  nowMs: number,
  periodOf: (ms: number) => number,
): readonly VerifiedBackup[] {
  const byPeriod = new Map<number, VerifiedBackup>()
  for (const backup of newestFirst) {
    const last = periodOf(Math.min(Date.parse(backup.confirmedAt ?? backup.takenAt), nowMs))
    // A backup that was confirmed for years has no more than `count` periods that matter.
    const first = Math.max(periodOf(Date.parse(backup.takenAt)), last - count + 1)
    for (let period = last; period >= first; period--) if (!byPeriod.has(period)) byPeriod.set(period, backup)
  }
  const lastPeriods = [...byPeriod].toSorted(([a], [b]) => b - a).slice(0, count)
  return lastPeriods.map(([, backup]) => backup)
}
