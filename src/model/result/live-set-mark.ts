/**
 * What a live set looks like at one moment, as a short text: it is another one when the live set was written since. A
 * program that writes and then sets the time of the file back is seen by the change counter or the salts of the WAL.
 * Bits that a disk changes by itself are not seen.
 */

import type { FileProof, Proof } from './evidence.ts'

type FileMark = Pick<FileProof, 'part' | 'ino' | 'size' | 'mtimeNs'>

/**
 * Of the files alone. A -shm does not count, because readers write to it. Nor does an empty companion, because a
 * service that opens a database makes one.
 */
export const markOfFiles = (files: readonly FileMark[]): string =>
  files
    .filter(({ part, size }) => part === '' || (part !== '-shm' && size > 0))
    .map(({ part, ino, size, mtimeNs }) => `${part} ${ino} ${size} ${mtimeNs};`)
    .join('')

/** Begins with the mark of the files. */
export const liveSetMark = (
  files: readonly FileMark[],
  { changeCounter, walSalts }: Pick<Proof, 'changeCounter' | 'walSalts'>,
): string => `${markOfFiles(files)}${changeCounter} ${walSalts ?? '-'}`
