import type { Finding } from './finding.ts'
import type { PagesSeen } from './last-good.ts'
import type { MappedPages, NoMap } from './page-map.ts'
import type { Companion } from './recovery.ts'
/** A reading: the facts that a check brings back from a snapshot, before diagnosis makes findings of them. */
import type { Coverage, RowCounts, TableContent } from './verdict.ts'

/** A b-tree, virtual table, view or trigger of the schema. `root` is 0 where it has no b-tree of its own. */
export interface SchemaObject {
  readonly kind: 'table' | 'index' | 'virtual-table' | 'view' | 'trigger'
  readonly name: string
  readonly table: string
  readonly root: number
  /** Module of a virtual table (`fts5`, `rtree`), else null. */
  readonly module: string | null
  /** Name of the virtual table whose shadow table this is, else null. */
  readonly shadowOf: string | null
}

export type Fact =
  /** One line that `integrity_check` or `quick_check` said; never `ok`, never empty. */
  | { readonly kind: 'message'; readonly text: string }
  /**
   * SQLite threw. `code` is its name (`SQLITE_CORRUPT`), `during` the statement or step, `object` the name it was
   * about.
   */
  | {
      readonly kind: 'thrown'
      readonly code: string
      readonly text: string
      readonly during: string
      readonly object: string | null
    }
  /**
   * SQLite does not take this row of the schema. `statement`: `whole` is SQL of some kind about this object, `unlike`
   * begins as no SQLite begins one that we know,
   * `torn` is no SQL, by anybody's rules.
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
   * The child that read the snapshot did not come to its end. `killed`: from outside, by the kernel's memory killer or
   * a person.
   */
  | {
      readonly kind: 'child-ended'
      readonly how: 'crashed' | 'killed' | 'timeout' | 'memory'
      readonly during: string
      readonly detail: string
    }

/**
 * What compares rows with index entries: our own census, with SQLite's quick check beside it; or SQLite's integrity
 * check, the referee.
 */
export const engines = ['census', 'sqlite'] as const
export type Engine = (typeof engines)[number]

/**
 * What stands around the process that reads a file. `own-folder`: it sees nothing but its folder. `other-user`: it
 * runs as a user that owns nothing else. `few-calls`: the kernel refuses it network, programs and other processes.
 */
export type Wall = 'own-folder' | 'other-user' | 'few-calls'

const wallsInWords: Readonly<Record<Wall, string>> = {
  'own-folder': 'saw only its own folder',
  'other-user': 'ran as a user without rights',
  'few-calls': 'had no network and could start no programs',
}

/** Goes on after "a process that". */
export const describeWalls = (standing: readonly Wall[]): string =>
  standing.length === 0 ? 'was not confined' : standing.map((wall) => wallsInWords[wall]).join(', ')

export interface Reading {
  readonly depth: 'quick' | 'full'
  readonly engine: Engine
  readonly sqliteVersion: string
  /** Around each of the processes that read. */
  readonly walls: readonly Wall[]
  /** Version of the SQLite that wrote the file last, as its header has it; null where it has none. */
  readonly writtenBy: string | null
  readonly facts: readonly Fact[]
  readonly objects: readonly SchemaObject[]
  /** Root page of the b-tree that a page belongs to, for the pages that messages name. 0: the free list. */
  readonly owners: ReadonlyMap<number, number>
  readonly coverage: Coverage
  readonly content: readonly TableContent[]
  /** Of the tables that the census counted. */
  readonly rowCounts: readonly RowCounts[]
  /** null where nobody asked for a map. */
  readonly map: MappedPages | NoMap | null
  /** null where nothing lies beside the file from which SQLite would recover it. */
  readonly recovered: Recovered | null
  /** The pages as bytes, where they were asked for. */
  readonly pages: PagesSeen
  /** True when the whole of what was asked was read: no child died, nothing broke off. */
  readonly complete: boolean
  readonly checkMs: number
}

/** What recovery did to the snapshot before it was read. */
export interface Recovered {
  readonly companions: readonly Companion[]
  readonly pagesChanged: number | null
  /** The file read without its companions: where something was wrong with what recovery made of it. */
  readonly without: Reading | null
}
