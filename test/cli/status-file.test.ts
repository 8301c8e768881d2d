/** `status --output`: the file for a monitor, which may run as another user than holdfast. */
import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { damageIndex, makeDatabase } from '../support/cli/folder.ts'
import { longPattern } from '../support/cli/long-pattern.ts'
import { holdfast, otherUser, whyNoOtherUser, type ProgramResult, type ProgramOptions } from '../support/cli/program.ts'
import { openService, type TestService } from '../support/cli/service.ts'
import { repository } from '../support/processes.ts'

let service: TestService
const run = (args: readonly string[], options: ProgramOptions = {}): Promise<ProgramResult> =>
  holdfast([...args, '--config', service.config], options)
beforeAll(async () => {
  service = await openService({
    tenants: (data) => {
      const bolt = makeDatabase(join(data, 'bolt.db'))
      damageIndex(bolt)
      return { acme: join(data, 'acme.db'), bolt, 'a*': join(data, 'star.db') }
    },
  })
  expect((await run(['sweep'])).code).toBe(2)
})
afterAll(() => service[Symbol.asyncDispose]())

/** A folder of this test alone: files that a command leaves there are seen. */
function outside(): Disposable & { readonly path: string; readonly file: string } {
  const path = mkdtempSync(join(service.folder.path, 'out-'))
  return { path, file: join(path, 'status'), [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

test.each([
  ['text', 0],
  ['json', 0],
  ['nagios', 2],
  ['monit', 2],
  ['prometheus', 0],
] as const)('%s goes to the file as it would go to stdout, with the same exit code', async (format, code) => {
  using out = outside()
  const [shown, filed] = await Promise.all([
    run(['status', '--format', format]),
    run(['status', '--format', format, '--output', out.file]),
  ])
  expect([shown.code, filed]).toEqual([code, { code, stdout: '', stderr: '' }])
  // Times differ between the two.
  const still = (text: string): string =>
    text
      .replaceAll(/ +/g, ' ')
      .replaceAll(
        /\d+(\.\d+)? (ms|s)\b|"generatedAt": \d+|oldest_check=\d+s|last_sweep=\d+s|(age_seconds\S* )\S+/g,
        '$3',
      )
  expect(still(readFileSync(out.file, 'utf8'))).toBe(still(shown.stdout))
  expect(readdirSync(out.path)).toEqual(['status'])
})

test('--quiet silences the terminal, not the file; a relative file is in the current folder', async () => {
  using out = outside()
  expect(await run(['status', '--quiet', '--tenant', 'acme', '--output', 'mine'], { cwd: out.path })).toEqual({
    code: 0,
    stdout: '',
    stderr: '',
  })
  expect(readFileSync(join(out.path, 'mine'), 'utf8')).toMatch(/^OK: test, 1 selected tenant, 1 sound/)
})

test('a file that cannot be written is reported: 3 for a monitor, else 1, and 64 for no name at all', async () => {
  using out = outside()
  writeFileSync(join(out.path, 'target'), 'kept')
  symlinkSync('target', join(out.path, 'link'))
  const to = (name: string, ...args: readonly string[]): Promise<ProgramResult> =>
    run(['status', ...args, '--output', name === '' ? '' : join(out.path, name)])
  const [text, nagios, json, nameless] = await Promise.all([
    to('link'),
    to('none/x', '--format=nagios'),
    to('.', '--json'),
    to(''),
  ])
  expect(text).toEqual({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(/^holdfast: NOT_A_FILE: .*symbolic link[^]*next: /) as string,
  })
  expect(nagios).toMatchObject({ code: 3, stdout: expect.stringMatching(/^HOLDFAST UNKNOWN - NOT_FOUND/) as string })
  expect([json.code, JSON.parse(json.stdout)]).toMatchObject([1, { failure: { code: 'NOT_A_FILE' }, exitCode: 1 }])
  expect(nameless.code).toBe(64)
  expect([readdirSync(out.path), readFileSync(join(out.path, 'target'), 'utf8')]).toEqual([['link', 'target'], 'kept'])
})

test.each(['-wal', '-shm', '-journal'])(
  'no file gets the name of a part of a database (%s), new or empty',
  async (part) => {
    using out = outside()
    const file = join(out.path, `app.db${part}`)
    const refused = {
      code: 1,
      stdout: '',
      stderr: expect.stringContaining(`NOT_A_FILE: ${file} has the name of a part`) as string,
    }
    expect(await run(['status', '--output', file])).toEqual(refused)
    expect(readdirSync(out.path)).toEqual([])
    writeFileSync(file, '')
    expect(await run(['status', '--output', file])).toEqual(refused)
    expect(statSync(file).size).toBe(0)
  },
)

test('no file is written in a folder of tenants, because an empty one may be a database', async () => {
  const file = join(service.data, 'new.db')
  const below = join(service.data, 'below')
  mkdirSync(below)
  symlinkSync(service.data, join(service.folder.path, 'alias'))
  writeFileSync(file, '')
  for (const path of [file, join(below, 'status'), join(service.folder.path, 'alias', 'new.db')]) {
    for (const format of ['text', 'nagios']) {
      const ran = await run(['status', '--format', format, '--output', path])
      expect([path, ran.code, ran.stderr]).toEqual([
        path,
        format === 'nagios' ? 3 : 1,
        expect.stringMatching(/NOT_A_FILE: .* is in a folder of tenants' databases \(tenants\.roots: /),
      ])
    }
  }
  expect([statSync(file).size, readdirSync(below)]).toEqual([0, []])
  // Without a configuration the roots are not known.
  const ran = await holdfast(['status', '--format', 'monit', '--output', file, '--config', join(below, 'none.yaml')])
  expect([ran.code, ran.stderr]).toEqual([3, expect.stringMatching(/NOT_A_FILE: .*new\.db is empty[^]*CONFIG_INVALID/)])
  expect(statSync(file).size).toBe(0)
})

test('without a status the file says UNKNOWN to the monitor, instead of the status of an earlier run', async () => {
  using out = outside()
  expect((await run(['status', '--format', 'nagios', '--output', out.file])).code).toBe(2)
  const failed = await holdfast([
    'status',
    '--format',
    'nagios',
    '--output',
    out.file,
    '--config',
    join(out.path, 'none.yaml'),
  ])
  expect([failed.code, failed.stdout]).toEqual([3, expect.stringMatching(/^HOLDFAST UNKNOWN - CONFIG_INVALID/)])
  expect(readFileSync(out.file, 'utf8')).toBe(failed.stdout)
  const metrics = join(out.path, 'holdfast.prom')
  expect(
    (await holdfast(['status', '--format', 'prometheus', '--output', metrics, '--config', join(out.path, 'none.yaml')]))
      .code,
  ).toBe(78)
  expect(readdirSync(out.path)).toEqual(['status'])
})

/** The plug-in for monitors of another user, word for word from src/report/status/README.md. */
function plugin(): string {
  const readme = readFileSync(join(repository, 'src/report/status/README.md'), 'utf8')
  const [, text] = /```sh\n(#!\/bin\/sh\n# check_holdfast[^]*?)```/.exec(readme) ?? []
  if (text === undefined) throw new Error('the README has no plug-in')
  return text
}

const whyNot = whyNoOtherUser() ?? (otherUser === null ? 'not root' : null)
describe.skipIf(whyNot !== null)(`a monitor of another user${whyNot === null ? '' : ` (skipped: ${whyNot})`}`, () => {
  const asMonitor = (script: string, file: string): { readonly status: number | null; readonly stdout: string } =>
    spawnSync('sh', [script, file], { ...otherUser, encoding: 'utf8', env: { PATH: process.env['PATH'] } })

  test('reads the file with the plug-in of the README, which says UNKNOWN of one that is old or missing', async () => {
    const shared = mkdtempSync('/tmp/holdfast-monitor-')
    try {
      chmodSync(shared, 0o755)
      const [script, file] = [join(shared, 'check_holdfast'), join(shared, 'status')]
      writeFileSync(script, plugin())
      chmodSync(script, 0o755)
      for (const [args, code, word] of [
        [[], 2, 'CRITICAL'],
        [['--tenant', 'acme'], 0, 'OK'],
        [['--max-age', '1ms'], 2, 'CRITICAL'],
        [['--tenant', 'acme', '--max-age', '1ms'], 1, 'WARNING'],
      ] as const) {
        expect((await run(['status', '--format', 'nagios', '--output', file, ...args])).code).toBe(code)
        expect(asMonitor(script, file)).toMatchObject({
          status: code,
          stdout: expect.stringMatching(new RegExp(`^HOLDFAST ${word} - `)) as string,
        })
      }
      const anHourAgo = Date.now() / 1000 - 3600
      utimesSync(file, anHourAgo, anHourAgo)
      expect(asMonitor(script, file)).toMatchObject({
        status: 3,
        stdout: expect.stringMatching(/^HOLDFAST UNKNOWN - .*status/) as string,
      })
      rmSync(file)
      expect(asMonitor(script, file)).toMatchObject({
        status: 3,
        stdout: expect.stringMatching(/^HOLDFAST UNKNOWN/) as string,
      })
    } finally {
      rmSync(shared, { recursive: true, force: true })
    }
  })

  test('without access to the ledger the advice is a file; a file of a group stays the group\u2019s', async () => {
    const shared = mkdtempSync('/tmp/holdfast-monitor-')
    try {
      chmodSync(shared, 0o755)
      const config = join(shared, 'holdfast.yaml')
      const [ledger, file] = [join(shared, 'ledger'), join(shared, 'status')]
      mkdirSync(ledger, { mode: 0o700 })
      const settings = JSON.parse(readFileSync(service.config, 'utf8')) as object
      writeFileSync(config, JSON.stringify({ ...settings, ledger: { dir: ledger } }))
      const advice = longPattern(
        /next: only root and the user that runs holdfast may read this; let that user /,
        /write the[^]*`holdfast status --config \S+ --format nagios --output FILE`/,
      )
      for (const mode of [0o644, 0o600]) {
        chmodSync(config, mode)
        for (const command of ['status', 'history']) {
          const refused = await holdfast([command, '--config', config], {
            ...(otherUser === null ? {} : { as: otherUser }),
            cwd: '/',
          })
          expect([command, refused.code, refused.stderr]).toEqual([
            command,
            mode === 0o644 ? 1 : 78,
            expect.stringMatching(advice),
          ])
        }
      }
      writeFileSync(file, '')
      execFileSync('chown', ['root:65534', file])
      chmodSync(file, 0o640)
      await run(['status', '--format', 'nagios', '--output', file])
      expect([(statSync(file).mode & 0o777).toString(8), statSync(file).gid]).toEqual(['640', 65_534])
      expect(spawnSync('cat', [file], { ...otherUser, encoding: 'utf8' }).stdout).toMatch(/^HOLDFAST CRITICAL/)
    } finally {
      rmSync(shared, { recursive: true, force: true })
    }
  })
})
