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
import type { NonEmpty } from '../../model/result/verdict.ts'
import type { ServiceWay } from '../../model/service-way.ts'
import { count } from '../../text/count.ts'
import type { QuietFiles } from '../ledger.ts'
import type { CheckSummary } from '../lines/check-summary.ts'
import { packCheck, type PackedResult } from '../lines/packed-results.ts'
import { QuietCount, type FileChecks } from '../lines/quiet-count.ts'
import { pathOfColumn } from '../lines/rows.ts'
import type { FileKey, QuietTerms } from '../protocol.ts'
import { summaryIn, type AddNotice } from './answers.ts'
import { describeWays, numbersOf } from './ways.ts'

/** A row of `last_check`, in the order of its columns there. */
type LastCheckRow = readonly [
  tenant: string,
  path: string,
  way: number,
  sequence: number,
  at: number,
  run: string,
  brief: string | null,
  settled: number | null,
  settledAt: number | null,
  settledRun: string | null,
  settledBrief: string | null,
]

/** The files whose result rests on a check in another way. */
class OtherWayCounter {
  readonly #others: ReadonlySet<number>
  readonly #ways = new Set<number>()
  #files = 0

  constructor(others: ReadonlySet<number>) {
    this.#others = others
  }

  count(...ways: readonly number[]): void {
    const found = ways.filter((number) => this.#others.has(number))
    if (found.length > 0) this.#files++
    for (const number of found) this.#ways.add(number)
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

/**
 * What `status` and a sweep ask of every file, in one place: the lines themselves lie all over the ledger. `settled_at`
 * and the columns after it are null if the newest check is the one that settles. The version of the ledger stays the
 * same: an older holdfast works with the file, and the trigger writes this table for it.
 */
const lastCheckSchema = `
create table if not exists last_check (
  tenant text not null,
  path text not null,
  way integer not null,
  sequence integer not null,
  at integer not null,
  run text not null,
  brief text,
  settled integer,
  settled_at integer,
  settled_run text,
  settled_brief text,
  primary key (tenant, path, way)
) strict, without rowid;
create trigger if not exists checked_last after insert on line when new.kind = 'checked' begin
  insert into last_check (tenant, path, way, sequence, at, run, brief, settled)
  values (new.tenant, new.path, new.way, new.sequence, new.at, new.run, new.brief,
    iif(new.verdict = 'damaged' or (new.verdict = 'sound' and new.depth = 'full'), new.sequence, null))
  on conflict do update set
    settled = coalesce(excluded.settled, settled),
    settled_at = iif(excluded.settled is not null, null, iif(settled = sequence, at, settled_at)),
    settled_run = iif(excluded.settled is not null, null, iif(settled = sequence, run, settled_run)),
    settled_brief = iif(excluded.settled is not null, null, iif(settled = sequence, brief, settled_brief)),
    sequence = excluded.sequence, at = excluded.at, run = excluded.run, brief = excluded.brief;
end;
`

const fromLines = `
  select newest_check.tenant, newest_check.path, newest_check.way, newest_check.sequence, newest.at, newest.run,
    newest.brief, newest_check.settled, settled.at as settled_at, settled.run as settled_run,
    settled.brief as settled_brief
  from newest_check
  join line as newest on newest.sequence = newest_check.sequence
  left join line as settled on settled.sequence = newest_check.settled and settled.sequence < newest.sequence`

const hasLastChecks = (database: Database.Database): boolean =>
  database.prepare("select 1 from sqlite_schema where name = 'last_check'").get() !== undefined

/** Fills the table when a ledger gets it. The caller has begun a transaction. */
export function addLastChecks(database: Database.Database): void {
  if (hasLastChecks(database)) return
  database.exec(`${lastCheckSchema} insert into last_check ${fromLines};`)
}

/** A message of the ledger has the results of so many files. */
const filesPerPage = 5000

/** Counts over all pages of one answer. */
let fromOthers = new OtherWayCounter(new Set())

/**
 * @param after the last file of the page before; null for the first page
 * @param quiet which files are only counted; null for none
 * @returns the results as `unpackResults` reads them
 */
export function lastResultsAfter(
  database: Database.Database,
  way: ServiceWay | null,
  after: FileKey | null,
  quiet: QuietTerms | null,
  addNotice: AddNotice,
): { readonly packed: string; readonly next: FileKey | null; readonly quiet: QuietFiles } {
  const { own, service, others } = numbersOf(database, way)
  if (after === null) fromOthers = new OtherWayCounter(others)
  const rows = database
    .prepare<[string, string, string], LastCheckRow>(`
      select tenant, path, way, sequence, at, run, brief, settled, settled_at, settled_run, settled_brief
      from ${hasLastChecks(database) ? 'last_check' : `(${fromLines})`}
      where (tenant, path) > (?, ?) and way in (select value from json_each(?)) order by tenant, path`)
    .raw()
  const terms = { own: new Set(JSON.parse(own) as number[]), addNotice }
  const counted = new QuietCount(quiet)
  const results: PackedResult[] = []
  let files = 0
  // No tenant has an empty id.
  const [tenant, path] = after ?? ['', '']
  for (const ofFile of byFile(rows.iterate(tenant, path, service))) {
    const known = knownChecksOf(ofFile, terms)
    if (known !== null) {
      fromOthers.count(known.newest.way, known.settled?.way ?? known.newest.way)
      if (!counted.takes(fileChecksOf(known))) results.push(packResult(ofFile[0], known))
    }
    const [[lastTenant, lastPath]] = ofFile
    if (++files >= filesPerPage)
      return { packed: JSON.stringify(results), next: [lastTenant, lastPath], quiet: counted.files }
  }
  fromOthers.report(database, way, addNotice)
  return { packed: JSON.stringify(results), next: null, quiet: counted.files }
}

/** The rows of one file after the other. */
function* byFile(rows: Iterable<LastCheckRow>): Iterable<NonEmpty<LastCheckRow>> {
  let ofFile: [LastCheckRow, ...LastCheckRow[]] | null = null
  for (const row of rows) {
    if (ofFile !== null && ofFile[0][0] === row[0] && ofFile[0][1] === row[1]) ofFile.push(row)
    else {
      if (ofFile !== null) yield ofFile
      ofFile = [row]
    }
  }
  if (ofFile !== null) yield ofFile
}

interface Terms {
  /** The numbers of this way. */
  readonly own: ReadonlySet<number>
  readonly addNotice: AddNotice
}

/** What one way knows of a file. */
interface ResultOfWay {
  readonly isOwn: boolean
  readonly sequence: number
  /** null if its summary cannot be read. */
  readonly newest: FoundCheck | null
  readonly settled: FoundCheck | null
}

interface FoundCheck {
  readonly sequence: number
  readonly way: number
  readonly isOwn: boolean
  readonly at: number
  readonly run: string
  readonly summary: CheckSummary
}

interface KnownFileChecks {
  readonly newest: FoundCheck
  readonly settled: FoundCheck | null
}

/** null if no summary can be read. */
function knownChecksOf(rows: NonEmpty<LastCheckRow>, { own, addNotice }: Terms): KnownFileChecks | null {
  const ways = rows.map((row) => readRow(row, own, addNotice))
  if (ways.length > 1) ways.sort((a, b) => Number(b.isOwn) - Number(a.isOwn) || b.sequence - a.sequence)
  const newest = ways.find((one) => one.newest !== null)?.newest
  return newest ? { newest, settled: settledIn(ways) } : null
}

const fileChecksOf = ({ newest, settled }: KnownFileChecks): FileChecks => ({
  verdict: newest.summary.verdict,
  level: newest.summary.level,
  failure: newest.summary.failure,
  settled: settled === null ? null : { at: settled.at, verdict: settled.summary.verdict },
})

function packResult([tenant, stored]: LastCheckRow, { newest, settled }: KnownFileChecks): PackedResult {
  const path = pathOfColumn(stored)
  const { failure } = newest.summary
  const check = packCheck(newest.at, newest.run, newest.summary)
  if (settled === null) return [tenant, path, failure, null, check, null]
  const isNewest = settled.sequence === newest.sequence
  const settling = isNewest ? 0 : packCheck(settled.at, settled.run, settled.summary)
  return [tenant, path, failure, settled.summary.mark, check, settling]
}

function readRow(row: LastCheckRow, own: ReadonlySet<number>, addNotice: AddNotice): ResultOfWay {
  const [, , way, sequence, at, run, brief, settledSequence, settledAt, settledRun, settledBrief] = row
  const isOwn = own.has(way)
  const read = (number: number, then: number, of: string, text: string | null): FoundCheck | null => {
    const summary = summaryIn(text, number, then, addNotice)
    return summary === null ? null : { sequence: number, way, isOwn, at: then, run: of, summary }
  }
  const newest = read(sequence, at, run, brief)
  if (settledSequence === null) return { isOwn, sequence, newest, settled: null }
  if (settledSequence === sequence) return { isOwn, sequence, newest, settled: newest }
  const isThere = settledAt !== null && settledRun !== null
  const settled = isThere ? read(settledSequence, settledAt, settledRun, settledBrief) : null
  return { isOwn, sequence, newest, settled }
}

function settledIn(ways: readonly ResultOfWay[]): FoundCheck | null {
  const [only, ...more] = ways
  if (only !== undefined && more.length === 0) return only.settled
  const all = ways.flatMap(({ settled }) => settled ?? []).toSorted((a, b) => b.sequence - a.sequence)
  const own = all.find(({ isOwn }) => isOwn)
  const newDamage = all.find(
    ({ summary, sequence }) => summary.verdict === 'damaged' && sequence > (own?.sequence ?? 0),
  )
  return newDamage ?? own ?? all[0] ?? null
}
