/** The whole program and `service.files`: the files of programs that cannot be asked, and that nothing pauses. */
import {
  chmodSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { onDisk } from '../../../src/host/files/file-name.ts'
import { damageIndex } from '../../support/cli/folder.ts'
import { openFileScene, workOf } from '../../support/cli/open-files.ts'
import {
  shortVerdict,
  holdfast,
  otherUser,
  reportOf,
  single,
  whyNoOtherUser,
  type ProgramResult,
} from '../../support/cli/program.ts'

const verdicts = (report: Awaited<ReturnType<typeof reportOf>>): Readonly<Record<string, string>> =>
  Object.fromEntries(report.results.map((result) => [result.tenant ?? result.path, shortVerdict(result)]))

test('night after night: sweep, status, history, backups and what people do with one tenant', async () => {
  using scene = openFileScene('backups: { dir: backups }\n')
  scene.make('main.db', 'users/a.db', 'users/b.db')
  const run = (...args: readonly string[]): Promise<ProgramResult> => holdfast([...args, '--config', scene.config])
  const config = ['--config', scene.config]
  const first = await reportOf(['sweep', ...config])
  expect(verdicts(first)).toEqual({ 'main.db': 'sound', 'users/a.db': 'sound', 'users/b.db': 'sound' })
  for (const { evidence, timings } of first.results)
    expect([evidence.level, evidence.quiesce, timings.pauseMs]).toEqual(['sealed', null, null])
  expect(verdicts(await reportOf(['sweep', '--only', 'users/*', ...config]))).toEqual({
    'users/a.db': 'sound',
    'users/b.db': 'sound',
  })
  expect(shortVerdict(single(await reportOf(['check', '--tenant', 'users/a.db', ...config])))).toBe('sound')
  expect(await run('status', '--format', 'nagios')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^HOLDFAST OK.*tenants=3 sound=3/) as string,
  })
  expect((await run('history', 'users/a.db')).stdout).toMatch(/users\/a\.db +\S+ \S+ +sound/)
  expect(await run('backups', 'verify')).toMatchObject({ code: 0 })
  expect((await run('backups', 'list', 'users/b.db')).stdout).toContain('users/b.db')
  expect(await run('reconcile')).toMatchObject({ code: 0 })
  expect(await run('triage')).toMatchObject({ code: 0 })
  expect(await run('pull', 'main.db', scene.file('../pulled'))).toMatchObject({ code: 0 })
  expect(await run('compare', 'tenant:main.db', scene.file('../pulled/main.db'))).toMatchObject({ code: 0 })
  expect(await run('doctor')).toMatchObject({ code: 0, stdout: expect.stringContaining('lists 3 tenants') as string })
  expect(await run('resume', '--all')).toMatchObject({
    code: 0,
    stdout: 'no tenant is known to be paused (no hold is open; with service.files holdfast pauses nothing)\n',
  })
  const lines = JSON.parse((await run('history', '--json')).stdout) as object
  expect(JSON.stringify(lines)).not.toMatch(/hold-/)
})

test('a file whose name is not UTF-8 is the same tenant in each run, and no other is gone', async () => {
  using scene = openFileScene()
  scene.make('a.db')
  renameSync(scene.file('a.db'), onDisk(scene.file('\udcff.db')))
  const config = ['--config', scene.config]
  for (let night = 0; night < 2; night++)
    expect(verdicts(await reportOf(['sweep', ...config]))).toEqual({ '%FF.db': 'sound' })
  expect(await holdfast(['status', '--format', 'nagios', ...config])).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^HOLDFAST OK.*tenants=1 sound=1/) as string,
  })
})

test('a damaged file is found, told, mended where it is closed, and put back', async () => {
  using scene = openFileScene()
  const alarms = scene.file('../alarms')
  scene.configure(['app/**/*.db'], `alerts: [ { command: [tee, -a, ${alarms}] } ]\n`)
  scene.make('a.db', 'b.db')
  damageIndex(scene.file('b.db'))
  const before = readFileSync(scene.file('b.db'))
  const config = ['--config', scene.config]
  const swept = await reportOf(['sweep', ...config])
  expect([swept.summary.exitCode, verdicts(swept)]).toEqual([2, { 'a.db': 'sound', 'b.db': 'damaged index' }])
  expect(readFileSync(alarms, 'utf8')).toMatch(/"tenant": ?"b\.db"/)
  expect(single(await reportOf(['check', '--tenant', 'b.db', ...config])).remedy.command).toBe(
    'holdfast repair --tenant b.db --apply',
  )
  const mended = await holdfast(['repair', '--tenant', 'b.db', '--apply', ...config])
  expect([mended.code, mended.stdout]).toEqual([0, expect.not.stringContaining('paused')])
  expect(verdicts(await reportOf(['sweep', ...config]))).toEqual({ 'a.db': 'sound', 'b.db': 'sound' })
  expect(await holdfast(['repair', '--tenant', 'b.db', '--undo', ...config])).toMatchObject({ code: 0 })
  expect(readFileSync(scene.file('b.db')).equals(before)).toBe(true)
})

