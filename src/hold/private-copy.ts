/**
 * `check --snapshot`: the caller says that a file is a private copy. Nothing is locked and nothing proven; and because
 * SQLite may recover a journal or WAL into the file that it checks, it is given a copy of the copy. Works on any platform.
 */
import { copyFile, constants, mkdir, open, rm, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { SnapshotPath } from '../model/brand.ts'
import { liveSetParts } from '../model/evidence.ts'
import { Failure } from '../model/failure.ts'
import { outOfSpace } from './draft.ts'
import { failureOfPath } from './live-path.ts'
import { readAt } from './live-files.ts'
import { contentsOf, firstBytes, requireSpace, type Contents } from './preflight.ts'

export interface PrivateCopy extends AsyncDisposable {
  readonly path: SnapshotPath
  readonly contents: Contents
}

/** @throws {Failure} NOT_FOUND, NO_PERMISSION, NOT_A_FILE, EMPTY_FILE, NO_SPACE */
export async function copyPrivately(named: string, parent: string, name: string): Promise<PrivateCopy> {
  const source = resolve(named)
  const found = await stat(source).catch((error: unknown) => {
    throw failureOfPath(source, error)
  })
  if (!found.isFile()) throw new Failure('NOT_A_FILE', `${source} is not a regular file`)
  if (found.size === 0) throw new Failure('EMPTY_FILE', `${source} is empty`)
  requireSpace(parent, found.size)
  const folder = join(parent, name)
  await mkdir(folder, { mode: 0o700 })
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true })
  try {
    for (const part of liveSetParts) if (part !== '-shm') await copyPart(source + part, join(folder, `snapshot.db${part}`), part === '')
    const path = join(folder, 'snapshot.db')
    return { path: path as SnapshotPath, contents: await contentsOfFile(path), [Symbol.asyncDispose]: remove }
  } catch (error) {
    await remove()
    throw error
  }
}

async function copyPart(from: string, to: string, mandatory: boolean): Promise<void> {
  try {
    await copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)
  } catch (error) {
    if (!mandatory && ['ENOENT', 'ENAMETOOLONG'].includes((error as NodeJS.ErrnoException).code ?? '')) return
    const failure = failureOfPath(from, error)
    return outOfSpace(failure)
  }
}

async function contentsOfFile(path: string): Promise<Contents> {
  await using file = await open(path)
  return contentsOf(await readAt(file.fd, 0, firstBytes))
}
