/**
 * Who is in our way, asked while the tenant still stands still: afterwards the service has the file open again,
 * rightly. A holder that is the service itself breaks its contract; any other is named (interfaces.md, which code).
 */
import { inWords, isSystemError } from '../../host/failures/system-failure.ts'
import { pidsListeningOn } from '../../host/process/socket-owner.ts'
import { Failure } from '../../model/failure.ts'
import { nameProcess } from '../../model/holders.ts'
import type { Holder } from '../../model/result/evidence.ts'
import type { LiveFiles } from '../live/live-files.ts'
import type { HoldRecord } from '../record.ts'
import { describeHolders, holdersOf, leftOpenHint, type HoldersFound } from './holders.ts'

/** What is in our way, as far as the refusal itself tells. */
export interface Refusal {
  /** `somebody`, or what the kernel says of a lock. */
  readonly who: string
  /** The process, where the kernel names it. */
  readonly pid: number | null
  /** `has FILE open or mapped`, `holds a write lock on FILE` */
  readonly does: string
}

export type NameConflict = (code: 'LOCK_BUSY' | 'IN_USE', refusal: Refusal) => Promise<Failure>

/** The service that was asked to close the files. */
export interface Quieted {
  /** Its admin socket, by which its processes are recognised; null where there is none. */
  readonly socket: string | null
}

/** @param quieted null where nobody was asked to close the files */
export function conflictNamer(files: LiveFiles, quieted: Quieted | null, record: HoldRecord): NameConflict {
  return async (code, refusal) => {
    const { holders, unseen } = await holdersOf(files).catch(notSeen)
    record.add({ holders, unseen })
    const said = describeRefusal(refusal, holders, unseen)
    const socket = quieted?.socket ?? null
    const service = socket === null ? new Set<number>() : await pidsListeningOn(socket).catch(() => new Set<number>())
    if (holders.some(({ pid }) => service.has(pid))) {
      return new Failure('CONTRACT_BROKEN', `the service said that it had closed the files, and yet ${said}`)
    }
    return new Failure(code, said, quieted === null ? {} : { hint: leftOpenHint })
  }
}

/** Each process once: one that the kernel named gets its command there. */
function describeRefusal({ who, pid, does }: Refusal, holders: readonly Holder[], unseen: readonly string[]): string {
  const named = holders.find((holder) => holder.pid === pid)
  if (named === undefined) return `${who} ${does}: ${describeHolders(holders, unseen)}`
  const others = holders.filter((holder) => holder.pid !== pid)
  return `${nameProcess(named)} ${does}${others.length === 0 ? '' : `; ${describeHolders(others, unseen)}`}`
}

/** That somebody is in our way stands, whether or not we could see who: no descriptor may be left to look with. */
function notSeen(error: unknown): HoldersFound {
  if (!isSystemError(error)) throw error
  const unseen = [`who has which file open: ${inWords(error)}`]
  return { holders: [], unseen, sentence: describeHolders([], unseen) }
}
