/** The files of a private copy, as they are when nobody reads it: readers are let at exactly these. */
import type { LiveSetPart } from './result/evidence.ts'

export interface KeptFile {
  readonly dev: bigint
  readonly ino: bigint
  readonly bytes: number
}

/** Kept up to date by the room that the copy is read in: SQLite recovers it into one file. */
export type KeptFiles = Map<LiveSetPart, KeptFile>

interface FileStats {
  readonly dev: bigint
  readonly ino: bigint
  readonly size: bigint
}

export const keptFile = ({ dev, ino, size }: FileStats): KeptFile => ({ dev, ino, bytes: Number(size) })
