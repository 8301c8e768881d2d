/**
 * `check --snapshot`: a person says that a file is a private copy. Nothing is locked and nothing proven. The check
 * reads a copy of the copy, because SQLite may recover a journal or a WAL into the file that it checks. Works on any
 * platform. After the first call on a path, names are handled synchronously, as in hold/snapshot/draft.ts.
 */
import { mkdirSync, statSync, type Stats } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { systemFailure } from '../../host/failures/system-failure.ts'
import { copyRegularFile } from '../../host/files/copy-file.ts'
import { onDisk } from '../../host/files/file-name.ts'
import { isMountPoint } from '../../host/files/file-system.ts'
import { realPathOf } from '../../host/files/path-kind.ts'
import type { SnapshotPath } from '../../model/brand.ts'
import { Failure } from '../../model/failure.ts'
import { keptFile, type KeptFiles } from '../../model/kept-file.ts'
import { liveSetParts, type LiveSetPart } from '../../model/result/evidence.ts'
import { kindOfCopy, type FileKind } from '../file-kind.ts'
import { absolute, requireNoneBesideLink } from '../live/live-path.ts'
import { failureOfPath } from '../live/path-failure.ts'
import { requireSpace } from '../preflight.ts'
import { snapshotName, outOfSpace, removeFolder, otherDisk } from '../snapshot/draft.ts'

export interface PrivateCopy extends AsyncDisposable {
  readonly path: SnapshotPath
  readonly kind: FileKind
  readonly kept: KeptFiles
  /** When each part of the original was last written, in ms since 1970. */
  readonly modifiedMs: ReadonlyMap<LiveSetPart, number>
  /**
   * Why the file has another name, beside which a WAL or a journal may lie that was not copied. Null if it has no other
   * name.
   */
  readonly otherName: string | null
}

/** @throws {Failure} NOT_FOUND, NO_PERMISSION, NOT_A_FILE, NO_SPACE, MANY_NAMES */
export async function copyPrivately(named: string, parent: string, name: string): Promise<PrivateCopy> {
  const given = absolute(named)
  const found = await stat(onDisk(given)).catch((error: unknown) => {
    throw failureOfPath(given, error)
  })
  // As for SQLite, journal and WAL lie beside the file that a link leads to. The name of a deleted file (/proc/PID/fd)
  // leads nowhere.
  const source = (await realPathOf(given)) ?? given
  await requireNoneBesideLink(given, source)
  if (!found.isFile()) throw new Failure('NOT_A_FILE', `${source} is not a regular file`)
  requireSpace(parent, Math.min(found.size, found.blocks * 512))
  const folder = join(parent, name)
  try {
    mkdirSync(folder, { mode: 0o700 })
  } catch (error) {
    throw systemFailure(error, { doing: 'make the folder', path: folder, elsewhere: otherDisk, concerns: 'machine' })
  }
  const remove = (): Promise<void> => removeFolder(folder)
  try {
    const path = join(folder, snapshotName) as SnapshotPath
    const kept: KeptFiles = new Map()
    const modifiedMs = new Map<LiveSetPart, number>([['', found.mtimeMs]])
    for (const part of ['', '-wal', '-journal'] as const) {
      const copied = await copyPart(source + part, path + part, part === '')
      if (copied === null) continue
      modifiedMs.set(part, copied.mtimeMs)
      kept.set(part, keptFile(statSync(path + part, { bigint: true })))
    }
    const otherName = otherNameOf(source, found.nlink)
    return { path, kind: kindOfCopy(path), kept, modifiedMs, otherName, [Symbol.asyncDispose]: remove }
  } catch (error) {
    await remove()
    throw error
  }
}

function otherNameOf(source: string, links: number): string | null {
  if (links > 1) return `it has ${links} hard links`
  return liveSetParts.some((part) => isMountPoint(source + part)) ? 'it is mounted by itself' : null
}

/** @returns what was copied; null if nothing was there */
async function copyPart(from: string, to: string, mandatory: boolean): Promise<Stats | null> {
  try {
    // SQLite follows no link to a journal or a WAL: such a link leads to a file that is not the database's.
    return await copyRegularFile(from, to, mandatory ? 'follow' : 'refuse')
  } catch (error) {
    if (!mandatory && ['ENOENT', 'ENAMETOOLONG'].includes((error as NodeJS.ErrnoException).code ?? '')) return null
    throw failureOfPath(from, outOfSpace(to, error))
  }
}
