/**
 * From check to check: what the ledger keeps of a sound file, so that the next check sees what changed while nobody
 * wrote (diagnosis/silent-change.ts), and of a pause that came to nothing.
 */
import { contentFormat } from '../census/content-format.ts'
import type { Digesting } from '../check/protocol.ts'
import { silentChange } from '../diagnosis/silent-change.ts'
import { bootId } from '../host/boot.ts'
import { realPathOf } from '../host/files/path-kind.ts'
import type { Ledger, NewestCheck } from '../ledger/ledger.ts'
import type { Evidence } from '../model/result/evidence.ts'
import type { KnownFile, LastGood, LiveSetState } from '../model/result/last-good.ts'
import type { Reading } from '../model/result/reading.ts'
import type { NonEmpty } from '../model/result/verdict.ts'
import type { Target } from './run/run-context.ts'

/** What is known of a file from earlier runs. */
export interface EarlierChecks {
  /** null where nothing is remembered. */
  readonly as: KnownFile | null
  readonly earlier: LastGood | null
  /** Did an earlier check see pages in it? */
  readonly hadPages: boolean
  /**
   * How long the tenant had stood still when its last hold was given up because the copy took too long; null where it
   * was not.
   */
  readonly lostPauseMs: number | null
}

export const noEarlierChecks: EarlierChecks = { as: null, earlier: null, hadPages: false, lostPauseMs: null }

/**
 * A tenant's file goes by the name that the service gives it, a bare one by its real path.
 * @throws {Failure} LEDGER_UNUSABLE
 */
async function recallAll(ledger: Ledger, targets: readonly Target[]): Promise<readonly EarlierChecks[]> {
  const known = await Promise.all(
    targets.map(async ({ tenant, named }): Promise<KnownFile | null> => {
      const path = tenant === null ? await realPathOf(named) : named
      return path === null ? null : { tenant, path }
    }),
  )
  const files = known.filter((file) => file !== null)
  const [lastGood, newestChecks] = await Promise.all([ledger.lastGood(files), ledger.newestChecks(files)])
  const earlier = lastGood.values()
  const newest = newestChecks.values()
  return known.map((as) =>
    as === null ? noEarlierChecks : memoryOf(as, earlier.next().value ?? null, newest.next().value ?? null),
  )
}

const memoryOf = (as: KnownFile, earlier: LastGood | null, newest: NewestCheck | null): EarlierChecks => ({
  as,
  earlier,
  hadPages: earlier !== null || (newest?.hadPages ?? false),
  lostPauseMs: newest?.lostPauseMs ?? null,
})

/** A target with what is known of it. */
export interface RememberedTarget {
  readonly target: Target
  readonly memory: EarlierChecks
}

/** @throws {Failure} LEDGER_UNUSABLE */
export async function recall(
  ledger: Ledger | null,
  [first, ...more]: NonEmpty<Target>,
): Promise<NonEmpty<RememberedTarget>> {
  const memories = ledger === null ? [] : await recallAll(ledger, [first, ...more])
  return [
    { target: first, memory: memories[0] ?? noEarlierChecks },
    ...more.map((target, at) => ({ target, memory: memories[at + 1] ?? noEarlierChecks })),
  ]
}

/**
 * A question for each target cost a sweep a thirtieth of its processor time. What comes of so many weighs a few
 * megabytes at most.
 */
const recalledAtOnce = 16

/** The memories of many targets, which are taken in their order. */
export class EarlierChecksReader {
  readonly #ledger: Ledger | null
  readonly #targets: readonly Target[]
  /** Of those before `#end`. */
  #memories: Promise<readonly EarlierChecks[]> = Promise.resolve([])
  #end = 0

  constructor(ledger: Ledger | null, targets: readonly Target[]) {
    this.#ledger = ledger
    this.#targets = targets
  }

  /**
   * @param group targets that follow each other, and the place of the first among all
   * @throws {Failure} LEDGER_UNUSABLE
   */
  async of([first, ...more]: NonEmpty<Target>, from: number): Promise<NonEmpty<RememberedTarget>> {
    // All are asked for before the first is waited for: others ask for later ones meanwhile.
    const memories = [first, ...more].map((_, at) => this.#at(from + at))
    const remembered = async (target: Target, at: number): Promise<RememberedTarget> => ({
      target,
      memory: (await memories[at]) ?? noEarlierChecks,
    })
    return [await remembered(first, 0), ...(await Promise.all(more.map((target, at) => remembered(target, at + 1))))]
  }

  async #at(at: number): Promise<EarlierChecks> {
    if (this.#ledger === null) return noEarlierChecks
    if (at >= this.#end) {
      this.#end = at + recalledAtOnce
      this.#memories = recallAll(this.#ledger, this.#targets.slice(at, this.#end))
    }
    const first = this.#end - recalledAtOnce
    return (await this.#memories)[at - first] ?? noEarlierChecks
  }
}

export const digestingFor = ({ as, earlier }: EarlierChecks): Digesting =>
  as === null ? { kind: 'none' } : { kind: 'pages', earlier: earlier?.pages ?? null }

/** The same reading, with one more fact where bytes changed while nobody wrote. */
export function besideEarlier(reading: Reading, { earlier }: EarlierChecks, evidence: Evidence): Reading {
  const standing = standingOf(evidence)
  const silent =
    earlier === null || standing === null
      ? null
      : silentChange(earlier, { standing, content: contentOf(reading) }, reading)
  return silent === null ? reading : { ...reading, facts: [...reading.facts, { kind: 'found', finding: silent }] }
}

/**
 * What is kept of a check that came out sound; null where its pages were not digested. Damage must not become what
 * later checks are measured against.
 */
export function lastGoodFrom(
  reading: Reading,
  { as }: EarlierChecks,
  evidence: Evidence,
): Omit<LastGood, 'run'> | null {
  const standing = standingOf(evidence)
  const { pages } = reading
  if (as === null || standing === null || pages.kind === 'not-digested') return null
  const { format, tables } = contentOf(reading)
  return {
    ...as,
    standing,
    header: pages.header,
    content: { format, tables: tables.slice(0, tablesMax) },
    pages: pages.digests,
  }
}

/** As many as the ledger keeps of any check. Of a table beyond them nobody can say whether its rows changed. */
const tablesMax = 1000

/** null for a file of which no hold came to both proofs: nobody knows how it stood. */
function standingOf({ proofs }: Evidence): LiveSetState | null {
  const proof = proofs[1]
  if (proof === undefined) return null
  // The -shm holds nothing that outlives a crash; an empty WAL or journal says as much as none.
  const files = proof.files.filter(({ part, size }) => part === '' || (part !== '-shm' && size > 0))
  return {
    provenAt: Date.parse(proof.at),
    bootId: bootId(),
    files: files.map(({ part, dev, ino, size, mtimeNs }) => ({ part, dev, ino, size, mtimeNs })),
  }
}

const contentOf = ({ content }: Reading): LastGood['content'] => ({ format: contentFormat(), tables: content })
