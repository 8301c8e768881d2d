/**
 * The newest check of each file, and the newest one that settles something. Runs in the ledger's process only.
 *
 * One service may be reached in several ways: by its admin API in one configuration, by hooks in another. They share a
 * name, and only a person knows whether they are one service. So a check in another way may add damage, and clears only
 * what that way itself has found:
 *
 * - Damage found in another way counts, until a later check in this way or in that way settles the file.
 * - Anything else that another way found counts for files of which this way has found nothing yet.
 *
 * `history` lists the checks of all ways. Both answers say when they rest on another way.
 */

import type Database from 'better-sqlite3'
import { tenantId } from '../../model/brand.ts'
import type { ServiceWay } from '../../model/service-way.ts'
import { count } from '../../text/count.ts'
import type { LastResult, RecordedCheck } from '../ledger.ts'
import type { CheckSummary } from '../lines/check-summary.ts'
import { answerMax } from '../protocol.ts'
import { bounded, summaryIn, type AddNotice } from './answers.ts'
import { describeWays, numbersOf } from './ways.ts'

/** The newest check of one file in one way, and the newest one in that way that settles something. */
interface NewestRow {
  readonly tenant: string
  readonly path: string
  readonly way: number
  /** 1 if it is a check in this way. */
  readonly own: number
  readonly sequence: number
  readonly at: number
  readonly run: string
  readonly summary: string | null
  readonly settledSequence: number | null
  readonly settledAt: number | null
  readonly settledRun: string | null
  readonly settledSummary: string | null
}

export function lastResults(
  database: Database.Database,
  way: ServiceWay | null,
  addNotice: AddNotice,
): readonly LastResult[] {
  const { own, service, others } = numbersOf(database, way)
  const rows = database.prepare<[string, string], NewestRow>(`
    select newest_check.tenant, newest_check.path, newest_check.way,
      newest_check.way in (select value from json_each(?)) as own,
      newest.sequence, newest.at, newest.run, newest.brief as summary,
      settled.sequence as settledSequence, settled.at as settledAt, settled.run as settledRun,
      settled.brief as settledSummary
    from newest_check
    join line as newest on newest.sequence = newest_check.sequence
    left join line as settled on settled.sequence = newest_check.settled
    where newest_check.way in (select value from json_each(?))
    order by newest_check.tenant, newest_check.path, own desc, newest_check.sequence desc`)
  const results: LastResult[] = []
  const fromOthers = new FromOtherWays(others)
  for (const ways of byFile(rows.iterate(own, service))) {
    if (results.length > answerMax.lastResults) break
    const result = resultOf(ways, fromOthers, addNotice)
    if (result !== null) results.push(result)
  }
  fromOthers.report(database, way, addNotice)
  return bounded(results, answerMax.lastResults, 'results', addNotice)
}

/** The rows of one file after the other: those of this way first, and of each the newest first. */
function* byFile(rows: Iterable<NewestRow>): Iterable<readonly NewestRow[]> {
  let ofFile: NewestRow[] = []
  for (const row of rows) {
    const [first] = ofFile
    if (first !== undefined && (first.tenant !== row.tenant || first.path !== row.path)) {
      yield ofFile
      ofFile = []
    }
    ofFile.push(row)
  }
  if (ofFile.length > 0) yield ofFile
}

function resultOf(rows: readonly NewestRow[], fromOthers: FromOtherWays, addNotice: AddNotice): LastResult | null {
  for (const row of rows) {
    const summary = summaryIn(row.summary, row.sequence, row.at, addNotice)
    if (summary === null) continue
    const settled = settledIn(rows, addNotice)
    fromOthers.count([row, ...(settled === null ? [] : [settled.row])])
    return {
      ...recordedCheck(row.at, row.run, summary),
      tenant: tenantId(row.tenant),
      path: row.path,
      failure: summary.failure,
      settled: settled?.check ?? null,
    }
  }
  return null
}

interface Settled {
  readonly row: NewestRow
  readonly sequence: number
  readonly check: RecordedCheck
}

function settledIn(rows: readonly NewestRow[], addNotice: AddNotice): Settled | null {
  const all = rows.flatMap((row) => settledInWay(row, addNotice)).toSorted((a, b) => b.sequence - a.sequence)
  const own = all.find(({ row }) => row.own === 1)
  const newDamage = all.find(({ check, sequence }) => check.verdict === 'damaged' && sequence > (own?.sequence ?? 0))
  return newDamage ?? own ?? all[0] ?? null
}

function settledInWay(row: NewestRow, addNotice: AddNotice): readonly Settled[] {
  const { settledSequence: sequence, settledAt: at, settledRun: run, settledSummary } = row
  if (sequence === null || at === null || run === null) return []
  const summary = summaryIn(settledSummary, sequence, at, addNotice)
  return summary === null ? [] : [{ row, sequence, check: recordedCheck(at, run, summary) }]
}

function recordedCheck(
  at: number,
  run: string,
  { verdict, damage, level, depth, changeCounter, size, walSalts, pauseMs }: CheckSummary,
): RecordedCheck {
  return { at, run, verdict, damage, level, depth, changeCounter, size, walSalts, pauseMs }
}

/** The files whose result rests on a check in another way. */
class FromOtherWays {
  readonly #others: ReadonlySet<number>
  readonly #ways = new Set<number>()
  #files = 0

  constructor(others: ReadonlySet<number>) {
    this.#others = others
  }

  count(rows: readonly NewestRow[]): void {
    const ways = rows.map(({ way }) => way).filter((number) => this.#others.has(number))
    if (ways.length > 0) this.#files++
    for (const number of ways) this.#ways.add(number)
  }

  report(database: Database.Database, way: ServiceWay | null, addNotice: AddNotice): void {
    if (this.#files === 0) return
    addNotice(
      `what is known of ${count(this.#files, 'file')} was found in another way of reaching ` +
        `${way?.service ?? 'the service'} (${describeWays(database, this.#ways)}); ` +
        'it counts until a full check in this way',
    )
  }
}
