/**
 * Child side: reads the files of a snapshot before SQLite opens them. SQLite drops the end of a broken WAL silently, so
 * afterwards its damage could not be found.
 */
import { nameOf } from '../../host/files/file-name.ts'
import type { Finding } from '../../model/result/finding.ts'
import type { Companion } from '../../model/result/recovery.ts'
import type { SkippedObject } from '../../model/result/verdict.ts'
import { isEmptyDatabase, readHeader } from '../../sqlite/header.ts'
import type { DatabaseHeader, HeaderParseResult } from '../../sqlite/header.ts'
import { findJournalCut, type JournalCut } from '../../sqlite/journal/journal-cut.ts'
import { isDestroyedJournal, isHot, readJournal, superJournalName } from '../../sqlite/journal/journal.ts'
import { isNewer, versionText } from '../../sqlite/version.ts'
import { findHiddenCommits } from '../../sqlite/wal/hidden-commits.ts'
import { findWalCut } from '../../sqlite/wal/wal-cut.ts'
import { readWalHeader, WalScan, walHeaderBytes } from '../../sqlite/wal/wal.ts'
import { count } from '../../text/count.ts'
import type { InspectedDatabaseFile, InspectedFiles } from '../step-answers.ts'
import { withDatabaseFile, withFile, type OpenFile } from './with-file.ts'

const pieceBytes = 1 << 20
/** Enough for the longest super-journal name that SQLite accepts. */
const trailerBytes = 8192

/** @param sqliteVersion of the SQLite that reads */
export function inspectSnapshotFiles(database: string, sqliteVersion: string): InspectedFiles {
  const file = inspectDatabaseFile(database, sqliteVersion)
  const journal = withFile(`${database}-journal`, (journal) => inspectJournal(journal, database)) ?? {
    hot: false,
    superJournal: null,
    companion: [],
    findings: [],
    skipped: [],
  }
  const wal = withFile(`${database}-wal`, (log) => inspectWal(log, database, file)) ?? {
    commits: false,
    companion: [],
    findings: [],
    skipped: [],
  }
  const companions = [...journal.companion, ...wal.companion]
  return {
    file,
    companions: isEmptyDatabase(file.fileBytes)
      ? companions.map((one) => ({ ...one, did: 'ignored' as const }))
      : companions,
    hotJournal: journal.hot,
    superJournal: journal.superJournal,
    walCommits: wal.commits,
    findings: [...journal.findings, ...wal.findings],
    skipped: [...journal.skipped, ...wal.skipped],
  }
}

/** The database file alone. @param sqliteVersion of the SQLite that reads */
export function inspectDatabaseFile(database: string, sqliteVersion: string): InspectedDatabaseFile {
  const { bytes, header } = withDatabaseFile(database, (file) => ({
    bytes: file.bytes,
    header: readHeader(file.read(0, 100)),
  }))
  const known: DatabaseHeader | null = header.kind === 'header' || header.kind === 'wrong' ? header.header : null
  const notUnderstood = header.kind === 'wrong' ? foreignFormat(header, sqliteVersion) : null
  return {
    fileBytes: bytes,
    headerProblem:
      header.kind === 'header'
        ? null
        : header.kind === 'wrong'
          ? header.why
          : header.kind === 'empty'
            ? 'the file is empty'
            : 'the file has no SQLite header',
    pageSize: known?.pageSize ?? 0,
    pages: known === null ? 0 : Math.ceil(bytes / known.pageSize),
    reservedBytes: known?.reservedBytes ?? 0,
    findings: header.kind === 'wrong' && notUnderstood === null ? [headerWrong(header.why)] : [],
    notUnderstood,
    writtenBy: known === null ? null : versionText(known.sqliteVersion),
  }
}

/**
 * Versions of the file format that another SQLite may already have. They count up; a damaged byte is seldom one of the
 * next.
 */
const formatVersionMax = 4
/** The same for the schema's format, which counts up too. */
const schemaFormatMax = 6

/**
 * A format that a newer SQLite may have introduced, or another SQLite. null if the writer of the file cannot have it.
 */
function foreignFormat(
  { header, why, unknown }: Extract<HeaderParseResult, { kind: 'wrong' }>,
  sqliteVersion: string,
): InspectedDatabaseFile['notUnderstood'] {
  if (header === null || unknown === null) return null
  const writer = versionText(header.sqliteVersion)
  const byAnother =
    unknown === 'schema'
      ? header.schemaFormat <= schemaFormatMax
      : unknown !== 'encoding' && Math.max(header.readVersion, header.writeVersion) <= formatVersionMax
  if (!byAnother && (writer === null || !isNewer(writer, sqliteVersion))) return null
  return { why: `its format is not understood: ${why}`, readable: unknown === 'reading' ? 'nothing' : 'pages' }
}

const headerWrong = (why: string): Finding => ({
  rule: 'header-wrong',
  severity: 'damage',
  source: 'census',
  object: { kind: 'file', name: 'header', table: null },
  page: 1,
  text: `the header is wrong: ${why}`,
})

