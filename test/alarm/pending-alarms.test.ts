/** What a sink did not take goes first in the next run, or not at all if it has ended. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { Alarm } from '../../src/alarm/alarm.ts'
import { openAlarms } from '../../src/alarm/open-alarms.ts'
import type { Settings } from '../../src/config/settings.ts'
import { alertKinds } from '../../src/config/sinks/alert-sinks.ts'
import { newRunId } from '../../src/ledger/run-lock/run-id.ts'
import type { Result } from '../../src/model/result/report.ts'
import { fullEnding, nothingAbsent } from '../support/alarm/samples.ts'
import { openWebServer, type WebServer } from '../support/alarm/web-server.ts'
import { damaged, sound, unproven } from '../support/report.ts'

const folder = mkdtempSync(join(tmpdir(), 'waiting-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/**
 * A sweep with these results.
 * @param told the culprit that is told immediately; null for none
 * @returns the complaints; they come when the sink has refused all that it refuses
 */
async function sweep(
  service: string,
  url: string,
  results: readonly Result[],
  told: Result | null = null,
): Promise<readonly string[]> {
  const complaints: string[] = []
  const settings = {
    alerts: [{ kind: 'webhook', url, on: [...alertKinds] }],
    service: { name: service },
    ledger: { dir: folder },
  } as unknown as Settings
  const alarms = await openAlarms(settings, {
    run: newRunId(),
    mode: 'sweep',
    config: null,
    now: Date.now,
    onComplaint: (sentence) => complaints.push(sentence),
    onAttempt: () => undefined,
    known: [],
    learn: () => Promise.resolve({ ...nothingAbsent, recordedSince: 0 }),
  })
  for (const result of results) alarms.consider(result)
  if (told !== null) alarms.culprit(told)
  await alarms.end(fullEnding(results.length))
  return complaints
}

/** The distinct titles of what came, in order. */
const titles = ({ requests }: WebServer, from: number): readonly string[] => [
  ...new Set(requests.slice(from).map(({ body }) => (JSON.parse(body) as Alarm).title)),
]

/** A sweep whose alarms the sink refuses, all three times. @returns the number of requests so far */
async function sweepRefused(server: WebServer, service: string, results: readonly Result[]): Promise<number> {
  server.answer(500)
  const complaints = await sweep(service, server.url, results)
  await expect.poll(() => complaints.length, { timeout: 60_000 }).toBe(1)
  server.answer(200)
  return server.requests.length
}

test('an alarm that waits goes before the news, such as the recovery of one of its tenants', async () => {
  await using server = await openWebServer()
  const before = await sweepRefused(server, 'first', [damaged('acme'), damaged('bolt')])
  await sweep('first', server.url, [sound('acme'), damaged('bolt')])
  expect(titles(server, before)).toEqual(['DAMAGED: acme, bolt of first', 'RECOVERED: acme of first: sound again'])
})

test('an alarm whose condition has ended is not sent after its recovery', async () => {
  await using server = await openWebServer()
  const before = await sweepRefused(server, 'over', [damaged('acme'), unproven('bolt')])
  await sweep('over', server.url, [sound('acme'), unproven('bolt')])
  expect(titles(server, before)).toEqual([
    'INCONCLUSIVE: bolt of over could not be checked',
    'RECOVERED: acme of over: sound again',
  ])
  const sent = server.requests.length
  await sweep('over', server.url, [sound('acme'), unproven('bolt')])
  expect(titles(server, sent)).toEqual([])
})

test('a recovery that did not arrive does not end the alarm of the same tenant that stands again', async () => {
  await using server = await openWebServer()
  await sweep('again', server.url, [damaged('acme'), damaged('bolt')])
  const before = await sweepRefused(server, 'again', [sound('acme'), sound('bolt')])
  await sweep('again', server.url, [damaged('acme'), sound('bolt')], damaged('acme'))
  expect(titles(server, before)).toEqual(['DAMAGED: CULPRIT acme of again'])
  const sent = server.requests.length
  await sweep('again', server.url, [sound('acme'), sound('bolt')])
  expect(titles(server, sent)).toEqual([
    'RECOVERED: acme, bolt of again: sound again',
    'RECOVERED: acme of again: sound again',
  ])
})
