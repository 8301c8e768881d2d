/**
 * What the ledger keeps of the last sound check of a file. A later check compares with it and so finds bytes that
 * changed although nothing wrote to the file.
 */

import type { TenantId } from '../brand.ts'
import type { FileProof } from './evidence.ts'
import type { ContentBasis, TableContent } from './verdict.ts'

/** Digests of the pages of one database file. Their number is bounded for any size of the file. */
export interface PageDigests {
  /** The way in which they are made. Digests of different formats are never compared. */
  readonly format: number
  /** Bytes. */
  readonly pageSize: number
  readonly pages: number
  /** The number of consecutive pages that share a digest. */
  readonly groupPages: number
  /** One for each group, from page 1 on. Pages without content (free pages, the lock-byte page) are left out. */
  readonly groups: Uint32Array
}

/** The fields of the header that change with the file (SQLite file format, section 1.3), after recovery. */
export interface HeaderMarks {
  readonly walMode: boolean
  readonly changeCounter: number
  readonly versionValidFor: number
  readonly pageCount: number
  readonly schemaCookie: number
}

/** The state of a live set in the file system while a proof showed that nothing wrote to it. */
export interface LiveSetState {
  /** ms since 1970. */
  readonly provenAt: number
  /** Identifies the last start of the machine; empty if the machine gives none. */
  readonly bootId: string
  /** The database file, and its WAL and journal if they are not empty. */
  readonly files: readonly Pick<FileProof, 'part' | 'dev' | 'ino' | 'size' | 'mtimeNs'>[]
}

/** Digests of the rows of tables. Digests of different formats are never compared. */
export interface ContentDigests {
  readonly format: string
  readonly tables: readonly TableContent[]
}

/** How long one sound, full check took. */
export interface Pace {
  /** Of the database file after recovery. */
  readonly bytes: number
  readonly checkMs: number
  /** null for a bare file. */
  readonly pauseMs: number | null
}

/** How the ledger identifies a file. */
export interface KnownFile {
  /** null for a bare file. */
  readonly tenant: TenantId | null
  /** As the service names it; for a bare file the real path. */
  readonly path: string
}

export interface LastGood extends KnownFile {
  readonly run: string
  readonly standing: LiveSetState
  readonly header: HeaderMarks
  readonly content: ContentDigests
  /** What the digests of `content` can be compared with; null if an older holdfast wrote it, or if there are none. */
  readonly basis: ContentBasis | null
  readonly pages: PageDigests
  /** Digest of the normalized schema; null if an older holdfast wrote it, or if the schema was not read. */
  readonly schema: string | null
  /** Of the newest sound checks, this one last. Their number is bounded. */
  readonly paces: readonly Pace[]
}

/** A file whose schema is not the usual one. */
export interface SchemaOutlier {
  readonly tenant: TenantId
  readonly path: string
  /** How many files of this kind have the usual schema, and how many there are. */
  readonly alike: number
  readonly of: number
}

export interface SchemaOutliers {
  /** The first of them. */
  readonly outliers: readonly SchemaOutlier[]
  readonly total: number
}

/** Pages whose bytes differ from an earlier check. */
export interface ChangedPages {
  /** The first ranges of pages, in order, with both ends included. */
  readonly runs: readonly (readonly [first: number, last: number])[]
  /** Number of pages in all ranges, listed or not. If a group shares a digest, all its pages count. */
  readonly pages: number
  /** Number of pages that share a digest. If it is more than 1, not every page of a range has changed. */
  readonly groupPages: number
  /** Root pages of the first trees that own them; 0 stands for pages of no tree. */
  readonly owners: readonly number[]
}

/** What a reading found out about the bytes of pages. */
export type PageDigestResult =
  | { readonly kind: 'not-digested' }
  /** `changed`: null if nothing changed, or if there was nothing to compare with. */
  | {
      readonly kind: 'digested'
      readonly header: HeaderMarks
      readonly digests: PageDigests
      readonly changed: ChangedPages | null
    }
