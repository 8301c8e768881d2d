/**
 * Finds the program because of which a lock or a kernel lease was refused. The search runs while the tenant is paused:
 * after the resume, the service rightly has the file open. If the service itself has it open during the pause, it
 * breaks its contract (CONTRACT_BROKEN). Any other program is named in the failure.
 */
import { inWords, isSystemError } from '../../host/failures/system-failure.ts'
import { pidsListeningOn } from '../../host/process/socket-owner.ts'
import { Failure } from '../../model/failure.ts'
import { nameProcess } from '../../model/holders.ts'
import type { Holder } from '../../model/result/evidence.ts'
import type { TenantConnection } from '../hold-request.ts'
import type { LiveFiles } from '../live/live-files.ts'
import type { HoldRecord } from '../record.ts'
import { describeHolders, holdersOf, leftOpenHint, type DescribedHolders } from './holders.ts'

/** Because of what a lock or a kernel lease was refused, as far as the refusal itself shows. */
export interface Refusal {
  /** `another program`, or what the kernel says about a lock. */
  readonly who: string
  /** The process, if the kernel names it. */
  readonly pid: number | null
  /** `has FILE open or mapped`, `holds a write lock on FILE` */
  readonly does: string
}

export type NameConflict = (code: 'LOCK_BUSY' | 'IN_USE', refusal: Refusal) => Promise<Failure>

/**
 * @param quiesced the service that was asked to close the files; null if none was asked
 * @param until see `holdersOf`
 */
export function conflictNamer(
  files: LiveFiles,
  quiesced: Pick<TenantConnection, 'socket'> | null,
  record: HoldRecord,
  until: AbortSignal | null,
): NameConflict {
  return async (code, refusal) => {
    const { holders, unseen } = await holdersOf(files, until).catch(noneSeen)
    const service = await serviceAmong(holders, quiesced?.socket ?? null, until)
    record.add({ holders, unseen: [...unseen, ...service.unseen] })
    const said = describeRefusal(refusal, holders, unseen)
    if (service.isHolder)
      return new Failure('CONTRACT_BROKEN', `the service said that it had closed the files, and yet ${said}`)
    const unknown = service.unseen.map((what) => `; not known: ${what}`).join('')
    return new Failure(code, `${said}${unknown}`, quiesced === null ? {} : { hint: leftOpenHint })
  }
}

/** Whether the service is one of the holders; `unseen`: why that could not be found out. */
async function serviceAmong(
  holders: readonly Holder[],
  socket: string | null,
  until: AbortSignal | null,
): Promise<{ readonly isHolder: boolean; readonly unseen: readonly string[] }> {
  if (socket === null || holders.length === 0) return { isHolder: false, unseen: [] }
  try {
    const pids = await pidsListeningOn(socket, until)
    const isHolder = holders.some(({ pid }) => pids.has(pid))
    return { isHolder, unseen: !isHolder && until?.aborted ? ['whether it is the service: there was no time'] : [] }
  } catch (error) {
    if (!isSystemError(error)) throw error
    return { isHolder: false, unseen: [`whether it is the service: ${inWords(error)}`] }
  }
}

/** Names each process once: one that the kernel named gets its command there. */
function describeRefusal({ who, pid, does }: Refusal, holders: readonly Holder[], unseen: readonly string[]): string {
  const named = holders.find((holder) => holder.pid === pid)
  if (named === undefined) return `${who} ${does}: ${describeHolders(holders, unseen)}`
  const others = holders.filter((holder) => holder.pid !== pid)
  return `${nameProcess(named)} ${does}${others.length === 0 ? '' : `; ${describeHolders(others, unseen)}`}`
}

/** The lock or lease was refused, even if the open-file table cannot be read, for example for want of a descriptor. */
function noneSeen(error: unknown): DescribedHolders {
  if (!isSystemError(error)) throw error
  const unseen = [`who has which file open: ${inWords(error)}`]
  return { holders: [], unseen, isWhole: false, sentence: describeHolders([], unseen) }
}
