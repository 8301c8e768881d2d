/** `triage --detach` and `--from-monit`: recorded, begun in the background, and refused when asked too often. */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { damageIndex, makeDatabase } from '../../support/cli/folder.ts'
import { problemsOfDocument } from '../../support/cli/json-documents.ts'
import { holdfast, launcher, type ProgramResult } from '../../support/cli/program.ts'
import { openService, type TestService } from '../../support/cli/service.ts'
import { eventually, isRunning } from '../../support/processes.ts'

const serviceOf = (pauseMs = 0): Promise<TestService> =>
  openService({
    tenants: (data) => {
      const path = join(data, 'acme.db')
      damageIndex(makeDatabase(path, { wal: true }))
      return { acme: path }
    },
    onClose: () => new Promise((resolve) => setTimeout(resolve, pauseMs)),
  })

const begin = (
  service: TestService,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<ProgramResult> => holdfast(['triage', '--config', service.config, ...args], { env })

interface DetachedRun {
  readonly pid: number
  readonly output: string
  readonly request: {
    readonly id: string
    readonly by: string
    readonly monit: Readonly<Record<string, string>> | null
  }
}

function begunIn({ code, stdout, stderr }: ProgramResult): DetachedRun {
  expect([code, stderr]).toEqual([0, ''])
  const document = JSON.parse(stdout) as DetachedRun
  expect(problemsOfDocument(document as never)).toEqual([])
  return document
}

const untilEnded = ({ pid }: DetachedRun): Promise<boolean> => eventually('the triage has ended', () => !isRunning(pid))

const monitSays = {
  MONIT_SERVICE: 'notes',
  MONIT_EVENT: 'Does not exist',
  MONIT_DESCRIPTION: 'process is not running; acme.db: database disk image is malformed',
  MONIT_DATE: 'Sat, 28 Nov 2026 03:00:00',
  MONIT_HOST: 'db1',
}

describe('I1.6: triage --detach', () => {
  test('returns before the triage is done, which works in a session of its own and writes to a file', async () => {
    await using service = await serviceOf(1_500)
    const begun = begunIn(await begin(service, ['--detach', '--json']))
    expect(begun.request).toMatchObject({ by: 'command', monit: null })
    expect(isRunning(begun.pid)).toBe(true)
    // Its own session, so that no signal to a terminal or to the group of monit's hook ends it.
    expect(readFileSync(`/proc/${begun.pid}/stat`, 'latin1').split(') ')[1]?.split(' ')[3]).toBe(String(begun.pid))
    expect(begun.output.startsWith(join(service.ledger, 'triage/'))).toBe(true)
    expect(statSync(begun.output).mode & 0o777).toBe(0o600)
    await untilEnded(begun)
    const written = readFileSync(begun.output, 'utf8')
    const report = JSON.parse(written.slice(written.indexOf('\n{'))) as {
      readonly run: object
      readonly summary: object
    }
    expect(report).toMatchObject({ run: { mode: 'triage' }, summary: { damaged: 1, exitCode: 2 } })
    expect(written).toMatch(/^CULPRIT acme/m)
  })

  test('while a triage works in the background a second one is refused with 75; after a kill it is not', async () => {
    await using service = await serviceOf(2_000)
    const begun = begunIn(await begin(service, ['--detach', '--json']))
    const second = await begin(service, ['--detach'])
    expect([second.code, second.stderr]).toEqual([75, expect.stringMatching(/RUN_ACTIVE: /)])
    process.kill(begun.pid, 'SIGKILL')
    await untilEnded(begun)
    await eventually('the tenant serves', () => service.gate.stateOf('acme') === 'active', 30_000)
    await untilEnded(begunIn(await begin(service, ['--detach', '--json', '--wait', '30s'])))
    expect(reportsIn(service)).toHaveLength(1)
  })

  test('--service must name the configured service, and refuses a storm; a person may ask again', async () => {
    await using service = await serviceOf()
    expect((await begin(service, ['--service', 'other', '--detach'])).code).toBe(64)
    const named = ['--service', 'test', '--detach', '--json']
    const first = begunIn(await begin(service, named))
    await untilEnded(first)
    const again = await begin(service, named)
    expect([again.code, again.stderr]).toEqual([75, expect.stringMatching(/TOO_SOON: .*"test".* ago/)])
    expect(again.stderr).toContain(`next: ${first.output} is the output of that triage; `)
    await untilEnded(begunIn(await begin(service, ['--detach', '--json'])))
  })
})

/** Files that a triage has written whole: the last line of a report closes it. */
const reportsIn = (service: TestService): readonly string[] =>
  readdirSync(join(service.ledger, 'triage')).filter(
    (name) => name.endsWith('.out') && readFileSync(join(service.ledger, 'triage', name), 'utf8').endsWith('\n}\n'),
  )

describe('I1.6: triage --from-monit', () => {
  test('records what monit says, which names the tenant to suspect', async () => {
    await using service = await serviceOf()
    const begun = begunIn(await begin(service, ['--from-monit', '--json'], monitSays))
    expect(begun.request).toMatchObject({
      by: 'monit',
      monit: { service: 'notes', event: 'Does not exist', date: monitSays.MONIT_DATE, host: 'db1' },
    })
    await untilEnded(begun)
    expect(readFileSync(begun.output, 'utf8')).toMatch(/"reason": "named-by-service",\s*"text": "monit names it: /)
  })

  test('is refused without MONIT_SERVICE, and a second time for the same service, not for another', async () => {
    await using service = await serviceOf()
    expect((await begin(service, ['--from-monit'])).code).toBe(64)
    await untilEnded(begunIn(await begin(service, ['--from-monit', '--json'], monitSays)))
    expect((await begin(service, ['--from-monit'], monitSays)).code).toBe(75)
    const other = { ...monitSays, MONIT_SERVICE: 'another' }
    await untilEnded(begunIn(await begin(service, ['--from-monit', '--json'], other)))
  })

  test('hostile text of monit is bounded, printable, and names no file', async () => {
    await using service = await serviceOf()
    const hostile = '../../x\u001b[2J\u202e`touch pwned`$(touch pwned)\n'.repeat(200)
    const env = Object.fromEntries(Object.keys(monitSays).map((name) => [name, hostile]))
    const begun = begunIn(await begin(service, ['--from-monit', '--json'], env))
    await untilEnded(begun)
    for (const text of Object.values(begun.request.monit ?? {})) {
      expect(text).toMatch(/^[^\p{Cc}\p{Cf}]*$/u)
      expect(text.length).toBeLessThan(10_000)
    }
    const files = readdirSync(join(service.ledger, 'triage')).toSorted()
    expect(files.every((name) => /^([0-9A-Z]{26}\.(request|out)|[0-9a-f]{32}\.cool-down|lock)$/.test(name))).toBe(true)
    expect(existsSync(join(service.ledger, 'pwned'))).toBe(false)
    expect(readFileSync(begun.output, 'utf8')).toMatch(/"damaged": 1/)
  })

  test('works in the environment that monit gives: a short PATH, no HOME', async () => {
    await using service = await serviceOf()
    const env = { PATH: '/bin:/usr/bin:/sbin:/usr/sbin', ...monitSays }
    const { status, stdout } = spawnSync(
      process.execPath,
      [launcher, 'triage', '--from-monit', '--json', '--config', service.config],
      { env, encoding: 'utf8', cwd: '/' },
    )
    expect(status).toBe(0)
    await untilEnded(JSON.parse(stdout) as DetachedRun)
  })
})
