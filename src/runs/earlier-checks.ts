/**
 * What the ledger knows of a file from earlier runs: its last sound check, and the pause that was last abandoned. By
 * the last sound check this one sees what changed although nothing wrote to the file (`diagnosis/silent-change.ts`).
 */

import { contentFormat } from '../census/content-format.ts'
import type { DigestRequest } from '../check/protocol.ts'
import { withPace } from '../diagnosis/notices/slower.ts'
import { silentChange } from '../diagnosis/silent-change.ts'
import { bootId } from '../host/boot.ts'
import { realPathOf } from '../host/files/path-kind.ts'
import type { Ledger, NewestCheck, StandingDamage } from '../ledger/ledger.ts'
import type { Evidence } from '../model/result/evidence.ts'
import type { KnownFile, LastGood, LiveSetState, Pace } from '../model/result/last-good.ts'
import type { Reading } from '../model/result/reading.ts'
import type { ContentBasis, NonEmpty } from '../model/result/verdict.ts'
import type { Target } from './begin/target.ts'

export interface EarlierChecks {
  /** The name of the file in the ledger; null if there is no ledger, or a bare file has no real path. */
  readonly file: KnownFile | null
  readonly lastGood: LastGood | null
  /** True if an earlier check saw pages in the file. */
  readonly hadPages: boolean
  /**
   * How long, in ms, the tenant stood still when the last hold was abandoned because the copy took too long. Null if it
   * was not abandoned.
   */
  readonly abandonedPauseMs: number | null
  /** Damage that no full check has cleared since; null if there is none. */
  readonly standingDamage: StandingDamage | null
}

export const noEarlierChecks: EarlierChecks = {
  file: null,
  lastGood: null,
  hadPages: false,
  abandonedPauseMs: null,
  standingDamage: null,
}

export interface TargetWithHistory {
  readonly target: Target
  readonly earlierChecks: EarlierChecks
}

/** @throws {Failure} LEDGER_UNUSABLE */
export async function addEarlierChecks(
  ledger: Ledger | null,
  [first, ...more]: NonEmpty<Target>,
): Promise<NonEmpty<TargetWithHistory>> {
  const found = ledger === null ? [] : await readEarlierChecks(ledger, [first, ...more])
  return [
    { target: first, earlierChecks: found[0] ?? noEarlierChecks },
    ...more.map((target, at) => ({ target, earlierChecks: found[at + 1] ?? noEarlierChecks })),
  ]
}

/**
 * The ledger knows a tenant's file by the name that the service gives it, and a bare file by its real path.
 * @returns one for each target, in their order
 * @throws {Failure} LEDGER_UNUSABLE
 */
async function readEarlierChecks(ledger: Ledger, targets: readonly Target[]): Promise<readonly EarlierChecks[]> {
  const known = await Promise.all(
    targets.map(async ({ tenant, named }): Promise<KnownFile | null> => {
      const path = tenant === null ? await realPathOf(named) : named
      return path === null ? null : { tenant, path }
    }),
  )
  const files = known.filter((file) => file !== null)
  const [lastGood, newestChecks] = await Promise.all([ledger.lastGood(files), ledger.newestChecks(files)])
  const nextLastGood = lastGood.values()
  const nextNewest = newestChecks.values()
  return known.map((file) =>
    file === null
      ? noEarlierChecks
      : earlierChecksOf(file, nextLastGood.next().value ?? null, nextNewest.next().value ?? null),
  )
}

const earlierChecksOf = (file: KnownFile, lastGood: LastGood | null, newest: NewestCheck | null): EarlierChecks => ({
  file,
  lastGood,
  hadPages: lastGood !== null || (newest?.hadPages ?? false),
  abandonedPauseMs: newest?.abandonedPauseMs ?? null,
  standingDamage: newest?.standingDamage ?? null,
})

/**
 * The ledger is asked for so many targets in one message: a message for each target cost a sweep a thirtieth of its
 * processor time. So many answers take a few megabytes at most.
 */
const readTogether = 16

/** Reads the earlier checks of many targets, in their order. */
export class EarlierChecksReader {
  readonly #ledger: Ledger | null
  readonly #targets: readonly Target[]
  /** Of the `readTogether` targets before position `#end`. */
  #block: Promise<readonly EarlierChecks[]> = Promise.resolve([])
  #end = 0

