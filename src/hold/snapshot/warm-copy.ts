/**
 * Step 1: the warm copy. While nobody is paused the WAL is pinned (hold/README.md F6): no checkpoint touches the
 * database file and the WAL is not reset, though the service goes on writing. The database file is copied meanwhile,
 * then the committed frames of the WAL in rounds, until what is left for the pause is small. The pin's locks stay: they
 * keep the service's last close from checkpointing (F7), and the exclusive lock is later taken on top of them.
 */
import { write } from 'node:fs'
import { promisify } from 'node:util'
import { monotonicMs, sleep } from '../../host/clock.ts'
import { copyRange, copyRangeSparsely, type CopiedRange } from '../../host/files/copying.ts'
import { dataSpans } from '../../host/files/holes.ts'
import { findConflict, tryLock, unlock, type ByteRange } from '../../host/locks/byte-lock.ts'
import { Failure } from '../../model/failure.ts'
import { lockBytes, shmLockBytes } from '../../sqlite/lock-bytes.ts'
import { readWalIndexHeader, walIndexHeaderBytes } from '../../sqlite/wal/wal-index.ts'
import type { LiveFiles } from '../live/live-files.ts'
import type { Guardian } from '../seal/guardian.ts'
import type { Draft } from './draft.ts'
import { WalFollower } from './wal-follower.ts'

export interface WarmCopy extends Disposable {
  readonly follower: WalFollower
  /**
   * Copies what was committed since, for a pause that had to wait for its turn.
   * @throws when the WAL has outgrown the limit meanwhile
   */
  catchUp(): Promise<void>
  /** Identity of the database file at the moment of the pin: it must be the same when the pause proves it. */
  readonly pinned: { readonly size: bigint; readonly mtimeNs: bigint; readonly ctimeNs: bigint; readonly ino: bigint }
  readonly ms: number
}

const limits = {
  pinMs: 2_000,
  vouchMs: 50,
  rounds: 8,
  tailBytes: 512 * 1024,
  walGrowthBytes: 256 * 1024 * 1024,
} as const

/**
 * @returns null when the live set cannot be pinned now, or when its WAL outgrows the limit or does not verify: then the
 * copy is made cold
 * @throws {Failure} NO_SPACE; the signal's reason
 */
export async function copyWarm(
  files: LiveFiles,
  draft: Draft,
  guardian: Guardian,
  signal: AbortSignal,
): Promise<WarmCopy | null> {
  const startMs = monotonicMs()
  const held: Disposable[] = []
  const release = (): void => {
    for (const one of held.splice(0).toReversed()) one[Symbol.dispose]()
  }
  try {
    held.push(await guardian.watchHeartbeat())
    const pinned = await pin(files, signal)
    if (!pinned) {
      release()
      return null
    }
    held.push(pinned)
    const { size, mtimeNs, ctimeNs, ino } = await files.stat('')
    const growth = limitGrowth(files)
    held.push(growth)
    const within = AbortSignal.any([signal, growth.exceeded])
    await copyRangeSparsely(
      files.descriptor(''),
      await draft.descriptor(''),
      { offset: 0, bytes: Number(size) },
      within,
    )
    const follower = new WalFollower(files, await draft.descriptor('-wal'), writeAt)
    const catchUp = async (): Promise<void> => {
      for (let round = 0; round < limits.rounds; round++)
        if ((await follower.followCommitted(within)) < limits.tailBytes) break
    }
    await catchUp()
    return {
      follower,
      catchUp,
      pinned: { size, mtimeNs, ctimeNs, ino },
      ms: monotonicMs() - startMs,
      [Symbol.dispose]: release,
    }
  } catch (error) {
    release()
    // In both cases a copy in the pause does less harm than the pin.
    if (error === tooMuchWal || (error instanceof Failure && error.code === 'COPY_CHANGED')) {
      await draft.restart('')
      await draft.restart('-wal')
      return null
    }
    return draft.failed(error)
  }
}

/**
 * Pins as a reader does that is connected and never lets go, its dead man's switch included: without that, a service
 * that opens the tenant anew for each request would find nobody connected, throw its wal-index away, and then wait for
 * the checkpoint lock, which we keep, to make it again: it would stand still for as long as we copy.
 * @returns null when somebody keeps the checkpoint lock, or when nobody is connected who vouches for the wal-index
 */
