/**
 * Looks after a pinned WAL all the time, and lets go if the pin would harm its programs, or is worth nothing any more.
 * Examples are a wal-index that a program must recover, a WAL that grows too long, names that lead elsewhere.
 */
import { systemFailure } from '../../host/failures/system-failure.ts'
import { Failure } from '../../model/failure.ts'
import { walIndexHeaderBytes } from '../../sqlite/wal/wal-index.ts'
import { humanBytes } from '../../text/units.ts'
import type { LiveFiles } from '../live/live-files.ts'
import { readWalIndex } from '../seal/wal-pin.ts'
import type { PinTask } from './pin-task.ts'

const lookEveryMs = 50

export interface PinWatch extends Disposable {
  /** Bytes by which the WAL file has grown. */
  grewBytes(): number
}

/** @param task its `-shm` and `-wal` are open */
export function watchPin({ files, limits: { maxWalGrowthBytes }, term }: PinTask): PinWatch {
  const first = files.stat('-wal').size
  const grewBytes = (): number => Math.max(0, Number(files.stat('-wal').size - first))
  let invalid: Buffer | null = null
  const look = (): void => {
    const before = invalid
    invalid = readWalIndex(files) === null ? files.readCached('-shm', 0, walIndexHeaderBytes) : null
    // The same bytes twice: no program is at work on them. Its recovery needs the checkpoint lock.
    if (invalid !== null && before?.equals(invalid) === true) term.letGo(tornIndex(files))
    if (grewBytes() > maxWalGrowthBytes) term.letGo(tooMuchWal(files, maxWalGrowthBytes))
    if (!files.areNamed()) term.letGo(replacedFailure(files))
  }
  const timer = setInterval(() => {
    try {
      look()
    } catch (error) {
      term.letGo(systemFailure(error, { doing: 'watch', path: files.path }))
    }
  }, lookEveryMs)
  return { grewBytes, [Symbol.dispose]: () => clearInterval(timer) }
}

const tornIndex = ({ path }: LiveFiles): Failure =>
  new Failure(
    'COPY_CHANGED',
    `a program died while it wrote to ${path}: holdfast let go, so that another recovers it`,
    { hint: 'the next attempt may succeed; `holdfast holders FILE` names the programs that are left' },
  )

const replacedFailure = ({ path }: LiveFiles): Failure =>
  new Failure('COPY_CHANGED', `a file of ${path} was removed or replaced while it was copied`)

const tooMuchWal = ({ path }: LiveFiles, bytesMax: number): Failure =>
  new Failure('NO_SPACE', `the WAL of ${path} grew by more than live.maxWalGrowth (${humanBytes(bytesMax)})`, {
    hint: 'check at a time when the program writes less; or raise live.maxWalGrowth, if its disk has the space',
  })
