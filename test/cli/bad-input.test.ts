/** Any kind of file under a given name: each gets a clear result of its own, and the run goes on. */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  appendFileSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
  closeSync,
} from 'node:fs'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { fingerprintOf, makeDatabase, makeFolder, type Folder } from '../support/cli/folder.ts'
import { shortVerdict, holdfast, reportIn, reportOf, single } from '../support/cli/program.ts'
import { EditableDatabase } from '../support/databases/surgeon.ts'
import { createVariedDatabase } from '../support/databases/wounds.ts'

/** Name to what the report must say of it. */
type ExpectedWords = Record<string, string>

function layOut(folder: Folder): ExpectedWords {
  const good = makeDatabase(folder.in('good.db'), { rows: 400 })
  const copy = (name: string): string => {
    copyFileSync(good, folder.in(name))
    return folder.in(name)
  }
  const overwrite = (name: string, at: number, bytes: Uint8Array): void => {
    const file = openSync(copy(name), 'r+')
    writeSync(file, bytes, 0, bytes.length, at)
    closeSync(file)
  }
  writeFileSync(folder.in('empty.db'), '')
  mkdirSync(folder.in('odd'))
  copy('odd/pointed')
  writeFileSync(folder.in('text.db'), 'To whom it may concern: this is no database. '.repeat(400))
  writeFileSync(folder.in('short.db'), 'SQLite')
  writeFileSync(folder.in('encrypted.db'), randomBytes(40_960))
  truncateSync(copy('cut.db'), 4096 * 5)
  truncateSync(copy('torn.db'), readFileSync(good).length - 1000)
  truncateSync(copy('header-only.db'), 100)
  overwrite('wiped-header.db', 0, new Uint8Array(16))
  overwrite('wiped-page.db', 0, new Uint8Array(4096))
  symlinkSync('odd/pointed', folder.in('link.db'))
  symlinkSync('nowhere.db', folder.in('dangling.db'))
  symlinkSync('loop.db', folder.in('loop.db'))
  execFileSync('mkfifo', [folder.in('pipe.db')])
  symlinkSync('/dev/null', folder.in('null.db'))
  linkSync(copy('two-names.db'), folder.in('odd/other-name'))
  const emptyWal = makeDatabase(folder.in('empty-wal.db'), { wal: true })
  writeFileSync(`${emptyWal}-wal`, '')
  // A WAL that belongs to another database: its salts and page numbers say nothing of this one.
  const other = new Database(folder.in('odd/other-database'))
  other.pragma('journal_mode=WAL')
  other.exec('CREATE TABLE other(x); INSERT INTO other VALUES(zeroblob(20000))')
  makeDatabase(folder.in('foreign-wal.db'), { wal: true, pageSize: 1024 })
  copyFileSync(folder.in('odd/other-database-wal'), folder.in('foreign-wal.db-wal'))
  other.close()
  makeDatabase(folder.in('garbage-wal.db'), { wal: true })
  writeFileSync(folder.in('garbage-wal.db-wal'), randomBytes(9000))
  makeDatabase(folder.in('linked-wal.db'), { wal: true })
  writeFileSync(folder.in('odd/a-wal'), '')
  symlinkSync('odd/a-wal', folder.in('linked-wal.db-wal'))
  copy('garbage-journal.db')
  writeFileSync(folder.in('garbage-journal.db-journal'), randomBytes(3000))
  for (const name of [
    'new\nline.db',
    `quote's "and" \`more\` $(touch x).db`,
    '\u001b[31mred\u0007.db',
    '--json',
    '-rf.db',
    'bidi\u202egpj.db',
    `${'long'.repeat(63)}.db`,
    'ünïcödé 文字 🙂.db',
    ' .db',
  ])
    copy(name)
  appendFileSync(copy('tail.db'), 'stray')
  return {
    'good.db': 'sound',
    'empty.db': 'inconclusive EMPTY_FILE',
    'missing.db': 'failed NOT_FOUND',
    'text.db': 'inconclusive NOT_SQLITE',
    'short.db': 'inconclusive NOT_SQLITE',
    'encrypted.db': 'inconclusive NOT_SQLITE',
    'cut.db': 'damaged',
    'torn.db': 'damaged',
    'header-only.db': 'damaged',
    'wiped-header.db': 'damaged file',
    'wiped-page.db': 'damaged file',
    'link.db': 'sound',
    'dangling.db': 'failed NOT_FOUND',
    'loop.db': 'failed',
    'pipe.db': 'failed NOT_A_FILE',
    'null.db': 'failed NOT_A_FILE',
    'two-names.db': 'failed MANY_NAMES',
    'empty-wal.db': 'sound',
    'garbage-wal.db': 'sound',
    'linked-wal.db': 'failed MANY_NAMES',
    'garbage-journal.db': 'sound',
    'tail.db': 'damaged',
    'new\nline.db': 'sound',
    [`quote's "and" \`more\` $(touch x).db`]: 'sound',
    '\u001b[31mred\u0007.db': 'sound',
    '--json': 'sound',
    '-rf.db': 'sound',
    'bidi\u202egpj.db': 'sound',
    [`${'long'.repeat(63)}.db`]: 'sound',
    'ünïcödé 文字 🙂.db': 'sound',
    ' .db': 'sound',
    'good.db/below': 'failed NOT_FOUND',
    [`${'n'.repeat(300)}.db`]: 'failed NOT_FOUND',
    'foreign-wal.db': '',
  }
}

