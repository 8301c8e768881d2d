/** What a salvage gives: the new file, what each table got, and the facts that a merge and the account need. */

/** Why a part of a table could not be read. */
export interface LostObject {
  readonly kind: 'table' | 'index' | 'view' | 'trigger' | 'virtual-table' | 'unknown'
  /** Null if the row of the schema cannot be read. */
  readonly name: string | null
  readonly why: string
  /** True if the statement of the backup was taken instead, and with it the page at which its tree began there. */
  readonly ofBackup?: true
}

/** Rows of one table by what became of them. The keys are in the facts. */
export interface SalvagedTable {
  readonly table: string
  /** Rows in the table of the new file, those from indexes among them. */
  readonly rows: number
  /** Rows that were rebuilt wholly from entries of indexes. */
  readonly fromIndex: number
  /** Rows in `orphanedTable`: on pages that no table owns, or at odds with a constraint of their table. */
  readonly orphaned: number
  /** `holdfast_orphaned_TABLE`; null if there are none. */
  readonly orphanedTable: string | null
  /** Rows in the table that indexes contradict. */
  readonly doubted: number
  /** Rows that are known by their key and are not in the new file. */
  readonly unreadable: number
  /** Key ranges of which some page could not be read. 0: every row of the table was seen. */
  readonly lostRanges: number
  /** Pages of the table that could not be read: the first 100. */
  readonly pages: readonly number[]
}

export interface ContradictedIndex {
  readonly index: string
  readonly table: string
  /** Rows that were moved to the orphaned ones. */
  readonly rows: number
  /** Keys of which no entry says which row has them: the first row stayed. */
  readonly undecided: number
}

export interface SalvageResult {
  /** The new file: one plain file, closed and not yet synced. */
  readonly file: string
  /** A SQLite database with the facts; its tables are in facts.ts. */
  readonly facts: string
  readonly tables: readonly SalvagedTable[]
  readonly lostObjects: readonly LostObject[]
  /** Indexes that the rows of their table contradict (UNIQUE). */
  readonly contradicted: readonly ContradictedIndex[]
  readonly pagesRead: number
  readonly ms: number
}
