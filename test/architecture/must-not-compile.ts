/**
 * What must not compile: each line below is an error, and `npm run lint`, which `npm test` begins with, fails where one
 * is none any more.
 */
import type { Checker, CheckOptions } from '../../src/check/check.ts'
import type { HoldProcesses } from '../../src/hold/hold-processes.ts'
import { hold, type HoldRequest } from '../../src/hold/hold.ts'
import type { Locked } from '../../src/hold/seal/lock.ts'
import type { Probe } from '../../src/hold/seal/probe.ts'
import { prove } from '../../src/hold/seal/proof.ts'
import { probeLock, seal, type Probed, type SealTerms } from '../../src/hold/seal/seal.ts'
import type { LivePath } from '../../src/model/brand.ts'

/** Never carried out. */
export const misuses = {
  checkLiveFile: (checker: Checker, live: LivePath, options: CheckOptions): unknown => {
    // @ts-expect-error a live file is never checked
    return checker.check(live, options)
  },
  probeByName: (probe: Probe, name: string): unknown => {
    // @ts-expect-error only hold/ says what a live path is
    return probe.try(name, 'exclusive')
  },
  sealUnprobed: (locked: Locked, terms: SealTerms, signal: AbortSignal): unknown => {
    // @ts-expect-error a lock is worth nothing until it was probed
    return seal(locked, terms, signal)
  },
  proveUnsealed: (probed: Probed): unknown => {
    // @ts-expect-error nothing is proven before it is sealed
    return prove(probed)
  },
  holdNothing: (request: HoldRequest, companions: HoldProcesses, signal: AbortSignal): unknown =>
    // @ts-expect-error a hold takes at least one file
    hold({ ...request, files: [] }, companions, signal),
  holdOneByName: (request: HoldRequest, companions: HoldProcesses, signal: AbortSignal): unknown =>
    // @ts-expect-error a hold answers for each file
    hold(request, companions, signal).then(({ kind }) => kind),
  probeNothing: (probe: Probe): unknown => {
    // @ts-expect-error there must be a lock to probe
    return probeLock(null, probe)
  },
}
