/**
 * `check DIR` and `compare DIR DIR`: each database in a folder has its result, whatever its name; none is skipped
 * silently.
 */
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { damageIndex, makeDatabase, makeFolder, type Folder } from '../../support/cli/folder.ts'
import {
  shortVerdict,
  holdfast,
  launcher,
  reportIn,
  reportOf,
  otherUser,
  whyNoOtherUser,
} from '../../support/cli/program.ts'

const latin1 = (path: string): Buffer => Buffer.from(path, 'latin1')
const resultsIn = async (folder: Folder, ...args: readonly string[]): Promise<readonly string[]> =>
  (await reportOf(['check', ...args], { cwd: folder.path })).results
    .map((result) => `${result.path} ${shortVerdict(result)}`)
    .sort()

/** Renames the second file to the first name, whose bytes are no UTF-8. */
function rename(folder: Folder, from: string, to: string): void {
  renameSync(folder.in(from), latin1(folder.in(to)))
}

test(
  'a name that is not UTF-8 is held and checked like any other, in the ' +
    'folder and by itself, and reported with its bytes spelled out',
  async () => {
    using folder = makeFolder()
    mkdirSync(folder.in('d'))
    makeDatabase(folder.in('d/ok.db'))
    makeDatabase(folder.in('x.db'))
    rename(folder, 'x.db', 'd/k\xe8.db')
    damageIndex(makeDatabase(folder.in('x.db')))
    rename(folder, 'x.db', 'd/k\xe9.db')
    expect(await resultsIn(folder, 'd')).toEqual(['d/k\udce8.db sound', 'd/k\udce9.db damaged index', 'd/ok.db sound'])
    const ran = await holdfast(['check', 'd'], { cwd: folder.path })
    expect([ran.code, ran.stdout]).toEqual([2, expect.stringContaining(String.raw`d/k\xe9.db  DAMAGED`)])
    expect(ran.stdout).toContain(String.raw`holdfast repair $'d/k\xe9.db' --apply`)
    const named = execFileSync(
      'bash',
      ['-c', String.raw`node "$0" check $'d/k\xe8.db' --keep-snapshot kept --json`, launcher],
      { cwd: folder.path, encoding: 'utf8' },
    )
    expect((JSON.parse(named) as { readonly results: readonly unknown[] }).results).toEqual([
      expect.objectContaining({
        path: 'd/k\udce8.db',
        verdict: 'sound',
        evidence: expect.objectContaining({ level: 'sealed' }) as unknown,
      }),
    ])
    expect(readdirSync(folder.in('kept'), 'latin1').sort()).toEqual(['k\xe8.db', 'manifest.json'])
    expect(await resultsIn(folder, '--snapshot', 'kept')).toEqual(['kept/k\udce8.db sound'])
  },
)

test(
  'its WAL lies beside it under the same bytes: rows that are only ' +
    'there are read, and the probe is refused the same file',
  async () => {
    using folder = makeFolder()
    mkdirSync(folder.in('d'))
    const writer = new Database(makeDatabase(folder.in('live.db'), { wal: true }))
    writer.exec("INSERT INTO notes(title) VALUES('only in the WAL')")
    for (const part of ['', '-wal'])
      writeFileSync(latin1(folder.in(`d/\xff.db${part}`)), readFileSync(folder.in(`live.db${part}`)))
    writer.close()
    for (const args of [['d'], ['--snapshot', 'd']]) {
      const [result] = (await reportOf(['check', ...args], { cwd: folder.path })).results
      expect([result?.path, result?.verdict, result?.content.tables.map(({ rows }) => rows)]).toEqual([
        'd/\udcff.db',
        'sound',
        [51],
      ])
      if (args.length === 1)
        expect(result?.evidence.probe?.before).toEqual({ raw: 'refused', read: 'refused', write: 'refused' })
    }
  },
)

test('compare pairs such names by their bytes, and reports folders that differ in one name', async () => {
  using folder = makeFolder()
  for (const side of ['a', 'b']) {
    mkdirSync(folder.in(side))
    makeDatabase(folder.in(`${side}/same.db`))
    makeDatabase(folder.in('x.db'), { rows: side === 'a' ? 50 : 49 })
    rename(folder, 'x.db', `${side}/k\xe9.db`)
  }
  const { code, stdout } = await holdfast(['compare', 'a', 'b'], { cwd: folder.path })
  expect([code, stdout]).toEqual([5, expect.stringContaining(String.raw`File k\xe9.db: DIFFERS`)])
})

test('a database whose name ends like that of a WAL is found by its first bytes; a WAL is not', async () => {
  using folder = makeFolder()
  for (const name of ['budget-wal', 'plan-journal', 'heap-shm', 'app.db-journal', 'linked-to'])
    makeDatabase(folder.in(name))
  symlinkSync('linked-to', folder.in('link'))
  const writer = new Database(makeDatabase(folder.in('live'), { wal: true }))
  writer.exec("INSERT INTO notes(title) VALUES('in the WAL')")
  mkdirSync(folder.in('d'))
  for (const part of ['', '-wal', '-shm']) copyFileSync(folder.in(`live${part}`), folder.in(`d/live${part}`))
  writer.close()
  makeDatabase(folder.in('d/app'))
  makeDatabase(folder.in('d/app-wal')) // Beside a database of that name it is that one's, whatever it holds.
  expect(await resultsIn(folder, '.')).toEqual([
    'app.db-journal sound',
    'budget-wal sound',
    'heap-shm sound',
    'link sound',
    'live sound',
    'plan-journal sound',
  ])
  expect((await resultsIn(folder, 'd')).map((line) => line.split(' ')[0])).toEqual(['d/app', 'd/live'])
})

