/** The shape that a record must have before anything in it is believed: what it names may be changed or deleted. */
import * as z from 'zod/mini'
import { changeMethods } from '../../../model/result/remedy.ts'

const digits = z.string().check(z.regex(/^-?\d{1,30}$/))
const sha256 = z.string().check(z.regex(/^[0-9a-f]{64}$/))
const size = z.int().check(z.nonnegative())
/** A name in one folder, never a path. */
const name = z.string().check(z.minLength(1), z.regex(/^(?!\.\.?$)[^/\0]+$/))
/** A name that holdfast alone uses. */
const ourName = z.string().check(z.regex(/^\.holdfast-[0-9A-Z]{26}-\d+-[a-z]+$/))
const seen = z.object({ dev: digits, ino: digits, size, mtimeNs: digits, ctimeNs: digits })
const content = z.object({ name, bytes: size, sha256 })

const file = z.object({
  path: z.string().check(z.startsWith('/')),
  original: z
    .array(z.object({ part: z.enum(['', '-wal', '-journal']), name, bytes: size, sha256 }))
    .check(z.maxLength(3)),
  settled: z.nullable(content),
  before: z.nullable(seen),
  after: z.nullable(seen),
  mended: z.nullable(z.object({ bytes: size, sha256 })),
  beside: z.array(
    z.object({
      what: z.enum(['settled', 'mended', 'original', 'wal', 'journal', 'aside']),
      name: ourName,
      dev: digits,
      ino: digits,
    }),
  ),
  samples: z.array(z.object({ page: size, old: sha256, new: sha256 })).check(z.maxLength(64)),
  holdsOriginal: z.optional(z.boolean()),
})

export const recordShape = z.object({
  schema: z.literal('holdfast.change/1'),
  change: z.string().check(z.regex(/^[0-9A-Z]{26}$/)),
  run: z.string(),
  tool: z.object({ version: z.string() }),
  tenant: z.nullable(z.string()),
  remedy: z.enum(['nothing', 'rebuild', 'rewrite', 'restore', 'salvage', 'ask']),
  method: z.nullable(z.enum(changeMethods)),
  state: z.enum(['kept', 'prepared', 'applied', 'rolled-back', 'undoing', 'undone', 'unclear']),
  tidy: z.boolean(),
  at: z.iso.datetime(),
  files: z.array(file).check(z.minLength(1), z.maxLength(1_000)),
})
