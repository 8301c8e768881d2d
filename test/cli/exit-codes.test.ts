/** Exit codes of bare files and of the program itself, as other programs rely on them. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { damageIndex, makeDatabase, makeFolder } from '../support/cli/folder.ts'
import { shortVerdict, holdfast, launcher, reportIn, reportOf } from '../support/cli/program.ts'
import { whySkipped } from '../support/host/mounts.ts'

test('of several files the gravest code counts: 2, then 1, then 3, then 75; each result has its own', async () => {
  using folder = makeFolder()
  const sound = makeDatabase(folder.in('sound.db'))
  const damaged = makeDatabase(folder.in('damaged.db'))
  damageIndex(damaged)
  const empty = folder.in('empty.db')
  writeFileSync(empty, '')
  const missing = folder.in('missing.db')
  const used = makeDatabase(folder.in('used.db'))
  const holder = new Database(used)
  holder.pragma('user_version')
  try {
    const codeOf = async (...files: string[]): Promise<number> => (await reportOf(['check', ...files])).summary.exitCode
    // One after the other: two runs that check one file in parallel find it in use.
    const codes = [
      await codeOf(sound),
      await codeOf(sound, used),
      await codeOf(used, empty),
      await codeOf(empty, missing, used),
    ]
    expect(codes).toEqual([0, 75, 3, 1])
    const all = await reportOf(['check', sound, missing, used, empty, damaged])
    expect(all.summary).toMatchObject({
      selected: 5,
      sound: 1,
      damaged: 1,
      inconclusive: 1,
      failed: 2,
      notCovered: 0,
      exitCode: 2,
    })
    expect(
      Object.fromEntries(
        all.results.map((result) => [result.path.slice(folder.path.length + 1), shortVerdict(result)]),
      ),
    ).toEqual({
      'sound.db': 'sound',
      'missing.db': 'failed NOT_FOUND',
      'used.db': 'failed IN_USE',
      'empty.db': 'inconclusive EMPTY_FILE',
      'damaged.db': 'damaged index',
    })
    const inUse = all.results.find(({ path }) => path === used)
    expect(inUse?.evidence.holders.map(({ pid }) => pid)).toContain(process.pid)
  } finally {
    holder.close()
  }
})

test('a lock that another process holds is 75 with LOCK_BUSY or IN_USE, and the holder is named', async () => {
  using folder = makeFolder()
  const holder = new Database(makeDatabase(folder.in('busy.db')))
  holder.exec('BEGIN EXCLUSIVE')
  try {
    const ran = await holdfast(['check', '--json', folder.in('busy.db')])
    const report = reportIn(ran)
    expect(ran.code).toBe(75)
    expect(shortVerdict(report.results[0] as never)).toBe('failed LOCK_BUSY')
    expect(JSON.stringify(report.results[0])).toContain(String(process.pid))
  } finally {
    holder.close()
  }
})

const onPath = (process.env['PATH'] ?? '')
  .split(':')
  .filter((folder) => isAbsolute(folder))
  .map((folder) => join(folder, 'node'))

const oldNode = [...onPath, '/usr/bin/node', '/usr/local/bin/node'].find((path) => {
  try {
    return /^v(1\d|20|21)\./.test(execFileSync(path, ['--version'], { encoding: 'utf8' }))
  } catch {
    return false
  }
})

test.skipIf(oldNode === undefined)(
  'a Node that is too old is 78 in one line, before anything is ' +
    `loaded${whySkipped(oldNode === undefined ? 'no Node before 22 is installed' : null)}`,
  () => {
    let status = 0
    let said = ''
    try {
      execFileSync(oldNode as string, [launcher, 'check', '--json', '/nonexistent.db'], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      })
    } catch (error) {
      ;({ status, stderr: said } = error as { status: number; stderr: string })
    }
    expect(status).toBe(78)
    expect(said).toMatch(/^holdfast needs Node\.js 22\.15 or newer; this is v\d+\.\d+\.\d+ .*\n$/)
  },
)

test('a defect in holdfast is 70, says so, and a document names it too', async () => {
  using folder = makeFolder()
  const file = makeDatabase(folder.in('a.db'))
  writeFileSync(
    folder.in('sabotage.mjs'),
    "import fs from 'node:fs/promises'\nimport { syncBuiltinESMExports } from " +
      "'node:module'\nfs.mkdtemp = async () => { throw new TypeError('sabotage') " +
      '}\nsyncBuiltinESMExports()\n',
  )
  const env = { NODE_OPTIONS: `--import=${folder.in('sabotage.mjs')}` }
  const ran = await holdfast(['check', '--json', file], { env })
  expect([ran.code, reportIn(ran).failure]).toMatchObject([
    70,
    { code: 'BUG', message: 'sabotage', tenantState: 'unknown' },
  ])
  expect(ran.stderr).toMatch(/defect in holdfast \d[^]*TypeError: sabotage/)
})

test('holders: 0 if no process has the file (3 if not sure), 75 if one has it, 1 without a file', async () => {
  using folder = makeFolder()
  const file = makeDatabase(folder.in('a.db'))
  const unused = await holdfast(['holders', file])
  expect(unused.stdout).toContain('No process')
  // 3 where some processes hide their files even from us.
  expect(unused.code).toBe(unused.stdout.includes('not checked') ? 3 : 0)
  const holder = new Database(file)
  holder.pragma('user_version')
  try {
    const json = await holdfast(['holders', '--json', file])
    const said = JSON.parse(json.stdout) as { schema: string; holders: { pid: number; modes: string[] }[] }
    expect([json.code, said.schema, said.holders.some(({ pid }) => pid === process.pid)]).toEqual([
      75,
      'holdfast.holders/1',
      true,
    ])
    expect((await holdfast(['holders', file])).stdout).toContain(String(process.pid))
  } finally {
    holder.close()
  }
  const none = await holdfast(['holders', folder.in('none.db')])
  expect([none.code, none.stderr]).toEqual([1, expect.stringContaining('NOT_FOUND')])
})