async function pin(files: LiveFiles, signal: AbortSignal): Promise<Disposable | null> {
  if (!files.has('-shm') || !files.has('-wal')) return null
  const database = files.descriptor('')
  const shm = files.descriptor('-shm')
  const undo = (): void => {
    // The database's bytes are left to the exclusive lock when it was taken on top of ours; closing ends both.
    if (files.has('-shm')) for (const { range } of shmPins) unlock(shm, range)
  }
  if (tryLock(database, 'read', lockBytes.shared) === 'refused') return null
  const startMs = monotonicMs()
  try {
    for (;;) {
      const vouched = isVouchedFor(shm)
      if (
        vouched &&
        shmPins.every(({ kind, range }) => tryLock(shm, kind, range) === 'granted') &&
        (await hasIndex(files))
      )
        return { [Symbol.dispose]: undo }
      undo()
      if (monotonicMs() - startMs > (vouched ? limits.pinMs : limits.vouchMs)) break
      await sleep(2, signal)
    }
  } catch (error) {
    undo()
    throw error
  }
  unlock(database, lockBytes.shared)
  return null
}

const shmByte = (start: number): ByteRange => ({ start, length: 1 })
const deadManSwitch = shmByte(shmLockBytes.deadManSwitch)
/** The dead man's switch first: once it is ours nobody throws the wal-index away. */
const shmPins = [
  { kind: 'read', range: deadManSwitch },
  { kind: 'write', range: shmByte(shmLockBytes.checkpoint) },
  { kind: 'read', range: shmByte(shmLockBytes.readMark(1)) },
] as const

/**
 * A wal-index that nobody is connected to may be stale: our switch must not make it look alive to the next who opens.
 */
const isVouchedFor = (shm: number): boolean => findConflict(shm, 'write', deadManSwitch)?.kind === 'read'

/** One that is still empty would be filled by recovery, which needs the checkpoint lock. */
const hasIndex = async (files: LiveFiles): Promise<boolean> =>
  readWalIndexHeader(await files.read('-shm', 0, walIndexHeaderBytes)) !== null

const tooMuchWal = new Failure('NO_SPACE', 'the WAL grew past the limit while it was pinned')

/** A pin keeps the WAL from being reset: past a limit the service's disk matters more than a short pause. */
function limitGrowth(files: LiveFiles): Disposable & { readonly exceeded: AbortSignal } {
  const controller = new AbortController()
  let first: bigint | null = null
  const look = async (): Promise<void> => {
    const { size } = await files.stat('-wal')
    first ??= size
    if (size - first > limits.walGrowthBytes) controller.abort(tooMuchWal)
  }
  const timer = setInterval(() => void look().catch((error: unknown) => controller.abort(error)), 100)
  return { exceeded: controller.signal, [Symbol.dispose]: () => clearInterval(timer) }
}

const writeOnce = promisify(write)

/** Writes all of `bytes` at `position`. */
async function writeAt(descriptor: number, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await writeOnce(descriptor, bytes, done, bytes.length - done, position + done)
    done += bytesWritten
  }
}

/** For rollback-journal tenants: reads the file once, so that the copy in the pause comes from memory. */
export async function readIntoCache(files: LiveFiles, signal: AbortSignal): Promise<void> {
  const pieceBytes = 4 * 1024 * 1024
  for await (const { offset, end } of dataSpans(files.descriptor(''))) {
    for (let at = offset; at < end; at += pieceBytes) {
      signal.throwIfAborted()
      await files.read('', at, Math.min(pieceBytes, end - at))
    }
  }
}

/** Pieces large enough to tell the rate of a copy. */
const rehearsal = { pieces: 4, pieceBytes: 16 * 1024 * 1024 } as const

/**
 * Copies a few pieces into the draft and forgets them.
 * @returns bytes a second of the fastest: the service that slows the others down will stand still
 */
export async function rehearseCopy(files: LiveFiles, draft: Draft, signal: AbortSignal): Promise<number> {
  let fastest = 0
  for (const [i, { offset, bytes: piece }] of (await piecesToRehearse(files)).entries()) {
    const startMs = monotonicMs()
    await copyRange(files.descriptor(''), await draft.descriptor(''), { offset, bytes: piece }, signal).catch(
      draft.failed,
    )
    // A last piece of a few bytes would tell more of the call than of the copying.
    if (i === 0 || piece === rehearsal.pieceBytes)
      fastest = Math.max(fastest, piece / (Math.max(monotonicMs() - startMs, 1) / 1000))
  }
  await draft.restart('')
  return fastest
}

/** The first ones that hold data: a hole would tell of no copying. */
async function piecesToRehearse(files: LiveFiles): Promise<readonly CopiedRange[]> {
  const pieces: CopiedRange[] = []
  for await (const { offset, end } of dataSpans(files.descriptor(''))) {
    for (let at = offset; at < end; at += rehearsal.pieceBytes) {
      if (pieces.push({ offset: at, bytes: Math.min(rehearsal.pieceBytes, end - at) }) === rehearsal.pieces)
        return pieces
    }
  }
  return pieces
}
