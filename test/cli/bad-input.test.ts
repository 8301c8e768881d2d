/** Whatever lies under a name that was given: each file gets a clear result of its own, and the run goes on. */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
  closeSync,
  watch,
} from 'node:fs'
import { createServer } from 'node:net'
import { basename } from 'node:path'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { fingerprintOf, makeDatabase, makeFolder, type Folder } from '../support/cli/folder.ts'
import { gist, holdfast, launcher, reportIn, reportOf, single, start } from '../support/cli/program.ts'
import { Patient } from '../support/databases/surgeon.ts'
import { createPatient } from '../support/databases/wounds.ts'

/** Name to what the report must say of it. */
type Expected = Record<string, string>

function layOut(folder: Folder): Expected {
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
  const stranger = new Database(folder.in('odd/stranger'))
  stranger.pragma('journal_mode=WAL')
  stranger.exec('CREATE TABLE other(x); INSERT INTO other VALUES(zeroblob(20000))')
  makeDatabase(folder.in('foreign-wal.db'), { wal: true, pageSize: 1024 })
  copyFileSync(folder.in('odd/stranger-wal'), folder.in('foreign-wal.db-wal'))
  stranger.close()
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

test('each kind of bad input gets its own clear result in one run, holds and copies alike, and nothing is written', async () => {
  using folder = makeFolder()
  const expected = layOut(folder)
  const names = Object.keys(expected)
  const before = fingerprintOf(folder.path)
  const ran = await holdfast(['check', '--json', '--', ...names], { cwd: folder.path })
  const report = reportIn(ran)
  expect(report.results).toHaveLength(names.length)
  const said = Object.fromEntries(report.results.map((result) => [result.path, result]))
  for (const [name, word] of Object.entries(expected))
    expect(`${name}: ${gist(said[name] as never)}`).toContain(`${name}: ${word}`)
  for (const result of report.results) {
    if (result.verdict === 'sound') continue
    expect(result.failure?.hint ?? result.remedy.why).toMatch(/\w{3}/)
    expect(result.findings.length + (result.failure ? 1 : 0)).toBeGreaterThan(0)
  }
  expect(ran.code).toBe(2)
  expect(fingerprintOf(folder.path)).toEqual(before)

  const copies = reportIn(await holdfast(['check', '--snapshot', '--json', '--', ...names], { cwd: folder.path }))
  const ofCopies = Object.fromEntries(copies.results.map((result) => [result.path, result]))
  // Another name does not matter to a private copy, which nobody writes. A WAL that is a link does: SQLite opens none.
  const otherwise: Expected = { 'two-names.db': 'sound' }
  for (const [name, word] of Object.entries(expected))
    expect(`${name}: ${gist(ofCopies[name] as never)}`).toContain(`${name}: ${otherwise[name] ?? word}`)
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
    const stranger = new Database(makeDatabase(folder.in('stranger'), { wal: true, pageSize: 1024, rows: 900 }))
    stranger.exec("UPDATE notes SET title = 'changed' WHERE id > 700")
    copyFileSync(folder.in('stranger-wal'), `${database}-wal`)
    stranger.close()
    const before = fingerprintOf(folder.path)
    expect(single(await reportOf(['check', database])).verdict).toBe('damaged')
    expect(fingerprintOf(folder.path)).toEqual(before)
  },
)

test('sockets and devices are named for what they are, without being opened', async () => {
  using folder = makeFolder()
  const server = createServer().listen(folder.in('socket.db'))
  await once(server, 'listening')
  try {
    const report = reportIn(
      await holdfast([
        'check',
        '--json',
        folder.in('socket.db'),
        '/dev/null',
        '/dev/tty',
        '/proc/self/status',
        '/dev/fd/0',
      ]),
    )
    const said = new Map(report.results.map((result) => [result.path, [gist(result), result.failure?.message]]))
    for (const [path, kind] of [
      [folder.in('socket.db'), 'a socket'],
      ['/dev/null', 'a device'],
      ['/dev/tty', 'a device'],
    ] as const) {
      expect(said.get(path)).toEqual(['failed NOT_A_FILE', expect.stringContaining(kind)])
    }
    expect(report.summary.exitCode).not.toBe(0)
    const copies = reportIn(
      await holdfast(['check', '--snapshot', '--json', folder.in('socket.db'), '/dev/null', '/dev/zero']),
    )
    expect(copies.results.map(gist)).toEqual(['failed NOT_A_FILE', 'failed NOT_A_FILE', 'failed NOT_A_FILE'])
  } finally {
    server.close()
  }
})

test.skipIf(process.getuid?.() !== 0)(
  'a loop device over a database is a device (skipped unless root)',
  async ({ skip }) => {
    using folder = makeFolder()
    const file = makeDatabase(folder.in('image.db'))
    let device: string
    try {
      device = execFileSync('losetup', ['-r', '--find', '--show', file], { encoding: 'utf8' }).trim()
    } catch {
      return skip('this machine gives no loop devices')
    }
    try {
      expect(gist(single(await reportOf(['check', device])))).toBe('failed NOT_A_FILE')
      expect(gist(single(await reportOf(['check', '--snapshot', device])))).toBe('failed NOT_A_FILE')
    } finally {
      execFileSync('losetup', ['-d', device])
    }
  },
)

test.skipIf(process.getuid?.() !== 0)(
  'a file and a folder that may not be read are failed, and the others ' +
    'are checked (as another user; skipped unless root)',
  async () => {
    using folder = makeFolder()
    chmodSync(folder.path, 0o755)
    makeDatabase(folder.in('a-closed.db'))
    chmodSync(folder.in('a-closed.db'), 0o600)
    const own = makeDatabase(folder.in('b-own.db'))
    execFileSync('chown', ['65534:65534', own])
    mkdirSync(folder.in('locked'), { mode: 0o700 })
    const ran = runAs(65_534, ['check', '--json', folder.in('a-closed.db'), own, folder.in('locked/x.db')])
    const report = reportIn(ran)
    expect(
      Object.fromEntries(report.results.map((result) => [result.path.slice(folder.path.length + 1), gist(result)])),
    ).toEqual({ 'a-closed.db': 'failed NO_PERMISSION', 'b-own.db': 'sound', 'locked/x.db': 'failed NO_PERMISSION' })
    expect(ran.code).toBe(1)
    const listing = reportIn(runAs(65_534, ['check', '--json', folder.in('locked')]))
    expect([listing.failure?.code, listing.summary.exitCode]).toEqual(['NO_PERMISSION', 1])
  },
)

function runAs(uid: number, args: readonly string[]): { code: number; stdout: string; stderr: string } {
  const script =
    `process.setgid(${uid}); process.setuid(${uid}); process.argv = [process.argv[0], ` +
    'process.env.LAUNCHER, ...JSON.parse(process.env.ARGUMENTS)]; await import(process.env.LAUNCHER)'
  try {
    const stdout = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
      cwd: '/',
      env: { PATH: process.env['PATH'], LAUNCHER: launcher, ARGUMENTS: JSON.stringify(args) },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    return { code: 0, stdout, stderr: '' }
  } catch (error) {
    const { status, stdout, stderr } = error as { status: number; stdout: string; stderr: string }
    return { code: status, stdout, stderr }
  }
}

test(
  'a folder means the databases in it, and each that looks like one ' +
    'gets a result; an empty folder is a usage error',
  async () => {
    using folder = makeFolder()
    makeDatabase(folder.in('one.db'))
    makeDatabase(folder.in('two.sqlite'), { wal: true })
    makeDatabase(folder.in('no-ending'))
    writeFileSync(folder.in('readme.txt'), 'nothing')
    writeFileSync(folder.in('broken.db'), '')
    mkdirSync(folder.in('nothing'))
    const report = reportIn(await holdfast(['check', '--json', folder.path]))
    expect(
      report.results.map((result) => `${result.path.slice(folder.path.length + 1)} ${gist(result)}`).sort(),
    ).toEqual(['broken.db inconclusive EMPTY_FILE', 'no-ending sound', 'one.db sound', 'two.sqlite sound'])
    expect(report.summary.exitCode).toBe(3)
    const nothing = await holdfast(['check', '--json', folder.in('nothing')])
    expect([reportIn(nothing).failure?.code, nothing.code]).toEqual(['USAGE', 64])
    expect(nothing.stderr).toContain('holds no database')
  },
)

test(
  'a live file with several names on one command line is checked once, by ' +
    'the first; names that lead nowhere keep a result each',
  async () => {
    using folder = makeFolder()
    mkdirSync(folder.in('data'))
    makeDatabase(folder.in('data/acme.db'))
    makeDatabase(folder.in('data/zeta.db'))
    symlinkSync('zeta.db', folder.in('data/link.db'))
    symlinkSync('data', folder.in('alias'))
    const namesOf = async (...args: readonly string[]): Promise<readonly string[]> =>
      (await reportOf(['check', ...args], { cwd: folder.path })).results
        .map((result) => `${result.path} ${gist(result)}`)
        .sort()
    expect(await namesOf('data/acme.db', 'data/acme.db', './data/acme.db', 'alias/acme.db')).toEqual([
      'data/acme.db sound',
    ])
    expect(await namesOf('data')).toEqual(['data/acme.db sound', 'data/link.db sound'])
    expect(await namesOf('alias/zeta.db', 'data')).toEqual(['alias/zeta.db sound', 'data/acme.db sound'])
    // Nobody holds a private copy: there each name counts.
    expect(await namesOf('--snapshot', 'data/acme.db', 'alias/acme.db')).toEqual([
      'alias/acme.db sound',
      'data/acme.db sound',
    ])
    expect(await namesOf('gone.db', 'gone.db', 'data/acme.db')).toEqual([
      'data/acme.db sound',
      'gone.db failed NOT_FOUND',
      'gone.db failed NOT_FOUND',
    ])
    // Two names on the disk itself are not two names of the command line.
    linkSync(folder.in('data/acme.db'), folder.in('data/again.db'))
    expect(await namesOf('data')).toEqual([
      'data/acme.db failed MANY_NAMES',
      'data/again.db failed MANY_NAMES',
      'data/link.db sound',
    ])
  },
)

test(
  'five thousand files in one run, most of them no databases: each is held or refused and has ' +
    'its result, and a report of many megabytes is whole though its reader is slow',
  async () => {
    using folder = makeFolder()
    const one = makeDatabase(folder.in('seed'), { rows: 1, pageSize: 512 })
    mkdirSync(folder.in('many'))
    const isDatabase = (i: number): boolean => i % 5 === 0
    const names = Array.from({ length: 5000 }, (_, i) => folder.in(`many/${String(i).padStart(4, '0')}.db`))
    for (const [i, name] of names.entries()) {
      if (isDatabase(i)) copyFileSync(one, name)
      else writeFileSync(name, '')
    }
    const program = start(['check', '--quiet', '--depth', 'quick', '--json', ...names])
    const pieces: Buffer[] = []
    const ended = once(program, 'close')
    const whole = once(program.stdout, 'end')
    // Slow: it takes one piece, then lets the pipe fill again.
    program.stdout.on('data', (piece: Buffer) => {
      pieces.push(piece)
      program.stdout.pause()
      setTimeout(() => program.stdout.resume(), 2)
    })
    await whole
    const [code] = (await ended) as [number]
    const stdout = Buffer.concat(pieces).toString('utf8')
    const report = reportIn({ stdout, stderr: '', code })
    expect(stdout.length).toBeGreaterThan(2_000_000)
    expect([report.summary.selected, report.summary.sound, report.summary.inconclusive, code]).toEqual([
      5000, 1000, 4000, 3,
    ])
    expect(new Set(report.results.map(({ path }) => path)).size).toBe(5000)
    for (const { path, verdict, evidence, failure } of report.results) {
      const i = Number(basename(path, '.db'))
      expect([i, verdict, evidence.level, failure?.code]).toEqual([
        i,
        ...(isDatabase(i) ? ['sound', 'sealed', undefined] : ['inconclusive', 'none', 'EMPTY_FILE']),
      ])
    }
  },
  300_000,
)

test('a file that goes away, and one that is replaced, while the run is on cost their own result only', async () => {
  using folder = makeFolder()
  for (let i = 0; i < 40; i++) makeDatabase(folder.in(`${String(i).padStart(2, '0')}.db`), { rows: 20 })
  const snapshots = folder.in('snapshots')
  mkdirSync(snapshots, { mode: 0o700 })
  // The first snapshot shows that the run has begun: then the last files go.
  const watcher = watch(snapshots, { recursive: true }, () => {
    for (const name of ['38.db', '39.db']) rmSync(folder.in(name), { force: true })
  })
  try {
    const report = await reportOf([
      'check',
      '--snapshots',
      snapshots,
      ...Array.from({ length: 40 }, (_, i) => folder.in(`${String(i).padStart(2, '0')}.db`)),
    ])
    const isLast = ({ path }: { readonly path: string }): boolean => /3[89]\.db$/.test(path)
    expect(report.results.filter((result) => !isLast(result)).map(({ verdict }) => verdict)).toEqual(
      Array.from({ length: 38 }, () => 'sound'),
    )
    expect(report.results.filter(isLast).map(gist)).toEqual(['failed NOT_FOUND', 'failed NOT_FOUND'])
    expect(report.summary.exitCode).toBe(1)
  } finally {
    watcher.close()
  }
})

test('damage of any class is exit code 2 and says where', async () => {
  using folder = makeFolder()
  createPatient(folder.in('patient.db'), 1024, false)
  {
    using patient = new Patient(folder.in('patient.db'))
    patient.write(patient.leaf('events'), Buffer.alloc(1024))
  }
  const result = single(await reportOf(['check', folder.in('patient.db')]))
  expect([result.verdict, result.damage, result.remedy.do]).toEqual(['damaged', 'table', 'ask'])
  expect(
    result.findings.some(
      ({ object, rule, page }) => object.name === 'events' && rule === 'page-unreadable' && page !== undefined,
    ),
  ).toBe(true)
})
