/** `service.files` with `hold.require: pinned`: every night beside programs that keep their files open. */
import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { damageIndex } from '../../support/cli/folder.ts'
import { openFileScene, workOf } from '../../support/cli/open-files.ts'
import { shortVerdict, holdfast, reportOf } from '../../support/cli/program.ts'
import { startProgram } from '../../support/processes.ts'

test('a sweep beside programs with a WAL and a rollback journal, and beside a file that nobody has open', async () => {
  using scene = openFileScene('hold: { require: pinned }\nbackups: { dir: backups }\n')
  scene.make('idle.db')
  const wal = await scene.program('wal.db', 'wal')
  const rollback = await scene.program('rollback.db', 'delete')
  const config = ['--config', scene.config]
  const report = await reportOf(['sweep', ...config])
  expect(
    report.results
      .map((result) => [result.tenant, shortVerdict(result), result.evidence.level, result.evidence.pin?.branch])
      .toSorted(([one], [other]) => (String(one) < String(other) ? -1 : 1)),
  ).toEqual([
    ['idle.db', 'sound', 'pinned', 'idle'],
    ['rollback.db', 'sound', 'pinned', 'rollback-journal'],
    ['wal.db', 'sound', 'pinned', 'wal'],
  ])
  for (const { evidence, timings } of report.results) expect([evidence.quiesce, timings.pauseMs]).toEqual([null, null])
  expect(await holdfast(['backups', 'verify', ...config])).toMatchObject({ code: 0 })
  expect(await holdfast(['status', '--format', 'nagios', ...config])).toMatchObject({ code: 0 })
  expect(await holdfast(['pull', 'wal.db', scene.file('../pulled'), ...config])).toMatchObject({ code: 0 })
  // A writer in WAL mode notices nothing. One with a rollback journal and without a busy timeout tries its commit
  // again.
  const worked = await workOf(wal)
  expect([worked.done > 0, worked.refused]).toEqual([true, 0])
  expect((await workOf(rollback)).done).toBeGreaterThan(0)
})

const python = spawnSync('python3', ['-c', 'import sqlite3']).status === 0

test.skipIf(!python)('beside the SQLite of another program (skipped without python3)', async () => {
  using scene = openFileScene('hold: { require: pinned }\n')
  const script =
    'import sqlite3, sys, time\n' +
    'db = sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None)\n' +
    'db.execute("pragma journal_mode=wal"); db.execute("create table t(a)")\n' +
    'print("{}", flush=True)\n' +
    'while True:\n  db.execute("insert into t values(1)"); time.sleep(0.002)\n'
  await using program = startProgram('python3', ['-c', script, scene.file('py.db')])
  await program.ready
  const report = await reportOf(['sweep', '--config', scene.config])
  expect(report.results.map((result) => [shortVerdict(result), result.evidence.level])).toEqual([['sound', 'pinned']])
  expect(program.stderr()).toBe('')
})

test('damage is found beside the program, and a remedy waits until the program has stopped', async () => {
  using scene = openFileScene('hold: { require: pinned }\n')
  scene.make('app.db')
  damageIndex(scene.file('app.db'))
  const program = await scene.program('app.db', 'wal')
  const config = ['--config', scene.config]
  const swept = await reportOf(['sweep', ...config])
  expect([swept.summary.exitCode, swept.results.map(shortVerdict)]).toEqual([2, ['damaged index']])
  const repair = (): ReturnType<typeof holdfast> => holdfast(['repair', '--tenant', 'app.db', '--apply', ...config])
  const refused = await repair()
  expect([refused.code, refused.stdout]).toEqual([
    75,
    expect.stringContaining('a remedy needs a file that no program has open'),
  ])
  expect((await workOf(program)).refused).toBe(0)
  expect((await repair()).code).toBe(0)
  expect((await reportOf(['sweep', ...config])).results.map(shortVerdict)).toEqual(['sound'])
})

test('each tenant has its own level: the first rule that fits its id counts', async () => {
  using scene = openFileScene('hold: { require: [ { level: pinned, tenants: ["open/*"] }, sealed ] }\n')
  scene.make('open/a.db', 'closed/b.db')
  await using program = await scene.program('open/a.db', 'wal')
  const report = await reportOf(['sweep', '--config', scene.config])
  expect(
    report.results
      .map(({ tenant, evidence }) => [tenant, evidence.level])
      .toSorted(([one], [other]) => (String(one) < String(other) ? -1 : 1)),
  ).toEqual([
    ['closed/b.db', 'sealed'],
    ['open/a.db', 'pinned'],
  ])
  expect(program.stderr()).toBe('')
})
