import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { tenantId } from '../../../src/model/brand.ts'
import { connectService } from '../../../src/service/connect.ts'
import { commandFor } from '../../../src/service/hooks/argument.ts'
import type { HookSettings } from '../../../src/service/hooks/hook-service.ts'
import { acme, failureOf, forever, request, shortOf } from '../../support/service/client.ts'
import { until } from '../../support/service/gate.ts'
import { listing, notesctl } from '../../support/service/notesctl.ts'

test('a hold through commands: one argument each, exit code 0 is done', async () => {
  using ctl = notesctl(listing)
  await using service = await connectService(ctl.settings())
  expect(service.via).toBe('hooks')
  expect(await service.tenants(forever)).toEqual([
    { id: 'acme', files: ['/srv/acme.db'], state: 'active' },
    { id: 'bolt', files: [], state: 'active' },
  ])
  const quiesced = await service.quiesce(acme, request, forever)
  expect(quiesced).toMatchObject({
    tenant: 'acme',
    via: 'hooks',
    fence: null,
    bootId: null,
    files: null,
    openHandles: 0,
    expiresInMs: 5_000,
  })
  expect(await service.tenant(acme, forever)).toMatchObject({ state: 'quiesced' })
  expect(await service.renew(quiesced, forever)).toEqual({ expiresInMs: 5_000 })
  const resumed = await service.resume(quiesced, forever)
  expect(resumed).toMatchObject({ endedBy: 'holder', continuous: null, bootId: null })
  expect(resumed.heldMs).toBeGreaterThan(0)
  expect(await service.tenant(acme, forever)).toMatchObject({ state: 'active', healthy: true })
  expect(await service.leases(forever)).toEqual([])
  expect(ctl.calls().filter(([what]) => what !== 'tenants')).toEqual([
    ['pause', '--', 'acme'],
    ['resume', '--', 'acme'],
  ])
})

test('ids are untrusted text: they stay one argument, whatever is in them', async () => {
  using ctl = notesctl()
  await using service = await connectService(ctl.settings())
  const ids = [
    'a b',
    '$(touch /tmp/x)',
    '; rm -rf /',
    '`id`',
    'o\'x"y',
    'new\nline',
    '*',
    '../..',
    '-rf',
    '--force',
    '{tenant}',
    'ü𝄞',
  ]
  for (const id of ids) await service.quiesce(tenantId(id), request, forever)
  expect(ctl.calls()).toEqual(ids.map((id) => ['pause', '--', id]))
})

test('an id that begins with a dash is refused before a pause where it could be read as an option', async () => {
  using ctl = notesctl()
  const unsafe: Partial<HookSettings>[] = [
    { quiesce: [ctl.program, 'pause', '{tenant}'] },
    { resume: [ctl.program, 'resume', '{tenant}'] },
  ]
  for (const more of unsafe) {
    await using service = await connectService(ctl.settings(more))
    expect(await shortOf(service.quiesce(tenantId('--all'), request, forever))).toBe('CONFIG_INVALID untouched')
    await service.quiesce(acme, request, forever)
  }
  expect(ctl.calls().flat()).not.toContain('--all')
  expect(commandFor(['ctl', '--tenant={tenant}'], '-rf')).toEqual(['ctl', '--tenant=-rf'])
  expect(commandFor(['ctl', '{tenant}.db'], 'acme')).toEqual(['ctl', 'acme.db'])
  expect(() => commandFor(['ctl', '{tenant}.db'], '-rf')).toThrow('read as an option')
  expect(() => commandFor(['ctl', '--', '{tenant}'], 'a\0b')).toThrow('NUL')
  expect(() => commandFor(['/srv/{tenant}/ctl'], 'acme')).toThrow('must not depend on the tenant')
})

test('a command that fails says why with its last line, and the tenant may be paused', async () => {
  using ctl = notesctl(`console.error('first\\nthe socket is gone'); process.exit(3)`)
  await using service = await connectService(ctl.settings())
  const failure = await failureOf(service.quiesce(acme, request, forever))
  expect([failure.code, failure.tenantState]).toEqual(['ADMIN_REFUSED', 'maybe-paused'])
  expect(failure.message).toContain('exit code 3 (the socket is gone)')
  expect(await shortOf(service.tenants(forever))).toBe('ADMIN_UNREACHABLE untouched')
  expect(await shortOf(service.resume({ tenant: acme, leaseId: 'x', fence: null }, forever))).toBe(
    'RESUME_FAILED maybe-paused',
  )
  expect(ctl.calls().filter(([what]) => what === 'resume').length).toBe(3)
})

