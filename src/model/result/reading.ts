/** A reading: the facts that a check brings back from a snapshot, before diagnosis makes findings of them. */

import type { Finding } from './finding.ts'
import type { PageDigestResult } from './last-good.ts'
import type { MappedPages, NoMap } from './page-map.ts'
import type { Companion } from './recovery.ts'
import type { SampledRange } from './sample.ts'
import type { Coverage, RowCounts, TableContent, TextEncodingName } from './verdict.ts'

/** A b-tree, virtual table, view or trigger of the schema. `root`: 0 if it has no b-tree of its own. */
export interface SchemaObject {
  readonly kind: 'table' | 'index' | 'virtual-table' | 'view' | 'trigger'
  readonly name: string
  readonly table: string
  readonly root: number
  /** Module of a virtual table (`fts5`, `rtree`); null for others. */
  readonly module: string | null
  /** The virtual table that this shadow table belongs to; null for another table. */
  readonly shadowOf: string | null
  /** The table or view with the text of this full-text index; null if it has none, and for other objects. */
  readonly textFrom: string | null
}

export type Fact =
  /** One line of `integrity_check` or `quick_check`; never `ok`, never empty. */
  | { readonly kind: 'message'; readonly text: string }
  /**
   * SQLite threw an error. `code`: its name (`SQLITE_CORRUPT`). `during`: the statement or step. `object`: the name
   * that it was about.
   */
  | {
      readonly kind: 'thrown'
      readonly code: string
      readonly text: string
      readonly during: string
      readonly object: string | null
    }
  /**
   * SQLite refuses this row of the schema. `statement`: `whole` is some kind of SQL about this object, `unlike` begins
   * as no SQLite that we know begins one, `torn` is not SQL by any rules.
   */
  | {
      readonly kind: 'refused'
      readonly name: string
      readonly table: string
      readonly why: string
      readonly statement: 'whole' | 'unlike' | 'torn'
    }
  /** Our own reading of the pages found this. */
  | { readonly kind: 'found'; readonly finding: Finding }
  /** `foreign_key_check`: rows of `table` without a parent in `parent`. */
  | {
      readonly kind: 'orphans'
      readonly table: string
      readonly parent: string
      readonly rows: readonly (number | string)[]
      readonly total: number
    }
  /**
   * The child that read the snapshot did not finish. `killed`: from outside, by the kernel's out-of-memory killer or by
   * a person.
   */
  | {
      readonly kind: 'child-ended'
      readonly how: 'crashed' | 'killed' | 'timeout' | 'memory'
      readonly during: string
      readonly detail: string
    }

/**
 * What compares rows with index entries: our census together with SQLite's quick check, or SQLite's integrity check.
 */
export const engines = ['census', 'sqlite'] as const
export type Engine = (typeof engines)[number]

/**
 * A part of the confinement of the process that reads a file. `own-folder`: it sees only its folder. `other-user`: it
 * runs as a user that owns nothing else. `few-calls`: the kernel refuses it the network, programs and other processes.
 */
export type Wall = 'own-folder' | 'other-user' | 'few-calls'

const wallsInWords: Readonly<Record<Wall, string>> = {
  'own-folder': 'saw only its own folder',
  'other-user': 'ran as a user without rights',
  'few-calls': 'had no network and could start no programs',
}

/** The words after "a process that". */
export const describeWalls = (standing: readonly Wall[]): string =>
  standing.length === 0 ? 'was not confined' : standing.map((wall) => wallsInWords[wall]).join(', ')

/** `quick`: structure only. `full`: every index against its table too. `sample`: a range of pages (sample.ts). */
export const checkDepths = ['quick', 'full', 'sample'] as const
export type CheckDepth = (typeof checkDepths)[number]

export interface Reading {
  readonly depth: CheckDepth
  readonly engine: Engine
  readonly sqliteVersion: string
  /** The confinement of every process that read. */
  readonly walls: readonly Wall[]
  /** Version of the SQLite that wrote the file last, from the header; null if the header has none. */
  readonly writtenBy: string | null
  readonly facts: readonly Fact[]
  readonly objects: readonly SchemaObject[]
  /** Root page of the b-tree that a page belongs to, for the pages that messages name. 0: the free list. */
  readonly owners: ReadonlyMap<number, number>
  readonly coverage: Coverage
  /** Bytes; 0 if the header gives none. */
  readonly pageSize: number
  /** What was read of a sample; null at another depth, and if the sample was not read to its end. */
  readonly sampled: SampledRange | null
  /** Digest of the schema, normalized: the same for all files with the same objects. null if it was not read. */
  readonly schema: string | null
  /** null if the schema has no plan for a census. */
  readonly encoding: TextEncodingName | null
  readonly content: readonly TableContent[]
  /** Of the tables that the census counted. */
  readonly rowCounts: readonly RowCounts[]
  /** null if no map was requested. */
  readonly map: MappedPages | NoMap | null
  /** null if nothing beside the file makes SQLite recover it. */
  readonly recovered: RecoveryFacts | null
  /** Digests of the bytes of pages, if they were requested. */
  readonly pages: PageDigestResult
  /** True if all that was requested was read: no child died, and nothing stopped early. */
  readonly complete: boolean
  readonly checkMs: number
}

/** What recovery did to the snapshot before it was read. */
export interface RecoveryFacts {
  readonly companions: readonly Companion[]
  readonly pagesChanged: number | null
  /** The file read without its companions; null if nothing was wrong with the recovered file. */
  readonly without: Reading | null
}
