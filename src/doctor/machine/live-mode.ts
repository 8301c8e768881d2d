/** The doctor's step about live mode: what level `pinned` would cost the programs of the configured tenants. */

import { requiredLevel } from '../../config/levels/required-level.ts'
import type { Settings } from '../../config/settings.ts'
import { foreseePin } from '../../hold/pinned/foresee.ts'
import { openSnapshotFolder } from '../../hold/snapshot/temporary-folder.ts'
import { monotonicMs } from '../../host/clock.ts'
import type { TenantId } from '../../model/brand.ts'
import { Failure } from '../../model/failure.ts'
import { orFailure } from '../../model/or-failure.ts'
import type { RegisteredTenant } from '../../service/port.ts'
import { count } from '../../text/count.ts'
import { humanMs } from '../../text/units.ts'
import { fit, notTried, warning, type StepOutcome } from '../steps.ts'

const filesMax = 1_000
const msMax = 10_000
const namedMax = 3

/** Opens the first files, reads their headers, and locks nothing. No tenant is paused. */
export async function foreseeLiveMode(
  tenants: readonly RegisteredTenant[],
  settings: Settings,
  signal: AbortSignal,
): Promise<StepOutcome> {
  const files = tenants.flatMap(({ id, files }) => files.map((named) => ({ tenant: id, named })))
  if (files.length === 0) return notTried('the list of tenants has no file')
  await using folder = await openSnapshotFolder(settings.snapshots.dir, null)
  const seen = new PinForecast(settings)
  const untilMs = monotonicMs() + msMax
  for (const { tenant, named } of files.slice(0, filesMax)) {
    signal.throwIfAborted()
    if (monotonicMs() > untilMs) break
    const terms = { trustMounts: settings.tenants.trustMounts }
    seen.add(tenant, await orFailure(foreseePin(named, settings.tenants.roots, folder.path, terms)))
  }
  return seen.outcome(files.length)
}

class PinForecast {
  readonly #settings: Settings
  #wal = 0
  #rollback = 0
  #longestMs = 0
  /** Why files cannot be pinned; true for a tenant that the configuration wants to be pinned. */
  readonly #refused: { readonly why: string; readonly wanted: boolean }[] = []
  #pinned = 0

  constructor(settings: Settings) {
    this.#settings = settings
  }

  add(tenant: TenantId, foreseen: Awaited<ReturnType<typeof foreseePin>> | Failure): void {
    const { hold, live } = this.#settings
    const wanted = requiredLevel(hold.require, tenant) === 'pinned'
    if (wanted) this.#pinned++
    const refuse = (why: string): void => void this.#refused.push({ why: `${tenant}: ${why}`, wanted })
    if (foreseen instanceof Failure) return refuse(`${foreseen.code}: ${foreseen.message}`)
    switch (foreseen.journal) {
      case 'wal':
        this.#wal++
        return
      case 'no-database':
        return refuse('it has a file that is no SQLite database')
      case 'rollback': {
        const { waitMs } = foreseen
        if (waitMs > live.maxWriterWaitMs)
          return refuse(
            `a commit may wait ${humanMs(waitMs)} for the copy, and live.maxWriterWait allows ` +
              humanMs(live.maxWriterWaitMs),
          )
        this.#rollback++
        this.#longestMs = Math.max(this.#longestMs, waitMs)
      }
    }
  }

  outcome(total: number): StepOutcome {
    const looked = this.#wal + this.#rollback + this.#refused.length
    const parts = [
      `hold.require: pinned counts for ${this.#pinned === 0 ? 'no file' : count(this.#pinned, 'file')}`,
      ...(this.#wal > 0 ? [`${count(this.#wal, 'file')} in WAL mode: no program would wait`] : []),
      ...(this.#rollback > 0
        ? [
            `${count(this.#rollback, 'file')} with a rollback journal: a commit would wait for the copy, ` +
              `${humanMs(this.#longestMs)} at most`,
          ]
        : []),
      ...this.#refusedWords(),
      ...(looked < total ? [`${count(total - looked, 'file')} not looked at`] : []),
    ]
    const said = parts.join('; ')
    return this.#refused.some(({ wanted }) => wanted)
      ? warning(said, 'set another level for these tenants in hold.require, or follow the reason')
      : fit(said)
  }

  #refusedWords(): readonly string[] {
    if (this.#refused.length === 0) return []
    const named = this.#refused.toSorted((a, b) => Number(b.wanted) - Number(a.wanted)).slice(0, namedMax)
    const more = this.#refused.length - named.length
    const words = named.map(({ why }) => why).join('; ')
    return [
      `${count(this.#refused.length, 'file')} could not be pinned: ${words}${more > 0 ? ` and ${more} more` : ''}`,
    ]
  }
}
