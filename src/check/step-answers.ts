/** What a child process answers to the larger questions of protocol.ts. */
import type { CensusPlan } from '../census/plan.ts'
import type { Finding, RowKey } from '../model/result/finding.ts'
import type { BadPages, PageGroups } from '../model/result/page-map.ts'
import type { Fact, SchemaObject } from '../model/result/reading.ts'
import type { Companion } from '../model/result/recovery.ts'
import type { RowCounts, SkippedObject, TableContent } from '../model/result/verdict.ts'

export interface InspectedFiles {
  readonly file: InspectedDatabaseFile
  /** The WAL or journal from which SQLite takes something when it opens the file, or which it deletes unread. */
  readonly companions: readonly Companion[]
  readonly hotJournal: boolean
  /** Name of the super-journal, if the journal belongs to a transaction over several files; else null. */
  readonly superJournal: string | null
  /** True if the WAL has commits. */
  readonly walCommits: boolean
  /** About journal and WAL. */
  readonly findings: readonly Finding[]
  /** What of journal and WAL could not be understood. */
  readonly skipped: readonly SkippedObject[]
}

/** The database file alone. Before recovery: what its own first bytes say. */
export interface InspectedDatabaseFile {
  /** Bytes of the database file. */
  readonly fileBytes: number
  /** Why its pages cannot be accounted for; null if they can. */
  readonly headerProblem: string | null
  /** Bytes; 0 if the header gives none. */
  readonly pageSize: number
  /** Pages by the size of the file; 0 if the header gives no page size. */
  readonly pages: number
  /** Bytes at the end of each page that SQLite leaves to extensions. */
  readonly reservedBytes: number
  /** About the header. */
  readonly findings: readonly Finding[]
  /**
   * What of the header is not understood; null if all of it is. `nothing`: no page can be read by the rules that are
   * known here.
   */
  readonly notUnderstood: { readonly why: string; readonly readable: 'pages' | 'nothing' } | null
  /** Version of the SQLite that wrote the file last; null if the header has none. */
  readonly writtenBy: string | null
}

export interface RecoverAnswer {
  /** False if SQLite could not recover the file; `facts` then say why. */
  readonly recovered: boolean
  readonly facts: readonly Fact[]
  /** As recovery has left it. */
  readonly file: InspectedDatabaseFile
  /** Pages that recovery changed; null if they were not kept, or SQLite could not recover the file. */
  readonly pagesChanged: number | null
}

/** What a rule of the application says. `more`: more rows violate it than were counted. */
export type RuleAnswer =
  | { readonly kind: 'held' }
  | { readonly kind: 'violated'; readonly keys: readonly RowKey[]; readonly total: number; readonly more: boolean }
  | { readonly kind: 'unjudged'; readonly why: string }

export interface SampleAnswer {
  readonly findings: readonly Finding[]
  /** Of the range, and interior pages outside of it. */
  readonly pagesRead: number
  /** What the disk could not read; null for nothing. */
  readonly unread: string | null
}

/** What the page checksums of cksumvfs say. */
export interface ChecksumAnswer {
  /** True if most pages have a right checksum. If not, the file has none that are known here. */
  readonly carried: boolean
  /** Pages. */
  readonly checked: number
  /** The first pages with a wrong one. */
  readonly wrong: readonly number[]
  readonly wrongTotal: number
}

export type AccountingAnswer =
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

/** An object that the census cannot decide on. SQLite's full check of `table` decides. */
export interface UncountedObject {
  readonly object: string
  readonly table: string
  readonly why: string
}

export interface CompareAnswer {
  readonly findings: readonly Finding[]
  /** Indexes that this SQLite cannot judge. */
  readonly skipped: readonly SkippedObject[]
  readonly uncounted: readonly UncountedObject[]
  /** Pages of wrong entries; null if no map was asked for. */
  readonly entries: BadPages | null
  /** Of the tables that were counted completely. */
  readonly content: readonly TableContent[]
  readonly rowCounts: readonly RowCounts[]
}

export interface SchemaAnswer {
  /** True if SQLite can be asked more. */
  readonly opened: boolean
  /** What a census has to count; null if no census is possible. */
  readonly plan: CensusPlan | null
  /** Why there is no plan; null if there is one. */
  readonly noPlanWhy: string | null
  /** Objects that SQLite refuses, or has read in part only. SQLite is asked nothing about them. */
  readonly refused: readonly string[]
  readonly uncounted: readonly UncountedObject[]
  readonly objects: readonly SchemaObject[]
  /** Digest of the schema, normalized; null if SQLite has not read all of it. */
  readonly digest: string | null
  readonly facts: readonly Fact[]
  readonly skipped: readonly SkippedObject[]
}

/** Virtual tables whose modules this SQLite has. */
export function virtualTables({ objects, skipped }: Pick<SchemaAnswer, 'objects' | 'skipped'>): readonly string[] {
  const missing = new Set(skipped.map(({ object }) => object))
  return objects.flatMap(({ kind, name }) => (kind === 'virtual-table' && !missing.has(name) ? [name] : []))
}

/** What a check by SQLite brought. */
export interface IntegrityAnswer {
  readonly facts: readonly Fact[]
  readonly skipped: readonly SkippedObject[]
  /** False if something broke off, and the check of single tables did not replace it. */
  readonly complete: boolean
}
