/** The files of a private copy, as they must be when a reader opens them: a reader gets exactly these files. */

import type { LiveSetPart } from './result/evidence.ts'

export interface KeptFile {
  readonly dev: bigint
  readonly ino: bigint
  readonly bytes: number
}

/** The sandbox keeps it up to date, because SQLite recovers the copy into one file. */
export type KeptFiles = Map<LiveSetPart, KeptFile>

interface FileStats {
  readonly dev: bigint
  readonly ino: bigint
  readonly size: bigint
}

export const keptFile = ({ dev, ino, size }: FileStats): KeptFile => ({ dev, ino, bytes: Number(size) })
