/** The proofs: what was observed before and after the copy, to show that the seal held and nothing moved. */
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
 * @throws {Failure} WRITER_SEEN if a file of the live set has come, gone or been replaced since it was opened; IN_USE
 * if the seal broke
 */
export function prove(sealed: Sealed): Proven {
  sealed.assertUnbroken()
  const proof = observe(sealed)
  sealed.assertUnbroken()
  return { sealed, proof } as unknown as Proven
}

/** The second proof. @throws {Failure} COPY_CHANGED if anything of the first one moved; IN_USE if the seal broke */
export function proveAgain(before: Proven): Proof {
  const { sealed, proof } = before
  sealed.assertUnbroken()
  const after = observeAgain(sealed)
  sealed.assertUnbroken()
  const moved = findMoved(proof, after)
  if (moved) throw new Failure('COPY_CHANGED', `${sealed.locked.files.path}: ${moved} changed while the copy was made`)
  return after
}

/** The first difference between two proofs, in words; null if there is none. */
export function findMoved(before: Proof, after: Proof): string | null {
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
  // Readers of a writer-locked tenant go on marking the -shm, which no copy contains.
  const parts = scope === 'writer' ? liveSetParts.filter((part) => part !== '-shm') : liveSetParts
  return observeFiles(files, parts, leases?.state === 'held')
}

/**
 * The state of these parts of a live set. The salts are observed if the WAL is one of them.
 * @throws {Failure} WRITER_SEEN if one has come, gone or been replaced since it was opened
 */
export function observeFiles(files: LiveFiles, parts: readonly LiveSetPart[], leased = false): Proof {
  const proofs: FileProof[] = []
  for (const part of parts) {
    const proof = observeFile(files, part, leased)
    if (proof) proofs.push(proof)
  }
  const header = readHeader(files.readCached('', 0, 100))
  const wal = parts.includes('-wal') && files.has('-wal') ? readWalHeader(files.readCached('-wal', 0, 32)) : null
  return {
    at: new Date().toISOString(),
    files: proofs,
    changeCounter: header.kind === 'header' ? header.header.changeCounter : 0,
    walSalts: wal?.salts ?? null,
  }
}

/**
 * The name must still lead to the file that is open here, and to nothing if none is. Synchronous: the file system was
 * judged fit and all names were found a moment ago, so a call takes microseconds. Through the thread pool it would take
 * a tenth of a millisecond of the pause.
 * @throws {Failure} WRITER_SEEN
 */
function observeFile(files: LiveFiles, part: LiveSetPart, leased: boolean): FileProof | null {
  const named = findNamed(files.path + part)
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

/** Null also if the name cannot be looked up: it leads nowhere then, and a file that is open here counts as gone. */
function findNamed(path: string): BigIntStats | null {
  try {
    return lstatSync(onDisk(path), { bigint: true, throwIfNoEntry: false }) ?? null
  } catch {
    return null
  }
}
