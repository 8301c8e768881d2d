/** Reads events from the text in which they are stored, and checks their shape. */

import * as z from 'zod/mini'
import { tenantId } from '../../model/brand.ts'
import type { Event } from '../../model/event.ts'
import { sealLevels } from '../../model/result/evidence.ts'
import { damageClasses } from '../../model/result/finding.ts'
import { checkDepths } from '../../model/result/reading.ts'
import { changeMethods } from '../../model/result/remedy.ts'
import { jsonOrNull } from '../../text/json-text.ts'

const tenant = z.pipe(z.string(), z.transform(tenantId))
// Any text: a newer holdfast may know failures that this one does not.
const code = z.string()
const milliseconds = z.nullable(z.number())

/** The part of a result that the ledger itself reads. The rest is passed on as it was written. */
const result = z.looseObject({
  path: z.string(),
  verdict: z.enum(['sound', 'damaged', 'inconclusive', 'failed']),
  damage: z.enum(damageClasses),
  depth: z.enum(checkDepths),
  findings: z.array(z.looseObject({ rule: z.string(), text: z.string() })),
  timings: z.looseObject({ pauseMs: milliseconds, totalMs: z.number() }),
  failure: z.optional(z.looseObject({ code })),
  evidence: z.looseObject({
    level: z.enum(sealLevels),
    proofs: z.array(
      z.looseObject({
        changeCounter: z.number(),
        walSalts: z.nullable(z.string()),
        files: z.array(z.looseObject({ part: z.string(), size: z.number() })),
      }),
    ),
    snapshot: z.nullable(z.looseObject({ bytes: z.number(), tailBytes: z.number() })),
  }),
})

const shapes = {
  'run-started': z.looseObject({
    kind: z.literal('run-started'),
    mode: z.string(),
    version: z.string(),
    argv: z.array(z.string()),
    incident: z.optional(z.string()),
    request: z.optional(z.looseObject({ id: z.string(), by: z.string() })),
    fleet: z.optional(
      z.looseObject({ run: z.string(), week: z.string(), chunk: z.number(), attempt: z.int().check(z.minimum(1)) }),
    ),
  }),
  'sweep-selected': z.looseObject({
    kind: z.literal('sweep-selected'),
    since: z.number(),
    depth: z.enum(checkDepths),
    only: z.nullable(z.array(z.string())),
    selected: z.number(),
    notDue: z.number(),
  }),
  'run-finished': z.looseObject({
    kind: z.literal('run-finished'),
    exitCode: z.number(),
    selected: z.number(),
    covered: z.number(),
    whole: z._default(z.boolean(), false), // Older lines do not have it.
    notCovered: z.optional(z.array(z.object({ tenant: z.nullable(tenant), path: z.string() }))),
    backups: z.optional(z.looseObject({ oldestAt: milliseconds, tenant: z.nullable(tenant), missing: z.number() })),
    notDue: z.optional(z.number()),
    harm: z.optional(z.string()),
  }),
  'registry-read': z.discriminatedUnion('source', [
    z.looseObject({
      kind: z.literal('registry-read'),
      source: z.literal('live'),
      since: z.number(),
      unsearched: z.optional(z.looseObject({ places: z.number(), first: z.string() })),
    }),
    z.looseObject({
      kind: z.literal('registry-read'),
      source: z.literal('cached'),
      since: z.number(),
      code,
      why: z.string(),
    }),
    z.looseObject({
      kind: z.literal('registry-read'),
      source: z.literal('refused'),
      since: milliseconds,
      code,
      why: z.string(),
    }),
  ]),
  'hold-asked': z.looseObject({ kind: z.literal('hold-asked'), tenant, holder: z.string(), endsBy: z.number() }),
  'hold-quiesced': z.looseObject({
    kind: z.literal('hold-quiesced'),
    tenant,
    holder: z.string(),
    leaseId: z.string(),
    fence: z.nullable(z.number()),
  }),
  'hold-ended': z.looseObject({
    kind: z.literal('hold-ended'),
    tenant,
    holder: z.string(),
    how: z.enum(['resumed', 'expired', 'never-began', 'service-restarted', 'tenant-gone', 'seen-serving']),
    heldMs: milliseconds,
    pauseMs: z.optional(milliseconds),
  }),
  'resume-failed': z.looseObject({ kind: z.literal('resume-failed'), tenant, holder: z.string(), code }),
  'remedy-planned': z.looseObject({
    kind: z.literal('remedy-planned'),
    tenant,
    path: z.string(),
    plan: z.string(),
    remedy: z.string(),
    before: z.string(),
    after: z.string(),
  }),
  'change-begun': z.looseObject({
    kind: z.literal('change-begun'),
    tenant,
    path: z.string(),
    change: z.string(),
    remedy: z.string(),
    method: z.enum(changeMethods),
  }),
  'change-ended': z.looseObject({
    kind: z.literal('change-ended'),
    tenant,
    path: z.string(),
    change: z.string(),
    how: z.enum(['applied', 'rolled-back', 'undone']),
  }),
  checked: z.looseObject({ kind: z.literal('checked'), tenant, result }),
} satisfies Record<Event['kind'], z.ZodMiniType>

/** `unknown`: a kind of a newer holdfast, which is left out silently. `garbled`: no holdfast wrote it so. */
type EventParseResult =
  | { readonly kind: 'event'; readonly event: Event }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'garbled' }

export function readEvent(kind: unknown, text: unknown): EventParseResult {
  if (typeof kind !== 'string' || typeof text !== 'string') return { kind: 'garbled' }
  if (!Object.hasOwn(shapes, kind)) return { kind: 'unknown' }
  const parsed = shapes[kind as Event['kind']].safeParse(jsonOrNull(text))
  return parsed.success ? { kind: 'event', event: parsed.data as unknown as Event } : { kind: 'garbled' }
}
