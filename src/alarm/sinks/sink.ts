/** Where an alarm goes: one sink of `alerts`. */

import { createHash } from 'node:crypto'
import type { AlertKind, AlertSink } from '../../config/settings.ts'
import { printableSentenceInUtf8 } from '../../text/printable.ts'
import type { Alarm, AlarmSeverity } from '../alarm.ts'
import { sendByCommand } from './command-sink.ts'
import type { SinkAnswer } from './sink-answer.ts'
import { sendByWeb } from './web.ts'
import { readWebhookFile } from './webhook-file.ts'

export interface Sink {
  /** For people: `alerts[1] (webhook alerts.example)`. Never more of an address than its host. */
  readonly name: string
  /** Names the sink to later runs, whatever its place in the list. Tells nothing of its address. */
  readonly key: string
  /** The alarms that it gets; empty for a heartbeat. */
  readonly on: readonly AlertKind[]
  /** One attempt. Never rejects, and ends at the latest with the signal and a moment for killing a command. */
  send(alarm: Alarm, signal: AbortSignal): Promise<SinkAnswer>
}

export interface Heartbeat {
  readonly name: string
  ping(signal: AbortSignal): Promise<SinkAnswer>
}

/** In the order of the configuration. */
export const sinksIn = (alerts: readonly AlertSink[]): readonly Sink[] =>
  alerts.flatMap((one, at) => (one.kind === 'heartbeat' ? [] : [openSink(one, `alerts[${at}]`)]))

export const heartbeatsIn = (alerts: readonly AlertSink[]): readonly Heartbeat[] =>
  alerts.flatMap((one, at) =>
    one.kind === 'heartbeat'
      ? [
          {
            name: `alerts[${at}] (heartbeat ${hostOf(one.url)})`,
            ping: (signal) => sendByWeb(one.url, { method: 'GET' }, signal),
          },
        ]
      : [],
  )

export const alertKindOf = (severity: AlarmSeverity): AlertKind => kinds[severity]

const kinds: Readonly<Record<AlarmSeverity, AlertKind>> = {
  'HARM SUSPECTED': 'harm',
  PAUSED: 'paused',
  DAMAGED: 'damaged',
  STALE: 'stale',
  INCONCLUSIVE: 'inconclusive',
  RECOVERED: 'recovered',
}

function openSink(sink: Exclude<AlertSink, { kind: 'heartbeat' }>, place: string): Sink {
  const { on } = sink
  const key = createHash('sha256')
    .update(JSON.stringify([sink.kind, addressOf(sink)]))
    .digest('hex')
    .slice(0, 16)
  switch (sink.kind) {
    case 'command': {
      const [program] = sink.command
      const name = `${place} (command ${printableSentenceInUtf8(program)})`
      return { name, key, on, send: (alarm, signal) => sendByCommand(sink.command, alarm, signal) }
    }
    case 'webhook': {
      const name = `${place} (webhook ${hostOf(sink.url)})`
      return { name, key, on, send: (alarm, signal) => sendByWeb(sink.url, post(alarm), signal) }
    }
    case 'webhook-file': {
      const name = `${place} (webhookFile ${printableSentenceInUtf8(sink.file)})`
      return {
        name,
        key,
        on,
        async send(alarm, signal) {
          const read = await readWebhookFile(sink.file)
          return 'why' in read ? { ok: false, why: read.why } : sendByWeb(read.url, post(alarm), signal)
        },
      }
    }
  }
}

function addressOf(sink: Exclude<AlertSink, { kind: 'heartbeat' }>): unknown {
  switch (sink.kind) {
    case 'command':
      return sink.command
    case 'webhook':
      return sink.url
    case 'webhook-file':
      return sink.file
  }
}

const hostOf = (url: string): string => new URL(url).host

const post = (alarm: Alarm): { readonly method: 'POST'; readonly body: string } => ({
  method: 'POST',
  body: JSON.stringify(alarm),
})

/** True if the sink gets alarms of all of these kinds. */
export const sinkGetsAll = ({ on }: Sink, all: readonly AlertKind[]): boolean => all.every((kind) => on.includes(kind))
