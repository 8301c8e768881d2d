/**
 * Who is in our way, asked while the tenant still stands still: afterwards the service has the file open again, rightly.
 * A holder that is the service itself breaks its contract; any other is named (interfaces.md, which code).
 */
import { inWords, isSystemError } from '../config/system-failure.ts'
import { pidsListeningOn } from '../host/socket-owner.ts'
import { Failure } from '../model/failure.ts'
import { describeHolders, holdersOf, type HoldersFound } from './holders.ts'
import type { LiveFiles } from './live-files.ts'
import type { HoldRecord } from './record.ts'

export type Accuse = (code: 'LOCK_BUSY' | 'IN_USE', what: string) => Promise<Failure>

/** @param socket the service's admin socket, by which its processes are recognised; null where there is none */
export function accuser(files: LiveFiles, socket: string | null, record: HoldRecord): Accuse {
  return async (code, what) => {
    const { holders, unseen, sentence } = await holdersOf(files).catch(notSeen)
    record.add({ holders, unseen })
    const service = socket === null ? new Set<number>() : await pidsListeningOn(socket).catch(() => new Set<number>())
    if (holders.some(({ pid }) => service.has(pid))) {
      return new Failure('CONTRACT_BROKEN', `the service said that it had closed the files, and yet ${what}: ${sentence}`)
    }
    return new Failure(code, `${what}: ${sentence}`)
  }
}

/** That somebody is in our way stands, whether or not we could see who: no descriptor may be left to look with. */
function notSeen(error: unknown): HoldersFound {
  if (!isSystemError(error)) throw error
  const unseen = [`who has which file open: ${inWords(error)}`]
  return { holders: [], unseen, sentence: describeHolders([], unseen) }
}
