/** Recovery: what SQLite makes of a file when it opens it with a WAL or a rollback journal beside it. */
import type { DamageClass } from './finding.ts'
import type { TableContent, VerdictWord } from './verdict.ts'

/** A WAL or a journal that SQLite takes something from, or deletes unread. */
export interface Companion {
  readonly part: '-wal' | '-journal'
  readonly bytes: number
  /** `ignored`: beside an empty file SQLite deletes it unread. */
  readonly did: 'replayed' | 'rolled-back' | 'ignored'
}

export interface Recovery {
  readonly companions: readonly (Companion & {
    /** When it was last written; null where nobody looked. */
    readonly modifiedAt: string | null
    /** How much later than it the file itself was written, in ms; negative where the companion is the newer one. */
    readonly fileNewerByMs: number | null
  })[]
  /** Pages of the file that hold something else since; null where they were too many to be kept for counting. */
  readonly pagesChanged: number | null
  /** The file without its companions; null where it was not read so: nothing was found, or a bound was met. */
  readonly without: {
    readonly verdict: VerdictWord
    readonly damage: DamageClass
    readonly findingsTotal: number
    readonly tables: readonly TableContent[]
  } | null
}
