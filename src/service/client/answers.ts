/** The shapes of the admin API's answers. Unknown fields are ignored, because a service may add some. */
import * as z from 'zod/mini'
import { quoteText } from '../quote-text.ts'
import { idLettersMax } from '../registry-bounds.ts'

const count = z.int().check(z.nonnegative())
const milliseconds = z.number().check(z.nonnegative())
const name = z.string().check(z.minLength(1), z.maxLength(1000))
const fence = z.int().check(z.positive())
/** A device or inode number. It has 64 bits, so it is a decimal string. */
const decimal = z.string().check(z.regex(/^(0|[1-9][0-9]{0,19})$/, 'must be a decimal string'))
/** Half a surrogate pair cannot be percent-encoded, so no request could name such an id. */
export const tenantIdSchema = z.string().check(
  z.minLength(1),
  z.maxLength(idLettersMax),
  z.refine((id) => id.isWellFormed(), 'must be well-formed Unicode'),
)
/** Text of the service that only operators read: one bounded line. */
const saying = z.pipe(z.string(), z.transform(quoteText))
const serving = z.enum(['active', 'draining', 'quiesced', 'resuming'])
/** An absent field means null: many languages leave out empty fields. */
const absentOr = <Schema extends z.ZodMiniType>(schema: Schema): z.ZodMiniDefault<z.ZodMiniNullable<Schema>> =>
  z._default(z.nullable(schema), null)

const path = z.string().check(z.minLength(1))

/**
 * An array of `item`. Only the first item that does not fit is named: an answer may hold millions, and each issue takes
 * more memory than the item.
 */
export const listOf = <Item>(item: z.ZodMiniType<Item>): z.ZodMiniType<Item[]> =>
  z.pipe(
    z.array(z.unknown()),
    z.transform((given, context) => {
      const read: Item[] = []
      for (const [at, one] of given.entries()) {
        const parsed = item.safeParse(one)
        if (parsed.success) {
          read.push(parsed.data)
          continue
        }
        const [issue] = item.safeParse(one, { error: z.locales.en().localeError }).error?.issues ?? []
        context.issues.push({
          code: 'custom',
          input: one,
          path: [at, ...(issue?.path ?? [])],
          message: issue?.message ?? 'it has another form',
        })
        break
      }
      return read
    }),
  )

export const files = listOf(path)

export const pageAnswer = z.object({
  tenants: listOf(z.object({ id: tenantIdSchema, files, state: serving })),
  next: absentOr(z.string().check(z.minLength(1))),
})

const lease = z.object({ leaseId: name, fence, holder: z.string(), expiresInMs: milliseconds, heldMs: milliseconds })

export const statusAnswer = z.object({
  id: tenantIdSchema,
  state: serving,
  healthy: z.boolean(),
  lastError: absentOr(saying),
  lease: absentOr(lease),
})

/**
 * The part of a status that shows whether a tenant serves: its state. Another field that does not fit is ignored, and a
 * missing health counts as healthy.
 */
export const servingAnswer = z.object({
  id: z.catch(z.optional(tenantIdSchema), undefined),
  state: serving,
  healthy: z.catch(z.boolean(), true),
  lastError: z.catch(absentOr(saying), null),
  lease: z.catch(absentOr(lease), null),
})

export const quiesceAnswer = z.object({
  leaseId: name,
  fence,
  bootId: name,
  state: z.literal('quiesced'),
  expiresInMs: milliseconds,
  drain: z.object({ waitedMs: milliseconds, inFlight: z.literal(0) }),
  openHandles: count,
  files: listOf(z.object({ path, dev: decimal, ino: decimal, size: count, journalMode: z.string() })),
  sqliteVersion: absentOr(saying),
})

export const renewAnswer = z.object({ expiresInMs: milliseconds })

export const resumeAnswer = z.object({
  state: z.literal('active'),
  heldMs: milliseconds,
  continuous: z.boolean(),
  bootId: name,
  endedBy: z.literal('holder'),
})

export const leasesAnswer = z.object({
  leases: listOf(
    z.object({ tenant: tenantIdSchema, leaseId: name, fence, holder: z.string(), expiresInMs: milliseconds }),
  ),
  limit: count,
  inUse: count,
})

export const capabilitiesAnswer = z.object({
  service: saying,
  version: saying,
  sqliteVersion: absentOr(saying),
  bootId: name,
  modes: z.array(z.string()),
  limits: z.record(z.string(), z.number()),
})

export type ReadAnswer<T> =
  | { readonly kind: 'read'; readonly value: T }
  | { readonly kind: 'misfit'; readonly why: string }

/** `why` names the first field that does not fit. */
export function readAnswer<T>(schema: z.ZodMiniType<T>, json: unknown): ReadAnswer<T> {
  if (json === undefined) return { kind: 'misfit', why: 'it is not JSON' }
  const read = schema.safeParse(json)
  if (read.success) return { kind: 'read', value: read.data }
  // The messages are made only now, because they take memory.
  const [issue] = schema.safeParse(json, { error: z.locales.en().localeError }).error?.issues ?? []
  return {
    kind: 'misfit',
    why: issue ? `${issue.path.join('.') || 'the answer'}: ${issue.message}` : 'it has another form',
  }
}
