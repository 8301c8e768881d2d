/**
 * Which tenants `sweep --heal` may change by itself (I2.5). Pure. Only indexes and full-text indexes are rebuilt, and
 * only where nothing speaks against it. None is rebuilt after a sign that holdfast or its locks may be the cause of the
 * damage.
 */

import type { LedgerLine } from '../../ledger/ledger.ts'
import type { TenantId } from '../../model/brand.ts'
import { signsOfHarm } from '../../model/failure.ts'
import type { Cause } from '../../model/result/finding.ts'
import type { LeftTenant } from '../../model/result/heal-report.ts'
import type { Result } from '../../model/result/report.ts'

/** Damaged tenants that are remembered; `heal.limit` is far smaller. */
const tenantsMax = 1000

/** Failures that say that something may have written while holdfast held a file, or that a pause was not kept. */
const signsOfTrouble: ReadonlySet<string> = new Set([
  ...signsOfHarm,
  'WRITER_SEEN',
  'COPY_CHANGED',
  'LEASE_LOST',
  'CONTRACT_BROKEN',
  'GUARDIAN_LOST',
  'RESUME_FAILED',
])

/** Causes that a person must end first. */
const causesToEnd: Partial<Record<Cause['hint'], string>> = {
  'index-or-table': 'nothing shows whether the index or the table is right',
  'lost-table-write': 'the table itself may be wrong',
  'many-names': 'the file has several names, so its locks may not hold',
  'untrusted-file-system': 'the locks of its file system are not reliable',
  'bit-rot': 'the disk changed bytes',
  'foreign-companion': 'a WAL or journal beside the file may belong to another one',
}

/** Takes the results of a sweep, in any order. Its memory is bounded. */
export class HealCandidates {
  /** Of tenants with a damaged file: why the tenant is left to a person; null if it may be healed. */
  readonly #damaged = new Map<TenantId, string | null>()
  readonly #damagedFiles = new Map<string, Result['damage']>()
  #harm: string | null = null
  #suspected: string | null = null
  #leftOut = 0

  consider(result: Result): void {
    const { tenant, failure, verdict } = result
    if (failure !== undefined && signsOfTrouble.has(failure.code))
      this.#harm ??= `${tenant ?? result.path}: ${failure.code}: ${failure.message}`
    if (verdict !== 'damaged' || tenant === null) return
    if (!this.#damaged.has(tenant) && this.#damaged.size >= tenantsMax) {
      this.#leftOut++
      return
    }
    this.#damagedFiles.set(result.path, result.damage)
    // One file that must not be healed keeps the tenant from being healed: one change covers all of its files.
    this.#damaged.set(tenant, this.#damaged.get(tenant) ?? whyNotHealed(result))
  }

  /** A sign that holdfast itself may be the cause of damage, in words: nothing is healed then. Null for none. */
  get harm(): string | null {
    return this.#harm
  }

  /** A file that the sweep found sound and that was damaged before its change, in words; null for none (I1.8). */
  get suspected(): string | null {
    return this.#suspected
  }

  /** In the order in which they were found. */
  get candidates(): readonly TenantId[] {
    return [...this.#damaged].flatMap(([tenant, why]) => (why === null ? [tenant] : []))
  }

  get left(): readonly LeftTenant[] {
    return [...this.#damaged].flatMap(([tenant, why]) => (why === null ? [] : [{ tenant, why }]))
  }

  /** Number of results of damaged tenants beyond those that are remembered. */
  get leftOut(): number {
    return this.#leftOut
  }

  /**
   * Compares the check just before a change with what the sweep has found in the same run.
   *
   * @returns the sign of harm, in words; null for none
   */
  harmIn({ tenant, path, verdict, damage }: Result): string | null {
    if (verdict !== 'damaged') return null
    const before = this.#damagedFiles.get(path)
    const name = tenant ?? path
    if (before === undefined)
      return (this.#suspected ??= `${name}: this run found ${path} sound, and it is damaged now`)
    return before === damage ? null : `${name}: the damage of ${path} was ${before} and is ${damage} now`
  }
}

const pinnedOnly =
  'it was checked beside its program (level pinned), and a change needs a sealed file: `holdfast repair` seals it, ' +
  'where hooks or an admin API pause the tenant'

/** Why a person must look at this damage; null if it may be healed. */
export function whyNotHealed({ remedy, depth, failure, causes, evidence }: Result): string | null {
  if (evidence.level === 'pinned') return pinnedOnly
  if (remedy.do !== 'rebuild') return `its remedy is ${remedy.do}`
  if (remedy.rewrite === true) return 'its remedy is a rewrite of the file'
  if (depth !== 'full') return 'it was checked at quick depth only'
  if (failure !== undefined) return `its pause was not proven (${failure.code})`
  const doubt = causes.map(({ hint }) => causesToEnd[hint]).find((why) => why !== undefined)
  return doubt ?? null
}

const dayMs = 86_400_000

/** So many of the newest lines of a tenant are read to find its last change. */
export const linesRead = 1000

/**
 * @param lines of the tenant in the ledger, newest first, as many as `linesRead`
 * @param now ms since 1970
 * @returns why the tenant is not changed again, a clause; null if it may be
 */
export function whyNotToday(lines: readonly LedgerLine[], now: number): string | null {
  if (lines.some(({ at, event }) => event.kind === 'change-begun' && at > now - dayMs))
    return 'it was changed within the last 24 hours'
  const oldest = lines.at(-1)
  // More happened to it today than was read.
  return lines.length >= linesRead && oldest !== undefined && oldest.at > now - dayMs
    ? `the ledger has more than ${linesRead} lines of it within 24 hours`
    : null
}
