/** SQLite's own fuzz corpus, from Debian's source package of sqlite3, which only this machine's apt fetches. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import Database from 'better-sqlite3'

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
  const from = archive ?? fetchArchive(folder)
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

/** @returns the source archive @throws if apt cannot fetch it */
function fetchArchive(folder: string): string {
  for (const name of ['lists/partial', 'sources']) mkdirSync(join(folder, name), { recursive: true })
  copySources(join(folder, 'sources'))
  // Otherwise apt fetches as another user if we are root, and that user may not write here.
  const options = [
    'Dir::Etc::sourcelist=/dev/null',
    `Dir::Etc::sourceparts=${join(folder, 'sources')}`,
    `Dir::State::lists=${join(folder, 'lists')}`,
    'APT::Sandbox::User=root',
  ].flatMap((option) => ['-o', option])
  execFileSync('apt-get', [...options, '-qq', 'update'], { stdio: ['ignore', 'ignore', 'inherit'] })
  execFileSync('apt-get', [...options, '-qq', 'source', '--download-only', 'sqlite3'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const archive = readdirSync(folder).find((name) => /^sqlite3_.*\.orig\.tar\.\w+$/.test(name))
  if (archive === undefined) throw new Error('apt-get source fetched no archive of sqlite3')
  return join(folder, archive)
}

/** Copies this machine's package sources, changed so that they name source packages. */
function copySources(into: string): void {
  const known = [
    '/etc/apt/sources.list',
    ...(existsSync('/etc/apt/sources.list.d')
      ? readdirSync('/etc/apt/sources.list.d').map((name) => join('/etc/apt/sources.list.d', name))
      : []),
  ]
  for (const path of known.filter((path) => /\.(?:list|sources)$/.test(path) && existsSync(path))) {
    writeFileSync(
      join(into, basename(path)),
      readFileSync(path, 'utf8')
        .replace(/^deb(?=\s)/gm, 'deb-src')
        .replace(/^Types:.*$/gm, 'Types: deb-src'),
    )
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
