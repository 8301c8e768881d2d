/**
 * Steps that overwrite the live file in place, through its sealed descriptor. SQLite in another process could not do
 * it: it would need the lock that keeps all others out. A journal of our own makes it one transaction.
 */
import { randomInt } from 'node:crypto'
import { fstatSync, fsync, ftruncateSync, readSync, writeSync } from 'node:fs'
import { promisify } from 'node:util'
import { nextTurn } from '../../../host/clock.ts'
import { systemFailure } from '../../../host/failures/system-failure.ts'
import { copyAttributes } from '../../../host/files/attributes.ts'
import { openDescriptor } from '../../../host/files/descriptor.ts'
import { Failure } from '../../../model/failure.ts'
import { readJournal } from '../../../sqlite/journal/journal.ts'
import { journalBytesOf, newJournalHeader, newJournalRecord } from '../../../sqlite/journal/new-journal.ts'
import { lockBytePage } from '../../../sqlite/page-layout.ts'
import { disposableDescriptor, makeFile } from '../original/kept-copy.ts'
import type { LiveFolder } from './live-folder.ts'
import type { Step } from './step.ts'

export interface OverwriteTerms {
  readonly folder: LiveFolder
  /** Sealed descriptor of the live file. */
  readonly main: number
  readonly pageSize: number
  /**
   * Called before each piece is written. Once it throws, our lock may be gone, and nothing more is written. A journal
   * that lies beside the file is rolled back by the next program that opens it.
   */
  readonly requireSeal: () => void
  /**
   * The pages in which the two contents of a transaction differ, as they were found before the pause. Null: all pages
   * are compared in the pause.
   */
  readonly pages: readonly number[] | null
  /** Aborts when the pause must end: then nothing more is overwritten, but what was is still taken back. */
  readonly over: AbortSignal
}

/** Pieces are written without a turn of the event loop, so that none is under way when a seal is given up. */
const pieceBytes = 1 << 20
const sync = promisify(fsync)

/**
 * For two contents that differ only in pages that a WAL or a hot journal covers: SQLite finds the same, whatever part
 * was written.
 * @param content what the file is to hold
 * @param before what it holds, for the way back
 */
export function overwriteCovered(to: OverwriteTerms, content: number, before: number): Step {
  return { run: () => writeContent(to, content, mayGoOn(to)), takeBack: () => writeContent(to, before, to.requireSeal) }
}

/**
 * As one transaction, with a rollback journal that is whole and on the disk before the first byte is overwritten.
 * @param draft name beside the file for the journal until it is whole
 * @param before what the file holds, for the way back after the transaction; null: then there is none
 */
export function overwriteJournalled(to: OverwriteTerms, draft: string, content: number, before: number | null): Step {
  const { folder, requireSeal } = to
  const journal = `${folder.base}-journal`
  let state: 'before' | 'begun' | 'done' = 'before'
  const work = async (source: number, check: () => void): Promise<void> => {
    await nameJournal(to, draft, source, check)
    await writeChanged(to, source, check)
    requireSeal()
    folder.unlink(journal)
    state = 'done' // Also if the folder cannot be synced: without its name the journal counts no more.
    folder.sync()
  }
  return {
    run: async () => {
      state = 'begun'
      await work(content, mayGoOn(to))
    },
    takeBack: async () => {
      if (state === 'before') return
      requireSeal()
      if (state === 'done') {
        if (before === null) throw new Failure('IN_USE', `${folder.path} was overwritten, and cannot be taken back`)
        return work(before, requireSeal)
      }
      await rollBack(to)
      for (const name of [journal, draft]) if (folder.find(name)) folder.unlink(name)
      folder.sync()
    },
  }
}

const mayGoOn =
  ({ requireSeal, over }: OverwriteTerms) =>
  (): void => {
    requireSeal()
    over.throwIfAborted()
  }

/** As SQLite would do it with our journal, if it has its name. */
async function rollBack({ folder, main, requireSeal }: OverwriteTerms): Promise<void> {
  const journal = `${folder.base}-journal`
  if (folder.find(journal) === null) return
  using file = openDescriptor(folder.at(journal), 'read-only')
  const read = (offset: number, length: number): Buffer => {
    const bytes = Buffer.alloc(length)
    return bytes.subarray(0, readFully(file.number, bytes, offset))
  }
  const found = readJournal(read, fstatSync(file.number).size)
  if (found === null) return
  for (const { page, offset } of found.records) {
    requireSeal()
    writeAll(main, read(offset, found.pageSize), (page - 1) * found.pageSize, folder.path)
    if (page % 1024 === 0) await nextTurn()
  }
  requireSeal()
  ftruncateSync(main, found.pageCount * found.pageSize)
  await sync(main)
}

