/**
 * What a comparison by key asks of the agents, and what they answer. Messages go through the database of the fleet, so
 * each side reads them as text that any program may have written. Answers hold fingerprints, digests and keys of rows.
 * They never hold another value of a row.
 */

import { z } from 'zod'
import { packedSchema, packedWordsSchema } from './pack-numbers.ts'

/** Rows of one pass of one copy: 24 bytes each in a child, and 22 letters in a message. */
export const rowsEachPass = 20_000
/** As `rowBuckets` and three numbers each in comparison/row-sums.ts. */
const bucketsMax = 4096
const sumsBytesMax = bucketsMax * 3 * 4
/** Of a file. The comparison by digests takes as many. */
const tablesMax = 1000
const lettersMax = 4096
const keyBytesMax = 2 ** 20

const file = z.int().min(0).max(1000)
const word = z
  .int()
  .min(0)
  .max(2 ** 32 - 1)

export const rowQuestion = z.discriminatedUnion('step', [
  /** Which files there are. The first question: the snapshots are taken and checked for it. */
  z.object({ step: z.literal('files') }),
  /** Opens one file and describes its tables. The next questions are about it, until another is opened. */
  z.object({ step: z.literal('open'), file }),
  z.object({
    step: z.literal('begin'),
    tree: z.int().min(0).max(1_000_000),
    identity: z.enum(['key', 'content']),
    asUtf8: z.boolean(),
    key: z.tuple([word, word]),
  }),
  z.object({ step: z.literal('sums') }),
  /** `wanted`: a mark for each bucket; null for all rows. */
  z.object({ step: z.literal('rows'), wanted: packedSchema(bucketsMax).nullable() }),
  z.object({
    step: z.literal('name'),
    onlyHere: packedWordsSchema(4 * rowsEachPass),
    different: packedWordsSchema(4 * rowsEachPass),
  }),
  z.object({ step: z.literal('first') }),
  /** The command that asks is still there. It has no answer. */
  z.object({ step: z.literal('ping') }),
  z.object({ step: z.literal('end') }),
])
/** As it is sent: columns are packed. */
export type SentQuestion = z.input<typeof rowQuestion>
export type RowQuestion = z.output<typeof rowQuestion>

const text = z.string().max(lettersMax)
const columns = z.array(z.object({ name: text })).max(32_767)
const shape = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('rowid-table'), rowidAlias: z.int().min(-1).max(32_767), columns }),
  z.object({ kind: z.literal('keyed-table'), key: z.array(z.null()).max(32_767), columns }),
])

const tableOfFile = z.object({
  name: text,
  rows: z.int().min(0),
  digest: text.nullable(),
  /** Why its content may be incomplete; null if it is complete. */
  doubt: text.nullable(),
  /** null if its rows cannot be read one by one. */
  tree: z.int().min(0).nullable(),
  shape: shape.nullable(),
})
export type TableOfFile = z.infer<typeof tableOfFile>

const filesAnswer = z.object({ files: z.array(z.object({ path: text })).max(1000) })

const openAnswer = z.object({
  encoding: text,
  /** Why its rows cannot be read one by one; null if they can. */
  why: text.nullable(),
  tables: z.array(tableOfFile).max(tablesMax),
})

const keyText = z.string().max(keyBytesMax)
const keyColumn = z.union([keyText, z.number(), z.null(), z.object({ blob: keyText })])
const keys = z.array(z.union([keyText, z.number(), z.array(keyColumn).max(100)])).max(100)
const columnOfRows = packedWordsSchema(4 * rowsEachPass)

/** By the step of their question. */
export const rowAnswers = {
  files: filesAnswer,
  open: openAnswer,
  begin: z.object({ refused: text.nullable() }),
  sums: z.object({ sums: packedWordsSchema(sumsBytesMax), digest: text, keyedDigest: text, unread: text.nullable() }),
  rows: z.object({
    count: z.int().min(0).max(rowsEachPass),
    keyLow: columnOfRows,
    keyHigh: columnOfRows,
    contentLow: columnOfRows,
    contentHigh: columnOfRows,
    full: z.boolean(),
    unread: text.nullable(),
  }),
  name: z.object({}),
  first: z.object({ onlyHere: keys, different: keys }),
} as const
export type AnsweredStep = keyof typeof rowAnswers
export type AnswerTo<Step extends AnsweredStep> = z.output<(typeof rowAnswers)[Step]>
/** As it is sent: columns are packed. */
export type SentAnswer<Step extends AnsweredStep> = z.input<(typeof rowAnswers)[Step]>

/** The agent could not answer: the reader ended, the tenant could not be held, or the question is none. */
export const rowFailure = z.object({ failed: z.string().max(lettersMax) })
