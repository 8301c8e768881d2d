/** A remedy that breaks off: its disk is full, or its run is killed. */
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { damageIndex, fingerprintOf, makeFolder, type Folder } from '../../support/cli/folder.ts'
import { resultOf, holdfast, launcher, start, type RunningProgram } from '../../support/cli/program.ts'
import { integrityOf, makeDamaged, remedyOf } from '../../support/cli/remedies.ts'
import { openService } from '../../support/cli/service.ts'
import { mount, whyNoMount, whySkipped } from '../../support/host/mounts.ts'
import { descendantsOf, eventually, isRunning, startProgram } from '../../support/processes.ts'
import { shortRemedy, onlyResult, runRemedy, type PrintedRemedies } from '../../support/remedies/remedy-run.ts'
import { straceArguments, whyNotTraced } from '../../support/system-calls/strace.ts'

/** Large enough that its index is built for a while. */
function makeLarge(folder: Folder): string {
  const path = folder.in('app.db')
  const db = new Database(path)
  db.pragma('synchronous=OFF')
  db.exec('CREATE TABLE notes(id INTEGER PRIMARY KEY, title TEXT); CREATE INDEX notes_title ON notes(title)')
  const put = db.prepare('INSERT INTO notes VALUES(?, ?)')
  db.transaction(() => {
    for (let i = 1; i <= 120_000; i++) put.run(i, `title ${(i * 7919) % 100_003} ${'x'.repeat(60)}`)
  })()
  db.close()
  damageIndex(path)
  return path
}

/** Waits until a confined process mends the copy. @returns its pid */
const untilMending = (program: RunningProgram): Promise<number> =>
  eventually('a process mends', () => {
    const mender = descendantsOf(program.pid ?? 0).find(({ command }) => command.includes('mender-child'))
    if (mender === undefined) return null
    const confined = readFileSync(`/proc/${mender.pid}/status`, 'utf8').includes('Seccomp:\t2')
    return confined ? mender.pid : null
  })

const noTmpfs = whyNoMount('tmpfs')
test.skipIf(noTmpfs !== null)(`a disk that fills up: NO_SPACE, nothing is changed${whySkipped(noTmpfs)}`, async () => {
  using folder = makeFolder()
  using small = mount('tmpfs', 200 << 20)
  const path = makeLarge(folder)
  const before = fingerprintOf(folder.path)
  const program = start(['repair', path, '--apply', '--snapshots', small.path, '--json'])
  const ended = resultOf(program)
  await untilMending(program)
  fill(join(small.path, 'filler'))
  const { stdout, stderr, code } = await ended
  const document = JSON.parse(stdout) as PrintedRemedies
  expect(onlyResult(document), stderr).toMatchObject({ applied: null, failure: { code: 'NO_SPACE' } })
  expect(code).toBe(1)
  expect(fingerprintOf(folder.path)).toEqual(before)
})

function fill(path: string): void {
  const piece = Buffer.alloc(1 << 20)
  try {
    for (;;) writeFileSync(path, piece, { flag: 'a' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
  }
}

test('a run that is killed: its mending process ends too, and the next run mends the file', async () => {
  using folder = makeFolder()
  using snapshots = makeFolder()
  const path = makeLarge(folder)
  const before = fingerprintOf(folder.path)
  const program = start(['repair', path, '--apply', '--snapshots', snapshots.path])
  const ended = resultOf(program)
  const mender = await untilMending(program)
  program.kill('SIGKILL')
  await ended
  await eventually('the mending process ends', () => !isRunning(mender))
  expect(fingerprintOf(folder.path)).toEqual(before)

  const result = onlyResult(await runRemedy(['repair', path, '--apply', '--snapshots', snapshots.path]))
  expect(shortRemedy(result), result.failure?.message).toBe('rebuild, rehearsed sound, applied sound')
  expect(readdirSync(snapshots.path)).toEqual([])
  expect(existsSync(result.applied?.original ?? '')).toBe(true)
  expect(readFileSync(result.applied?.original ?? '').length).toBe(statSync(path).size)
})

const untraced = whyNotTraced()
test.skipIf(untraced !== null)(
  `a run that is killed between two files of a tenant: the next run brings the changed one back${whySkipped(untraced)}`,
  async () => {
    await using service = await openService({
      tenants: (data) => ({ acme: ['one.db', 'two.db'].map((name) => makeDamaged(join(data, name))) }),
    })
    const [one, two] = ['one.db', 'two.db'].map((name) => join(service.data, name)) as [string, string]
    const bytes = () => [one, two].map((path) => readFileSync(path))
    const before = bytes()
    const fault = { call: 'renameat2', what: 'signal=SIGKILL', when: 2, path: null }
    const words = ['repair', '--tenant', 'acme', '--apply', '--config', service.config]
    await using killed = startProgram('strace', [
      ...straceArguments('/dev/null', fault),
      process.execPath,
      launcher,
      ...words,
    ])
    await killed.ended
    await eventually('the tenant serves again', () => service.gate.stateOf('acme') === 'active')
    expect([integrityOf(one), integrityOf(two) === 'ok']).toEqual(['ok', false])

    const { stderr } = await holdfast(['check', '--tenant', 'acme', '--config', service.config])
    expect(stderr).toMatch(/broke off between the files of the tenant [^]*some are old, some new/)
    expect(stderr).toMatch(/was taken back: all files of the tenant hold what they held before/)
    expect(bytes().map((found, at) => found.equals(before[at] as Buffer))).toEqual([true, true])
    const again = await remedyOf(...words)
    expect(again.results.map(({ applied }) => applied?.verdict)).toEqual(['sound', 'sound'])
  },
)
