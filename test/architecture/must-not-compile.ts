/** Calls that must not compile: each line below is an error. `npm run lint` fails if one is not an error any more. */
import type { Checker, CheckOptions } from '../../src/check/check.ts'
import type { HoldProcesses } from '../../src/hold/hold-processes.ts'
import { hold, type HoldRequest } from '../../src/hold/hold.ts'
import type { Locked } from '../../src/hold/seal/lock.ts'
import type { FileId, Probe } from '../../src/hold/seal/probe.ts'
import { prove } from '../../src/hold/seal/proof.ts'
import { probeLock, seal, type Probed, type SealTerms } from '../../src/hold/seal/seal.ts'
import type { LivePath } from '../../src/model/brand.ts'

/** Never called. */
export const misuses = {
  checkLiveFile: (checker: Checker, live: LivePath, options: CheckOptions): unknown => {
    // @ts-expect-error a live file is never checked
    return checker.check(live, options)
  },
  probeByName: (probe: Probe, name: string, file: FileId, over: AbortSignal): unknown => {
    // @ts-expect-error only hold/live/ makes a LivePath
    return probe.try(name, 'exclusive', file, over)
  },
  sealUnprobed: (locked: Locked, terms: SealTerms, signal: AbortSignal): unknown => {
    // @ts-expect-error a lock must be probed before it is sealed
    return seal(locked, terms, signal)
  },
  proveUnsealed: (probed: Probed): unknown => {
    // @ts-expect-error a hold must be sealed before it is proven
    return prove(probed)
  },
  holdNothing: (request: HoldRequest, processes: HoldProcesses, signal: AbortSignal): unknown =>
    // @ts-expect-error a hold takes at least one file
    hold({ ...request, files: [] }, processes, signal),
  holdOneByName: (request: HoldRequest, processes: HoldProcesses, signal: AbortSignal): unknown =>
    // @ts-expect-error a hold has an outcome for each file
    hold(request, processes, signal).then(({ kind }) => kind),
  probeNothing: (probe: Probe, over: AbortSignal): unknown => {
    // @ts-expect-error a probe needs a lock
    return probeLock(null, probe, over)
  },
}
