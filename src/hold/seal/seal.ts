/**
 * The probe and the seal. A write lease on every file of the live set is the kernel's word that no other program has it
 * open or mapped. That covers every process, container and mount namespace (hold/README.md F3, I1.3).
 */
import { invariant } from '../../model/bug.ts'
import { Failure } from '../../model/failure.ts'
import { isAtLeast, type Evidence, type ProbeAnswer, type SealLevel } from '../../model/result/evidence.ts'
import type { NameConflict } from './conflict.ts'
import { leaseLiveSet, watchForBreak, type LiveSetLease } from './live-set-lease.ts'
import type { Locked } from './lock.ts'
import type { Probe } from './probe.ts'

declare const probed: unique symbol
declare const sealed: unique symbol

/** The lock was refused to a second process. */
export interface Probed {
  readonly [probed]: true
  readonly locked: Locked
  readonly answer: ProbeAnswer
}

/** Probed, and attested by the kernel as far as `level` says. */
export interface Sealed extends Disposable {
  readonly [sealed]: true
  readonly locked: Locked
  readonly level: SealLevel
  readonly leases: Evidence['lease']
  /** Aborts when another program opens a file of the live set. Locks and leases are released by then (F12). */
  readonly broken: AbortSignal
  /** @throws {Failure} IN_USE unless locks and leases are still ours and unbroken */
  assertUnbroken(): void
  /** Asks the kernel, and releases nothing: a program that asks for a file goes on waiting. */
  readonly isUnbroken: boolean
}

/**
 * @throws the reason of `over`; see `Probe.try`
 * @throws {Failure} LOCK_NOT_HONOURED, IN_USE; WRITER_SEEN if the probe, which opens by name, met another file than the
 * locked one
 */
export async function probeLock(locked: Locked, probe: Probe, over: AbortSignal): Promise<Probed> {
  invariant(locked.standing, 'only a standing lock can be probed')
  const { files, scope } = locked
  const answer = await probe.try(files.path, scope, files.stat(''), over).catch((error: unknown) => {
    if (over.aborted || files.areNamed()) throw error
    throw new Failure('WRITER_SEEN', `${files.path} leads to another file by now: the probe tried that one`, {
      cause: error,
    })
  })
  return { locked, answer } as unknown as Probed
}

/** How long to ask the kernel again: another program, such as a backup or an indexer, may read a file briefly. */
const waitMs = 30

export interface SealTerms {
  /** The weakest level that the configuration accepts. */
  readonly required: SealLevel
  /** The strongest level that this file system can give (overlay: `exclusive`, F11). */
  readonly strongest: SealLevel
  /** Whether a service was asked to stand still. If not, a program that has opened the file must not wait for us. */
  readonly served: boolean
  readonly nameConflict: NameConflict
}

/** @throws {Failure} IN_USE with the holders, CONTRACT_BROKEN if the service is one of them, LEASE_UNAVAILABLE */
export async function seal(
  probed: Probed,
  { required, strongest, served, nameConflict }: SealTerms,
  signal: AbortSignal,
): Promise<Sealed> {
  const { locked } = probed
  invariant(locked.standing, 'only a standing lock can be sealed')
  if (locked.scope === 'writer') return sealedAt('writer-locked', locked, null, { state: 'refused', files: 0 })
  const lease = await leaseLiveSet(locked.files, served ? waitMs : 0, signal)
  if (lease.kind === 'held') {
    if (isAtLeast(strongest, required)) return sealedAt(strongest, locked, lease, { state: 'held', files: lease.count })
    lease[Symbol.dispose]()
    throw new Failure(
      'LEASE_UNAVAILABLE',
      `on this file system a kernel lease on ${locked.files.path} does not notice every program that opens the file`,
    )
  }
  if (isAtLeast('exclusive', required) && (served || lease.kind === 'unsupported'))
    return sealedAt('exclusive', locked, null, { state: lease.kind, files: 0 })
  const file = locked.files.path + lease.part
  if (lease.kind === 'unsupported') throw new Failure('LEASE_UNAVAILABLE', `no kernel lease on ${file}: ${lease.why}`)
  locked[Symbol.dispose]() // The search for the program takes a while, and others must not wait for it.
  throw await nameConflict('IN_USE', { who: 'another program', pid: null, does: `has ${file} open or mapped` })
}

function sealedAt(level: SealLevel, locked: Locked, lease: LiveSetLease | null, leases: Evidence['lease']): Sealed {
  const breaking = new AbortController()
  const giveWay = (): void => {
    lease?.[Symbol.dispose]()
    locked[Symbol.dispose]()
    breaking.abort(
      new Failure(
        'IN_USE',
        `another program opened a file of ${locked.files.path} while it was sealed: holdfast released it immediately`,
        { hint: 'find out who opens the file while the tenant is quiesced; the next attempt may succeed' },
      ),
    )
  }
  const listening = lease === null ? null : watchForBreak(lease, giveWay)
  let open = true
  const token = {
    locked,
    level,
    leases,
    broken: breaking.signal,
    assertUnbroken: () => {
      if (open && lease?.isUnbroken() === false) giveWay() // The signal may not have reached us yet: ask the kernel.
      breaking.signal.throwIfAborted()
      invariant(open && locked.standing, 'the seal was released before its last use')
    },
    get isUnbroken() {
      return open && locked.standing && !breaking.signal.aborted && lease?.isUnbroken() !== false
    },
    [Symbol.dispose]: () => {
      if (!open) return
      open = false
      listening?.[Symbol.dispose]()
      lease?.[Symbol.dispose]()
    },
  }
  return token as unknown as Sealed
}
