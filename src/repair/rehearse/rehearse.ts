/**
 * The rehearsal: a remedy is carried out on a copy by a confined process. The copy is then checked by the census and by
 * SQLite, and its tables are compared with those of the file before. Only what passes all of it may be applied.
 */

import { rmSync, statSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Checker } from '../../check/check.ts'
import type { ChildLimits } from '../../check/confined-child.ts'
import { confinedUser } from '../../check/confinement.ts'
import { requireSpace } from '../../hold/preflight.ts'
import { otherDisk } from '../../hold/snapshot/draft.ts'
import { monotonicMs } from '../../host/clock.ts'
import { systemFailure } from '../../host/failures/system-failure.ts'
import { makeFolders } from '../../host/folders/folder.ts'
import type { SnapshotPath } from '../../model/brand.ts'
import { Failure } from '../../model/failure.ts'
import { keptFile, type KeptFiles } from '../../model/kept-file.ts'
import type { Rehearsal } from '../../model/result/remedy.ts'
import { Mender } from '../mend/mend.ts'
import type { MendMethod } from '../mend/mend.ts'
import { compareContents, whyOtherContent, whyOtherHeader } from './compare-contents.ts'
import { checkBy, judgeByBothEngines, type FileJudgement } from './judge.ts'
import type { CandidateFile, MendOrder, RehearsalResult, RehearsedFile, SettledFile } from './rehearsal-result.ts'
import { doubtfulIndexes, unreadPagesOf, waysOf } from './ways.ts'

export interface RehearsalOptions {
  /** Checks what was mended. It stays the caller's. */
  readonly checker: Checker
  /** For the copies: a private folder of ours, on the file system of the snapshots. Usually the snapshot folder. */
  readonly folder: string
  /** Of the process that mends. `timeoutMs`: for one remedy. */
  readonly limits: ChildLimits & { readonly timeoutMs: number }
}

/** Called while a remedy is rehearsed. `step` is what goes on now. */
type RehearsalObserver = (step: 'copy' | 'mend' | 'check' | 'check-by-sqlite' | 'compare') => void

export interface Rehearsals {
  /** Bytes that the copies of one rehearsal may take at the same time. */
  bytesFor(settled: SettledFile, mending: MendOrder): number
  /**
   * Carries out a remedy on a copy of `settled`, and checks what comes out. The caller disposes of what is mended.
   * @throws {Failure} CANNOT_CONFINE, NO_SPACE, READ_FAILED and others that say nothing of the remedy
   * @throws signal.reason if it was aborted; nothing is then left
   */
  rehearse(
    settled: SettledFile,
    mending: MendOrder,
    signal: AbortSignal,
    onStep?: RehearsalObserver,
  ): Promise<RehearsalResult>
  /**
   * Checks a file that others made as `rehearse` checks what it made: a restored backup, a salvaged or merged file.
   * @throws as `rehearse`
   */
  rehearseFile(candidate: CandidateFile, signal: AbortSignal, onStep?: RehearsalObserver): Promise<RehearsedFile>
}

/** @throws {Failure} CANNOT_CONFINE */
export async function openRehearsals(options: RehearsalOptions): Promise<Rehearsals> {
  const user = confinedUser()
  await makeFolders(options.folder, 0o700)
  return new MendedCopies(options, new Mender(options.folder, user, options.limits))
}

const unheard: RehearsalObserver = () => {}

class MendedCopies implements Rehearsals {
  readonly #options: RehearsalOptions
  readonly #mender: Mender

  constructor(options: RehearsalOptions, mender: Mender) {
    this.#options = options
    this.#mender = mender
  }

  bytesFor({ path, reading }: SettledFile, mending: MendOrder): number {
    return Math.max(...waysOf(reading, mending).map((way) => spaceFor(path, mending, way)))
  }

  async rehearse(
    found: SettledFile,
    mending: MendOrder,
    signal: AbortSignal,
    onStep: RehearsalObserver = unheard,
  ): Promise<RehearsalResult> {
    signal.throwIfAborted()
    const startedMs = monotonicMs()
    // SQLite's own check gives no digests of the tables, which are compared afterwards.
    const { checker } = this.#options
    const settled =
      found.reading.engine === 'census' ? found : { ...found, reading: await checkBy(checker, found, 'census', signal) }
    let refused: RefusedResult = { kind: 'refused', failure: refusal('there is nothing to mend'), rehearsal: null }
    for (const way of waysOf(settled.reading, mending)) {
      const tried = await this.#tryWay({ settled, mending, way, signal, onStep, startedMs })
      if (tried.kind === 'sound' || !tried.tryNextWay) return tried
      refused = tried
    }
    return refused
  }