test('a command that does not exist has paused no tenant', async () => {
  using ctl = notesctl()
  await using service = await connectService(ctl.settings({ quiesce: [join(ctl.path, 'nothing'), '{tenant}'] }))
  expect(await shortOf(service.quiesce(acme, request, forever))).toBe('ADMIN_UNREACHABLE untouched')
})

test('a command that hangs is killed with all that it started', async () => {
  using ctl = notesctl(
    `require('node:child_process').spawn('sleep', ['600'], { stdio: 'inherit' }); ` +
      `fs.writeFileSync(__dirname + '/pid', String(process.pid)); setInterval(() => {}, 1000)`,
  )
  await using service = await connectService(ctl.settings({ timeoutMs: 400 }))
  expect(await shortOf(service.quiesce(acme, request, forever))).toBe('QUIESCE_TIMEOUT maybe-paused')
  const group = Number(readFileSync(join(ctl.path, 'pid'), 'utf8'))
  await until(() => {
    try {
      process.kill(-group, 0)
      return false
    } catch {
      return true
    }
  }, 'the whole group is gone')
})

test('a command is killed when the caller gives up', async () => {
  using ctl = notesctl('setInterval(() => {}, 1000)')
  await using service = await connectService(ctl.settings())
  const given = new AbortController()
  const asked = shortOf(service.quiesce(acme, request, given.signal))
  await until(() => ctl.calls().length === 1, 'it runs')
  given.abort()
  expect(await asked).toBe('INTERRUPTED maybe-paused')
})

test('a program that is not in PATH is named, with what to do', async () => {
  using ctl = notesctl(listing)
  const settings = ctl.settings({
    tenants: ['no-such-notesctl', 'tenants'],
    quiesce: ['no-such-notesctl', 'pause', '{tenant}'],
  })
  await using service = await connectService(settings)
  for (const [command, asked] of [
    ['tenants', service.tenants(forever)],
    ['quiesce', service.quiesce(acme, request, forever)],
  ] as const) {
    const failure = await failureOf(asked)
    expect(failure.message).toMatch(
      new RegExp(`^service.hooks.${command}: there is no program no-such-notesctl in PATH \\(.*/bin.*\\)$`),
    )
    expect([failure.code, failure.hint, failure.tenantState]).toEqual([
      'ADMIN_UNREACHABLE',
      'give its absolute path',
      'untouched',
    ])
  }
})

test('no tenant is paused if the resume command cannot be started', async () => {
  using ctl = notesctl()
  const write = (name: string, text: string, mode: number): string => {
    const path = join(ctl.path, name)
    writeFileSync(path, text, { mode })
    return path
  }
  const foreign = write('foreign', '#!/bin/sh\r\nexit 0\r\n', 0o755)
  const closed = write('closed', '#!/bin/sh\nexit 0\n', 0o644)
  const cases: readonly (readonly [program: string, why: string, hint: string])[] = [
    [join(ctl.path, 'nothing'), 'there is no such file', 'check the path'],
    [closed, 'it is not executable', `chmod +x ${closed}`],
    [ctl.path, 'it is a folder', 'name a program in it'],
    [foreign, String.raw`its first line names "/bin/sh\r", which is not there`, 'remove the carriage returns'],
    ['no-such-notesctl', 'there is no program no-such-notesctl in PATH', 'give its absolute path'],
  ]
  for (const [program, why, hint] of cases) {
    await using service = await connectService(ctl.settings({ resume: [program, '{tenant}'] }))
    const failure = await failureOf(service.quiesce(acme, request, forever))
    expect([failure.code, failure.tenantState]).toEqual(['ADMIN_UNREACHABLE', 'untouched'])
    expect(failure.message).toMatch(/^service\.hooks\.resume: /)
    expect(failure.message).toContain(why)
    expect(failure.hint).toContain(hint)
  }
  expect(ctl.calls()).toEqual([])
  // The same help is given for the other commands.
  await using service = await connectService(ctl.settings({ quiesce: [closed, '{tenant}'] }))
  expect(await failureOf(service.quiesce(acme, request, forever))).toMatchObject({ hint: `chmod +x ${closed}` })
})

