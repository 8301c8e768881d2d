/**
 * What the checker asks the child that reads a snapshot, and what it answers. Each question is one step; what was
 * answered before a child dies is kept.
 */
import type { CensusPlan } from '../census/plan.ts'
import type { CensusTally } from '../census/scan/tally.ts'
import type { RowEntries } from '../comparison/row-entries.ts'
import type { SchemaDescription } from '../comparison/schema.ts'
import type { RowReading } from '../comparison/table-rows.ts'
import type { Finding, RowKey } from '../model/result/finding.ts'
import type { PageDigests, PagesSeen } from '../model/result/last-good.ts'
import type { BadPages, PageGroups } from '../model/result/page-map.ts'
import type { Engine, Fact, SchemaObject, Wall } from '../model/result/reading.ts'
import type { Companion } from '../model/result/recovery.ts'
import type { RowCounts, Skipped, TableContent } from '../model/result/verdict.ts'
import type { User } from './confinement.ts'

/**
 * Names of the snapshot's files in a room. Fixed ones: better-sqlite3 trims blanks off names, and those of tenants are
 * untrusted.
 */
export const recoveredName = 'database'

/** `refused`: the child may read nothing; `why` names the right or the feature of the kernel that is missing. */
export type Confinement =
  | { readonly kind: 'stands'; readonly walls: readonly Wall[] }
  | { readonly kind: 'refused'; readonly why: string }

/** Are the pages digested, and what are the digests compared with? */
export type Digesting = { readonly kind: 'none' } | { readonly kind: 'pages'; readonly earlier: PageDigests | null }

