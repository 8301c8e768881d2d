/**
 * The questions to the child process that reads a snapshot, and its answers (step-answers.ts). Each question is one
 * step. The order of the steps is in check-steps.ts; compare/ uses some of them too.
 */
import type { CensusPlan } from '../census/plan.ts'
import type { CensusTally } from '../census/scan/tally.ts'
import type { RowEntries } from '../comparison/row-entries.ts'
import type { SchemaDescription } from '../comparison/schema.ts'
import type { RowReadOptions } from '../comparison/table-rows.ts'
import type { RowKey } from '../model/result/finding.ts'
import type { PageDigests, PageDigestResult } from '../model/result/last-good.ts'
import type { CheckDepth, Engine, Fact, SchemaObject, Wall } from '../model/result/reading.ts'
import type { SampledRange, SampleRequest } from '../model/result/sample.ts'
import type { TableContent } from '../model/result/verdict.ts'
import type { User } from './confinement.ts'
import type {
  AccountingAnswer,
  ChecksumAnswer,
  CompareAnswer,
  InspectedFiles,
  IntegrityAnswer,
  RecoverAnswer,
  RuleAnswer,
  SampleAnswer,
  SchemaAnswer,
} from './step-answers.ts'

/**
 * Name of the database file inside a sandbox; `-wal` and `-journal` follow it. It is fixed: names of tenants are
 * untrusted, and better-sqlite3 trims blanks off names.
 */
export const recoveredName = 'database'

/** `refused`: the child may read nothing; `why` names the missing right or kernel feature. */
export type Confinement =
  | { readonly kind: 'stands'; readonly walls: readonly Wall[] }
  | { readonly kind: 'refused'; readonly why: string }

/** Whether pages are digested, and the digests that they are compared with. */
export type DigestRequest = { readonly kind: 'none' } | { readonly kind: 'pages'; readonly earlier: PageDigests | null }