test('a resume command that did not end in time is killed and not started again: it had its time', async () => {
  using ctl = notesctl(`setInterval(() => {}, 1000)`)
  await using service = await connectService(ctl.settings({ timeoutMs: 400 }))
  const failure = await failureOf(service.resume({ tenant: acme, leaseId: 'x', fence: null }, forever))
  expect([failure.code, failure.tenantState, failure.retry]).toEqual(['RESUME_FAILED', 'maybe-paused', false])
  expect(failure.message).toContain('it did not end within 400 ms (service.hooks.timeout) and was killed')
  expect(ctl.calls()).toHaveLength(1)
})

/**
 * Starts a daemon that keeps what it was given as its output, and ends. The daemon's $1 is the process that started it:
 * $PPID is another once that has ended.
 */
const leavesDaemon = (body: string): string => `
  const { spawn } = require('node:child_process')
  const shell = ['-c', ${JSON.stringify(body)}, __dirname + '/daemon', String(process.pid)]
  const daemon = spawn('/bin/sh', shell, { stdio: 'inherit' })
  fs.writeFileSync(__dirname + '/daemon', String(daemon.pid))
  daemon.unref()
  if (args[0] === 'tenants') fs.writeSync(1, '[]')
  process.exit(0)`

test.each(['tenants', 'quiesce', 'resume'] as const)(
  'what a command leaves running holds nobody up, and lives on: %s',
  async (what) => {
    using ctl = notesctl(
      leavesDaemon(
        'while kill -0 $1 2>/dev/null; do sleep .02; done; while :; do echo said || exit 1; ' +
          'echo complained >&2 || exit 1; echo x >> "$0.beats"; sleep .02; done',
      ),
    )
    const daemonFile = join(ctl.path, 'daemon')
    const beats = (): number =>
      existsSync(`${daemonFile}.beats`) ? readFileSync(`${daemonFile}.beats`, 'utf8').length : 0
    const beganAt = performance.now()
    {
      await using service = await connectService(ctl.settings({ timeoutMs: 5_000 }))
      if (what === 'tenants') expect(await service.tenants(forever)).toEqual([])
      else if (what === 'quiesce') await service.quiesce(acme, request, forever)
      else await service.resume({ tenant: acme, leaseId: 'x', fence: null }, forever)
    }
    expect(performance.now() - beganAt).toBeLessThan(4_000)
    const daemon = Number(readFileSync(daemonFile, 'utf8'))
    try {
      const before = beats()
      await until(() => beats() > before + 3, 'it still says things, and nothing breaks under it')
    } finally {
      process.kill(daemon, 'SIGKILL')
    }
  },
)

test('a command is known from its beginning to its end, with its process', async () => {
  using ctl = notesctl(`if (args[0] === 'resume' && args[2] === 'bolt') process.exit(1)`)
  const heard: string[] = []
  await using service = await connectService(ctl.settings(), (tenant, latest) =>
    heard.push(
      `${latest.command} ${tenant} ` +
        `${latest.state === 'running' ? latest.process.pid > 0 && latest.process.startTime !== '' : latest.state}`,
    ),
  )
  await service.resume(await service.quiesce(acme, request, forever), forever)
  await shortOf(service.resume({ tenant: tenantId('bolt'), leaseId: 'x', fence: null }, forever))
  expect(heard).toEqual([
    'quiesce acme true',
    'quiesce acme succeeded',
    'resume acme true',
    'resume acme succeeded',
    ...[1, 2, 3].flatMap(() => ['resume bolt true', 'resume bolt failed']),
  ])
})

test('a command that floods its output is ended, and what it complains is bounded', async () => {
  using ctl = notesctl(
    `const much = Buffer.alloc(1 << 22, 'x'); for (;;) fs.writeSync(args[0] === 'tenants' ? 1 : 2, much)`,
  )
  await using service = await connectService(ctl.settings({ timeoutMs: 30_000 }))
  const endless = await failureOf(service.tenants(forever))
  expect([endless.code, endless.message]).toEqual([
    'REGISTRY_STALE',
    expect.stringContaining('it printed without end and was killed (more than 67108864 bytes)'),
  ])
  await using hasty = await connectService(ctl.settings({ timeoutMs: 600 }))
  const failure = await failureOf(hasty.quiesce(acme, request, forever))
  expect([failure.code, failure.message.length < 1_000]).toEqual(['QUIESCE_TIMEOUT', true])
})
