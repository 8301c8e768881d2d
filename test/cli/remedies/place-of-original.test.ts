/** A remedy whose original cannot be kept fails the same with and without --apply, and leaves nothing. */
import { mkdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { damageIndex, fingerprintOf, makeDatabase, makeFolder, type Folder } from '../../support/cli/folder.ts'
import { shortRemedy, onlyResult, runRemedy } from '../../support/remedies/remedy-run.ts'

const bothWays = [
  ['a plan', []],
  ['--apply', ['--apply']],
] as const

const places = {
  'in a quarantine that others can read: SNAPSHOT_UNSAFE': (folder: Folder) => {
    mkdirSync(folder.in('open'), { mode: 0o755 })
    return { file: 'app.db', more: ['--quarantine', folder.in('open')], code: 'SNAPSHOT_UNSAFE', hint: 'chmod 700' }
  },
  'beside a file with too long a name: NOT_FOUND': () => {
    return { file: `${'a'.repeat(225)}.db`, more: [], code: 'NOT_FOUND', hint: '--quarantine DIR' }
  },
} as const
const runs = Object.entries(places).flatMap(([name, place]) =>
  bothWays.map(([how, apply]) => [name, how, place, apply] as const),
)
test.each(runs)(
  'no original can be kept %s (%s): it fails, and names no command that fails again',
  async (_, __, place, apply) => {
    using folder = makeFolder()
    const { file, more, code, hint } = place(folder)
    const path = makeDatabase(folder.in(file))
    damageIndex(path)
    const before = fingerprintOf(folder.path)
    const run = await runRemedy(['repair', path, ...more, ...apply])
    expect(onlyResult(run), shortRemedy(onlyResult(run))).toMatchObject({
      applied: null,
      plan: { do: 'rebuild', command: null },
      rehearsal: { verdict: 'sound' },
      failure: { code, hint: expect.stringContaining(hint) as string },
    })
    expect([run.code, run.summary.ready]).toEqual([1, 0])
    expect(fingerprintOf(folder.path)).toEqual(before)
  },
)

test('a plan with a new quarantine makes no folder', async () => {
  using folder = makeFolder()
  const run = await runRemedy(['repair', damaged(folder, 'app.db'), '--quarantine', folder.in('kept/here')])
  expect([run.code, Object.keys(fingerprintOf(folder.path))]).toEqual([0, ['app.db']])
})

function damaged(folder: Folder, name: string): string {
  const path = makeDatabase(folder.in(name))
  damageIndex(path)
  return path
}