export interface ReaderSteps {
  /** Is confined to a room for good; without a user it keeps its own, and takes the folder for the room. */
  enter: {
    readonly ask: { readonly folder: string; readonly user: User | null }
    readonly answer: { readonly sqliteVersion: string; readonly confinement: Confinement }
  }
  /** No file that it writes may become longer, from now on. Never more than before. */
  limit: { readonly ask: { readonly fileBytesMax: number }; readonly answer: object }
  /**
   * All steps of a small snapshot with one question, for as long as nothing is found: the answers up to the first that
   * says anything. A round trip for each step would take longer than the reading. What is missing is asked step by
   * step, and so is everything when the child died over it.
   */
  atOnce: {
    readonly ask: {
      readonly depth: 'quick' | 'full'
      readonly engine: Engine
      readonly key: readonly [number, number]
      readonly map: boolean
      readonly digesting: Digesting
      readonly showValues: boolean
      readonly bytesMax: number
      readonly memoryBytesMax: number
    }
    readonly answer: { readonly answers: readonly ReaderAnswer[] }
  }
  /** Looks at the files before SQLite may touch them. */
  look: { readonly ask: object; readonly answer: InspectedFiles }
  /** SQLite opens the database: a journal is rolled back, a WAL written into it. */
  settle: { readonly ask: { readonly keep: boolean }; readonly answer: RecoverAnswer }
  /**
   * Puts the file as it was before recovery, without its companions, in the place of the one that was read. False where
   * it was not kept, or there is no room.
   */
  putBack: { readonly ask: object; readonly answer: { readonly done: boolean } }
  /** Ends what `putBack` began: companions that were not written back lie beside the file again. */
  bringBack: { readonly ask: object; readonly answer: object }
  /**
   * Page accounting, so many pages further; the first one begins it. `map`: its end is to bring the pages in groups.
   */
  account: {
    readonly ask: {
      readonly pagesMax: number
      readonly map: boolean
      readonly digest: boolean
      readonly memoryBytesMax: number
    }
    readonly answer: AccountAnswer
  }
  /** Opens the database for SQLite. */
  schema: { readonly ask: object; readonly answer: SchemaAnswer }
  /** The schema's objects as its pages have them; known once the pages were accounted for. */
  objects: { readonly ask: object; readonly answer: { readonly objects: readonly SchemaObject[] } }
  /** `apart`: each table by itself, because SQLite did not take all of the schema, and knows no owner of some pages. */
  integrity: {
    readonly ask: {
      readonly depth: 'quick' | 'full'
      readonly objects: readonly SchemaObject[]
      readonly apart: boolean
    }
    readonly answer: IntegrityAnswer
  }
  /** The full check of these tables alone. */
  compareBySqlite: { readonly ask: { readonly tables: readonly string[] }; readonly answer: IntegrityAnswer }
  /**
   * Takes the plan of a census; learns whose page is whose. `key` is that of the fingerprints, the same for all
   * children of one reading.
   */
  plan: {
    readonly ask: {
      readonly plan: CensusPlan
      readonly key: readonly [number, number]
      readonly memoryBytesMax: number
    }
    readonly answer: { readonly kind: 'ready' } | { readonly kind: 'not-possible'; readonly why: string }
  }
  /** Counts the pages from `first` to `last`. */
  scan: { readonly ask: { readonly first: number; readonly last: number }; readonly answer: object }
  /** What this child has counted. */
  tally: { readonly ask: object; readonly answer: { readonly tally: CensusTally } }
  /**
   * Adds the tallies of other children and what SQL must compute of the entries that indexes must hold; compares all
   * sums, and looks for what differs.
   */
  compare: {
    readonly ask: {
      readonly plan: CensusPlan
      readonly key: readonly [number, number]
      readonly map: boolean
      readonly showValues: boolean
      readonly tallies: readonly CensusTally[]
    }
    readonly answer: CompareAnswer
  }
  foreignKeys: { readonly ask: { readonly objects: readonly SchemaObject[] }; readonly answer: IntegrityAnswer }
  count: {
    readonly ask: { readonly objects: readonly SchemaObject[] }
    readonly answer: { readonly content: readonly TableContent[]; readonly facts: readonly Fact[] }
  }
  /** What the opened schema says of itself, for comparing it with another. */
  describe: {
    readonly ask: object
    readonly answer:
      | { readonly kind: 'described'; readonly description: SchemaDescription }
      | { readonly kind: 'not-possible'; readonly why: string }
  }
  /**
   * Begins to look at the rows of a table of the opened schema, by its position in the plan; a pass over them may keep
   * `rowsMax`.
   */
  rows: {
    readonly ask: {
      readonly tree: number
      readonly reading: RowReading
      readonly rowsMax: number
      readonly memoryBytesMax: number
    }
    readonly answer: { readonly kind: 'ready' } | { readonly kind: 'not-possible'; readonly why: string }
  }
  /** Sums of all rows by buckets (comparison/row-sums.ts). `unread`: what the disk would not give, else null. */
  sumRows: {
    readonly ask: object
    readonly answer: { readonly sums: Int32Array; readonly digest: string; readonly unread: string | null }
  }
  /** The rows of the marked buckets; of all for null. `full`: there were more than may be kept. */
  collectRows: {
    readonly ask: { readonly wanted: Uint8Array | null; readonly rowsMax: number }
    readonly answer: { readonly entries: RowEntries; readonly full: boolean; readonly unread: string | null }
  }
  /** Rows of the last pass, by their positions in it, of which the first keys are to be told. */
  nameRows: {
    readonly ask: { readonly onlyHere: Uint32Array; readonly different: Uint32Array }
    readonly answer: object
  }
  /** The first keys of all rows of this table that were named. */
  firstKeys: {
    readonly ask: object
    readonly answer: { readonly onlyHere: readonly RowKey[]; readonly different: readonly RowKey[] }
  }
  /**
   * Whose pages are these, and which are not what they were? Ends the reading of this snapshot: everything is closed.
   */
  finish: {
    readonly ask: { readonly pages: readonly number[]; readonly digesting: Digesting }
    readonly answer: { readonly owners: ReadonlyMap<number, number>; readonly digested: PagesSeen }
  }
}
export type ReaderStep = keyof ReaderSteps
export type ReaderQuestion = { readonly [S in ReaderStep]: { readonly step: S } & ReaderSteps[S]['ask'] }[ReaderStep]
export type ReaderAnswer = { readonly [S in ReaderStep]: { readonly step: S } & ReaderSteps[S]['answer'] }[ReaderStep]
export type QuestionOf<S extends ReaderStep> = { readonly step: S } & ReaderSteps[S]['ask']
export type AnswerOf<S extends ReaderStep> = { readonly step: S } & ReaderSteps[S]['answer']

