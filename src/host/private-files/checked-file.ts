/**
 * A text that holdfast keeps for itself with a checksum. A copy that is half-written, altered, or within the reach of
 * another user is not read.
 */

import { createHash } from 'node:crypto'
import { lstat } from 'node:fs/promises'
import { isNotFound, isSystemError, nameOfError, systemFailure } from '../failures/system-failure.ts'
import { onDisk } from '../files/file-name.ts'
import { replaceFile } from '../files/replace-file.ts'
import { readSmallFile } from '../files/small-file.ts'
import { findUntrusted } from '../files/trusted-path.ts'

/** `wrong`: what is there must not be used, for this reason. */
export type CheckedText =
  | { readonly kind: 'read'; readonly text: string }
  | { readonly kind: 'missing' }
  | { readonly kind: 'wrong'; readonly why: string }

/**
 * Writes the text durably, in the place of an older one. Mode 0600; root gives the file to the owner of its folder.
 * @param title of the first line: what the file is, and its version
 * @throws {Failure} as `replaceFile`
 */
export function writeCheckedText(path: string, title: string, text: string): void {
  replaceFile(path, `${firstLine(title, Buffer.from(text))}\n${text}`, 'private')
}

/** Reads a text that `writeCheckedText` wrote under the same title. Does not throw for what the system refuses. */
export async function readCheckedText(path: string, title: string, bytesMax: number): Promise<CheckedText> {
  const wrong = (why: string): CheckedText => ({ kind: 'wrong', why })
  try {
    const { size } = await lstat(onDisk(path))
    const untrusted = findUntrusted(path, 'file')
    if (untrusted !== null) return wrong(`another user could change it: ${untrusted.path}: ${untrusted.why}`)
    const file = await readSmallFile(onDisk(path), Math.min(size, bytesMax), 'refuse')
    if (file.kind === 'not-regular') return wrong('it is not a regular file')
    if (file.kind === 'too-large') return wrong('it is larger than holdfast writes it')
    const end = file.bytes.indexOf('\n')
    const text = file.bytes.subarray(end + 1)
    if (end < 0 || file.bytes.toString('utf8', 0, end) !== firstLine(title, text))
      return wrong('it was altered, or only a part of it was written')
    return { kind: 'read', text: text.toString('utf8') }
  } catch (error) {
    if (!isSystemError(error)) throw error
    if (isNotFound(error)) return { kind: 'missing' }
    if (nameOfError(error) === 'ELOOP') return wrong('it is a symbolic link')
    return wrong(systemFailure(error, { doing: 'read', path }).message)
  }
}

const firstLine = (title: string, text: Uint8Array): string =>
  `${title} sha256=${createHash('sha256').update(text).digest('hex')}`
