/**
 * A database in WAL mode that programs are connected to (README.md, L1 to L4). The locks of a connected reader and the
 * checkpoint lock keep the database file still, and the frames of the WAL up to the mark. Programs go on reading and
 * appending. So the copy is exactly the state at the mark, and nothing has to be followed.
 *   3. The pin stands. The wal-index that was read then is the mark. All names lead to the files that are open here,
 *      and programs have the same ones.
 *   4. Probe: a second process sees our locks, and SQLite there is refused a checkpoint.
 *   5. First proof of the database file.
 *   6. Copy it, then the frames up to the mark. Meanwhile a watch may let go.
 *   7. Second proof. The wal-index still describes the same WAL, and no fewer frames. The second process looks again.
 */
import { sleep } from '../../host/clock.ts'
import { Failure } from '../../model/failure.ts'
import type { Proof } from '../../model/result/evidence.ts'
import { lockBytes } from '../../sqlite/lock-bytes.ts'
import type { WalIndexHeader } from '../../sqlite/wal/wal-index.ts'
import type { LiveFiles } from '../live/live-files.ts'
import type { LockToSee } from '../seal/lock-sight.ts'
import { isConnected, readWalIndex, walPinLocks } from '../seal/wal-pin.ts'
import { copyParts, type CopyResult } from '../snapshot/copy.ts'
import { WalFollower } from '../snapshot/wal-follower.ts'
import { findJournal } from './journal-state.ts'
import type { PinnedCopy, PinTask } from './pin-task.ts'
import { companionGone, requireSameDatabase } from './refusals.ts'
import { proveStill, proveStillAgain } from './still.ts'
import { watchPin } from './watch-pin.ts'

/**
 * @param mark the wal-index, read when the pin stood
 * @throws {Failure} COPY_CHANGED, WRITER_SEEN: another attempt may succeed; LOCK_NOT_HONOURED, NO_SPACE
 */
export async function takeWal(task: PinTask, mark: WalIndexHeader): Promise<PinnedCopy> {
  const { hold, files, probe, term } = task
  term.start()
  requireNamed(files)
  requireSameDatabase(files)
  await requireNoHotJournal(files)
  using watch = watchPin(task)
  const pins = pinsOf(files)
  hold.record.add({ lock: { kind: 'ofd', ranges: pins.map(inWords) } })
  const { checkpoint, hidden } = await probe.tryPins(files.path, pins, files.stat(''))
  if (hidden) hold.record.add({ unseen: [...hold.record.evidence.unseen, hiddenLocks] })
  hold.record.step('probed', { probe: { before: refused, after: null } })
  const first = withSalts(await proveStill(files, mainAlone, term.over), mark)
  hold.record.step('proven', { proofs: [first] })
  const copied = await copyToMark(task, first, mark)
  hold.record.step('copied')
  const second = await proveAgain(task, first, mark)
  hold.record.step('proven-again', { proofs: [first, second] })
  const lastSeenConnected = isConnected(files)
  await probe.tryPins(files.path, pins, null)
  term.over.throwIfAborted()
  requireNamed(files)
  hold.record.step('probed-again')
  const { frames, salts } = mark
  return {
    pin: {
      branch: 'wal',
      mark: { frames, salts },
      walGrewBytes: watch.grewBytes(),
      journal: 'none',
      checkpoint,
      lastSeenConnected,
    },
    probe: { before: refused, after: refused },
    proofs: [first, second],
    copied,
    superJournal: 'none',
  }
}

const mainAlone = [''] as const
/** A pin lets other programs read and write. */
const refused = { raw: 'refused', read: 'not-tried', write: 'not-tried' } as const

/** The file may have been replaced since it was opened. Also refuses a WAL that was removed under its programs. */
function requireNamed(files: LiveFiles): void {
  if (files.has('-wal') && files.areNamed()) return
  throw companionGone(`a file of ${files.path} was removed or replaced while programs use it`)
}

/**
 * Programs that use the WAL do not read the journal. The next one that opens the database alone rolls it back, over
 * what they have committed since. Then the snapshot is not what that program sees (README.md L16).
 */
async function requireNoHotJournal(files: LiveFiles): Promise<void> {
  if ((await findJournal(files)) !== 'hot') return
  throw new Failure(
    'COPY_CHANGED',
    `beside ${files.path} lies the journal of an interrupted transaction, although programs use its WAL: SQLite ` +
      'keeps other programs out now, and the first that opens the database alone rolls the journal back, ' +
      'over newer commits',
    {
      hint:
        'let its programs run, keep a copy of all files of the database, move the -journal away, and check again; ' +
        'then find out which program put it there',
    },
  )
}

/** SHARED too: a program that closes would otherwise delete the WAL. */
function pinsOf(files: LiveFiles): readonly LockToSee[] {
  const lock = (part: '' | '-shm', { kind, range }: Pick<LockToSee, 'kind' | 'range'>): LockToSee => {
    const { dev, ino } = files.stat(part)
    return { path: files.path + part, dev, ino, kind, range }
  }
  return [lock('', { kind: 'read', range: lockBytes.shared }), ...walPinLocks.map((one) => lock('-shm', one))]
}

const inWords = ({ path, kind, range: { start, length } }: LockToSee): string =>
  `${path.endsWith('-shm') ? '-shm' : 'database'} ${kind} 0x${start.toString(16)}+${length}`

const hiddenLocks = 'locks of our own that those of other programs hide (/proc/locks is not shown to us)'

/** Without a committed frame, salts may change under a good pin: a program that opens the file draws new ones. */
const withSalts = (proof: Proof, { frames, salts }: WalIndexHeader): Proof =>
  frames === 0 ? proof : { ...proof, walSalts: salts }

/** With no committed frame, the snapshot is the database file alone: its WAL may hold an old generation. */
async function copyToMark({ files, draft, term }: PinTask, first: Proof, mark: WalIndexHeader): Promise<CopyResult> {
  const copied = await copyParts(files, first.files, draft, term.over)
  if (mark.frames === 0) return copied
  const follower = new WalFollower(files, draft.descriptor('-wal'))
  const walBytes = await follower.followTo(mark, term.over).catch(draft.failed)
  return { ...copied, tailBytes: copied.tailBytes + walBytes }
}

/** @throws {Failure} COPY_CHANGED */
async function proveAgain({ files, term }: PinTask, first: Proof, mark: WalIndexHeader): Promise<Proof> {
  term.over.throwIfAborted()
  const now = await readValidIndex(files, term.over)
  requireNamed(files)
  const second = proveStillAgain(files, mainAlone, { ...first, walSalts: null })
  const isSameWal = mark.frames === 0 || (now.salts === mark.salts && now.frames >= mark.frames)
  if (!isSameWal) throw new Failure('COPY_CHANGED', `the WAL of ${files.path} was reset although it was pinned`)
  return withSalts(second, mark)
}

/** A program that writes changes it for microseconds only. */
const lookAgain = { times: 50, afterMs: 1 } as const

/** @throws {Failure} COPY_CHANGED if it stays invalid */
async function readValidIndex(files: LiveFiles, signal: AbortSignal): Promise<WalIndexHeader> {
  for (let look = 0; look < lookAgain.times; look++) {
    const index = readWalIndex(files)
    if (index !== null) return index
    await sleep(lookAgain.afterMs, signal)
  }
  throw new Failure('COPY_CHANGED', `the wal-index of ${files.path} is not valid: a program died while it wrote`)
}
