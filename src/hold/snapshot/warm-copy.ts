/**
 * The warm copy, made while the tenant serves. Locks of ours pin the WAL (hold/README.md F6): no checkpoint changes the
 * database file and the WAL is not reset, while the service goes on writing. The database file is copied meanwhile,
 * then the committed frames of the WAL in rounds, until little is left for the pause. The pin stands until the live
 * files are closed: it keeps the service's last close from checkpointing (F7), and the exclusive lock is taken on top
 * of it.
 */
import { write } from 'node:fs'
import { promisify } from 'node:util'
import { monotonicMs, sleep } from '../../host/clock.ts'
import { Disposables } from '../../host/disposal.ts'
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
   * Copies what was committed since, right before the pause.
   * @throws {Failure} if the WAL has outgrown the limit meanwhile
   */
  catchUp(): Promise<void>
  /** The database file when it was pinned. The first proof of the pause must show the same. */
  readonly pinned: { readonly size: bigint; readonly mtimeNs: bigint; readonly ctimeNs: bigint; readonly ino: bigint }
  readonly ms: number
}

const limits = {
  pinMs: 2_000,
  connectedMs: 50,
  rounds: 8,
  tailBytes: 512 * 1024,
  walGrowthBytes: 256 * 1024 * 1024,
} as const

/**
 * @returns null if the WAL cannot be pinned now, outgrows the limit or does not verify: all is then copied in the pause
 * @throws {Failure} NO_SPACE; the signal's reason
 */
export async function copyWarm(
  files: LiveFiles,
  draft: Draft,
  guardian: Guardian,
  signal: AbortSignal,
): Promise<WarmCopy | null> {
  try {
    return await copyPinned(files, draft, guardian, signal)
  } catch (error) {
    // In both cases a longer pause does less harm than the pin.
    if (error === tooMuchWal || (error instanceof Failure && error.code === 'COPY_CHANGED')) {
      await draft.restart('')
      await draft.restart('-wal')
      return null
    }
    return draft.failed(error)
  }
}

/** @returns null if the WAL cannot be pinned now */
async function copyPinned(
  files: LiveFiles,
  draft: Draft,
  guardian: Guardian,
  signal: AbortSignal,
): Promise<WarmCopy | null> {
  const startMs = monotonicMs()
  using taken = new Disposables()
  taken.add(await guardian.watchHeartbeat())
  const pinned = await pin(files, signal)
  if (!pinned) return null
  taken.add(pinned)
  const { size, mtimeNs, ctimeNs, ino } = files.stat('')
  const growth = taken.add(limitGrowth(files))
  const within = AbortSignal.any([signal, growth.exceeded])
  await copyRangeSparsely(files.descriptor(''), draft.descriptor(''), { offset: 0, bytes: Number(size) }, within)
  const follower = new WalFollower(files, draft.descriptor('-wal'), writeAt)
  const catchUp = async (): Promise<void> => {
    for (let round = 0; round < limits.rounds; round++)
      if ((await follower.followCommitted(within)) < limits.tailBytes) break
  }
  await catchUp()
  const rest = taken.move()
  return {
    follower,
    catchUp,
    pinned: { size, mtimeNs, ctimeNs, ino },
    ms: monotonicMs() - startMs,
    [Symbol.dispose]: () => rest[Symbol.dispose](),
  }
}

/**
 * Takes the locks of a connected reader, with its dead man's switch. Without the switch, a service that opens the
 * tenant for each request would find no connection and discard the wal-index. To rebuild it, the service needs the
 * checkpoint lock, which we hold. It would wait for as long as we copy.
 * @returns null if another program keeps the checkpoint lock, or if no connection shows that the wal-index is current
 */
async function pin(files: LiveFiles, signal: AbortSignal): Promise<Disposable | null> {
  if (!files.has('-shm') || !files.has('-wal')) return null
  const database = files.descriptor('')
  const shm = files.descriptor('-shm')
  const undo = (): void => {
    // Not the database's bytes: the exclusive lock may have been taken on top of ours. Closing the file ends both.
    if (files.has('-shm')) for (const { range } of shmPins) unlock(shm, range)
  }
  if (tryLock(database, 'read', lockBytes.shared) === 'refused') return null
  const startMs = monotonicMs()
  try {
    for (;;) {
      const isConnected = hasConnection(shm)
      if (
        isConnected &&
        shmPins.every(({ kind, range }) => tryLock(shm, kind, range) === 'granted') &&
        (await hasIndex(files))
      )
        return { [Symbol.dispose]: undo }
      undo()
      if (monotonicMs() - startMs > (isConnected ? limits.pinMs : limits.connectedMs)) break
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
/** The dead man's switch first: once it is ours no program discards the wal-index. */
const shmPins = [
  { kind: 'read', range: deadManSwitch },
  { kind: 'write', range: shmByte(shmLockBytes.checkpoint) },
  { kind: 'read', range: shmByte(shmLockBytes.readMark(1)) },
] as const

/**
 * A wal-index without a connection may be stale. With our switch, the next program to open it would take it for
 * current.
 */
const hasConnection = (shm: number): boolean => findConflict(shm, 'write', deadManSwitch)?.kind === 'read'

/** A wal-index that is still empty is filled by recovery, which needs the checkpoint lock. */
const hasIndex = async (files: LiveFiles): Promise<boolean> =>
  readWalIndexHeader(await files.read('-shm', 0, walIndexHeaderBytes)) !== null

const tooMuchWal = new Failure('NO_SPACE', 'the WAL grew past the limit while it was pinned')

/** Under the pin the WAL only grows: past a limit the service's disk matters more than a short pause. */
function limitGrowth(files: LiveFiles): Disposable & { readonly exceeded: AbortSignal } {
  const controller = new AbortController()
  let first: bigint | null = null
  const check = (): void => {
    if (!files.has('-wal')) return // The hold has closed it.
    try {
      const { size } = files.stat('-wal')
      first ??= size
      if (size - first > limits.walGrowthBytes) controller.abort(tooMuchWal)
    } catch (error) {
      controller.abort(error)
    }
  }
  const timer = setInterval(check, 100)
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

/** Reads the file once, so that a copy in the pause comes from memory. */
export async function readIntoCache(files: LiveFiles, signal: AbortSignal): Promise<void> {
  const buffer = Buffer.allocUnsafe(4 * 1024 * 1024)
  for await (const { offset, end } of dataSpans(files.descriptor(''))) {
    for (let at = offset; at < end; at += buffer.length) {
      signal.throwIfAborted()
      await files.readInto('', at, buffer.subarray(0, Math.min(buffer.length, end - at)))
    }
  }
}

/** Pieces that are large enough to measure the rate of a copy. */
const rehearsal = { pieces: 4, pieceBytes: 16 * 1024 * 1024 } as const

/**
 * Copies a few pieces into the draft and discards them.
 * @returns bytes a second of the fastest piece: the service, which slowed the others down, is paused later
 */
export async function rehearseCopy(files: LiveFiles, draft: Draft, signal: AbortSignal): Promise<number> {
  let fastest = 0
  for (const [i, { offset, bytes: piece }] of (await piecesToRehearse(files)).entries()) {
    const startMs = monotonicMs()
    await copyRange(files.descriptor(''), draft.descriptor(''), { offset, bytes: piece }, signal).catch(draft.failed)
    // A short last piece would measure the call, not the copying.
    if (i === 0 || piece === rehearsal.pieceBytes)
      fastest = Math.max(fastest, piece / (Math.max(monotonicMs() - startMs, 1) / 1000))
  }
  await draft.restart('')
  return fastest
}

/** The first pieces that contain data: a hole is not copied. */
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