interface InspectedJournal {
  readonly hot: boolean
  readonly superJournal: string | null
  readonly companion: readonly Companion[]
  readonly findings: readonly Finding[]
  readonly skipped: readonly SkippedObject[]
}

function inspectJournal({ bytes, read }: OpenFile, database: string): InspectedJournal {
  const header = read(0, 28)
  const hot = isHot(header, bytes)
  const name = hot ? superJournalName(read(Math.max(0, bytes - trailerBytes), trailerBytes)) : null
  const superJournal = name === null ? null : nameOf(name)
  const readable = readJournal(read, bytes) !== null
  const cut = readable && withFile(database, (main) => findJournalCut(read, bytes, main.read))
  return {
    hot,
    superJournal,
    companion: readable ? [{ part: '-journal', bytes, did: 'rolled-back' }] : [],
    findings: cut ? [journalCut(cut)] : [],
    skipped:
      superJournal === null && isDestroyedJournal(header, bytes)
        ? [
            {
              object: 'journal',
              why: 'its header is destroyed, so SQLite cannot roll back the transaction that it belongs to',
            },
          ]
        : [],
  }
}

const journalCut = ({ record, pages }: JournalCut): Finding => ({
  rule: 'journal-cut',
  severity: 'damage',
  source: 'census',
  object: { kind: 'file', name: 'rollback journal', table: null },
  total: pages,
  text:
    `the rollback journal breaks off at record ${record}: SQLite rolls back what stands before it, ` +
    `and ${count(pages, 'page keeps', 'pages keep')} what a transaction that never ended wrote there`,
})

interface InspectedWal {
  readonly commits: boolean
  readonly companion: readonly Companion[]
  readonly findings: readonly Finding[]
  readonly skipped: readonly SkippedObject[]
}

function inspectWal(log: OpenFile, database: string, file: InspectedDatabaseFile): InspectedWal {
  const { bytes, read } = log
  const header = readWalHeader(read(0, walHeaderBytes))
  if (header === null) return inspectBehindHeader(log, database, file)
  const scan = new WalScan(header)
  for (let at = walHeaderBytes; at < bytes; at += pieceBytes) if (!scan.feed(read(at, pieceBytes))) break
  const state = scan.finish()
  const cut = withFile(database, (main) =>
    findWalCut({ header, state, checksumBefore: scan.checksum, read: log.exactly }, main.exactly),
  )
  const commits = state.committedFrames > 0
  const findings = [
    ...(cut === null || !cut.isProven
      ? []
      : [
          walCut(
            `the write-ahead log breaks off at frame ${cut.frame} (byte ${cut.offset}), but ${cut.framesBehind} ` +
              'intact frames follow: what was committed from there on is lost',
            cut.framesBehind,
          ),
        ]),
    ...(commits && isEmptyDatabase(file.fileBytes)
      ? [
          walCut(
            'the file is empty, so SQLite deletes the write-ahead log beside it unread: ' +
              `${count(state.committedFrames, 'committed frame')} ` +
              `(${count(state.pageCountAfterCommit ?? 0, 'page')}) would be lost`,
            state.committedFrames,
          ),
        ]
      : []),
  ]
  if (state.frames === 0 && state.stopped === 'salts' && cut === null) return inspectBehindHeader(log, database, file)
  const skipped =
    cut?.isProven === false
      ? [
          {
            object: 'write-ahead log',
            why: `it breaks off at frame ${cut.frame}, and one commit lies behind: a crash leaves that, and damage too`,
          },
        ]
      : []
  return { commits, companion: commits ? [{ part: '-wal', bytes, did: 'replayed' }] : [], findings, skipped }
}

/** For a WAL of which SQLite uses nothing. */
function inspectBehindHeader(log: OpenFile, database: string, { pageSize }: InspectedDatabaseFile): InspectedWal {
  const hidden = withFile(database, (main) =>
    findHiddenCommits(
      { read: log.exactly },
      { bytes: main.bytes, pageSize: pageSize === 0 ? null : pageSize, read: main.exactly },
    ),
  )
  const nothing = { commits: false, companion: [], findings: [], skipped: [] }
  switch (hidden?.kind) {
    case undefined:
      return nothing
    case 'lost': {
      const text =
        'SQLite ignores the write-ahead log, whose header does not fit its frames: ' +
        `${count(hidden.frames, 'intact frame lies', 'intact frames lie')} behind it, and ` +
        `${count(hidden.pages, 'page of the file lacks', 'pages of the file lack')} what they commit`
      return { ...nothing, findings: [walCut(text, hidden.frames)] }
    }
    case 'unclear':
      return { ...nothing, skipped: [{ object: 'write-ahead log', why: hidden.why }] }
  }
}

const walCut = (text: string, total: number): Finding => ({
  rule: 'wal-cut',
  severity: 'damage',
  source: 'census',
  object: { kind: 'file', name: 'write-ahead log', table: null },
  total,
  text,
})