async function nameJournal(to: OverwriteTerms, draft: string, content: number, check: () => void): Promise<void> {
  const { folder, main, pageSize } = to
  using journal = disposableDescriptor(makeFile(folder.at(draft)))
  copyAttributes(main, journal.number, folder.path) // A program that may write the file must be able to roll it back.
  const pageCount = fstatSync(main).size / pageSize
  const nonce = randomInt(2 ** 32)
  const locked = lockBytePage({ pageSize, usable: pageSize, autoVacuum: false })
  let records = 0
  const header = (): Buffer => newJournalHeader({ pageSize, pageCount, records, nonce })
  let at = header().length
  await forEachChanged(to, content, fstatSync(main).size, (offset, old) => {
    const page = offset / pageSize + 1
    if (page === locked) return
    writeAll(journal.number, newJournalRecord(page, old, nonce), at, draft)
    at += journalBytesOf(pageSize)
    records += 1
  })
  writeAll(journal.number, header(), 0, draft)
  await sync(journal.number)
  check()
  folder.rename(draft, `${folder.base}-journal`)
  folder.sync()
}

/** Compares all pages: a WAL or a journal says which differ, but not whether it is whole. */
const writeContent = (to: OverwriteTerms, content: number, check: () => void): Promise<void> =>
  writeChanged({ ...to, pages: null }, content, check)

async function writeChanged(to: OverwriteTerms, content: number, check: () => void): Promise<void> {
  const { folder, main } = to
  const { size } = fstatSync(content)
  check()
  await forEachChanged(to, content, size, (offset, _, fresh) => {
    check()
    writeAll(main, fresh, offset, folder.path)
  })
  check()
  if (fstatSync(main).size > size) ftruncateSync(main, size)
  await sync(main)
}

type OnDifference = (offset: number, old: Buffer, fresh: Buffer) => void

/** How many pages are read and written without a turn of the event loop. */
const pagesInTurn = 256

async function forEachChanged(
  { main, pageSize, pages }: OverwriteTerms,
  content: number,
  end: number,
  onDifference: OnDifference,
): Promise<void> {
  if (pages === null) return forEachDifference(main, content, pageSize, end, onDifference)
  const [old, fresh] = [Buffer.allocUnsafe(pageSize), Buffer.allocUnsafe(pageSize)]
  for (const [at, page] of pages.entries()) {
    const offset = (page - 1) * pageSize
    if (offset >= end) break
    readFully(main, old, offset)
    const length = readFully(content, fresh, offset)
    onDifference(offset, old, fresh.subarray(0, length))
    if (at % pagesInTurn === pagesInTurn - 1) await nextTurn()
  }
}

/**
 * Compares two files up to `end`, page by page.
 * @param onDifference called with the offset of each page that differs, and its bytes in both
 */
export async function forEachDifference(
  one: number,
  other: number,
  pageSize: number,
  end: number,
  onDifference: OnDifference,
): Promise<void> {
  const piece = Math.max(pageSize, pieceBytes)
  const [first, second] = [Buffer.allocUnsafe(piece), Buffer.allocUnsafe(piece)]
  for (let at = 0; at < end; at += piece) {
    const bytes = Math.min(piece, end - at)
    const a = first.subarray(0, readFully(one, first.subarray(0, bytes), at))
    const b = second.subarray(0, readFully(other, second.subarray(0, bytes), at))
    if (!a.equals(b))
      for (let page = 0; page < bytes; page += pageSize) {
        const [old, fresh] = [a.subarray(page, page + pageSize), b.subarray(page, page + pageSize)]
        if (!old.equals(fresh)) onDifference(at + page, old, fresh)
      }
    await nextTurn()
  }
}

function readFully(file: number, buffer: Buffer, position: number): number {
  let filled = 0
  while (filled < buffer.length) {
    const read = readSync(file, buffer, filled, buffer.length - filled, position + filled)
    if (read === 0) break
    filled += read
  }
  return filled
}

function writeAll(file: number, bytes: Buffer, position: number, path: string): void {
  try {
    for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done, bytes.length - done, position + done)
  } catch (error) {
    throw systemFailure(error, { doing: 'write', path, tenant: 'untouched' })
  }
}
