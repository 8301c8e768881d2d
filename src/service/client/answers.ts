/** The answers of the admin API, checked once at the edge. Unknown fields are ignored: services may say more. */
import { z } from 'zod'

const count = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER)
const milliseconds = z.number().nonnegative()
const name = z.string().min(1).max(1000)
const fence = z.number().int().positive().max(Number.MAX_SAFE_INTEGER)
/** A device or inode: 64 bit, so a decimal string. */
const decimal = z.string().regex(/^(0|[1-9][0-9]{0,19})$/, 'must be a decimal string')
/** Half a surrogate pair cannot be percent-encoded, so such an id could never be asked for. */
const tenantId = z.string().min(1).max(4096).refine((id) => id.isWellFormed(), 'must be well-formed Unicode')
const serving = z.enum(['active', 'draining', 'quiesced', 'resuming'])

export const pageAnswer = z.object({
  tenants: z.array(z.object({ id: tenantId, files: z.array(z.string().min(1)), state: serving })),
  next: z.string().min(1).nullable(),
})

export const statusAnswer = z.object({
  id: tenantId, state: serving, healthy: z.boolean(), lastError: z.string().nullable(),
  lease: z.object({ leaseId: name, fence, holder: z.string(), expiresInMs: milliseconds, heldMs: milliseconds }).nullable(),
})

export const quiesceAnswer = z.object({
  leaseId: name, fence, bootId: name, state: z.literal('quiesced'), expiresInMs: milliseconds,
  drain: z.object({ waitedMs: milliseconds, inFlight: z.literal(0) }),
  openHandles: count,
  files: z.array(z.object({ path: z.string().min(1), dev: decimal, ino: decimal, size: count, journalMode: z.string() })),
  sqliteVersion: z.string().nullable(),
})

export const renewAnswer = z.object({ expiresInMs: milliseconds })

export const resumeAnswer = z.object({ state: z.literal('active'), heldMs: milliseconds, continuous: z.boolean(), bootId: name, endedBy: z.literal('holder') })

export const leasesAnswer = z.object({
  leases: z.array(z.object({ tenant: tenantId, leaseId: name, fence, holder: z.string(), expiresInMs: milliseconds })),
  limit: count, inUse: count,
})

export const capabilitiesAnswer = z.object({
  service: z.string(), version: z.string(), sqliteVersion: z.string().nullable(), bootId: name, modes: z.array(z.string()), limits: z.record(z.string(), z.number()),
})

export type Read<T> = { readonly kind: 'read'; readonly value: T } | { readonly kind: 'misfit'; readonly why: string }

/** `why` names the first field that does not fit. */
export function readAnswer<T>(schema: z.ZodType<T>, json: unknown): Read<T> {
  if (json === undefined) return { kind: 'misfit', why: 'it is not JSON' }
  const read = schema.safeParse(json)
  if (read.success) return { kind: 'read', value: read.data }
  const [issue] = read.error.issues
  return { kind: 'misfit', why: issue ? `${issue.path.join('.') || 'the answer'}: ${issue.message}` : 'it has another form' }
}
