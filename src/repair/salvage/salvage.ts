/** Reads the rows of a damaged file page by page, in a confined child, and writes them into a new file. */

import type { SnapshotPath } from '../../model/brand.ts'
import type { Salvaged } from './salvaged.ts'

export interface SalvageOptions {
  /** For the sandbox: a folder of ours, on the file system of the new file. */
  readonly folder: string
  /** A sound database whose schema is used where that of the damaged file cannot be read; null if there is none. */
  readonly schemaOf: SnapshotPath | null
  /** For the child. */
  readonly memoryBytesMax: number
  readonly niceness: number
  readonly timeoutMs: number
  readonly onProgress?: (progress: SalvageProgress) => void
}

export interface SalvageProgress {
  /** `trees`: pages are given to their tables. `rows`: rows are written. `indexes`: they are built anew. */
  readonly step: 'trees' | 'rows' | 'indexes'
  readonly done: number
  readonly total: number
}

/**
 * @param settled one plain file that came out of a check; it is not written
 * @param to the new file and its facts are written as `to` and `to` + `-facts`; neither may exist
 * @throws {Failure} NOT_A_DATABASE and others if nothing was written; signal.reason if it was aborted
 */
export type SalvageFile = (
  settled: SnapshotPath,
  to: string,
  options: SalvageOptions,
  signal: AbortSignal,
) => Promise<Salvaged>