export interface InspectedFiles {
  readonly file: InspectedFile
  /** From which SQLite takes something when it opens the file, or which it deletes unread. */
  readonly companions: readonly Companion[]
  readonly hotJournal: boolean
  /** Name of the super-journal, where the journal belongs to a transaction over several files. */
  readonly superJournal: string | null
  /** Does the WAL hold commits? */
  readonly walCommits: boolean
  /** About journal and WAL. */
  readonly findings: readonly Finding[]
  /** What of journal and WAL nobody can make sense of. */
  readonly skipped: readonly Skipped[]
}

/** The database file by itself: before recovery, what its own first bytes say. */
export interface InspectedFile {
  /** Bytes of the database file. */
  readonly fileBytes: number
  /** Why its pages cannot be accounted for, null when they can be. */
  readonly headerTrouble: string | null
  /** Bytes; 0 where the header gives none. */
  readonly pageSize: number
  /** Pages by the size of the file; 0 where the header gives no page size. */
  readonly pages: number
  /** About the header. */
  readonly findings: readonly Finding[]
  /**
   * What of the header is not understood; null where all of it is. `nothing`: then no page can be read by the rules
   * that we know.
   */
  readonly notUnderstood: { readonly why: string; readonly readable: 'pages' | 'nothing' } | null
  /** Version of the SQLite that wrote the file last; null where the header has none. */
  readonly writtenBy: string | null
}

export interface RecoverAnswer {
  readonly settled: boolean
  readonly facts: readonly Fact[]
  /** As recovery has left it. */
  readonly file: InspectedFile
  /** Pages that recovery changed; null where they were not kept, and where SQLite could not recover the file. */
  readonly pagesChanged: number | null
}

export type AccountAnswer =
  | { readonly kind: 'going-on'; readonly pages: number; readonly pagesRead: number }
  | {
      readonly kind: 'ended'
      readonly pages: number
      readonly pagesRead: number
      readonly pagesUnread: number
      readonly findings: readonly Finding[]
      readonly groups: PageGroups | null
    }
  | { readonly kind: 'not-possible'; readonly why: string }

/** An object that the census cannot decide on, and the table whose full check by SQLite decides. */
export interface Uncounted {
  readonly object: string
  readonly table: string
  readonly why: string
}

export interface CompareAnswer {
  readonly findings: readonly Finding[]
  /** Indexes of which this SQLite cannot tell whether they are right. */
  readonly skipped: readonly Skipped[]
  readonly uncounted: readonly Uncounted[]
  /** Pages of entries that are wrong; null where nobody wants a map. */
  readonly entries: BadPages | null
  /** Of the tables that were counted wholly. */
  readonly content: readonly TableContent[]
  readonly rowCounts: readonly RowCounts[]
}

export interface SchemaAnswer {
  /** Can SQLite be asked on? */
  readonly opened: boolean
  /** What a census has to count; null where none is possible. */
  readonly plan: CensusPlan | null
  /** Why there is no plan. */
  readonly planTrouble: string | null
  /** Objects that SQLite does not take, or took only in part: nothing is asked of them. */
  readonly refused: readonly string[]
  readonly uncounted: readonly Uncounted[]
  readonly objects: readonly SchemaObject[]
  readonly facts: readonly Fact[]
  readonly skipped: readonly Skipped[]
}

/** Virtual tables whose modules this SQLite has. */
export function virtualTables({ objects, skipped }: Pick<SchemaAnswer, 'objects' | 'skipped'>): readonly string[] {
  const missing = new Set(skipped.map(({ object }) => object))
  return objects.flatMap(({ kind, name }) => (kind === 'virtual-table' && !missing.has(name) ? [name] : []))
}

export interface IntegrityAnswer {
  readonly facts: readonly Fact[]
  readonly skipped: readonly Skipped[]
  /** False when something broke off and was not made good table by table. */
  readonly whole: boolean
}
