/** Reading the ledger's lines. Runs in the ledger's process only. A line that cannot be read is passed over and counted, never a crash. */
import type Database from 'better-sqlite3'
import { tenantId } from '../model/brand.ts'
import type { KnownFile } from '../model/last-good.ts'
import { advance } from '../model/event.ts'
import type { OpenHold } from '../model/event.ts'
import { readBrief } from './brief.ts'
import type { Brief } from './brief.ts'
import { readEvent } from './event-text.ts'
import type { CheckedThen, LastResult, LedgerLine, NewestLines, RecordedRun } from './ledger.ts'
import { answerMax } from './questions.ts'

interface Row {
  readonly sequence: number
  readonly at: number
  readonly run: string
  readonly kind: string
  readonly event: string
}

/** Called with a sentence that somebody has to hear. */
export type Say = (notice: string) => void

const columns = 'sequence, at, run, kind, event'

/** A fold over the events of those holds that are not seen ended; years of other holds are not read. */
export function openHolds(database: Database.Database, say: Say): readonly OpenHold[] {
  const holders = database.prepare<[number], string>('select holder from open_holder limit ?').pluck().all(answerMax.openHolds + 1)
  const asked = JSON.stringify(bounded(holders, answerMax.openHolds, 'open holds', say))
  const rows = database.prepare<[string], Row>(`select ${columns} from line where holder in (select value from json_each(?)) order by sequence`)
  const read = reader(say)
  // Holds do not touch each other. Each is folded by itself, because the fold copies what it is given.
  const open = new Map<string, ReadonlyMap<string, OpenHold>>()
  for (const row of rows.iterate(asked)) {
    const line = read(row)
    if (line === null || !('holder' in line.event)) continue
    const { holder } = line.event
    const after = advance(open.get(holder) ?? new Map(), line.event, line.at, line.run)
    if (after.size === 0) open.delete(holder)
    else open.set(holder, after)
  }
  return [...open.values()].flatMap((holds) => [...holds.values()])
}

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

export function lastResults(database: Database.Database, say: Say): readonly LastResult[] {
  const rows = database.prepare<[number], NewestRow>(`
    select newest_check.tenant, newest_check.path, newest.sequence, newest.at, newest.run, newest.brief,
      settled.sequence as settledSequence, settled.at as settledAt, settled.run as settledRun, settled.brief as settledBrief
    from newest_check
    join line as newest on newest.sequence = newest_check.sequence
    left join line as settled on settled.sequence = newest_check.settled
    limit ?`)
  const results: LastResult[] = []
  for (const row of rows.iterate(answerMax.lastResults + 1)) {
    const brief = briefIn(row.brief, row.sequence, row.at, say)
    if (brief === null) continue
    results.push({ ...checkedThen(row.at, row.run, brief), tenant: tenantId(row.tenant), path: row.path, failure: brief.failure, settled: settledIn(row, say) })
  }
  return bounded(results, answerMax.lastResults, 'results', say)
}

function settledIn({ settledSequence, settledAt, settledRun, settledBrief }: NewestRow, say: Say): CheckedThen | null {
  if (settledSequence === null || settledAt === null || settledRun === null) return null
  const brief = briefIn(settledBrief, settledSequence, settledAt, say)
  return brief === null ? null : checkedThen(settledAt, settledRun, brief)
}

function checkedThen(at: number, run: string, { verdict, damage, level, depth, changeCounter, size, walSalts, pauseMs }: Brief): CheckedThen {
  return { at, run, verdict, damage, level, depth, changeCounter, size, walSalts, pauseMs }
}

function briefIn(text: string | null, sequence: number, at: number, say: Say): Brief | null {
  const brief = readBrief(text)
  if (brief === null) sayGarbled(sequence, 'checked', at, say)
  return brief
}

export function history(database: Database.Database, tenant: string | null, limit: number, say: Say): readonly LedgerLine[] {
  return newest(rowsOf(database, tenant, 'true'), limit, say).lines
}

