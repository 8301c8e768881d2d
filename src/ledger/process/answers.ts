/**
 * Reads the ledger's lines. Runs in the ledger's process only. A line that cannot be read is left out with a notice.
 */

import type Database from 'better-sqlite3'
import type { KnownFile } from '../../model/result/last-good.ts'
import type { ServiceWay } from '../../model/service-way.ts'
import { isEmptyDatabase } from '../../sqlite/header.ts'
import { count } from '../../text/count.ts'
import type { LedgerLine, NewestCheck, NewestLines, RecordedRun, RecordedSweep, StandingDamage } from '../ledger.ts'
import { readCheckSummary } from '../lines/check-summary.ts'
import type { CheckSummary } from '../lines/check-summary.ts'
import { readEvent } from '../lines/event-text.ts'
import { pathColumn } from '../lines/rows.ts'
import { answerMax } from '../protocol.ts'
import { olderDecisiveRuns } from './later-tables/decisive-runs.ts'
import { describeWays, numbersOf } from './ways.ts'

/** A line as it is read. */
export interface Row {
  readonly sequence: number
  readonly at: number
  readonly run: string
  readonly kind: string
  readonly event: string
}

interface RowOfWay extends Row {
  readonly way: number
}

/** Called with a sentence for the person who runs holdfast. */
export type AddNotice = (notice: string) => void

const columns = 'sequence, at, run, kind, event'
const ofService = 'way in (select value from json_each(?))'

/** @returns null, and says so, for a summary that cannot be read */
export function summaryIn(
  text: string | null,
  sequence: number,
  at: number,
  addNotice: AddNotice,
): CheckSummary | null {
  const summary = readCheckSummary(text)
  if (summary === null) noticeGarbled(sequence, 'checked', at, addNotice)
  return summary
}

export function history(
  database: Database.Database,
  way: ServiceWay | null,
  tenant: string | null,
  limit: number,
  addNotice: AddNotice,
): readonly LedgerLine[] {
  return newestLines(rowsOf(database, way, tenant, 'true'), limit, addNotice).lines
}

const checkOrChange = "kind in ('checked', 'change-begun', 'change-ended')"

/** Lines of checks and of changes. */
export function checks(
  database: Database.Database,
  way: ServiceWay | null,
  tenant: string | null,
  limit: number,
  addNotice: AddNotice,
): NewestLines {
  const { others } = numbersOf(database, way)
  const ways = new Set<number>()
  let fromOthers = 0
  const newest = newestLines(rowsOf(database, way, tenant, checkOrChange), limit, addNotice, ({ way: number }) => {
    if (!others.has(number)) return
    ways.add(number)
    fromOthers++
  })
  if (fromOthers > 0)
    addNotice(
      `${count(fromOthers, 'check of this list was', 'checks of this list were')} made in another way of reaching ` +
        `${way?.service ?? 'the service'} (${describeWays(database, ways)})`,
    )
  return newest
}

/** Lines of one run. */
export function runLines(database: Database.Database, run: string, limit: number, addNotice: AddNotice): NewestLines {
  const rows = database
    .prepare<[string], RowOfWay>(`select ${columns}, way from line where run = ? order by sequence desc`)
    .iterate(run)
  return newestLines(rows, limit, addNotice)
}

/** @param onLine called with the row of each line that is answered */
function newestLines(
  rows: Iterable<RowOfWay>,
  limit: number,
  addNotice: AddNotice,
  onLine: (row: RowOfWay) => void = () => {},
): NewestLines {
  const read = reader(addNotice)
  const lines: LedgerLine[] = []
  let bytes = 0
  for (const row of rows) {
    bytes += row.event.length
    if (lines.length >= Math.min(limit, answerMax.lines)) return { lines, more: true }
    if (bytes > answerMax.lineBytes) {
      addNotice(
        `only the newest ${count(lines.length, 'line is', 'lines are')} shown: the ` +
          `rest would be more than ${answerMax.lineBytes / 1e6} MB`,
      )
      return { lines, more: true }
    }
    const line = read(row)
    if (line === null) continue
    lines.push(line)
    onLine(row)
  }
  return { lines, more: false }
}

/** Newest first. */
function rowsOf(
  database: Database.Database,
  way: ServiceWay | null,
  tenant: string | null,
  condition: 'true' | typeof checkOrChange,
): Iterable<RowOfWay> {
  const { service } = numbersOf(database, way)
  if (tenant === null)
    return database
      .prepare<[string], RowOfWay>(
        `select ${columns}, way from line where ${condition} and ${ofService} order by sequence desc`,
      )
      .iterate(service)
  return database
    .prepare<[string, string], RowOfWay>(
      `select ${columns}, way from line where tenant = ? and ${condition} and ${ofService} order by sequence desc`,
    )
    .iterate(tenant, service)
}

type CheckRow = Pick<Row, 'sequence' | 'at'> & {
  readonly way: number
  readonly brief: string | null
  readonly settled: number | null
  readonly settledAt: number | null
  readonly settledBrief: string | null
}

/**
 * The newest check of each file, in all ways of reaching the service; null for a file that was never checked.
 */
