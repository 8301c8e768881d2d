/**
 * Sinks as enemies: real commands, and real servers on loopback. Each attempt ends in time with one clause, and no
 * secret is in it.
 */
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer as createTlsServer } from 'node:tls'
import { afterAll, describe, expect, test } from 'vitest'
import type { Alarm } from '../../src/alarm/alarm.ts'
import type { SinkAnswer } from '../../src/alarm/sinks/sink-answer.ts'
import { heartbeatsIn, sinksIn } from '../../src/alarm/sinks/sink.ts'
import type { AlertSink } from '../../src/config/settings.ts'
import { alertKinds } from '../../src/config/sinks/alert-sinks.ts'
import { openRawServer, openWebServer } from '../support/alarm/web-server.ts'
import { problemsOfDocument } from '../support/cli/json-documents.ts'
import { makeCertificates } from '../support/service/certificates.ts'

const folder = mkdtempSync(join(tmpdir(), 'sinks-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const on = [...alertKinds]
const alarm: Alarm = {
  schema: 'holdfast.alarm/1',
  id: '01JDQ5M8F0000000000000000A',
  severity: 'DAMAGED',
  title: 'DAMAGED: acme of notes',
  service: 'notes',
  host: 'host',
  incident: null,
  run: '01JDQ5M8F0000000000000000B',
  since: '2026-11-28T03:00:00.000Z',
  tenants: ['acme', '日本'].map((tenant) => ({
    tenant,
    path: `/srv/${tenant}.db`,
    verdict: 'damaged',
    damage: 'index',
    remedy: null,
  })),
  tenantsTotal: 2,
  command: 'holdfast repair --tenant acme',
  text: 'A check found damage.',
}

/** One attempt, which may last for so long. */
function sendTo(sink: AlertSink, ms = 5_000, given: Alarm = alarm): Promise<SinkAnswer> {
  const [opened] = sinksIn([sink])
  if (!opened) throw new Error('the sink takes no alarms')
  return opened.send(given, AbortSignal.timeout(ms))
}
const command = (...words: readonly string[]): AlertSink => ({ kind: 'command', command: words as [string], on })
const shell = (script: string, ...args: readonly string[]): AlertSink => command('/bin/sh', '-c', script, 'sh', ...args)
const webhook = (url: string): AlertSink => ({ kind: 'webhook', url, on })
const file = (name: string): string => join(folder, name)
const whyOf = (sent: SinkAnswer): string => (sent.ok ? 'taken' : sent.why)

describe('a command', () => {
  test('gets the document on stdin and its main fields in the environment', async () => {
    const fields = ['SEVERITY', 'TITLE', 'SERVICE', 'TENANTS', 'COMMAND'].map((name) => `"$HOLDFAST_ALARM_${name}"`)
    const script = `cat > "$1"; printf '%s|' ${fields.join(' ')} > "$2"`
    expect(await sendTo(shell(script, file('stdin'), file('env')))).toEqual({ ok: true })
    const document: unknown = JSON.parse(readFileSync(file('stdin'), 'utf8'))
    expect(document).toEqual(alarm)
    expect(problemsOfDocument(document)).toEqual([])
    expect(readFileSync(file('env'), 'utf8')).toBe(
      'DAMAGED|DAMAGED: acme of notes|notes|acme\n日本|holdfast repair --tenant acme|',
    )
  })

  test('runs without a shell', async () => {
    expect(await sendTo(command('/bin/touch', file('$(touch injected)')))).toEqual({ ok: true })
    expect(existsSync(file('$(touch injected)'))).toBe(true)
  })

  test('may ignore stdin, print without end on stdout, and be gone: it was told', async () => {
    expect(await sendTo(shell('exit 0'), 5_000, { ...alarm, text: 'x'.repeat(4_000_000) })).toEqual({ ok: true })
    expect(await sendTo(shell('head -c 200000000 /dev/zero'))).toEqual({ ok: true })
  })

  test('that leaves a child with all of its descriptors open is not waited for', async () => {
    const startedAt = Date.now()
    expect(await sendTo(shell('sleep 30 & echo $! > "$1"; exit 0', file('sleeper')))).toEqual({ ok: true })
    expect(Date.now() - startedAt).toBeLessThan(20_000)
    process.kill(Number(readFileSync(file('sleeper'), 'utf8')), 'SIGKILL')
  })

  test('that hangs is killed with its children', async () => {
    const sent = await sendTo(shell('sleep 1000 & echo $! > "$1"; wait', file('child')), 500)
    expect(whyOf(sent)).toBe('it did not end in time, and was killed')
    const child = Number(readFileSync(file('child'), 'utf8'))
    await expect.poll(() => isRunning(child)).toBe(false)
  })

  test.each([
    ['exit 3', 'it ended with exit code 3'],
    ['kill -9 $$', 'it was killed'],
    ['printf "bad \\033[2J\\nlast \\033[31mred" >&2; exit 1', 'it ended with exit code 1 (last \\e[31mred)'],
    [
      'echo "no route to https://hooks.example/T/SECRET" >&2; exit 1',
      'it ended with exit code 1 (no route to https://…)',
    ],
    ['echo "refused $1" >&2; exit 1', 'it ended with exit code 1 (refused …)'],
  ])('that ends with %j: one clause, without secrets', async (script, expected) => {
    expect(whyOf(await sendTo(shell(script, 'SECRET-TOKEN')))).toBe(expected)
  })

  test('that quotes a secret where a long line is cut: no part of it is shown', async () => {
    const letters = (count: number): string => `$(head -c ${count} /dev/zero | tr '\\0' a)`
    const cutAtEnd = `printf '%s' "${letters(290)}$1" >&2; exit 1`
    const cutAtStart = `printf '%s' "$1 ${letters(4_086)}" >&2; exit 1`
    for (const script of [cutAtEnd, cutAtStart]) {
      const why = whyOf(await sendTo(shell(script, 'SECRET-TOKEN')))
      expect(why).toMatch(/^it ended with exit code 1 \(…?a+…?\)|^it ended with exit code 1 \(… a+\)/)
      expect(why).not.toMatch(/SECR|OKEN/)
    }
  })

  test('that does not exist', async () => {
    expect(whyOf(await sendTo(command('/nonexistent/page')))).toBe(
      'it could not be started (no such file or directory (ENOENT))',
    )
  })

  test('is told of many tenants with long names, whatever the kernel takes', async () => {
    const tenants = Array.from({ length: 50 }, (_, at) => ({
      tenant: `${at}`.padEnd(9_000, 'x'),
      path: '',
      verdict: null,
      damage: null,
      remedy: null,
    }))
    expect(await sendTo(shell('exit 0'), 5_000, { ...alarm, tenants, title: 'x'.repeat(300_000) })).toEqual({
      ok: true,
    })
  })
})

describe('a webhook', () => {
  test('gets the document by POST as JSON', async () => {
    await using server = await openWebServer()
    expect(await sendTo(webhook(`${server.url}/hook?token=SECRET`))).toEqual({ ok: true })
    expect(server.requests).toMatchObject([
      { method: 'POST', path: '/hook?token=SECRET', headers: { 'content-type': 'application/json' } },
    ])
    expect(JSON.parse(server.requests[0]?.body ?? '')).toEqual(alarm)
  })

  test.each([400, 401, 404, 429, 500, 503])('that answers %i did not take it', async (status) => {
    await using server = await openWebServer()
    server.answer(status)
    expect(whyOf(await sendTo(webhook(`${server.url}/SECRET`)))).toBe(`it answered with status ${status}`)
  })

  test.each([301, 302, 307, 308])('that redirects with %i is not followed', async (status) => {
    await using other = await openWebServer()
    await using server = await openWebServer()
    server.answer(status, { location: `${other.url}/SECRET` })
    expect(whyOf(await sendTo(webhook(server.url)))).toBe(
      `it redirects to ${new URL(other.url).host} (status ${status}), which is not followed: configure the new address`,
    )
    expect(other.requests).toEqual([])
  })

  test('that hangs before or within its answer is given up', async () => {
    await using silent = await openRawServer(() => undefined)
    expect(whyOf(await sendTo(webhook(`${silent.url}/SECRET`), 300))).toBe('it did not answer in time')
    await using slow = await openRawServer((socket) => socket.write('HTTP/1.1 200 OK\r\nX-Slow: '))
    expect(whyOf(await sendTo(webhook(`${slow.url}/SECRET`), 300))).toBe('it did not answer in time')
  })

  test('that never ends its answer was told', async () => {
    await using server = await openRawServer((socket) => socket.write('HTTP/1.1 200 OK\r\n\r\nx'))
    expect(await sendTo(webhook(server.url))).toEqual({ ok: true })
  })

  test.each([
    ['closes', '', 'it closed the connection without an answer'],
    ['answers garbage', '\u0000\u001b[31mgarbage\r\n\r\n', /^its answer is not HTTP$/],
    ['answers with an endless head', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(1_000_000)}`, /answer|head/],
  ])('that %s did not take it', async (_, answer, expected) => {
    await using server = await openRawServer((socket) => socket.end(answer))
    expect(whyOf(await sendTo(webhook(`${server.url}/SECRET`)))).toMatch(expected)
  })

  test('without a server', async () => {
    const server = await openWebServer()
    await server[Symbol.asyncDispose]()
    expect(whyOf(await sendTo(webhook(`${server.url}/SECRET`)))).toBe(
      'no connection: connection refused (ECONNREFUSED)',
    )
  })

  test('over https is sent nothing if nobody vouches for its certificate', async () => {
    let received = ''
    const server = createTlsServer(makeCertificates(folder), (socket) => {
      socket.on('error', () => undefined)
      socket.on('data', (data) => (received += data.toString()))
    })
    server.on('tlsClientError', () => undefined)
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as { port: number }
    try {
      expect(whyOf(await sendTo(webhook(`https://127.0.0.1:${port}/SECRET`)))).toMatch(
        /^its certificate is not trusted \(\w+\)$/,
      )
      expect(received).toBe('')
    } finally {
      server.close()
    }
  })

  test('is read from a file at each alarm, which only its owner may read', async () => {
    await using server = await openWebServer()
    const sink = { kind: 'webhook-file', file: file('hook'), on } as const
    writeFileSync(file('hook'), `${server.url}/SECRET\n`, { mode: 0o600 })
    expect(await sendTo(sink)).toEqual({ ok: true })
    expect(server.requests[0]?.path).toBe('/SECRET')
    chmodSync(file('hook'), 0o644)
    expect(whyOf(await sendTo(sink))).toBe(
      `the file ${file('hook')} can be read or written by others than its owner (mode 0644)`,
    )
    rmSync(file('hook'))
    expect(whyOf(await sendTo(sink))).toContain('no such file or directory (ENOENT)')
    writeFileSync(file('hook'), 'ftp://SECRET/', { mode: 0o600 })
    expect(whyOf(await sendTo(sink))).toBe(`${file('hook')} holds no address that begins with https:// or http://`)
  })
})

test('a heartbeat is asked for by GET, and tells nothing', async () => {
  await using server = await openWebServer()
  const [heartbeat] = heartbeatsIn([{ kind: 'heartbeat', url: `${server.url}/ping/SECRET` }])
  expect(await heartbeat?.ping(AbortSignal.timeout(60_000))).toEqual({ ok: true })
  expect(server.requests).toMatchObject([{ method: 'GET', path: '/ping/SECRET', body: '' }])
})

test('names of sinks have no more of an address than its host', () => {
  const sinks = [command('/bin/page', 'SECRET'), webhook('https://hooks.example:8443/T/SECRET?a=SECRET')]
  expect(sinksIn(sinks).map(({ name }) => name)).toEqual([
    'alerts[0] (command /bin/page)',
    'alerts[1] (webhook hooks.example:8443)',
  ])
  expect(heartbeatsIn([{ kind: 'heartbeat', url: 'https://ping.example/SECRET' }])[0]?.name).toBe(
    'alerts[0] (heartbeat ping.example)',
  )
  expect(JSON.stringify(sinksIn(sinks).map(({ key }) => key))).not.toContain('SECRET')
})

function isRunning(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))
  } catch {
    return false
  }
}