export function checks(database: Database.Database, tenant: string | null, limit: number, say: Say): NewestLines {
  return newest(rowsOf(database, tenant, "kind = 'checked'"), limit, say)
}

function newest(rows: Iterable<Row>, limit: number, say: Say): NewestLines {
  const read = reader(say)
  const lines: LedgerLine[] = []
  let bytes = 0
  for (const row of rows) {
    bytes += row.event.length
    if (lines.length >= Math.min(limit, answerMax.lines)) return { lines, more: true }
    if (bytes > answerMax.lineBytes) {
      say(`only the newest ${lines.length} lines are shown: the rest would be more than ${answerMax.lineBytes / 1e6} MB`)
      return { lines, more: true }
    }
    const line = read(row)
    if (line !== null) lines.push(line)
  }
  return { lines, more: false }
}

/** Newest first. */
function rowsOf(database: Database.Database, tenant: string | null, condition: 'true' | "kind = 'checked'"): Iterable<Row> {
  if (tenant === null) return database.prepare<[], Row>(`select ${columns} from line where ${condition} order by sequence desc`).iterate()
  return database.prepare<[string], Row>(`select ${columns} from line where tenant = ? and ${condition} order by sequence desc`).iterate(tenant)
}

/** Of each file; null where the copy of its newest hold was not given up for taking too long. */
export function lostPauses(database: Database.Database, files: readonly KnownFile[], say: Say): readonly (number | null)[] {
  const find = database.prepare<[string, string], Pick<Row, 'sequence' | 'at'> & { readonly brief: string | null }>(
    'select line.sequence, line.at, line.brief from newest_check join line using (sequence) where newest_check.tenant = ? and newest_check.path = ?')
  return files.map(({ tenant, path }) => {
    const row = tenant === null ? undefined : find.get(tenant, path)
    return row === undefined ? null : (briefIn(row.brief, row.sequence, row.at, say)?.ranOutMs ?? null)
  })
}

export function lastRuns(database: Database.Database, limit: number, say: Say): readonly RecordedRun[] {
  const started = database.prepare<[number], Row>(`select ${columns} from line where kind = 'run-started' order by sequence desc limit ?`)
  const finished = database.prepare<[string], Row>(`select ${columns} from line where kind = 'run-finished' and run = ? order by sequence desc limit 1`)
  const read = reader(say)
  return started.all(Math.min(limit, answerMax.runs)).flatMap((row) => {
    const start = read(row)
    if (start?.event.kind !== 'run-started') return []
    const endRow = finished.get(row.run)
    const end = endRow === undefined ? null : read(endRow)
    const { mode, version } = start.event
    const ended = end?.event.kind === 'run-finished' ? { at: end.at, exitCode: end.event.exitCode, selected: end.event.selected, covered: end.event.covered, whole: end.event.whole } : null
    return [{ run: start.run, mode, version, startedAt: start.at, finished: ended }]
  })
}

const sayGarbled = (sequence: number, kind: string, at: number, say: Say): void =>
  say(`line ${sequence} of the ledger (${kind}, ${whenOf(at)}) cannot be read and was passed over`)

/** A garbled time is no reason to fail over a garbled line. */
const whenOf = (at: number): string => (Math.abs(at) <= 8.64e15 ? new Date(at).toISOString() : 'at no time')

type Read = (row: Row) => LedgerLine | null

function reader(say: Say): Read {
  return ({ sequence, at, run, kind, event: text }) => {
    const reading = readEvent(kind, text)
    if (reading.kind === 'garbled') sayGarbled(sequence, kind, at, say)
    return reading.kind === 'event' ? { sequence, at, run, event: reading.event } : null
  }
}

function bounded<Item>(items: readonly Item[], most: number, what: string, say: Say): readonly Item[] {
  if (items.length <= most) return items
  say(`only ${most} ${what} are shown, there are more`)
  return items.slice(0, most)
}