  /** One way, in a folder of its own. The folder stays if a sound file came out. */
  async #tryWay(attempt: RehearsalAttempt): Promise<SoundResult | RefusedWay> {
    const { settled, mending } = attempt
    const { folder } = this.#options
    requireSpace(folder, spaceFor(settled.path, mending, attempt.way))
    const own = await mkdtemp(join(folder, 'mended-')).catch((error: unknown) => {
      throw systemFailure(error, { doing: 'make a folder in', path: folder, elsewhere: otherDisk, concerns: 'machine' })
    })
    try {
      const tried = await this.#mendAndProve(attempt, own)
      if (tried.kind === 'refused') await rm(own, { recursive: true, force: true })
      return tried
    } catch (error) {
      rmSync(own, { recursive: true, force: true })
      throw error
    }
  }

  async #mendAndProve(attempt: RehearsalAttempt, own: string): Promise<SoundResult | RefusedWay> {
    const { settled, mending, way, signal, onStep, startedMs } = attempt
    const indexes = mending.do === 'rebuild' ? mending.indexes : []
    const path = join(own, 'mended.db') as SnapshotPath
    const dropped = join(own, 'dropped')
    const mended = await this.#mender.mend({
      from: settled,
      mending,
      way,
      doubtful: doubtfulIndexes(settled.reading, indexes),
      to: { mended: path, dropped },
      signal,
      onStep,
    })
    if (mended.kind === 'refused')
      return { kind: 'refused', failure: refusal(mended.why), rehearsal: null, tryNextWay: mended.corrupt }
    const kept: KeptFiles = new Map([['', keptFile(statSync(path, { bigint: true }))]])
    const proof = await this.#prove(attempt, { path, kept })
    const ms = Math.round(monotonicMs() - startedMs)
    if (proof.why !== null || proof.judged.reading === null) {
      const rehearsal = { verdict: proof.judged.verdict, contentSame: proof.contentSame, ms }
      return { kind: 'refused', failure: refusal(proof.why ?? 'it was not read'), rehearsal, tryNextWay: true }
    }
    return {
      kind: 'sound',
      mended: {
        path,
        kept,
        bytes: statSync(path).size,
        reading: proof.judged.reading,
        [Symbol.asyncDispose]: () => rm(own, { recursive: true, force: true }),
      },
      rehearsal: { verdict: 'sound', contentSame: true, ms },
      dropped: {
        total: mended.droppedTotal,
        file: mended.droppedTotal === 0 ? null : dropped,
        unreadPages: unreadPagesOf(settled.reading, indexes),
      },
      texts: mended.texts,
    }
  }

  /** The whole check of what was mended, and the comparison with what went in. */
  async #prove(
    { settled, mending, signal, onStep }: RehearsalAttempt,
    made: { readonly path: SnapshotPath; readonly kept: KeptFiles },
  ): Promise<RehearsalCheck> {
    const { checker } = this.#options
    const judged = await judgeByBothEngines(checker, { ...made, context: settled.context }, signal, onStep)
    if (judged.why !== null)
      return { judged, contentSame: false, why: `the copy is not sound after it was mended: ${judged.why}` }
    onStep('compare')
    const why =
      whyOtherHeader(settled.path, made.path) ??
      (await compareContents(checker, settled, { ...made, reading: judged.reading }, mending, signal))
    return { judged, contentSame: why === null, why: why === null ? null : `the copy was changed by it: ${why}` }
  }

  async rehearseFile(
    { path, kept, context, content }: CandidateFile,
    signal: AbortSignal,
    onStep: RehearsalObserver = unheard,
  ): Promise<RehearsedFile> {
    signal.throwIfAborted()
    const startedMs = monotonicMs()
    const judged = await judgeByBothEngines(this.#options.checker, { path, kept, context }, signal, onStep)
    const other = judged.why !== null || content === null ? null : whyOtherContent(content, judged.reading.content)
    const rehearsal: Rehearsal = {
      verdict: judged.verdict,
      contentSame: judged.why === null && content !== null && other === null,
      ms: Math.round(monotonicMs() - startedMs),
    }
    if (judged.why === null && other === null) return { kind: 'sound', rehearsal, reading: judged.reading }
    const failure = refusal(judged.why === null ? (other ?? '') : `the file is not sound: ${judged.why}`)
    return { kind: 'refused', failure, rehearsal, reading: judged.reading }
  }
}

interface RehearsalAttempt {
  readonly settled: SettledFile
  readonly mending: MendOrder
  readonly way: MendMethod
  readonly signal: AbortSignal
  readonly onStep: RehearsalObserver
  readonly startedMs: number
}

type SoundResult = Extract<RehearsalResult, { readonly kind: 'sound' }>
type RefusedResult = Extract<RehearsalResult, { readonly kind: 'refused' }>
/** `tryNextWay`: another way may come out sound. */
type RefusedWay = RefusedResult & { readonly tryNextWay: boolean }

interface RehearsalCheck {
  readonly judged: FileJudgement
  readonly contentSame: boolean
  /** Why it may not be applied; null if it may. */
  readonly why: string | null
}

const refusal = (why: string): Failure => new Failure('REMEDY_REFUSED', `a rehearsal on a copy failed: ${why}`)

/** The copy, what a rebuild adds to it or sorts beside it, and the second file of a rewrite. */
function spaceFor(path: SnapshotPath, mending: MendOrder, way: MendMethod): number {
  const bytes = statSync(path).size
  return way === 'rewritten' && mending.do === 'rebuild' ? 3 * bytes : 2 * bytes
}
