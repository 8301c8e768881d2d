/**
 * `alerts`: the sinks that get alarms. An address may contain a secret, so no message here quotes one.
 */

import * as z from 'zod/mini'
import type { AlertKind, AlertSink } from '../settings.ts'
import { command, list, nonEmpty, optional, path, valueNotes, type Kind } from '../value.ts'

/** In the order of their severity. */
export const alertKinds = ['harm', 'paused', 'damaged', 'stale', 'inconclusive', 'recovered'] as const
/** `damage` is another word for `damaged`. */
const kindWords = [...alertKinds, 'damage'] as const
export const sinkKeys = ['command', 'webhook', 'webhookFile', 'heartbeat'] as const
const sinksMax = 20

/** A list of sections, one for each sink. @param folder of the configuration file */
export function alertList(folder: string) {
  const schema = z.pipe(
    z.transform((given: unknown) => given ?? []),
    z
      .array(sinkSection(folder), { error: 'expected a list of sinks such as [{ command: [/usr/local/bin/page] }]' })
      .check(z.maxLength(sinksMax, `expected at most ${sinksMax} sinks`)),
  )
  const allowed = `a list of sinks, at most ${sinksMax}; each has one of ${sinkKeys.join(', ')}, and may have on`
  valueNotes.add(schema, { allowed, unit: null, required: false })
  return schema
}

const sinkSection = (folder: string) =>
  z.strictObject(
    {
      command: optional(command('[/usr/local/bin/page]', folder), null),
      webhook: optional(webAddress, null),
      webhookFile: optional(path('the path of a file, such as /etc/holdfast/webhook', folder), null),
      heartbeat: optional(webAddress, null),
      on: optional(nonEmpty(list('a list such as [damage, paused, stale]', kindWord)), alertKinds),
    },
    {
      error: ({ code }) => (code === 'invalid_type' ? 'expected a section such as { webhook: https://… }' : undefined),
    },
  )

/** Not `oneOf`, which quotes what it refuses. */
const kindWord: Kind<(typeof kindWords)[number]> = {
  expected: `one of ${kindWords.join(', ')}`,
  read(given) {
    const word = kindWords.find((one) => one === given)
    return word === undefined ? { refused: `must name alarms: ${kindWords.join(', ')}` } : { value: word }
  },
}

const addressMax = 4096
const webAddress: Kind<string> = {
  expected: 'an address such as https://alerts.example/hook',
  read(given) {
    if (typeof given !== 'string') return null
    const url = given.length > addressMax ? null : URL.parse(given)
    if (url === null || !/^https?:$/.test(url.protocol) || url.hostname === '')
      return { refused: 'must be an address that begins with https:// or http:// (it is not shown: it may be secret)' }
    if (url.username !== '' || url.password !== '')
      return { refused: 'must not carry a user or password: fetch refuses such addresses' }
    return { value: url.href }
  },
}

type GivenSinks = z.infer<ReturnType<typeof alertList>>

export const sinksOf = (given: GivenSinks): readonly AlertSink[] =>
  given.flatMap(({ command, webhook, webhookFile, heartbeat, on: words }): readonly AlertSink[] => {
    const on: readonly AlertKind[] = [...new Set(words.map((word) => (word === 'damage' ? 'damaged' : word)))]
    if (command !== null) return [{ kind: 'command', command, on }]
    if (webhook !== null) return [{ kind: 'webhook', url: webhook, on }]
    if (webhookFile !== null) return [{ kind: 'webhook-file', file: webhookFile, on }]
    return heartbeat === null ? [] : [{ kind: 'heartbeat', url: heartbeat }]
  })