interface ReaderSteps {
  /** Confines the process to its sandbox for good. Without a user it keeps its own, and only uses the folder. */
  confine: {
    readonly ask: { readonly folder: string; readonly user: User | null }
    readonly answer: { readonly sqliteVersion: string; readonly confinement: Confinement }
  }
  /** Limits the length of each file that the process writes. The limit can only be lowered later. */
  limitFileSize: { readonly ask: { readonly fileBytesMax: number }; readonly answer: object }
  /**
   * Runs the steps of the check in the child itself, up to the first answer that reports something. One round trip for
   * each step would take longer than reading a small snapshot. Nothing is answered if the child dies or fails.
   */
  allSteps: {
    readonly ask: {
      readonly depth: CheckDepth
      readonly engine: Engine
      readonly sample: SampleRequest | null
      readonly key: readonly [number, number]
      readonly map: boolean
      readonly digesting: DigestRequest
      readonly showValues: boolean
      readonly bytesMax: number
      readonly memoryBytesMax: number
    }
    readonly answer: { readonly answers: readonly ReaderAnswer[] }
  }
  /** Reads the files before SQLite may change them. */
  inspect: { readonly ask: object; readonly answer: InspectedFiles }
  /** Verifies the page checksums of cksumvfs, before SQLite changes the file. */
  checksums: { readonly ask: object; readonly answer: ChecksumAnswer }
  /**
   * SQLite opens the database: it rolls a journal back, or writes a WAL into the file. `keep`: the pages that this may
   * change are copied first.
   */
  recover: { readonly ask: { readonly keep: boolean }; readonly answer: RecoverAnswer }
  /**
   * Replaces the file by what it was before recovery, without its WAL and journal. `done`: false if the pages were not
   * kept, or the disk has too little space.
   */
  undoRecovery: { readonly ask: object; readonly answer: { readonly done: boolean } }
  /** After `undoRecovery`: a WAL or journal that was not written back lies beside the file again. */
  restoreCompanions: { readonly ask: object; readonly answer: object }
  /**
   * Accounts for the next `pagesMax` pages; the first question begins. `map`: the last answer has the pages in groups.
   */
  account: {
    readonly ask: {
      readonly pagesMax: number
      readonly map: boolean
      readonly digest: boolean
      readonly memoryBytesMax: number
    }
    readonly answer: AccountingAnswer
  }
  /** Opens the database with SQLite and reads the schema. */
  schema: { readonly ask: object; readonly answer: SchemaAnswer }
  /** The schema's objects as its pages name them. Only after `account` has ended. */
  objects: { readonly ask: object; readonly answer: { readonly objects: readonly SchemaObject[] } }
  /**
   * SQLite's `quick_check` or `integrity_check`. `tableByTable`: for a schema that SQLite has read in part only: it
   * knows no owner of some pages.
   */
  integrity: {
    readonly ask: {
      readonly depth: 'quick' | 'full'
      readonly objects: readonly SchemaObject[]
      readonly tableByTable: boolean
    }
    readonly answer: IntegrityAnswer
  }
  /** SQLite's full check of these tables. */
  compareBySqlite: { readonly ask: { readonly tables: readonly string[] }; readonly answer: IntegrityAnswer }
  /**
   * Takes the plan of a census and finds the owner of each page. `key`: of the fingerprints; all readers of one
   * snapshot have the same.
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
  /** For a sample: judges the range that was counted, and all interior pages. */
  judgeSample: { readonly ask: SampledRange; readonly answer: SampleAnswer }
  /** What this process has counted. */
  tally: { readonly ask: object; readonly answer: { readonly tally: CensusTally } }
  /**
   * Adds the tallies of other readers, and the index entries that only SQL can compute. Compares all sums, and searches
   * for what differs.
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
  /** Asks a rule of the application: one SELECT. Opens the file by itself, and closes it again. */
  rule: { readonly ask: { readonly sql: string }; readonly answer: { readonly said: RuleAnswer } }
  countRows: {
    readonly ask: { readonly objects: readonly SchemaObject[] }
    readonly answer: { readonly content: readonly TableContent[]; readonly facts: readonly Fact[] }
  }
  /** Describes the opened schema, to compare it with another. */
  describe: {
    readonly ask: object
    readonly answer:
      | { readonly kind: 'described'; readonly description: SchemaDescription }
      | { readonly kind: 'not-possible'; readonly why: string }
  }
  /**
   * Begins with the rows of a table of the opened schema; `tree` is its position in the plan. One pass over the rows
   * keeps up to `rowsMax`.
   */
  beginTable: {
    readonly ask: {
      readonly tree: number
      readonly reading: RowReadOptions
      readonly rowsMax: number
      readonly memoryBytesMax: number
    }
    readonly answer: { readonly kind: 'ready' } | { readonly kind: 'not-possible'; readonly why: string }
  }
  /** Sums of all rows by buckets (comparison/row-sums.ts). `unread`: what the disk could not read, else null. */
  sumRows: {
    readonly ask: object
    readonly answer: {
      readonly sums: Int32Array
      readonly digest: string
      readonly keyedDigest: string
      readonly unread: string | null
    }
  }
  /** The rows of the marked buckets; null for all buckets. `full`: there were more than `rowsMax`. */
  collectRows: {
    readonly ask: { readonly wanted: Uint8Array | null; readonly rowsMax: number }
    readonly answer: { readonly entries: RowEntries; readonly full: boolean; readonly unread: string | null }
  }
  /** Remembers the keys of these rows for `firstKeys`. Rows are positions in the answer of the last `collectRows`. */
  nameRows: {
    readonly ask: { readonly onlyHere: Uint32Array; readonly different: Uint32Array }
    readonly answer: object
  }
  /** The first keys, in their order, of all rows of this table that were named. */
  firstKeys: {
    readonly ask: object
    readonly answer: { readonly onlyHere: readonly RowKey[]; readonly different: readonly RowKey[] }
  }
  /** Owners of these pages, and digests. Ends the reading of this snapshot: everything is closed. */
  finish: {
    readonly ask: { readonly pages: readonly number[]; readonly digesting: DigestRequest }
    readonly answer: { readonly owners: ReadonlyMap<number, number>; readonly digested: PageDigestResult }
  }
}
export type ReaderStep = keyof ReaderSteps
export type ReaderQuestion = { readonly [S in ReaderStep]: { readonly step: S } & ReaderSteps[S]['ask'] }[ReaderStep]
/** Any question but `allSteps`, which consists of several steps. */
export type SingleStep = Exclude<ReaderQuestion, { readonly step: 'allSteps' }>
export type ReaderAnswer = { readonly [S in ReaderStep]: { readonly step: S } & ReaderSteps[S]['answer'] }[ReaderStep]
export type QuestionOf<S extends ReaderStep> = { readonly step: S } & ReaderSteps[S]['ask']
export type AnswerOf<S extends ReaderStep> = { readonly step: S } & ReaderSteps[S]['answer']

/**
 * Why a question has no answer. `failed`: the process lives, but could not do the step: a disk error, no memory.
 * Otherwise it died: it `crashed`, was `killed` from outside, or was killed by us for its time or memory.
 */
export interface MissingAnswer {
  readonly step: 'not-answered'
  readonly how: 'failed' | 'crashed' | 'killed' | 'timeout' | 'memory'
  readonly detail: string
}

/** Answers one question at a time. After a question without an answer, a fresh process answers the next. */
export interface Reader {
  ask<S extends ReaderStep>(question: QuestionOf<S>, timeoutMs: number): Promise<AnswerOf<S> | MissingAnswer>
}

export const isUnanswered = <S extends ReaderStep>(answer: AnswerOf<S> | MissingAnswer): answer is MissingAnswer =>
  answer.step === 'not-answered'
