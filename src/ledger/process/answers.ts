/**
 * Reading the ledger's lines. Runs in the ledger's process only. A line that cannot be read is passed over and counted,
 * never a crash.
 */

import type Database from 'better-sqlite3'
import { tenantId } from '../../model/brand.ts'
import type { KnownFile } from '../../model/result/last-good.ts'
import type { ServiceWay } from '../../model/service-way.ts'
import { isEmptyDatabase } from '../../sqlite/header.ts'
import { count } from '../../text/count.ts'
import type { RecordedCheck, LastResult, LedgerLine, NewestCheck, NewestLines, RecordedRun } from '../ledger.ts'
import { readCheckSummary } from '../lines/check-summary.ts'
import type { CheckSummary } from '../lines/check-summary.ts'
import { readEvent } from '../lines/event-text.ts'
import { answerMax } from '../protocol.ts'
import { numbersOf } from './ways.ts'

/** A line as it is read. */
export interface Row {
  readonly sequence: number
  readonly at: number
  readonly run: string
  readonly kind: string
  readonly event: string
}

/** Called with a sentence that somebody has to hear. */
export type Say = (notice: string) => void

const columns = 'sequence, at, run, kind, event'
const ofService = 'way in (select value from json_each(?))'

interface NewestRow {
  readonly tenant: string
  readonly path: string
  readonly sequence: number
  readonly at: number
  readonly run: string
  readonly brief: string | null
  readonly settledSequence: number | null
  readonly settledAt: number | null
  readonly settledRun: string | null
  readonly settledBrief: string | null
}

/**
 * Of each file: what this way has last found, else what another way has. Damage stands whoever found it, until a check
 * in this way settles something.
 */
export function lastResults(database: Database.Database, way: ServiceWay | null, say: Say): readonly LastResult[] {
  const { own, service } = numbersOf(database, way)
  const rows = database.prepare<[string, string], NewestRow>(`
    select newest_check.tenant, newest_check.path, newest.sequence, newest.at, newest.run, newest.brief,
      settled.sequence as settledSequence, settled.at as settledAt, settled.run as settledRun, settled.brief as settledBrief
    from newest_check
    join line as newest on newest.sequence = newest_check.sequence
    left join line as settled on settled.sequence = newest_check.settled
    where newest_check.way in (select value from json_each(?))
    order by newest_check.tenant, newest_check.path, newest_check.way in (select value from json_each(?)) desc, newest_check.sequence desc`)
  const results: LastResult[] = []
  for (const row of rows.iterate(service, own)) {
    const known = results.at(-1)
    if (known?.tenant === row.tenant && known.path === row.path) {
      if (known.settled === null) results[results.length - 1] = { ...known, settled: settledIn(row, say) }
      continue
    }
    if (results.length > answerMax.lastResults) break
    const brief = briefIn(row.brief, row.sequence, row.at, say)
    if (brief === null) continue
    results.push({
      ...checkedThen(row.at, row.run, brief),
      tenant: tenantId(row.tenant),
      path: row.path,
      failure: brief.failure,
      settled: settledIn(row, say),
    })
  }
  return bounded(results, answerMax.lastResults, 'results', say)
}

function settledIn(
  { settledSequence, settledAt, settledRun, settledBrief }: NewestRow,
  say: Say,
): RecordedCheck | null {
  if (settledSequence === null || settledAt === null || settledRun === null) return null
  const brief = briefIn(settledBrief, settledSequence, settledAt, say)
  return brief === null ? null : checkedThen(settledAt, settledRun, brief)
}

function checkedThen(
  at: number,
  run: string,
  { verdict, damage, level, depth, changeCounter, size, walSalts, pauseMs }: CheckSummary,
): RecordedCheck {
  return { at, run, verdict, damage, level, depth, changeCounter, size, walSalts, pauseMs }
}

function briefIn(text: string | null, sequence: number, at: number, say: Say): CheckSummary | null {
  const brief = readCheckSummary(text)
  if (brief === null) sayGarbled(sequence, 'checked', at, say)
  return brief
}

export function history(
  database: Database.Database,
  way: ServiceWay | null,
  tenant: string | null,
  limit: number,
  say: Say,
): readonly LedgerLine[] {
  return newest(rowsOf(database, way, tenant, 'true'), limit, say).lines
}

export function checks(
  database: Database.Database,
  way: ServiceWay | null,
  tenant: string | null,
  limit: number,
  say: Say,
): NewestLines {
  return newest(rowsOf(database, way, tenant, "kind = 'checked'"), limit, say)
}