test.each(['wal', 'delete'] as const)(
  'sealed: a file that a program keeps open (%s) is busy, and the program notices nothing',
  async (journal) => {
    using scene = openFileScene()
    scene.make('closed.db')
    const program = await scene.program('open.db', journal)
    const report = await reportOf(['sweep', '--config', scene.config])
    expect(verdicts(report)).toEqual({
      'closed.db': 'sound',
      'open.db': expect.stringMatching(/^failed (?:IN_USE|LOCK_BUSY)$/),
    })
    expect(report.summary.exitCode).toBe(75)
    expect(report.results.find(({ tenant }) => tenant === 'open.db')?.failure).toMatchObject({
      tenantState: 'untouched',
      hint: expect.stringContaining('hold.require: pinned') as string,
    })
    const repair = await holdfast(['repair', '--tenant', 'open.db', '--apply', '--config', scene.config])
    expect([repair.code, repair.stdout]).toEqual([
      75,
      expect.stringContaining('a remedy needs a file that no program has open'),
    ])
    const { done, refused } = await workOf(program)
    expect(done).toBeGreaterThan(0)
    expect(refused).toBe(0)
  },
)

test('a file that is gone is told once; one in a folder that is away stays known', async () => {
  using scene = openFileScene()
  const alarms = scene.file('../alarms')
  const sinks = `alerts: [ { command: [tee, -a, ${alarms}], on: [stale, recovered] } ]\n`
  scene.configure(['app/here/*.db', 'app/mount/*.db'], sinks)
  scene.make('here/a.db', 'here/b.db', 'mount/c.db')
  const sweep = (): ReturnType<typeof reportOf> => reportOf(['sweep', '--config', scene.config])
  expect((await sweep()).summary.exitCode).toBe(0)
  rmSync(scene.file('here/b.db'))
  renameSync(scene.file('mount'), scene.file('away'))
  const away = await sweep()
  expect(verdicts(away)).toEqual({
    'here/a.db': 'sound',
    'here/b.db': 'inconclusive TENANT_GONE',
    'mount/c.db': 'failed NOT_FOUND',
    [scene.file('mount')]: 'inconclusive NOT_FOUND',
  })
  expect(away.results.find(({ tenant }) => tenant === 'here/b.db')?.failure?.message).toBe(
    `service.files no longer finds ${scene.file('here/b.db')}`,
  )
  expect(away.results.find(({ tenant }) => tenant === 'here/b.db')?.failure?.hint).toContain('may change the ids')
  const status = (): ReturnType<typeof holdfast> => holdfast(['status', '--format', 'nagios', '--config', scene.config])
  expect((await status()).stdout).toMatch(/STALE 1 place of service\.files could not be searched: .*app\/mount/)
  renameSync(scene.file('away'), scene.file('mount'))
  const back = await sweep()
  expect([back.summary.exitCode, verdicts(back)]).toEqual([0, { 'here/a.db': 'sound', 'mount/c.db': 'sound' }])
  expect((await status()).stdout).not.toContain('STALE')
  expect(readFileSync(alarms, 'utf8')).toMatch(/"title":"STALE: [^]*"title":"RECOVERED: [^"]*registry-partly/)
})

test('a list without any file is no list while files are known', async () => {
  using scene = openFileScene()
  scene.make('a.db')
  const sweep = (): ReturnType<typeof holdfast> => holdfast(['sweep', '--json', '--config', scene.config])
  expect(await sweep()).toMatchObject({ code: 0 })
  renameSync(scene.file('a.db'), scene.file('a.db.moved'))
  const empty = await sweep()
  expect([empty.code, empty.stdout]).toEqual([1, expect.stringMatching(/"registry": "cached[^]*"NOT_FOUND"/)])
})

test('a file that is no database is said to be none; one that was a database is damaged', async () => {
  using scene = openFileScene()
  scene.make('was.db')
  writeFileSync(scene.file('text.db'), 'not a database')
  const sweep = (): ReturnType<typeof reportOf> => reportOf(['sweep', '--config', scene.config])
  const first = await sweep()
  expect([first.summary.exitCode, verdicts(first)]).toEqual([
    3,
    { 'was.db': 'sound', 'text.db': 'inconclusive NOT_SQLITE' },
  ])
  truncateSync(scene.file('was.db'), 0)
  expect(verdicts(await sweep())['was.db']).toBe('damaged file')
})

test('an empty file is left out and named, until it is written; one that is known stays', async () => {
  using scene = openFileScene()
  scene.make('a.db')
  for (const name of ['new.db', 'journal.db', 'journal.db-journal']) writeFileSync(scene.file(name), '')
  const sweep = (): ReturnType<typeof reportOf> => reportOf(['sweep', '--config', scene.config])
  const first = await sweep()
  expect([first.summary.exitCode, verdicts(first)]).toEqual([0, { 'a.db': 'sound' }])
  const named = `empty files were left out: ${scene.file('journal.db')}, ${scene.file('new.db')}; `
  expect(first.run.notices).toEqual([expect.stringContaining(named)])
  writeFileSync(scene.file('journal.db-journal'), 'what may be a hot journal')
  expect(verdicts(await sweep())).toEqual({ 'a.db': 'sound', 'journal.db': expect.stringMatching(/^(?!sound)/) })
  rmSync(scene.file('journal.db'))
  rmSync(scene.file('journal.db-journal'))
  rmSync(scene.file('new.db'))
  scene.make('new.db')
  truncateSync(scene.file('a.db'), 0)
  const last = await sweep()
  expect(verdicts(last)).toMatchObject({ 'new.db': 'sound', 'a.db': 'damaged file' })
  expect(last.run.notices ?? []).toEqual([])
})

test('links that are not followed are named, hard links and what lies outside of the roots are refused', async () => {
  using scene = openFileScene(`tenants: { roots: [app/in] }\n`, ['app/**/*.db'])
  scene.make('in/a.db', 'in/two.db', 'out/b.db')
  linkSync(scene.file('in/two.db'), scene.file('in/names.db'))
  symlinkSync(scene.file('out'), scene.file('in/away'))
  symlinkSync(scene.file('out/b.db'), scene.file('in/b.db'))
  const report = await reportOf(['sweep', '--config', scene.config])
  expect(verdicts(report)).toEqual({
    'in/a.db': 'sound',
    'in/two.db': 'failed MANY_NAMES',
    'in/names.db': 'failed MANY_NAMES',
    'out/b.db': 'failed PATH_OUTSIDE_ROOTS',
  })
  expect(report.run.notices).toEqual([expect.stringContaining(`not followed: ${scene.file('in/b.db')};`)])
})

test('names that cannot be shown give ids that can', async () => {
  using scene = openFileScene()
  scene.make('a\nb.db')
  mkdirSync(scene.file('\u001b[2J'))
  renameSync(scene.file('a\nb.db'), join(scene.file('\u001b[2J'), 'a\nb.db'))
  const { results } = await reportOf(['sweep', '--config', scene.config])
  expect(results.map(({ tenant, verdict }) => [tenant, verdict])).toEqual([['%1B[2J/a%0Ab.db', 'sound']])
  expect((await holdfast(['sweep', '--verbose', '--config', scene.config])).stdout).not.toContain('\u001b')
  expect(await holdfast(['check', '--tenant', '%1B[2J/a%0Ab.db', '--config', scene.config])).toMatchObject({ code: 0 })
})

test.skipIf(otherUser === null || whyNoOtherUser() !== null)(
  'a folder that may not be read is told, and what is beside it is found (skipped without root)',
  async () => {
    using scene = openFileScene()
    scene.make('a.db', 'closed/b.db')
    for (const [path, mode] of [
      [scene.file('..'), 0o755],
      [scene.file(''), 0o755],
      [scene.file('closed'), 0o700],
      [scene.config, 0o644],
    ] as const)
      chmodSync(path, mode)
    const doctor = ['doctor', '--json', '--config', scene.config]
    const { stdout } = await holdfast(doctor, { as: otherUser ?? { uid: 0, gid: 0 }, cwd: '/' })
    const { steps } = JSON.parse(stdout) as { readonly steps: readonly { readonly about: string }[] }
    expect(steps.find(({ about }) => about === 'service: files')).toMatchObject({
      outcome: 'warning',
      said: expect.stringMatching(/^1 place could not be searched: .*app\/closed.*\(EACCES\)/) as string,
    })
  },
)
