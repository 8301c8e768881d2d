/** Databases for tests of pinned snapshots, and what a snapshot holds. */
import Database from 'better-sqlite3'
import type { HoldResult, HoldSettings } from '../../../src/hold/hold.ts'
import type { HoldStep } from '../../../src/hold/record.ts'
import type { PinEvidence } from '../../../src/model/result/evidence.ts'
import type { HoldFixture, HoldOptions } from '../hold/hold-fixture.ts'

/** `book` has three rows. `page` has pages enough for a transaction that does not fit into a small cache. */
export function createBook(file: string, mode: 'wal' | 'delete' = 'delete'): void {
  const db = new Database(file)
  db.pragma(`journal_mode=${mode}`)
  db.exec(`
    create table book(id integer primary key, title text);
    create index book_title on book(title);
    create table page(id integer primary key, edition integer, body blob);
    insert into book(title) values ('one'), ('two'), ('three');
    with recursive n(i) as (select 1 union all select i + 1 from n where i < 200)
      insert into page select i, 1, randomblob(2000) from n`)
  db.close()
}

export interface BookCopy {
  readonly books: number
  /** The editions of all pages: one, unless a transaction was copied half done. */
  readonly editions: readonly number[]
  readonly check: string
}

/** Opens a copy of ours, and recovers it. */
export function readBook(path: string): BookCopy {
  const db = new Database(path)
  try {
    return {
      books: Number(db.prepare('select count(*) from book').pluck().get()),
      editions: db.prepare('select distinct edition from page').pluck().all().map(Number),
      check: String(db.pragma('integrity_check', { simple: true })),
    }
  } finally {
    db.close()
  }
}

export const soundBook = (books: number, edition = 1): BookCopy => ({ books, editions: [edition], check: 'ok' })

/** Limits that no test meets by being slow. A test that is about a limit names its own. */
export const wideLimits: HoldSettings['live'] = {
  pinWaitMs: 20_000,
  maxPinMs: 120_000,
  maxWalGrowthBytes: 64_000_000,
  maxWriterWaitMs: 60_000,
}

export interface PinnedCopyResult {
  readonly copy: BookCopy
  readonly pin: PinEvidence | null
  readonly held: Extract<HoldResult, { kind: 'snapshot' }>
}

export interface PinOptions {
  readonly live?: Partial<HoldSettings['live']>
  /** Runs when the step is done; what holdfast has locked then stays locked meanwhile. */
  readonly on?: Partial<Record<HoldStep, () => void>>
  readonly folder?: string
}

export const pinOptions = ({ live, on, folder }: PinOptions): HoldOptions => ({
  settings: { require: 'pinned', live: { ...wideLimits, ...live } },
  onStep: (step) => on?.[step]?.(),
  ...(folder === undefined ? {} : { folder }),
})

/** Takes a pinned snapshot and reads it. @throws the failure, if there is none */
export async function takePinned(
  fixture: HoldFixture,
  file: string,
  options: PinOptions = {},
): Promise<PinnedCopyResult> {
  const held = await fixture.holdBare(file, pinOptions(options))
  if (held.kind !== 'snapshot') throw held.failure
  await using snapshot = held.snapshot
  return { copy: readBook(snapshot.path), pin: held.record.evidence.pin, held }
}