function newest(rows: Iterable<Row>, limit: number, say: Say): NewestLines {
  const read = reader(say)
  const lines: LedgerLine[] = []
  let bytes = 0
  for (const row of rows) {
    bytes += row.event.length
    if (lines.length >= Math.min(limit, answerMax.lines)) return { lines, more: true }
    if (bytes > answerMax.lineBytes) {
      say(
        `only the newest ${count(lines.length, 'line is', 'lines are')} shown: the ` +
          `rest would be more than ${answerMax.lineBytes / 1e6} MB`,
      )
      return { lines, more: true }
    }
    const line = read(row)
    if (line !== null) lines.push(line)
  }
  return { lines, more: false }
}

/** Newest first. */
function rowsOf(
  database: Database.Database,
  way: ServiceWay | null,
  tenant: string | null,
  condition: 'true' | "kind = 'checked'",
): Iterable<Row> {
  const { service } = numbersOf(database, way)
  if (tenant === null)
    return database
      .prepare<[string], Row>(`select ${columns} from line where ${condition} and ${ofService} order by sequence desc`)
      .iterate(service)
  return database
    .prepare<[string, string], Row>(
      `select ${columns} from line where tenant = ? and ${condition} and ${ofService} order by sequence desc`,
    )
    .iterate(tenant, service)
}

type CheckRow = Pick<Row, 'sequence' | 'at'> & { readonly brief: string | null; readonly settled: number | null }

/**
 * Of each file; null for one that was never checked. What was found by another way of reaching the service counts as
 * well.
 */
export function newestChecks(
  database: Database.Database,
  way: ServiceWay | null,
  files: readonly KnownFile[],
  say: Say,
): readonly (NewestCheck | null)[] {
  const { service } = numbersOf(database, way)
  const find = database.prepare<[string, string, string], CheckRow>(`
    select line.sequence, line.at, line.brief, newest_check.settled from newest_check join line using (sequence)
    where newest_check.tenant = ? and newest_check.path = ? and newest_check.way in (select value from json_each(?)) order by sequence desc`)
  return files.map(({ tenant, path }) => {
    const rows = tenant === null ? [] : find.all(tenant, path, service)
    const briefs = rows.map((row) => briefIn(row.brief, row.sequence, row.at, say))
    const newest = briefs[0]
    if (!newest) return null
    const hadPages =
      rows.some(({ settled }) => settled !== null) || briefs.some((brief) => !isEmptyDatabase(brief?.size ?? 0))
    return { abandonedPauseMs: newest.ranOutMs, hadPages }
  })
}

export function lastRuns(
  database: Database.Database,
  way: ServiceWay | null,
  limit: number,
  say: Say,
): readonly RecordedRun[] {
  const { service } = numbersOf(database, way)
  const started = database.prepare<[string, number], Row>(
    `select ${columns} from line where kind = 'run-started' and ${ofService} order by sequence desc limit ?`,
  )
  const finished = database.prepare<[string], Row>(
    `select ${columns} from line where kind = 'run-finished' and run = ? order by sequence desc limit 1`,
  )
  const read = reader(say)
  return started.all(service, Math.min(limit, answerMax.runs)).flatMap((row) => {
    const start = read(row)
    if (start?.event.kind !== 'run-started') return []
    const endRow = finished.get(row.run)
    const end = endRow === undefined ? null : read(endRow)
    const { mode, version } = start.event
    const ended =
      end?.event.kind === 'run-finished'
        ? {
            at: end.at,
            exitCode: end.event.exitCode,
            selected: end.event.selected,
            covered: end.event.covered,
            whole: end.event.whole,
          }
        : null
    return [{ run: start.run, mode, version, startedAt: start.at, finished: ended }]
  })
}

const sayGarbled = (sequence: number, kind: string, at: number, say: Say): void =>
  say(`line ${sequence} of the ledger (${kind}, ${whenOf(at)}) cannot be read and was passed over`)

/** A garbled time is no reason to fail over a garbled line. */
const whenOf = (at: number): string => (Math.abs(at) <= 8.64e15 ? new Date(at).toISOString() : 'at no time')

type Read = (row: Row) => LedgerLine | null

export function reader(say: Say): Read {
  return ({ sequence, at, run, kind, event: text }) => {
    const reading = readEvent(kind, text)
    if (reading.kind === 'garbled') sayGarbled(sequence, kind, at, say)
    return reading.kind === 'event' ? { sequence, at, run, event: reading.event } : null
  }
}

export function bounded<Item>(items: readonly Item[], most: number, what: string, say: Say): readonly Item[] {
  if (items.length <= most) return items
  say(`only ${most} ${what} are shown, there are more`)
  return items.slice(0, most)
}
