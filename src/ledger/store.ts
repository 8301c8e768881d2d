/**
 * The ledger as its own process sees it: lines go in, answers come out, and a file that turns out damaged is set aside
 * in the middle of the work without losing what is known of holds that stand open.
 */
import type Database from 'better-sqlite3'
import { invariant } from '../model/bug.ts'
import type { LastGood } from '../model/last-good.ts'
import { hasOrphanedParts, setAside } from './set-aside.ts'
import { closeDatabase, openForReading, openForWriting } from './database.ts'
import { briefOf } from './brief.ts'
import { eventText } from './event-text.ts'
import { keepLastGood } from './last-good.ts'
import { prepared } from './prepared.ts'
import type { Say } from './answers.ts'
import type { NewLine } from './questions.ts'
import { LedgerDamaged, LedgerUnusable, trying } from './trouble.ts'

/** A line as it is stored. */
interface StoredLine {
  readonly at: number
  readonly run: string
  readonly number: number
  readonly kind: string
  readonly tenant: string | null
  readonly holder: string | null
  readonly path: string | null
  readonly verdict: string | null
  readonly depth: string | null
  readonly brief: string | null
  readonly event: string
}

export class Store {
  readonly #file: string
  readonly #say: Say
  readonly #mode: 'write' | 'read'
  #database: Database.Database
  /** Lines of holds that this process has seen asked and not ended: a ledger that fails under us must not forget them. */
  readonly #open = new Map<string, StoredLine[]>()

  /** @throws {LedgerUnusable}, and for reading also {LedgerDamaged} */
  constructor(file: string, mode: 'write' | 'read', say: Say) {
    this.#file = file
    this.#mode = mode
    this.#say = say
    this.#database = mode === 'read' ? openForReading(file) : this.#openOrBegin()
  }

  /** Writes all of it in one transaction. When this returns, they are on the disk. @throws {LedgerUnusable} */
  append(lines: readonly NewLine[], lastGood: readonly LastGood[] = []): void {
    const stored = lines.map(storedLine)
    try {
      this.#write(stored, lastGood)
    } catch (error) {
      if (!(error instanceof LedgerDamaged)) throw error
      this.#beginAnew(error)
      this.#write(stored, lastGood)
    }
    for (const line of stored) this.#remember(line)
  }

  /** Asks the lines. A damaged ledger that is open for writing is set aside, and the new one is asked. @throws {LedgerUnusable} */
  ask<Answer>(question: (database: Database.Database, say: Say) => Answer): Answer {
    const asked = (): Answer => trying(`cannot read the ledger ${this.#file}`, () => question(this.#database, this.#say))
    try {
      return asked()
    } catch (error) {
      if (!(error instanceof LedgerDamaged)) throw error
      if (this.#mode === 'read') throw new LedgerUnusable(`${error.message}: the ledger is damaged`, { cause: error, hint: 'the next run sets it aside and begins a new one' })
      this.#beginAnew(error)
      return asked()
    }
  }

  close(): void {
    closeDatabase(this.#database)
  }

  #write(lines: readonly StoredLine[], lastGood: readonly LastGood[]): void {
    trying(`cannot write to the ledger ${this.#file}`, () => {
      const insert = prepared(this.#database, `
        insert into line (at, run, number, kind, tenant, holder, path, verdict, depth, brief, event)
        values (:at, :run, :number, :kind, :tenant, :holder, :path, :verdict, :depth, :brief, :event) on conflict (run, number) do nothing`)
      this.#database.transaction(() => {
        for (const line of lines) insert.run(line)
        keepLastGood(this.#database, lastGood)
      }).immediate()
    })
  }

  #remember(line: StoredLine): void {
    if (line.holder === null) return
    if (line.kind === 'hold-ended') this.#open.delete(line.holder)
    else if (line.kind === 'hold-asked') this.#open.set(line.holder, [line])
    else this.#open.get(line.holder)?.push(line)
  }

  #openOrBegin(): Database.Database {
    if (hasOrphanedParts(this.#file)) this.#say(`the ledger was missing though its journal was there; that was set aside as ${setAside(this.#file, new Date())}, and a new ledger begun`)
    try {
      return openForWriting(this.#file)
    } catch (error) {
      if (!(error instanceof LedgerDamaged)) throw error
      return this.#replaced(error, salvageOpenHolds(this.#file))
    }
  }

  #beginAnew(damage: LedgerDamaged): void {
    const salvaged = openHoldLines(this.#database)
    closeDamaged(this.#database)
    this.#database = this.#replaced(damage, salvaged)
  }

  #replaced(damage: LedgerDamaged, salvaged: readonly StoredLine[] | null): Database.Database {
    const name = trying(`cannot set the damaged ledger ${this.#file} aside`, () => setAside(this.#file, new Date()))
    this.#database = openForWriting(this.#file)
    const lines = distinct([...(salvaged ?? []), ...[...this.#open.values()].flat()])
    this.#write(lines, [])
    for (const line of lines) this.#remember(line)
    const holds = salvaged === null ? 'holds that a crash left open could not be read from it: look at the service\'s leases' : `${new Set(lines.map((line) => line.holder)).size} open holds were carried over`
    this.#say(`the ledger was damaged (${oneLine(damage.message)}); set aside as ${name}; a new one begun; ${holds}`)
    return this.#database
  }
}

function storedLine({ at, run, number, event }: NewLine): StoredLine {
  invariant(Number.isSafeInteger(number) && Number.isSafeInteger(at), 'a line has whole numbers')
  const line = { at, run, number, kind: event.kind, tenant: null, holder: null, path: null, verdict: null, depth: null, brief: null, event: eventText(event) }
  switch (event.kind) {
    case 'run-started':
    case 'run-finished':
      return line
    case 'hold-asked':
    case 'hold-quiesced':
    case 'hold-ended':
    case 'resume-failed':
      return { ...line, tenant: event.tenant, holder: event.holder }
    case 'checked':
      return { ...line, tenant: event.tenant, path: event.result.path, verdict: event.result.verdict, depth: event.result.depth, brief: JSON.stringify(briefOf(event.result)) }
  }
}

/** What can still be read of open holds in a file that did not open as a ledger; null when nothing can. */
function salvageOpenHolds(file: string): readonly StoredLine[] | null {
  try {
    const database = openForReading(file)
    try {
      return openHoldLines(database)
    } finally {
      closeDamaged(database)
    }
  } catch (error) {
    if (error instanceof LedgerDamaged || error instanceof LedgerUnusable) return null
    throw error
  }
}

function openHoldLines(database: Database.Database): readonly StoredLine[] | null {
  try {
    return trying('salvage', () => database.prepare<[], StoredLine>(`
      select at, run, number, kind, tenant, holder, path, verdict, depth, brief, event from line where holder in (select holder from open_holder) order by sequence`).all())
  } catch (error) {
    if (error instanceof LedgerDamaged || error instanceof LedgerUnusable) return null
    throw error
  }
}

/** Closing may try to tidy a file that is beyond it. */
function closeDamaged(database: Database.Database): void {
  try {
    trying('close', () => database.close())
  } catch (error) {
    if (!(error instanceof LedgerDamaged || error instanceof LedgerUnusable)) throw error
  }
}

const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').slice(0, 300)

function distinct(lines: readonly StoredLine[]): readonly StoredLine[] {
  return [...new Map(lines.map((line) => [`${line.run} ${line.number}`, line])).values()]
}
