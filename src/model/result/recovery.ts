/** Recovery: what SQLite does with a WAL or a rollback journal beside a file when it opens the file. */

import type { DamageClass } from './finding.ts'
import type { TableContent, VerdictWord } from './verdict.ts'

/** A WAL or a journal that SQLite uses for recovery, or deletes unread. */
export interface Companion {
  readonly part: '-wal' | '-journal'
  readonly bytes: number
  /** `ignored`: SQLite deletes it unread, because the file is empty. */
  readonly did: 'replayed' | 'rolled-back' | 'ignored'
}

export interface Recovery {
  readonly companions: readonly (Companion & {
    /** The time of the last write; null if it was not read. */
    readonly modifiedAt: string | null
    /** How much later the file itself was written, in ms; negative if the companion is newer. */
    readonly fileNewerByMs: number | null
  })[]
  /** Number of pages of the file that recovery changed; null if there were too many to count. */
  readonly pagesChanged: number | null
  /**
   * The file without its companions; null if it was not read without them: nothing was found, or a limit was reached.
   */
  readonly without: {
    readonly verdict: VerdictWord
    readonly damage: DamageClass
    readonly findingsTotal: number
    readonly tables: readonly TableContent[]
  } | null
}