test('a file with the name of a database that is none, and a link to nothing, have their own result', async () => {
  using folder = makeFolder()
  execFileSync('mkfifo', [folder.in('pipe.db'), folder.in('pipe')])
  symlinkSync('/dev/null', folder.in('device.db'))
  symlinkSync('gone', folder.in('dangling.db'))
  symlinkSync('gone', folder.in('dangling'))
  symlinkSync('loop', folder.in('loop'))
  mkdirSync(folder.in('folder.db'))
  makeDatabase(folder.in('ok.db'))
  writeFileSync(folder.in('notes.txt'), 'no database')
  expect(await resultsIn(folder, '.')).toEqual([
    'dangling.db failed NOT_FOUND',
    'device.db failed NOT_A_FILE',
    'ok.db sound',
    'pipe.db failed NOT_A_FILE',
  ])
})

const cannot = whyNoOtherUser()

test.skipIf(cannot !== null)(
  'what may not be opened has a result, and so has a folder below that may not ' +
    `be read${cannot === null ? '' : ` (skipped: ${cannot})`}`,
  async () => {
    using folder = makeFolder()
    const as = otherUser === null ? {} : { as: otherUser }
    mkdirSync(folder.in('d/closed'), { recursive: true })
    makeDatabase(folder.in('d/ok.db'))
    makeDatabase(folder.in('d/secret'))
    for (const name of ['.', 'd', 'd/closed', 'd/ok.db', 'd/secret'])
      if (otherUser !== null) chownSync(folder.in(name), otherUser.uid, otherUser.gid)
    for (const name of ['d/closed', 'd/secret']) chmodSync(folder.in(name), 0)
    const resultsOf = async (...args: readonly string[]): Promise<unknown> => {
      const { results, summary } = await reportOf(['check', ...args], { cwd: folder.path, ...as })
      return [summary.exitCode, ...results.map((result) => `${result.path} ${shortVerdict(result)}`).sort()]
    }
    expect(await resultsOf('d')).toEqual([1, 'd/ok.db sound', 'd/secret failed NO_PERMISSION'])
    expect(await resultsOf('--recursive', 'd')).toEqual([
      1,
      'd/closed failed NO_PERMISSION',
      'd/ok.db sound',
      'd/secret failed NO_PERMISSION',
    ])
    expect(await resultsOf('--recursive', 'd/closed')).toEqual([1, 'd/closed failed NO_PERMISSION'])
    chmodSync(folder.in('d'), 0o400) // Its names can be read, and nothing behind them.
    expect(await resultsOf('d')).toEqual([1, 'd/ok.db failed NO_PERMISSION', 'd/secret failed NO_PERMISSION'])
    chmodSync(folder.in('d'), 0o700)
  },
)

test(
  'a folder with databases only in folders below says so, and what ' +
    'to type; --recursive goes there, once into each',
  async () => {
    using folder = makeFolder()
    mkdirSync(folder.in('top/a/b'), { recursive: true })
    mkdirSync(folder.in('top/nothing'))
    mkdirSync(folder.in('outside'))
    makeDatabase(folder.in('top/a/one.db'))
    makeDatabase(folder.in('top/a/b/two'))
    makeDatabase(folder.in('outside/three.db'))
    symlinkSync('..', folder.in('top/a/loop'))
    symlinkSync('../outside', folder.in('top/elsewhere'))
    const plain = await holdfast(['check', 'top', '--json'], { cwd: folder.path })
    expect([plain.code, reportIn(plain).failure]).toEqual([
      64,
      expect.objectContaining({
        code: 'USAGE',
        message: expect.stringContaining('top/a/one.db') as unknown,
        hint: 'type `holdfast check --recursive top`',
      }),
    ])
    const compared = await holdfast(['compare', 'top', 'outside'], { cwd: folder.path })
    expect([compared.code, compared.stderr]).toEqual([
      64,
      expect.stringMatching(/holds no database itself.*top\/a\/one\.db\n.*name that folder: top\/a\n/),
    ])
    const deep = await holdfast(['check', '--recursive', 'top', '--json'], { cwd: folder.path })
    expect(
      reportIn(deep)
        .results.map((result) => `${result.path} ${shortVerdict(result)}`)
        .sort(),
    ).toEqual(['top/a/b/two sound', 'top/a/one.db sound'])
    expect([deep.code, deep.stderr]).toEqual([0, 'not followed: top/elsewhere is a link to a folder\n'])
    for (const args of [
      ['check', 'top/nothing'],
      ['check', '--recursive', 'top/nothing'],
      ['compare', 'top/nothing', 'outside'],
    ]) {
      const nothing = await holdfast(args, { cwd: folder.path })
      expect([nothing.code, nothing.stderr]).toEqual([
        64,
        expect.stringContaining('the folder top/nothing holds no database\n'),
      ])
    }
    expect((await holdfast(['check', '--recursive', '--tenant', 'x'], { cwd: folder.path })).code).toBe(64)
  },
)

test('--recursive finds what `pull` brought, though it is called like nothing and its beginning is gone', async () => {
  using folder = makeFolder()
  makeDatabase(folder.in('tenant'))
  await holdfast(['check', '--keep-snapshot', 'all/kept', 'tenant'], { cwd: folder.path })
  const bytes = readFileSync(folder.in('all/kept/tenant'))
  writeFileSync(folder.in('all/kept/tenant'), bytes.fill(0, 0, 16))
  expect(await resultsIn(folder, '--snapshot', '--recursive', 'all')).toEqual(['all/kept/tenant damaged file'])
  expect(await resultsIn(folder, '--snapshot', 'all/kept')).toEqual(['all/kept/tenant damaged file'])
})
