/**
 * Keeps the ledger small. Lines are removed a day after they were written, and only these:
 *
 * - The lines of a hold that has ended: its pause is in the totals and in the check.
 * - A check that is not among the newest ones of its file, if the checks before and after it came out the same. Of many
 *   equal nights the first and the last remain.
 * - The oldest checks of a file that has very many with changing outcomes.
 *
 * The last sound check of each file has a table of its own (`ledger/process/last-good.ts`). The work goes through the
 * ledger once, in steps of one transaction each, and continues where the last run stopped. Runs in the ledger's process
 * only.
 */

import type Database from 'better-sqlite3'
import { readCheckSummary } from '../../lines/check-summary.ts'
import { statementFor } from '../statement-cache.ts'

/** Lines stay whole for so long: for incidents, and for the bundle of a run. In ms. */
const wholeMs = 86_400_000
/** So many of the newest checks of a file stay, whatever their outcome. */
const newestKept = 3
/** A file keeps at most so many checks, and none behind so many bytes of newer ones: damage has long lines. */
const checksMax = 60
const checkBytesMax = 128_000
/** One transaction looks at so many lines. It takes about 50 ms. */
const linesPerStep = 2000

interface LineToJudge {
  readonly sequence: number
  readonly at: number
  readonly kind: string
  readonly tenant: string | null
  readonly path: string | null
  readonly way: number
  readonly isOpen: 0 | 1
}

/**
 * Works for about so many ms.
 * @param now ms since 1970
 * @returns true if more is to be done
 */
export function compact(database: Database.Database, workMs: number, now: number): boolean {
  const endsAtMs = performance.now() + workMs
  const step = database.transaction(() => compactStep(database, now))
  while (step.immediate()) if (performance.now() >= endsAtMs) return true
  return false
}

/** @returns false if nothing more is old enough */
function compactStep(database: Database.Database, now: number): boolean {
  const upTo = Number(statementFor(database, 'select up_to from compacted').pluck().get())
  const next = statementFor(
    database,
    `select sequence, at, kind, tenant, path, way, holder in (select holder from open_holder) as isOpen
    from line where sequence > ? order by sequence limit ${linesPerStep}`,
  ).all(upTo) as readonly LineToJudge[]
  // A line with a time that lies ahead was written while a clock was wrong: it counts as old.
  const young = next.findIndex(({ at }) => at <= now && now - at < wholeMs)
  const old = young === -1 ? next : next.slice(0, young)
  const last = old.at(-1)
  if (last === undefined) return false
  const removable = [...oldHolds(old), ...checksOf(database, old, last.sequence)]
  const mark = statementFor(database, 'insert into removable (sequence) values (?) on conflict do nothing')
  for (const sequence of removable) mark.run(sequence)
  statementFor(database, 'delete from line where sequence in (select sequence from removable)').run()
  statementFor(database, 'delete from removable').run()
  statementFor(database, 'update compacted set up_to = ?').run(last.sequence)
  return young === -1 && next.length === linesPerStep
}

const oldHolds = (lines: readonly LineToJudge[]): readonly number[] =>
  lines
    .filter(({ kind, isOpen }) => ['hold-asked', 'hold-quiesced', 'hold-ended'].includes(kind) && isOpen === 0)
    .map(({ sequence }) => sequence)

interface CheckToJudge {
  readonly sequence: number
  readonly brief: string | null
  readonly bytes: number
  readonly isKept: 0 | 1
}

/** Of each file with a check among these lines: its checks up to `last` that may go. */
function* checksOf(database: Database.Database, lines: readonly LineToJudge[], last: number): Iterable<number> {
  const files = new Map(
    lines
      .filter(({ kind }) => kind === 'checked')
      .map(({ tenant, path, way }) => [JSON.stringify([tenant, path, way]), { tenant, path, way }]),
  )
  const checks = statementFor(
    database,
    `select sequence, brief, octet_length(event) as bytes, exists (select 1 from newest_check
      where tenant = :tenant and path = :path and way = :way and line.sequence in (sequence, settled)) as isKept
    from line where tenant = :tenant and path = :path and way = :way and kind = 'checked' order by sequence desc`,
  )
  for (const file of files.values()) {
    const all = (checks.all(file) as readonly CheckToJudge[]).map((check) => ({ ...check, outcome: outcomeOf(check) }))
    let bytesKept = 0
    for (const [at, { sequence, bytes, isKept, outcome }] of all.entries()) {
      const mustStay = at < newestKept || isKept === 1 || sequence > last
      const isBetweenEquals = all[at - 1]?.outcome === outcome && all[at + 1]?.outcome === outcome
      const isBeyond = at >= checksMax || bytesKept >= checkBytesMax
      if (!mustStay && (isBetweenEquals || isBeyond)) yield sequence
      else bytesKept += bytes
    }
  }
}

/** A check that cannot be read equals no other. */
function outcomeOf({ sequence, brief }: CheckToJudge): string {
  const summary = readCheckSummary(brief)
  if (summary === null) return String(sequence)
  const { verdict, damage, depth, level, failure } = summary
  return JSON.stringify([verdict, damage, depth, level, failure])
}
