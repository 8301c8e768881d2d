/** The shape of the file, checked when it is read: another version of holdfast may have written it. */

import * as z from 'zod/mini'
import { damageClasses } from '../../model/result/finding.ts'
import { jsonOrNull } from '../../text/json-text.ts'
import { severities } from '../alarm.ts'
import type { AlarmState } from './alarm-state.ts'

const severity = z.enum(severities)
const key = z.object({ tenant: z.nullable(z.string()), path: z.string(), damage: z.string() })

const alarm = z.object({
  schema: z.literal('holdfast.alarm/1'),
  id: z.string(),
  severity,
  title: z.string(),
  service: z.string(),
  host: z.string(),
  incident: z.nullable(z.string()),
  run: z.string(),
  since: z.string(),
  tenants: z.array(
    z.looseObject({
      tenant: z.nullable(z.string()),
      path: z.string(),
      verdict: z.nullable(z.string()),
      damage: z.nullable(z.enum(damageClasses)),
      remedy: z.nullable(z.looseObject({ do: z.string() })),
    }),
  ),
  tenantsTotal: z.number(),
  command: z.string(),
  text: z.string(),
})

const shape = z.object({
  standing: z.array(
    z.object({
      severity: z.enum(['HARM SUSPECTED', 'PAUSED', 'DAMAGED', 'STALE', 'INCONCLUSIVE']),
      subject: z.string(),
      since: z.number(),
      sentAt: z.number(),
      keys: z.array(key),
      total: z.number(),
      culprit: z.optional(z.string()),
    }),
  ),
  pending: z.array(
    z.object({
      alarm,
      severities: z.array(severity),
      subject: z.optional(z.string()),
      sinks: z.array(z.string()),
      since: z.number(),
    }),
  ),
})

/** null for text that this version did not write. */
export function readState(text: string): AlarmState | null {
  const parsed = shape.safeParse(jsonOrNull(text))
  return parsed.success ? (parsed.data as unknown as AlarmState) : null
}
