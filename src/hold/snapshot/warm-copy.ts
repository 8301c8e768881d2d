/**
 * The warm copy, made while the tenant serves. Locks of ours pin the WAL (hold/README.md F6). No checkpoint changes the
 * database file and the WAL is not reset, while the service goes on writing. The database file is copied meanwhile,
 * then the committed frames of the WAL in rounds, until little is left for the pause. The pin stands until the live
 * files are closed. It keeps the service's last close from checkpointing (F7), and the exclusive lock is taken on top
 * of it.
 */
import { monotonicMs } from '../../host/clock.ts'
import { Disposables } from '../../host/disposal.ts'
import { copyRange, copyRangeSparsely, type CopiedRange } from '../../host/files/copy-range.ts'
import { dataSpans } from '../../host/files/holes.ts'
import { unlock } from '../../host/locks/byte-lock.ts'
import { Failure } from '../../model/failure.ts'
import { lockBytes } from '../../sqlite/lock-bytes.ts'
import type { LiveFiles } from '../live/live-files.ts'
import type { Guardian } from '../seal/guardian.ts'
import { tryShared } from '../seal/shared-lock.ts'
import { pinWal, unpinWal } from '../seal/wal-pin.ts'
import type { Draft } from './draft.ts'
import { WalFollower } from './wal-follower.ts'

export interface WarmCopy extends Disposable {
  readonly follower: WalFollower
  /**
   * Copies what was committed since, right before the pause.
   * @throws {Failure} NO_SPACE if the WAL has outgrown the limit; COPY_CHANGED if its frames do not verify
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
  const follower = new WalFollower(files, draft.descriptor('-wal'))
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
 * @returns null if another program keeps the checkpoint lock or has the database exclusively, or if no connection shows
 * that the wal-index is current
 */
async function pin(files: LiveFiles, signal: AbortSignal): Promise<Disposable | null> {
  if (!files.has('-shm') || !files.has('-wal')) return null
  const database = files.descriptor('')
  if (!tryShared(database)) return null
  try {
    const outcome = await pinWal(files, { idleMs: limits.connectedMs, busyMs: limits.pinMs }, signal)
    // Not the database's bytes: the exclusive lock may have been taken on top of ours. Closing the file ends both.
    if (outcome.kind === 'pinned') return { [Symbol.dispose]: () => unpinWal(files) }
  } catch (error) {
    unlock(database, lockBytes.shared)
    throw error
  }
  unlock(database, lockBytes.shared)
  return null
}

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
const rateSample = { pieces: 4, pieceBytes: 16 * 1024 * 1024 } as const

/**
 * Copies a few pieces into the draft and discards them.
 * @returns bytes a second of the fastest piece: the service, which slowed the others down, is paused later
 */
export async function measureCopyRate(files: LiveFiles, draft: Draft, signal: AbortSignal): Promise<number> {
  let fastest = 0
  for (const [i, { offset, bytes: piece }] of (await piecesToRehearse(files)).entries()) {
    const startMs = monotonicMs()
    await copyRange(files.descriptor(''), draft.descriptor(''), { offset, bytes: piece }, signal).catch(draft.failed)
    // A short last piece would measure the call, not the copying.
    if (i === 0 || piece === rateSample.pieceBytes)
      fastest = Math.max(fastest, piece / (Math.max(monotonicMs() - startMs, 1) / 1000))
  }
  await draft.restart('')
  return fastest
}

/** The first pieces that contain data: a hole is not copied. */
async function piecesToRehearse(files: LiveFiles): Promise<readonly CopiedRange[]> {
  const pieces: CopiedRange[] = []
  for await (const { offset, end } of dataSpans(files.descriptor(''))) {
    for (let at = offset; at < end; at += rateSample.pieceBytes) {
      if (pieces.push({ offset: at, bytes: Math.min(rateSample.pieceBytes, end - at) }) === rateSample.pieces)
        return pieces
    }
  }
  return pieces
}
