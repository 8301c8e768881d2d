/**
 * What the ledger keeps of the last sound check of a file: a later check is measured against it, so that bytes that
 * change while nobody writes are seen.
 */
import type { TenantId } from '../brand.ts'
import type { FileProof } from './evidence.ts'
import type { TableContent } from './verdict.ts'

/** Digests of the pages of one database file. Bounded, whatever the size of the file. */
export interface PageDigests {
  /** How they are made. Digests of unlike formats are never compared. */
  readonly format: number
  /** Bytes. */
  readonly pageSize: number
  readonly pages: number
  /** So many consecutive pages share a digest. */
  readonly groupPages: number
  /**
   * Of each group, from page 1 on. Pages that hold nothing (free ones, and the one with SQLite's lock bytes) do not
   * count.
   */
  readonly groups: Uint32Array
}

/** What the header of a settled database file says of its history (SQLite file format, section 1.3). */
export interface HeaderMarks {
  readonly walMode: boolean
  readonly changeCounter: number
  readonly versionValidFor: number
  readonly pageCount: number
  readonly schemaCookie: number
}

/** A live set as the file system had it while it was proven still. */
export interface LiveSetState {
  /** ms since 1970. */
  readonly provenAt: number
  /** Of the machine since it last started; empty where there is none. */
  readonly bootId: string
  /** The database file; its WAL and its journal where there is anything in them. */
  readonly files: readonly Pick<FileProof, 'part' | 'dev' | 'ino' | 'size' | 'mtimeNs'>[]
}

/** A table's rows, digested. Digests of unlike formats are never compared. */
export interface ContentDigests {
  readonly format: string
  readonly tables: readonly TableContent[]
}

/** What the ledger calls a file by. */
export interface KnownFile {
  /** null for a bare file. */
  readonly tenant: TenantId | null
  /** As the service names it; of a bare file the real path. */
  readonly path: string
}

export interface LastGood extends KnownFile {
  readonly run: string
  readonly standing: LiveSetState
  readonly header: HeaderMarks
  readonly content: ContentDigests
  readonly pages: PageDigests
}

/** Pages whose bytes are not those of an earlier check. */
export interface ChangedPages {
  /** Runs of pages in order, both ends included; the first of them only. */
  readonly runs: readonly (readonly [first: number, last: number])[]
  /** Pages in all runs, told or not. Of a group that shares a digest all pages count. */
  readonly pages: number
  /** Pages that share a digest: with more than one, not each of a run need have changed. */
  readonly groupPages: number
  /** Root pages of the trees that they belong to, the first of them; 0 stands for pages of no tree. */
  readonly owners: readonly number[]
}

/** What a reading brings back of the pages as bytes. */
export type PagesSeen =
  | { readonly kind: 'not-digested' }
  /** `changed` is null where nothing changed, and where there was nothing to compare with. */
  | {
      readonly kind: 'digested'
      readonly header: HeaderMarks
      readonly digests: PageDigests
      readonly changed: ChangedPages | null
    }
