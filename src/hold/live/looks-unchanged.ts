/**
 * Whether a live set looks as it did at an earlier proof. It is asked before a pause, of tenants that are served:
 * nothing is locked, and what is seen may change a moment later. So it may decide that a check is not due, and never
 * that a tenant is sound.
 *
 * Names, sizes and times come first. Only if they are the same is the file opened, for the first bytes of the database
 * and of its WAL. To open it ends a kernel lease of ours (hold/README.md F5), so no hold may be under way.
 */
import { lstatSync, readSync } from 'node:fs'
import { openDescriptor } from '../../host/files/descriptor.ts'
import { onDisk } from '../../host/files/file-name.ts'
import type { LivePath } from '../../model/brand.ts'
import type { FileProof, LiveSetPart } from '../../model/result/evidence.ts'
import { liveSetMark, markOfFiles } from '../../model/result/live-set-mark.ts'
import { readHeader } from '../../sqlite/header.ts'
import { readWalHeader, walHeaderBytes } from '../../sqlite/wal/wal.ts'
import { resolveLivePath } from './live-path.ts'

const headerBytes = 100

/**
 * @param named path as the service gave it
 * @param mark of the live set then
 * @returns false also if the file cannot be seen: the hold then reports why
 */
export async function looksUnchanged(named: string, roots: readonly string[], mark: string): Promise<boolean> {
  try {
    const path = await resolveLivePath(named, roots)
    const files = filesOf(path)
    if (!mark.startsWith(markOfFiles(files))) return false
    return liveSetMark(files, beginningsOf(path, files)) === mark
  } catch {
    return false
  }
}

type FileMark = Pick<FileProof, 'part' | 'ino' | 'size' | 'mtimeNs'>

function filesOf(path: LivePath): readonly FileMark[] {
  return (['', '-wal', '-journal'] as const satisfies readonly LiveSetPart[]).flatMap((part) => {
    const found = lstatSync(onDisk(path + part), { bigint: true, throwIfNoEntry: false })
    if (found === undefined) return []
    return [{ part, ino: String(found.ino), size: Number(found.size), mtimeNs: String(found.mtimeNs) }]
  })
}

function beginningsOf(path: LivePath, files: readonly FileMark[]): Parameters<typeof liveSetMark>[1] {
  const header = readHeader(beginningOf(path, headerBytes))
  const hasWal = files.some(({ part, size }) => part === '-wal' && size > 0)
  const wal = hasWal ? readWalHeader(beginningOf(`${path}-wal`, walHeaderBytes)) : null
  return { changeCounter: header.kind === 'header' ? header.header.changeCounter : 0, walSalts: wal?.salts ?? null }
}

function beginningOf(path: string, length: number): Buffer {
  using descriptor = openDescriptor(path, 'read-only')
  const buffer = Buffer.alloc(length)
  return buffer.subarray(0, readSync(descriptor.number, buffer, 0, length, 0))
}
