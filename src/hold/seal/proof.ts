/** Steps 6 and 8: what was observed to establish that the seal held before and after the copy. */
import { fstatSync, lstatSync, type BigIntStats } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { onDisk } from '../../host/files/file-name.ts'
import { Failure } from '../../model/failure.ts'
import { liveSetParts, type FileProof, type LiveSetPart, type Proof } from '../../model/result/evidence.ts'
import { readHeader } from '../../sqlite/header.ts'
import { readWalHeader } from '../../sqlite/wal/wal.ts'
import type { LiveFiles } from '../live/live-files.ts'
import type { Sealed } from './seal.ts'

declare const proven: unique symbol
/** Sealed, and observed to stand still at one moment. */
export interface Proven {
  readonly [proven]: true
  readonly sealed: Sealed
  readonly proof: Proof
}

/**
 * The first proof: everything that must not move until the second one.
 * @throws {Failure} WRITER_SEEN when a file of the live set has come, gone or been replaced since it was opened
 */
export function prove(sealed: Sealed): Proven {
  sealed.assertUnbroken()
  const proof = observe(sealed)
  sealed.assertUnbroken()
  return { sealed, proof } as unknown as Proven
}

/** The second proof. @throws {Failure} COPY_CHANGED when anything of the first one moved, IN_USE when the seal broke */
export function proveAgain(before: Proven): Proof {
  const { sealed, proof } = before
  sealed.assertUnbroken()
  const after = observeAgain(sealed)
  sealed.assertUnbroken()
  const moved = movedBetween(proof, after)
  if (moved) throw new Failure('COPY_CHANGED', `${sealed.locked.files.path}: ${moved} changed while the copy was made`)
  return after
}

/** The first thing that differs between two proofs, in words; null when all is as it was. */
export function movedBetween(before: Proof, after: Proof): string | null {
  for (const was of before.files) {
    const is = after.files.find(({ part }) => part === was.part)
    if (!is) return `the ${was.part || 'database'} file`
    const field = (Object.keys(was) as (keyof FileProof)[]).find((field) => was[field] !== is[field])
    if (field) return `${field} of the ${was.part || 'database'} file (${was[field]} to ${is[field]})`
  }
  if (after.files.length !== before.files.length) return 'the number of files'
  if (before.changeCounter !== after.changeCounter) return 'the change counter'
  return isDeepStrictEqual(before.walSalts, after.walSalts) ? null : 'the salts of the WAL'
}

function observeAgain(sealed: Sealed): Proof {
  try {
    return observe(sealed)
  } catch (error) {
    if (error instanceof Failure) throw new Failure('COPY_CHANGED', error.message, { cause: error })
    throw error
  }
}

function observe({ locked: { files, scope }, leases }: Sealed): Proof {
  const proofs: FileProof[] = []
  // Readers of a writer-locked tenant go on marking the -shm, which no copy contains.
  const still = scope === 'writer' ? liveSetParts.filter((part) => part !== '-shm') : liveSetParts
  for (const part of still) {
    const proof = observeFile(files, part, leases?.state === 'held')
    if (proof) proofs.push(proof)
  }
  const header = readHeader(files.readAgain('', 0, 100))
  const wal = files.has('-wal') ? readWalHeader(files.readAgain('-wal', 0, 32)) : null
  return {
    at: new Date().toISOString(),
    files: proofs,
    changeCounter: header.kind === 'header' ? header.header.changeCounter : 0,
    walSalts: wal?.salts ?? null,
  }
}

/**
 * The path must still lead to what we hold, and must lead nowhere where we hold nothing. Without a hop through the
 * thread pool for each look: the file system is one that was found fit (preflight) and all names were looked up a
 * moment ago, so a look takes microseconds, a hop a tenth of a millisecond of the pause.
 */
function observeFile(files: LiveFiles, part: LiveSetPart, leased: boolean): FileProof | null {
  const named = look(files.path + part)
  const held = files.has(part) ? fstatSync(files.descriptor(part), { bigint: true }) : null
  if (named === null && held === null) return null
  if (named === null || held === null || named.dev !== held.dev || named.ino !== held.ino) {
    const what = named === null ? 'is gone' : held === null ? 'has appeared' : 'leads to another file by now'
    throw new Failure('WRITER_SEEN', `${files.path}${part} ${what}`)
  }
  return {
    part,
    dev: String(held.dev),
    ino: String(held.ino),
    size: Number(held.size),
    mtimeNs: String(held.mtimeNs),
    ctimeNs: String(held.ctimeNs),
    links: Number(held.nlink),
    lease: leased ? 'write' : 'none',
  }
}

function look(path: string): BigIntStats | null {
  try {
    return lstatSync(onDisk(path), { bigint: true, throwIfNoEntry: false }) ?? null
  } catch {
    return null // A name that cannot be looked at leads nowhere.
  }
}