export function newestChecks(
  database: Database.Database,
  way: ServiceWay | null,
  files: readonly KnownFile[],
  addNotice: AddNotice,
): readonly (NewestCheck | null)[] {
  const { service, own } = numbersOf(database, way)
  const ownWays = new Set(JSON.parse(own) as number[])
  const find = database.prepare<[string, string, string], CheckRow>(`
    select line.sequence, line.at, line.brief, newest_check.way, newest_check.settled,
      known.at as settledAt, known.brief as settledBrief
    from newest_check join line using (sequence) left join line as known on known.sequence = newest_check.settled
    where newest_check.tenant = ? and newest_check.path = ? and newest_check.way in (select value from json_each(?))
    order by line.sequence desc`)
  return files.map(({ tenant, path }) => {
    const rows = tenant === null ? [] : find.all(tenant, pathColumn(path), service)
    const summaries = rows.map((row) => summaryIn(row.brief, row.sequence, row.at, addNotice))
    const newest = summaries[0]
    if (!newest) return null
    const hadPages =
      rows.some(({ settled }) => settled !== null) || summaries.some((summary) => !isEmptyDatabase(summary?.size ?? 0))
    return { abandonedPauseMs: newest.ranOutMs, hadPages, standingDamage: standingDamageIn(rows, ownWays, addNotice) }
  })
}

/** Damage found in another way counts until a later check in this way or in that way settles the file. */
function standingDamageIn(
  rows: readonly CheckRow[],
  ownWays: ReadonlySet<number>,
  addNotice: AddNotice,
): StandingDamage | null {
  const settledHere = Math.max(0, ...rows.map(({ way, settled }) => (ownWays.has(way) ? (settled ?? 0) : 0)))
  for (const { settled, settledAt, settledBrief } of rows) {
    if (settled === null || settledAt === null || settled < settledHere) continue
    const found = summaryIn(settledBrief, settled, settledAt, addNotice)
    if (found?.verdict === 'damaged') return { at: settledAt, damage: found.damage }
  }
  return null
}

export function lastRuns(
  database: Database.Database,
  way: ServiceWay | null,
  limit: number,
  addNotice: AddNotice,
): readonly RecordedRun[] {
  const { service } = numbersOf(database, way)
  const started = database.prepare<[string, number], Row>(
    `select ${columns} from line where kind = 'run-started' and ${ofService} order by sequence desc limit ?`,
  )
  const startOf = database.prepare<[string], Row>(`select ${columns} from line where run = ? and kind = 'run-started'`)
  const rows = started.all(service, Math.min(limit, answerMax.runs))
  const newest = new Set(rows.map(({ run }) => run))
  const older = rows.length < answerMax.runs ? [] : olderDecisiveRuns(database, service, newest)
  const read = reader(addNotice)
  const endOf = endReader(database, read)
  return [...rows, ...older.flatMap((run) => startOf.get(run) ?? [])].flatMap((row) => {
    const start = read(row)
    if (start?.event.kind !== 'run-started') return []
    const { mode, version, incident = null } = start.event
    return [{ run: start.run, mode, version, startedAt: start.at, incident, finished: endOf(start.run) }]
  })
}

function endReader(database: Database.Database, read: RowParser): (run: string) => RecordedRun['finished'] {
  const finished = database.prepare<[string], Row>(
    `select ${columns} from line where kind = 'run-finished' and run = ? order by sequence desc limit 1`,
  )
  return (run) => {
    const row = finished.get(run)
    const end = row === undefined ? null : read(row)
    if (end?.event.kind !== 'run-finished') return null
    const { exitCode, selected, covered, whole, notDue = 0, backups = null, harm } = end.event
    const ended = { at: end.at, exitCode, selected, covered, whole, notDue, backups }
    return harm === undefined ? ended : { ...ended, harm }
  }
}

/**
 * The version of the ledger stays the same: an older holdfast works with the file. A reader of a ledger without this
 * index searches all lines.
 */
export const sweepIndexSchema =
  "create index if not exists line_of_sweep on line (sequence) where kind = 'sweep-selected';"

export function lastSweep(
  database: Database.Database,
  way: ServiceWay | null,
  addNotice: AddNotice,
): RecordedSweep | null {
  const { service } = numbersOf(database, way)
  const row = database
    .prepare<[string], Row>(
      `select ${columns} from line where kind = 'sweep-selected' and ${ofService} order by sequence desc limit 1`,
    )
    .get(service)
  const read = reader(addNotice)
  const line = row === undefined ? null : read(row)
  if (line?.event.kind !== 'sweep-selected') return null
  const { since, depth, only, selected, notDue } = line.event
  const finished = endReader(database, read)(line.run)
  return { run: line.run, at: line.at, since, depth, only, selected, notDue, finished }
}

const noticeGarbled = (sequence: number, kind: string, at: number, addNotice: AddNotice): void =>
  addNotice(`line ${sequence} of the ledger (${kind}, ${whenOf(at)}) cannot be read and was passed over`)

/** A time outside of the calendar must not make the report of a garbled line fail. */
const whenOf = (at: number): string => (Math.abs(at) <= 8.64e15 ? new Date(at).toISOString() : 'at no time')

type RowParser = (row: Row) => LedgerLine | null

export function reader(addNotice: AddNotice): RowParser {
  return ({ sequence, at, run, kind, event: text }) => {
    const reading = readEvent(kind, text)
    if (reading.kind === 'garbled') noticeGarbled(sequence, kind, at, addNotice)
    return reading.kind === 'event' ? { sequence, at, run, event: reading.event } : null
  }
}

export function limitItems<Item>(
  items: readonly Item[],
  most: number,
  what: string,
  addNotice: AddNotice,
): readonly Item[] {
  if (items.length <= most) return items
  addNotice(`only ${most} ${what} are shown, there are more`)
  return items.slice(0, most)
}
