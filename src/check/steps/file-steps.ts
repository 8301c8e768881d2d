/** The steps about the files: inspect, checksums, recover. Each asks one question; its answer goes into the reading. */
import { isEmptyDatabase } from '../../sqlite/header.ts'
import { checksumBytes } from '../../sqlite/page-checksum.ts'
import { count, groupDigits } from '../../text/count.ts'
import type { Reader } from '../protocol.ts'
import type { ReadingBuilder } from '../reading-builder.ts'
import type { InspectedDatabaseFile, InspectedFiles } from '../step-answers.ts'

/** null if there was no answer. */
export async function runInspect(reading: ReadingBuilder, reader: Reader): Promise<InspectedFiles | null> {
  const files = await reading.step(reader, { step: 'inspect' })
  if (files === null) return null
  takeFile(reading, files.file)
  reading.addFindings(files.findings)
  for (const { object, why } of files.skipped) reading.skip(object, why)
  if (files.companions.length > 0)
    reading.recovered = { companions: files.companions, pagesChanged: null, without: null }
  return files
}

/** True if SQLite must not open the file; the reading then says why. */
export function refuseToOpen(reading: ReadingBuilder, { file, superJournal }: InspectedFiles): boolean {
  // SQLite would delete the WAL or journal that lies beside an empty file.
  if (isEmptyDatabase(file.fileBytes)) {
    reading.skip('file', 'it is empty')
    return true
  }
  if (superJournal === null) return false
  // SQLite would search for the super-journal by its absolute path. It would then delete the live one, or treat the
  // snapshot's transaction as committed.
  reading.skip(
    'journal',
    `it belongs to a transaction over several files ("${superJournal}") and cannot be rolled back here`,
  )
  return true
}

/** Verifies the page checksums of cksumvfs, if the header has room for them. */
export async function runChecksums(reading: ReadingBuilder, reader: Reader, { file }: InspectedFiles): Promise<void> {
  if (file.reservedBytes !== checksumBytes || file.headerProblem !== null) return
  const answer = await reading.step(reader, { step: 'checksums' })
  if (answer?.carried !== true) return
  const more = answer.wrongTotal - answer.wrong.length
  reading.addFindings(
    answer.wrong.map((page, i) => ({
      rule: 'page-checksum-wrong',
      severity: 'damage',
      source: 'census',
      object: { kind: 'file', name: 'file', table: null },
      page,
      text:
        `page ${page} does not carry the right checksum of cksumvfs, and ` +
        `${groupDigits(answer.checked - answer.wrongTotal)} of ${count(answer.checked, 'page')} do` +
        (i === answer.wrong.length - 1 && more > 0 ? `; ${count(more, 'more page does', 'more pages do')} not` : ''),
    })),
  )
}

export interface AfterRecovery {
  /** False if there was no answer: the reader died when SQLite opened the file. */
  readonly opened: boolean
  /**
   * `pages`: the pages of the file are the database. `sqlite-only`: a journal or WAL could not be written back, so only
   * SQLite knows the database. `nothing`: the file has a format with rules that are not known here.
   */
  readonly readable: 'pages' | 'sqlite-only' | 'nothing'
}

export async function runRecover(
  reading: ReadingBuilder,
  reader: Reader,
  files: InspectedFiles,
): Promise<AfterRecovery> {
  const { companions, hotJournal, walCommits } = files
  const answer = await reading.step(reader, { step: 'recover', keep: companions.length > 0 })
  const opened = answer !== null
  // The live set counts, not the file alone: recovery may have written the right header over a wrong one.
  const file = answer?.file ?? files.file
  takeFile(reading, file)
  if (file.notUnderstood !== null) {
    reading.skip('header', file.notUnderstood.why)
    // What SQLite reports about a format that it does not know is no damage.
    if (file.notUnderstood.readable === 'nothing') return { opened, readable: 'nothing' }
  }
  reading.facts.push(...(answer?.facts ?? []))
  if (opened || companions.length === 0) reading.addFindings(file.findings)
  if (companions.length > 0)
    reading.recovered = { companions, pagesChanged: answer?.pagesChanged ?? null, without: null }
  if (answer?.recovered === true || !(hotJournal || walCommits)) return { opened, readable: 'pages' }
  reading.skip(
    'pages',
    `the ${hotJournal ? 'journal' : 'write-ahead log'} could not be ` +
      'written back, so the pages of the file are not the database',
  )
  return { opened, readable: 'sqlite-only' }
}

function takeFile(reading: ReadingBuilder, { pages, pageSize, writtenBy }: InspectedDatabaseFile): void {
  reading.writtenBy = writtenBy
  reading.pages = pages
  reading.pageSize = pageSize
}
