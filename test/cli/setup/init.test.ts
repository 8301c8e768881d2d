/** `holdfast init`, as a person runs it on a machine with programs. */
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { expect, test } from 'vitest'
import { loadSettings } from '../../../src/config/load.ts'
import { makeFolder } from '../../support/cli/folder.ts'
import { openFileScene, type FileScene } from '../../support/cli/open-files.ts'
import { holdfast, otherUser, whyNoOtherUser } from '../../support/cli/program.ts'

interface InitDocument {
  readonly file: string
  readonly text: string
  readonly written: boolean
  readonly databases: readonly {
    readonly path: string
    readonly journalMode: string
    readonly programs: readonly object[]
  }[]
  readonly unseen: readonly string[]
}

/** Not in a folder for temporary files. */
const lastingScene = (): FileScene => openFileScene('', [], homedir())

test('it writes a configuration for what programs have open, once, and names the next command', async () => {
  using scene = lastingScene()
  using passing = openFileScene()
  using folder = makeFolder()
  await using program = await scene.program('users.sqlite', 'wal')
  await using _other = await passing.program('scratch.db', 'wal')
  const first = await holdfast(['init'], { cwd: folder.path })
  expect([first.code, first.stdout]).toEqual([
    0,
    expect.stringMatching(/^found \d+ databases? that programs have open[^]*\nwrote \S+\/holdfast\.yaml\n$/),
  ])
  expect(first.stderr).toContain('run: holdfast doctor\n')
  const file = folder.in('holdfast.yaml')
  const text = readFileSync(file, 'utf8')
  expect(text).toContain(`node file-user.ts (pid ${program.pid}`)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  const { service, hold } = await loadSettings(file)
  expect(service.kind === 'files' && service.patterns).toContain(scene.file('users.sqlite'))
  expect(service.kind === 'files' && service.patterns).not.toContain(passing.file('scratch.db'))
  expect(text.replaceAll(/\n +# /g, ' ')).toContain(`left out: ${passing.file('scratch.db')}: node file-user.ts`)
  expect(hold.require).toEqual([{ level: 'pinned', tenants: null }])
  writeFileSync(file, 'mine\n')
  const second = await holdfast(['init'], { cwd: folder.path })
  expect([second.code, second.stderr]).toEqual([64, expect.stringContaining(`${file} is there already`)])
  expect(readFileSync(file, 'utf8')).toBe('mine\n')
})

test('--print writes nothing, also beside a file; --json has the facts and the text', async () => {
  using scene = lastingScene()
  using folder = makeFolder()
  await using program = await scene.program('budget.db', 'delete')
  const file = folder.in('other.yaml')
  const printed = await holdfast(['init', '--print', '--config', file])
  expect(printed.code).toBe(0)
  expect(() => statSync(file)).toThrow('ENOENT')
  const { code, stdout } = await holdfast(['init', '--print', '--json', '--config', file])
  const document = JSON.parse(stdout) as InitDocument
  expect([code, document.written, document.file]).toEqual([0, false, file])
  expect(document.databases.find(({ path }) => path === scene.file('budget.db'))).toMatchObject({
    journalMode: 'rollback journal',
    programs: [{ pid: program.pid, command: 'node file-user.ts' }],
  })
  for (const text of [printed.stdout, document.text]) {
    writeFileSync(file, text)
    const { service } = await loadSettings(file)
    expect(service.kind === 'files' && service.patterns).toContain(scene.file('budget.db'))
  }
})

test('where the file cannot be written, it says so', async () => {
  const { code, stderr } = await holdfast(['init', '--config', '/nonexistent/holdfast.yaml'])
  expect([code, stderr]).toEqual([1, expect.stringContaining('/nonexistent/holdfast.yaml')])
})

test('no file stays where another user could change it', async () => {
  using folder = makeFolder()
  const open = folder.in('open')
  mkdirSync(open)
  chmodSync(open, 0o777)
  const { code, stderr } = await holdfast(['init'], { cwd: open })
  expect([code, stderr]).toEqual([78, expect.stringContaining('another user could change')])
  expect(readdirSync(open)).toEqual([])
})

test.skipIf(otherUser === null || whyNoOtherUser() !== null)(
  'another user than root sees only own programs, and is told so (skipped without root)',
  async () => {
    using scene = openFileScene()
    await using _program = await scene.program('secret.db', 'wal')
    const { code, stdout, stderr } = await holdfast(['init', '--print'], {
      as: otherUser ?? { uid: 0, gid: 0 },
      cwd: '/',
    })
    expect([code, stdout]).toEqual([0, expect.not.stringContaining('secret.db')])
    expect(stdout).toContain('# not seen: the open files of')
    expect(stderr).toContain('not seen: the open files of')
    expect(stdout).toContain('ledger: { dir: ./holdfast }')
  },
)