test('each kind of bad input gets its own clear result, held or copied, and nothing is written', async () => {
  using folder = makeFolder()
  const expected = layOut(folder)
  const names = Object.keys(expected)
  const before = fingerprintOf(folder.path)
  const ran = await holdfast(['check', '--json', '--', ...names], { cwd: folder.path })
  const report = reportIn(ran)
  expect(report.results).toHaveLength(names.length)
  const said = Object.fromEntries(report.results.map((result) => [result.path, result]))
  for (const [name, word] of Object.entries(expected))
    expect(`${name}: ${shortVerdict(said[name] as never)}`).toContain(`${name}: ${word}`)
  for (const result of report.results) {
    if (result.verdict === 'sound') continue
    expect(result.failure?.hint ?? result.remedy.why).toMatch(/\w{3}/)
    expect(result.findings.length + (result.failure ? 1 : 0)).toBeGreaterThan(0)
  }
  expect(ran.code).toBe(2)
  expect(fingerprintOf(folder.path)).toEqual(before)

  const copies = reportIn(await holdfast(['check', '--snapshot', '--json', '--', ...names], { cwd: folder.path }))
  const ofCopies = Object.fromEntries(copies.results.map((result) => [result.path, result]))
  // Another name does not matter to a private copy, which no program writes. A WAL that is a link does: SQLite opens
  // none.
  const otherwise: ExpectedWords = { 'two-names.db': 'sound' }
  for (const [name, word] of Object.entries(expected))
    expect(`${name}: ${shortVerdict(ofCopies[name] as never)}`).toContain(`${name}: ${otherwise[name] ?? word}`)
  expect(copies.results.every(({ evidence }) => evidence.level === 'none')).toBe(true)
  expect(fingerprintOf(folder.path)).toEqual(before)

  const text = await holdfast(['check', '--verbose', '--', ...names], { cwd: folder.path })
  expect(text.stdout.match(/\p{C}/gu)?.filter((letter) => letter !== '\n')).toEqual([])
  expect(text.stdout.split('\n').filter((line) => line.includes('new\\nline.db')).length).toBeGreaterThan(0)
})

test(
  'the WAL of another database beside a file: SQLite would take it for its ' +
    'own, and the mixture is damaged; nothing is written',
  async () => {
    using folder = makeFolder()
    const database = makeDatabase(folder.in('app.db'), { wal: true, pageSize: 1024, rows: 300 })
    const other = new Database(makeDatabase(folder.in('other-database'), { wal: true, pageSize: 1024, rows: 900 }))
    other.exec("UPDATE notes SET title = 'changed' WHERE id > 700")
    copyFileSync(folder.in('other-database-wal'), `${database}-wal`)
    other.close()
    const before = fingerprintOf(folder.path)
    expect(single(await reportOf(['check', database])).verdict).toBe('damaged')
    expect(fingerprintOf(folder.path)).toEqual(before)
  },
)

test('damage of any class is exit code 2 and says where', async () => {
  using folder = makeFolder()
  createVariedDatabase(folder.in('varied.db'), 1024, false)
  {
    using database = new EditableDatabase(folder.in('varied.db'))
    database.write(database.leaf('events'), Buffer.alloc(1024))
  }
  const result = single(await reportOf(['check', folder.in('varied.db')]))
  expect([result.verdict, result.damage, result.remedy.do]).toEqual(['damaged', 'table', 'ask'])
  expect(
    result.findings.some(
      ({ object, rule, page }) => object.name === 'events' && rule === 'page-unreadable' && page !== undefined,
    ),
  ).toBe(true)
})
