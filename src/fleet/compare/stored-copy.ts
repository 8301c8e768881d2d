/** What the database of the fleet has of one file of a tenant on one host. */

import { z } from 'zod'
import type { ContentBasis } from '../../model/result/verdict.ts'
import { jsonOrNull } from '../../text/json-text.ts'

export interface StoredTable {
  readonly name: string
  /** null if they were not counted. */
  readonly rows: number | null
  readonly digest: string | null
}

/** The digests of one check. */
interface StoredDigests {
  /** ms since 1970, by the clock of the database. */
  readonly madeAt: number
  /** null if an older holdfast stored them without it. */
  readonly basis: ContentBasis | null
  readonly tables: readonly StoredTable[]
}

export interface StoredCopy {
  readonly host: string
  readonly service: string
  readonly path: string
  /** null if it was never checked. */
  readonly verdict: string | null
  /** null if no check has stored any. */
  readonly digests: StoredDigests | null
}

const basisShape = z.object({
  format: z.string().min(1).max(100),
  encoding: z.enum(['UTF-8', 'UTF-16le', 'UTF-16be']),
  schema: z.string().max(100).nullable(),
})

/** @param facts as they are stored beside a digest: text of a database that may hold anything */
export function basisIn(facts: string | null): ContentBasis | null {
  if (facts === null) return null
  return z.object({ basis: basisShape }).safeParse(jsonOrNull(facts)).data?.basis ?? null
}
