/** Child side: looks at the files of a snapshot before SQLite opens them. SQLite drops the end of a broken WAL in silence, so afterwards nothing would be left to see. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import type { Finding } from '../model/finding.ts'
import { readHeader } from '../sqlite/header.ts'
import type { DatabaseHeader } from '../sqlite/header.ts'
import { isHot, superJournalName } from '../sqlite/journal.ts'
import { findWalCut } from '../sqlite/wal-cut.ts'
import { readWalHeader, WalScan, walHeaderBytes } from '../sqlite/wal.ts'
import type { Look } from './questions.ts'

const pieceBytes = 1 << 20
/** Enough for the longest super-journal name that SQLite would take. */
const trailerBytes = 8192

export function look(database: string): Look {
  const main = readFrom(database, (file, bytes) => ({ bytes, header: readHeader(readAt(file, 0, 100)) }))
  const header = main?.header ?? { kind: 'empty' as const }
  const journal = readFrom(`${database}-journal`, (file, bytes) => {
    const hot = isHot(readAt(file, 0, 28), bytes)
    return { hot, superJournal: hot ? superJournalName(readAt(file, Math.max(0, bytes - trailerBytes), trailerBytes)) : null }
  })
  const wal = readFrom(`${database}-wal`, lookAtWal)
  const known: DatabaseHeader | null = header.kind === 'header' || header.kind === 'wrong' ? header.header : null
  return {
    fileBytes: main?.bytes ?? 0,
    headerTrouble: header.kind === 'header' ? null : header.kind === 'wrong' ? header.why : header.kind === 'empty' ? 'the file is empty' : 'the file has no SQLite header',
    pageSize: known?.pageSize ?? 0,
    pages: known === null ? 0 : Math.ceil((main?.bytes ?? 0) / known.pageSize),
    hotJournal: journal?.hot ?? false,
    superJournal: journal?.superJournal ?? null,
    walCommits: wal?.commits ?? false,
    findings: [...(header.kind === 'wrong' ? [headerWrong(header.why)] : []), ...(wal?.findings ?? [])],
  }
}

const headerWrong = (why: string): Finding => ({ rule: 'header-wrong', severity: 'damage', source: 'census', object: { kind: 'file', name: 'header', table: null }, page: 1, text: `the header is wrong: ${why}` })

function lookAtWal(file: number, bytes: number): { readonly commits: boolean; readonly findings: readonly Finding[] } {
  const header = readWalHeader(readAt(file, 0, walHeaderBytes))
  if (header === null) return { commits: false, findings: [] }
  const scan = new WalScan(header)
  for (let at = walHeaderBytes; at < bytes; at += pieceBytes) if (!scan.feed(readAt(file, at, pieceBytes))) break
  const state = scan.finish()
  const cut = findWalCut(header, state, scan.checksum, (offset, length) => (offset + length > bytes ? null : readAt(file, offset, length)))
  const commits = state.committedFrames > 0
  if (cut === null) return { commits, findings: [] }
  const text = `the write-ahead log breaks off at frame ${cut.frame} (byte ${cut.offset}), but ${cut.framesBehind} intact frames follow: what was committed from there on is lost`
  return { commits, findings: [{ rule: 'wal-cut', severity: 'damage', source: 'census', object: { kind: 'file', name: 'write-ahead log', table: null }, total: cut.framesBehind, text }] }
}

/** null where there is no such file. */
function readFrom<Result>(path: string, read: (file: number, bytes: number) => Result): Result | null {
  let file: number
  try {
    file = openSync(path, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
  try {
    return read(file, fstatSync(file).size)
  } finally {
    closeSync(file)
  }
}

/** As many bytes as there are, up to `length`. */
function readAt(file: number, at: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  return bytes.subarray(0, readSync(file, bytes, 0, length, at))
}
