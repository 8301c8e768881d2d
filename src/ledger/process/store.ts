/**
 * The ledger inside its own process: it writes lines and answers questions. A file that turns out to be damaged is set
 * aside during the work, and the new one gets all open holds that are known.
 */

import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import type Database from 'better-sqlite3'
import type { ServiceWay } from '../../model/service-way.ts'
import type { LastGoodRow, LineRow, RoundRow } from '../lines/rows.ts'
import { noteRuns, runsWereRecorded } from '../note.ts'
import type { LedgerMode } from '../protocol.ts'
import type { AddNotice } from './answers.ts'
import { closeDatabase, isEmptyFile, itIsEmpty, openForReading, openForWriting } from './database.ts'
import { keepLastGood } from './last-good.ts'
import { keepRounds } from './later-tables/sample-rounds.ts'
import { hasJournal, hasOrphanedParts, putLedgerBack, setAside } from './set-aside.ts'
import { LedgerDamageError, LedgerUnusable, translateErrors } from './sqlite-errors.ts'
import { statementFor } from './statement-cache.ts'
import { numberOf, wayColumns, writtenWay, type WrittenWay } from './ways.ts'

/** A line with its service and way. */
type FoundLine = LineRow & WrittenWay

export class Store {
  readonly #file: string
  readonly #addNotice: AddNotice
  readonly #mode: LedgerMode
  #database: Database.Database
  /**
   * Lines of the holds that this process has seen begin and not end: if the file fails, they go into the new one.
   */
  readonly #open = new Map<string, FoundLine[]>()
  /** The service whose lines are written and read. */
  readonly #way: ServiceWay | null
  #holdsLost = false

  /** @throws {LedgerUnusable}, and for reading also {LedgerDamageError} */
  constructor(file: string, mode: LedgerMode, way: ServiceWay | null, addNotice: AddNotice) {
    this.#way = way
    this.#file = file
    this.#mode = mode
    this.#addNotice = addNotice
    this.#database = mode === 'read' ? openForReading(file) : this.#openOrBegin()
  }

