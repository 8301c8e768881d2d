/**
 * Steps 4 and 5: the probe and the seal. A write lease on every file of the live set is the kernel's word that nobody
 * else has it open or mapped, in any process, container or mount namespace (hold.md F3, I1.3).
 */
import { monotonicMs, sleep } from '../host/clock.ts'
import { leaseOf, onLeaseBreak, releaseLease, takeWriteLease } from '../host/kernel-lease.ts'
import { invariant } from '../model/bug.ts'
import { isAtLeast, type Evidence, type LiveSetPart, type ProbeAnswer, type SealLevel } from '../model/evidence.ts'
import { Failure } from '../model/failure.ts'
import type { Accuse } from './accusation.ts'
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

/** Probed, and as far as `level` says attested by the kernel. */
export interface Sealed extends Disposable {
  readonly [sealed]: true
  readonly locked: Locked
  readonly level: SealLevel
  readonly leases: Evidence['lease']
  /** Aborts at once when somebody opens a file of the live set; by then locks and leases are already given up (F12). */
  readonly broken: AbortSignal
  /** Throws unless locks and leases are still ours and unbroken. */
  assertUnbroken(): void
}

/** @throws {Failure} LOCK_NOT_HONOURED, IN_USE; WRITER_SEEN when the probe, which opens by path, met another file than the locked one */
export async function probeLock(locked: Locked, probe: Probe): Promise<Probed> {
  invariant(locked.standing, 'only a standing lock can be probed')
  const answer = await probe.try(locked.files.path, locked.scope).catch(async (error: unknown) => {
    throw await locked.files.areNamed() ? error : new Failure('WRITER_SEEN', `${locked.files.path} leads to another file by now: the probe tried that one`, { cause: error })
  })
  return { locked, answer } as unknown as Probed
}

/** Somebody may be looking at the file for a moment (a backup, an indexer): ask the kernel a few times. */
const patienceMs = 30

export interface SealTerms {
  /** The weakest level that the configuration accepts. */
  readonly required: SealLevel
  /** The strongest level that this file system can give (overlay: `exclusive`, F11). */
  readonly ceiling: SealLevel
  readonly accuse: Accuse
}

/** @throws {Failure} IN_USE naming the holders, CONTRACT_BROKEN when the service is one of them, LEASE_UNAVAILABLE */
export async function seal(probed: Probed, { required, ceiling, accuse }: SealTerms, signal: AbortSignal): Promise<Sealed> {
  const { locked } = probed
  invariant(locked.standing, 'only a standing lock can be sealed')
  if (locked.scope === 'writer') return sealedAt('writer-locked', locked, [], { state: 'refused', files: 0 })
  const leased: LiveSetPart[] = []
  try {
    for (const part of locked.files.parts) {
      const answer = await leaseWithPatience(locked.files.descriptor(part), signal)
      if (answer.kind === 'granted') {
        leased.push(part)
        continue
      }
      if (isAtLeast('exclusive', required)) {
        releaseAll(locked, leased)
        return sealedAt('exclusive', locked, [], { state: answer.kind, files: 0 })
      }
      if (answer.kind === 'unsupported') throw new Failure('LEASE_UNAVAILABLE', `no kernel lease on ${locked.files.path}${part}: ${answer.why}`)
      throw await accuse('IN_USE', `somebody has ${locked.files.path}${part} open or mapped`)
    }
  } catch (error) {
    releaseAll(locked, leased)
    throw error
  }
  if (!isAtLeast(ceiling, required)) {
    releaseAll(locked, leased)
    throw new Failure('LEASE_UNAVAILABLE', `on this file system a kernel lease on ${locked.files.path} does not see every way to the file`)
  }
  return sealedAt(ceiling, locked, leased, { state: 'held', files: leased.length })
}

async function leaseWithPatience(descriptor: number, signal: AbortSignal): Promise<ReturnType<typeof takeWriteLease>> {
  const deadlineMs = monotonicMs() + patienceMs
  for (;;) {
    const answer = takeWriteLease(descriptor)
    if (answer.kind !== 'refused' || monotonicMs() > deadlineMs) return answer
    await sleep(5, signal)
  }
}

function sealedAt(level: SealLevel, locked: Locked, leased: readonly LiveSetPart[], leases: Evidence['lease']): Sealed {
  const breaking = new AbortController()
  const isHeld = (part: LiveSetPart): boolean => leaseOf(locked.files.descriptor(part)) === 'write'
  const giveWay = (): void => {
    if (leased.every(isHeld)) return // Another hold's lease is being broken, not ours.
    releaseAll(locked, leased)
    locked[Symbol.dispose]()
    breaking.abort(new Failure('IN_USE', `somebody opened a file of ${locked.files.path} while it was sealed: we gave way at once`, { hint: 'find out who opens the file while the service says that it stands still; the next attempt may succeed' }))
  }
  const listening = leased.length > 0 ? onLeaseBreak(giveWay) : null
  let open = true
  const token = {
    locked, level, leases, broken: breaking.signal,
    assertUnbroken: () => {
      if (open) giveWay() // The signal may not have reached us yet: ask the kernel.
      breaking.signal.throwIfAborted()
      invariant(open && locked.standing, 'the seal was given up before its last use')
    },
    [Symbol.dispose]: () => {
      if (!open) return
      open = false
      listening?.[Symbol.dispose]()
      releaseAll(locked, leased)
    },
  }
  return token as unknown as Sealed
}

function releaseAll(locked: Locked, leased: readonly LiveSetPart[]): void {
  for (const part of leased) if (locked.files.has(part)) releaseLease(locked.files.descriptor(part))
}
