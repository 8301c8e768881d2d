/** `holdfast alerts test`: an alarm of each kind to every sink, marked as a test; a table says what each sink did. */
import { expect, test } from 'vitest'
import { makeSinkCommand } from '../../support/alarm/sink-command.ts'
import { openWebServer } from '../../support/alarm/web-server.ts'
import { makeFolder } from '../../support/cli/folder.ts'
import { holdfast } from '../../support/cli/program.ts'
import { openService } from '../../support/cli/service.ts'

const severities = ['HARM SUSPECTED', 'PAUSED', 'DAMAGED', 'STALE', 'INCONCLUSIVE', 'RECOVERED']

test('I4.3: each kind goes to each sink that gets it, the gravest first, and each says that it is a test', async () => {
  using folder = makeFolder()
  const sink = makeSinkCommand(folder.path)
  await using server = await openWebServer()
  await using service = await openService({
    settings: {
      alerts: [
        { command: sink.command },
        { heartbeat: `${server.url}/beat/SECRET` },
        { webhook: `${server.url}/T/SECRET`, on: ['damage', 'stale'] },
      ],
    },
  })
  const ran = await holdfast(['alerts', 'test', '--config', service.config])
  expect([ran.code, ran.stderr]).toEqual([0, ''])
  const alarms = sink.alarms()
  expect(alarms.map(({ severity }) => severity)).toEqual(severities)
  for (const { title, severity, test: isTest, text } of alarms) {
    expect(title).toBe(`${severity}: TEST of test, nothing has happened`)
    expect([isTest, text.startsWith('`holdfast alerts test` sent this.')]).toEqual([true, true])
  }
  expect(server.requests.map(({ method, path }) => `${method} ${path}`).toSorted()).toEqual([
    'GET /beat/SECRET',
    'POST /T/SECRET',
    'POST /T/SECRET',
  ])
  const { host } = new URL(server.url)
  const lines = ran.stdout.split('\n').map((line) => line.replaceAll(/ {2,}(?:<?\d+(?:\.\d+)? m?s|-)/g, '  TIME'))
  expect(lines.slice(0, -3).map((line) => line.replaceAll(/ {2,}/g, '  '))).toEqual([
    'SINK  ALARM  TIME  RESULT',
    ...severities.map((severity) => `alerts[0] (command ${sink.command[0]})  ${severity}  TIME  taken`),
    `alerts[1] (heartbeat ${host})  HEARTBEAT  TIME  taken`,
    ...severities.map(
      (severity) =>
        `alerts[2] (webhook ${host})  ${severity}  TIME  ` +
        (['DAMAGED', 'STALE'].includes(severity) ? 'taken' : 'not sent: `on` does not name it'),
    ),
  ])
  expect(lines.at(-2)).toBe('3 sinks took what they were sent')
  expect(ran.stdout).not.toContain('SECRET')
  expect((await holdfast(['alerts', 'test', '--quiet', '--config', service.config])).stdout).toBe('')
})

test('a sink that fails is 1, in the table and in the document', async () => {
  using folder = makeFolder()
  const sink = makeSinkCommand(folder.path)
  await using server = await openWebServer()
  server.answer(403)
  await using service = await openService({
    settings: { alerts: [{ command: sink.command }, { webhook: `${server.url}/SECRET`, on: ['harm'] }] },
  })
  const ran = await holdfast(['alerts', 'test', '--json', '--config', service.config])
  expect([ran.code, ran.stderr]).toEqual([1, ''])
  const document = JSON.parse(ran.stdout) as { readonly alarms: readonly object[] }
  expect(document).toMatchObject({ schema: 'holdfast.alerts/1', service: 'test', exitCode: 1 })
  expect(document.alarms[6]).toMatchObject({
    severity: 'HARM SUSPECTED',
    outcome: 'failed',
    why: 'it answered with status 403',
  })
  const text = await holdfast(['alerts', 'test', '--config', service.config])
  expect(text.code).toBe(1)
  expect(text.stdout).toContain('FAILED: it answered with status 403')
  expect(text.stdout).toMatch(/\n1 of 2 sinks FAILED\n$/)
  expect(ran.stdout + text.stdout).not.toContain('SECRET')
})

test('without a sink nobody would be told: 78', async () => {
  await using service = await openService()
  const ran = await holdfast(['alerts', 'test', '--config', service.config])
  expect(ran.code).toBe(78)
  expect(ran.stderr).toContain('names no sink: nobody gets an alarm')
})

test('I4.2: the help keeps it out of schedules: it would keep a heartbeat alive without any sweep', async () => {
  const { stdout } = await holdfast(['alerts', '--help'])
  expect(stdout.replaceAll(/\s+/g, ' ')).toContain('never put this command into cron or a timer')
  expect(stdout).not.toContain('for cron')
})