  /** Writes all of it in one transaction. When this returns, it is on the disk. @throws {LedgerUnusable} */
  append(rows: readonly LineRow[], lastGood: readonly LastGoodRow[] = [], rounds: readonly RoundRow[] = []): void {
    const lines = rows.map((row) => ({ ...row, ...writtenWay(this.#way) }))
    try {
      this.#write(lines, lastGood, rounds)
    } catch (error) {
      if (!(error instanceof LedgerDamageError)) throw error
      this.#beginAnew(error)
      this.#write(lines, lastGood, rounds)
    }
    for (const line of lines) this.#remember(line)
  }

  /**
   * Answers from the lines. A damaged ledger that is open for writing is set aside, and the new one answers.
   * @throws {LedgerUnusable}
   */
  ask<Answer>(question: (database: Database.Database, way: ServiceWay | null, addNotice: AddNotice) => Answer): Answer {
    const askOnce = (): Answer =>
      translateErrors(`cannot read the ledger ${this.#file}`, () =>
        question(this.#database, this.#way, this.#addNotice),
      )
    try {
      return askOnce()
    } catch (error) {
      if (!(error instanceof LedgerDamageError)) throw error
      if (this.#mode === 'read')
        throw new LedgerUnusable(`${error.message}: the ledger is damaged`, {
          cause: error,
          hint: 'the next run renames it and begins a new one',
        })
      this.#beginAnew(error)
      return askOnce()
    }
  }

  /** True if there may be open holds that this ledger does not know. */
  get holdsLost(): boolean {
    return this.#holdsLost
  }

  close(): void {
    closeDatabase(this.#database)
  }

  #write(lines: readonly FoundLine[], lastGood: readonly LastGoodRow[], rounds: readonly RoundRow[]): void {
    translateErrors(`cannot write to the ledger ${this.#file}`, () => {
      const insert = statementFor(
        this.#database,
        `
        insert into line (at, run, number, kind, tenant, holder, path, verdict, depth, brief, event, way)
        values (:at, :run, :number, :kind, :tenant, :holder, :path, :verdict, :depth, :brief, :event, :way)
        on conflict (run, number) do nothing`,
      )
      this.#database
        .transaction(() => {
          for (const line of lines) insert.run({ ...line, way: numberOf(this.#database, line) })
          keepLastGood(this.#database, lastGood)
          keepRounds(this.#database, rounds)
        })
        .immediate()
    })
  }

  #remember(line: FoundLine): void {
    if (line.holder === null) return
    if (line.kind === 'hold-ended') this.#open.delete(line.holder)
    else if (line.kind === 'hold-asked') this.#open.set(line.holder, [line])
    else this.#open.get(line.holder)?.push(line)
  }

  #openOrBegin(): Database.Database {
    const hadRuns = runsWereRecorded(dirname(this.#file))
    if (hasOrphanedParts(this.#file))
      this.#noticeLost(
        'the ledger was missing though its journal was there; holdfast renamed the journal to ' +
          `${setAside(this.#file, new Date())} and began a new ledger`,
      )
    else if (hadRuns && !existsSync(this.#file))
      this.#noticeLost('the ledger is gone, though runs were recorded in it; holdfast began a new one')
    else if (isEmptyFile(this.#file) && (hadRuns || hasJournal(this.#file)))
      return this.#replace(new LedgerDamageError(itIsEmpty), null)
    try {
      const database = openForWriting(this.#file, !hadRuns || !existsSync(this.#file))
      translateErrors(`cannot write beside the ledger ${this.#file}`, () => noteRuns(this.#file))
      return database
    } catch (error) {
      if (!(error instanceof LedgerDamageError)) throw error
      return this.#replace(error, salvageOpenHolds(this.#file))
    }
  }

  #beginAnew(damage: LedgerDamageError): void {
    const salvaged = openHoldLines(this.#database)
    closeDamaged(this.#database)
    this.#database = this.#replace(damage, salvaged)
  }

  #replace(damage: LedgerDamageError, salvaged: readonly FoundLine[] | null): Database.Database {
    const why = oneLine(damage.message)
    if (salvaged === null && this.#mode === 'resume')
      throw new LedgerUnusable(`the ledger is damaged (${why}), and the holds that stand open cannot be read from it`, {
        hint: 'the next run renames it and begins a new one',
      })
    const name = translateErrors(`cannot set the damaged ledger ${this.#file} aside`, () =>
      setAside(this.#file, new Date()),
    )
    const lines = distinct([...(salvaged ?? []), ...[...this.#open.values()].flat()])
    let begun: Database.Database | null = null
    try {
      this.#database = begun = openForWriting(this.#file, true)
      this.#write(lines, [], [])
    } catch (error) {
      if (begun !== null) closeDamaged(begun)
      translateErrors(`cannot put the damaged ledger back from ${name}`, () => putLedgerBack(this.#file, name))
      throw error
    }
    for (const line of lines) this.#remember(line)
    const aside = `the ledger was damaged (${why}); holdfast renamed it to ${name} and began a new one`
    if (salvaged === null) this.#noticeLost(aside)
    else this.#addNotice(`${aside}; ${new Set(lines.map((line) => line.holder)).size} open holds were carried over`)
    return this.#database
  }

  #noticeLost(what: string): void {
    this.#holdsLost = true
    this.#addNotice(
      `${what}; holds that a crash left open could not be read from it: ask the service ` +
        `whether a tenant is paused, and run \`holdfast resume ID\``,
    )
  }
}

/** The lines of open holds in a file that cannot be opened as a ledger; null if they cannot be read. */
function salvageOpenHolds(file: string): readonly FoundLine[] | null {
  try {
    const database = openForReading(file)
    try {
      return openHoldLines(database)
    } finally {
      closeDamaged(database)
    }
  } catch (error) {
    if (error instanceof LedgerDamageError || error instanceof LedgerUnusable) return null
    throw error
  }
}

function openHoldLines(database: Database.Database): readonly FoundLine[] | null {
  // The lines may be readable although the table of ways is not.
  for (const from of [
    `${wayColumns} from line left join way on way.id = line.way`,
    'null as service, null as via, null as address, null as config, 0 as said from line',
  ]) {
    try {
      return translateErrors('salvage', () =>
        database
          .prepare<[], FoundLine>(`
        select at, run, number, kind, tenant, holder, path, verdict, depth, brief, event, ${from}
        where holder in (select holder from open_holder) order by sequence`)
          .all(),
      )
    } catch (error) {
      if (!(error instanceof LedgerDamageError || error instanceof LedgerUnusable)) throw error
    }
  }
  return null
}

/** To close a damaged file may fail, because SQLite writes to it. */
function closeDamaged(database: Database.Database): void {
  try {
    translateErrors('close', () => database.close())
  } catch (error) {
    if (!(error instanceof LedgerDamageError || error instanceof LedgerUnusable)) throw error
  }
}

const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').slice(0, 300)

function distinct(lines: readonly FoundLine[]): readonly FoundLine[] {
  return [...new Map(lines.map((line) => [`${line.run} ${line.number}`, line])).values()]
}
