/** SQLite's own fuzz corpus, from Debian's source package of sqlite3, which only this machine's apt fetches. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import Database from 'better-sqlite3'
import { fetchDebianSource } from '../../scripts/bench/salvage/debian-source.ts'

export interface CorpusFile {
  /** File of the corpus, table and row. */
  readonly name: string
  readonly bytes: Buffer
}

/**
 * @param archive a source package that is already on this machine; null to fetch it
 * @returns the paths of the corpus's databases
 */
export function unpackCorpus(folder: string, archive: string | null): readonly string[] {
  const from = archive ?? fetchDebianSource(folder, 'sqlite3', 'archive')
  const into = join(folder, 'source')
  mkdirSync(into)
  execFileSync('tar', ['-xf', from, '-C', into, '--strip-components=1', '--wildcards', '*/test/fuzzdata*.db'])
  return readdirSync(join(into, 'test'))
    .toSorted()
    .map((name) => join(into, 'test', name))
}

/** All test databases: the rows of `db`, and the decoded rows of `xsql` that are a database in hexadecimal digits. */
export function* readCorpus(paths: readonly string[]): Generator<CorpusFile> {
  for (const path of paths) {
    const db = new Database(path, { readonly: true, fileMustExist: true })
    try {
      for (const { id, bytes } of db
        .prepare<[], { id: number; bytes: Buffer }>('SELECT dbid AS id, CAST(dbcontent AS BLOB) AS bytes FROM db')
        .iterate())
        yield { name: `${basename(path)} db ${id}`, bytes }
      for (const { id, text } of db
        .prepare<[], { id: number; text: Buffer }>('SELECT sqlid AS id, CAST(sqltext AS BLOB) AS text FROM xsql')
        .iterate()) {
        if (isEncodedDatabase(text))
          yield { name: `${basename(path)} xsql ${id}`, bytes: decode(text.toString('latin1')) }
      }
    } finally {
      db.close()
    }
  }
}

/** Whether a text begins with the digits of `SQLi`, as the texts of dbsqlfuzz do (SQLite's test/fuzzcheck.c). */
const isEncodedDatabase = (text: Buffer): boolean =>
  text
    .subarray(0, 100)
    .toString('latin1')
    .replace(/[^0-9a-f]/gi, '')
    .toLowerCase()
    .startsWith('53514c69')

/** Bytes in hexadecimal digits. `[offset]` is where the next go; a line `--` is the end. Padded to pages of 4096. */
function decode(text: string): Buffer {
  const stop = text.indexOf('\n--\n')
  const pieces: { readonly at: number; readonly bytes: Buffer }[] = []
  let at = 0
  for (const [, offset, digits] of (stop < 0 ? text : text.slice(0, stop)).matchAll(
    /\[([0-9a-f]*)\]|([0-9a-f]{2})/gi,
  )) {
    if (offset !== undefined) at = Number.parseInt(offset || '0', 16)
    else pieces.push({ at: at++, bytes: Buffer.from(digits ?? '', 'hex') })
  }
  const length = Math.ceil(pieces.reduce((end, piece) => Math.max(end, piece.at + 1), 0) / 4096) * 4096
  const whole = Buffer.alloc(Math.min(length, corpusBytesMax))
  for (const piece of pieces) if (piece.at < whole.length) piece.bytes.copy(whole, piece.at)
  return whole
}

/** The limit of fuzzcheck.c. */
const corpusBytesMax = 500_000