  constructor(ledger: Ledger | null, targets: readonly Target[]) {
    this.#ledger = ledger
    this.#targets = targets
  }

  /**
   * @param group targets that follow each other
   * @param from position of the first of them among all targets
   * @throws {Failure} LEDGER_UNUSABLE
   */
  async of([first, ...more]: NonEmpty<Target>, from: number): Promise<NonEmpty<TargetWithHistory>> {
    // All positions are asked for before the first answer is awaited: meanwhile other calls ask for later positions,
    // which replaces the block.
    const checks = [first, ...more].map((_, at) => this.#at(from + at))
    const withHistory = async (target: Target, at: number): Promise<TargetWithHistory> => ({
      target,
      earlierChecks: (await checks[at]) ?? noEarlierChecks,
    })
    return [await withHistory(first, 0), ...(await Promise.all(more.map((target, at) => withHistory(target, at + 1))))]
  }

  async #at(position: number): Promise<EarlierChecks> {
    if (this.#ledger === null) return noEarlierChecks
    if (position >= this.#end) {
      this.#end = position + readTogether
      this.#block = readEarlierChecks(this.#ledger, this.#targets.slice(position, this.#end))
    }
    const start = this.#end - readTogether
    return (await this.#block)[position - start] ?? noEarlierChecks
  }
}

export const digestRequestOf = ({ file, lastGood }: EarlierChecks): DigestRequest =>
  file === null ? { kind: 'none' } : { kind: 'pages', earlier: lastGood?.pages ?? null }

/** Adds a fact to the reading if bytes changed although nothing wrote to the file. */
export function addSilentChange(reading: Reading, { lastGood }: EarlierChecks, evidence: Evidence): Reading {
  const standing = provenState(evidence)
  const silent =
    lastGood === null || standing === null
      ? null
      : silentChange(lastGood, { standing, content: contentOf(reading) }, reading)
  return silent === null ? reading : { ...reading, facts: [...reading.facts, { kind: 'found', finding: silent }] }
}

export const paceOf = ({ coverage, pageSize, checkMs }: Reading, pauseMs: number | null): Pace => ({
  bytes: coverage.pages * pageSize,
  checkMs,
  pauseMs,
})

/**
 * Called for sound results only: later checks must not be compared with damage.
 * @returns what the ledger keeps; null if the file has no name in the ledger, was not proven, or has no page digests
 */
export function lastGoodFrom(
  reading: Reading,
  { file, lastGood: before }: EarlierChecks,
  evidence: Evidence,
  pauseMs: number | null,
): Omit<LastGood, 'run'> | null {
  const standing = provenState(evidence)
  const { pages } = reading
  if (file === null || standing === null || pages.kind === 'not-digested') return null
  const { format, tables } = contentOf(reading)
  return {
    ...file,
    standing,
    header: pages.header,
    content: { format, tables: tables.slice(0, tablesMax) },
    basis: contentBasis(reading),
    pages: pages.digests,
    schema: reading.schema,
    paces: withPace(before?.paces ?? [], paceOf(reading, pauseMs)),
  }
}

/** As many as the ledger keeps of any check. Of a table beyond them no later check can say whether its rows changed. */
const tablesMax = 1000

/** The live set at the second proof; null if the hold came to none. */
function provenState({ proofs, pin }: Evidence): LiveSetState | null {
  const proof = proofs[1]
  if (proof === undefined) return null
  // The -shm holds nothing that outlives a crash. An empty WAL or journal means the same as none.
  const files = proof.files.filter(({ part, size }) => part === '' || (part !== '-shm' && size > 0))
  return {
    provenAt: Date.parse(proof.at),
    // A pinned WAL grows behind the end of the snapshot: what the files were then is not what was checked. Without a
    // boot id no later check takes them for untouched.
    bootId: pin?.branch === 'wal' ? '' : bootId(),
    files: files.map(({ part, dev, ino, size, mtimeNs }) => ({ part, dev, ino, size, mtimeNs })),
  }
}

const contentOf = ({ content }: Reading): LastGood['content'] => ({ format: contentFormat(), tables: content })

/** What the digests of its tables can be compared with; null if nothing made digests. */
export const contentBasis = ({ engine, depth, encoding, schema }: Reading): ContentBasis | null =>
  engine === 'census' && depth === 'full' && encoding !== null ? { format: contentFormat(), encoding, schema } : null
