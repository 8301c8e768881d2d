/** `alerts test`: one alarm of each kind to every sink, marked as a test. Each is tried once. */

import { hostname } from 'node:os'
import type { Settings } from '../config/settings.ts'
import { monotonicMs } from '../host/clock.ts'
import { newRunId } from '../ledger/run-lock/run-id.ts'
import { printableInUtf8 } from '../text/printable.ts'
import { severities, type Alarm, type AlarmSeverity } from './alarm.ts'
import type { SinkAnswer } from './sinks/sink-answer.ts'
import { heartbeatsIn, alertKindOf, sinksIn, sinkGetsAll, type Sink } from './sinks/sink.ts'

/** What one sink did with one alarm. */
export interface TestedAlarm {
  readonly sink: string
  /** `HEARTBEAT`: its address was asked for. */
  readonly severity: AlarmSeverity | 'HEARTBEAT'
  /** `not-asked-for`: `on` of the sink does not name it, so it was not sent. */
  readonly outcome: 'taken' | 'failed' | 'not-asked-for'
  /** One clause; null unless it failed. */
  readonly why: string | null
  /** null if it was not sent. */
  readonly ms: number | null
}

/** All alarms to one sink together may take no longer. */
const sinkMsMax = 30_000

/** @returns in the order of the configuration, the gravest alarm first */
export async function testSinks(
  { alerts, service }: Pick<Settings, 'alerts' | 'service'>,
  command: string,
  signal: AbortSignal,
): Promise<readonly TestedAlarm[]> {
  const alarms = severities.map((severity) => testAlarm(severity, service.name, command))
  const tested = [
    ...sinksIn(alerts).map((sink) => testSink(sink, alarms, signal)),
    ...heartbeatsIn(alerts).map(async (heartbeat) => [
      await timeDelivery(heartbeat.name, 'HEARTBEAT', () =>
        heartbeat.ping(AbortSignal.any([signal, AbortSignal.timeout(sinkMsMax)])),
      ),
    ]),
  ]
  const all = (await Promise.all(tested)).flat()
  return all.toSorted((one, other) => placeOf(one) - placeOf(other))
}

async function testSink(sink: Sink, alarms: readonly Alarm[], signal: AbortSignal): Promise<readonly TestedAlarm[]> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(sinkMsMax)])
  const tested: TestedAlarm[] = []
  for (const alarm of alarms) {
    const { severity } = alarm
    const { name } = sink
    tested.push(
      sinkGetsAll(sink, [alertKindOf(severity)])
        ? await timeDelivery(name, severity, async () =>
            limit.aborted ? { ok: false, why: 'there was no time left for it' } : sink.send(alarm, limit),
          )
        : { sink: name, severity, outcome: 'not-asked-for', why: null, ms: null },
    )
  }
  return tested
}

async function timeDelivery(
  sink: string,
  severity: TestedAlarm['severity'],
  send: () => Promise<SinkAnswer>,
): Promise<TestedAlarm> {
  const startedAtMs = monotonicMs()
  const sent = await send()
  const ms = Math.round(monotonicMs() - startedAtMs)
  return sent.ok
    ? { sink, severity, outcome: 'taken', why: null, ms }
    : { sink, severity, outcome: 'failed', why: sent.why, ms }
}

/** `alerts[3]` */
const placeOf = ({ sink }: TestedAlarm): number => Number(/^alerts\[(\d+)\]/.exec(sink)?.[1] ?? 0)

function testAlarm(severity: AlarmSeverity, service: string, command: string): Alarm {
  const now = Date.now()
  const about = severity === 'STALE' ? [] : [{ tenant: 'test-tenant', path: '/test/only.db' }]
  const known = severity === 'DAMAGED' ? ({ verdict: 'damaged', damage: 'index' } as const) : null
  return {
    schema: 'holdfast.alarm/1',
    id: newRunId(now),
    severity,
    title: `${severity}: TEST of ${service}, nothing has happened`,
    service,
    host: printableInUtf8(hostname()),
    incident: null,
    run: newRunId(now),
    since: new Date(now).toISOString(),
    tenants: about.map((one) => ({
      ...one,
      verdict: known?.verdict ?? null,
      damage: known?.damage ?? null,
      remedy: null,
    })),
    tenantsTotal: about.length,
    command,
    text: `\`holdfast alerts test\` sent this. Nothing has happened: the tenant and the file do not exist.`,
    test: true,
  }
}
