/**
 * Changes a live set. Only this folder does, and only inside a hold whose seal was proven for this very change.
 *
 * Before the pause the original is kept (original/). The files that will take the live names are written beside them
 * and synced (target.ts). The record says `prepared`, the ledger has `change-begun`. In the pause (set-change.ts), as
 * another task in the place of the copy: is the live set still what was rehearsed? Then the steps, each on the disk
 * before the next (steps/plan-steps.ts). After it: the record says `applied`, the ledger `change-ended`, what is left
 * beside the live files is deleted.
 */
import { AsyncDisposables } from '../../host/disposal.ts'
import { openDescriptor } from '../../host/files/descriptor.ts'
import { invariant } from '../../model/bug.ts'
import type { Proof } from '../../model/result/evidence.ts'
import type { ChangeMethod, RemedyKind } from '../../model/result/remedy.ts'
import { FileHold } from '../file-hold.ts'
import type { ProvenFile } from '../file-steps.ts'
import type { HoldProcesses } from '../hold-processes.ts'
import { requireShortPause } from '../preflight.ts'
import { HoldRecord } from '../record.ts'
import { requireNoLease } from '../seal/require-unused.ts'
import { changeInHold, type ChangeParts } from './change-in-hold.ts'
import type { ChangeOutcome, ChangeRequest, RehearsedCopy } from './change-types.ts'
import { estimateChange } from './estimate.ts'
import { openOriginal, type ChangedOriginal } from './original/keep-original.ts'
import type { ChangedFile, SeenFile } from './record/change-record.ts'
import type { RecordFile } from './record/record-file.ts'
import { remakeInPause } from './remake.ts'
import type { FilePlan } from './set-change.ts'
import { LiveFolder } from './steps/live-folder.ts'
import { isStillRehearsed } from './still-rehearsed.ts'
import { ChangeTarget } from './target.ts'

/**
 * Puts the mended files in the place of the live ones.
 * @throws {Failure} INTERRUPTED; the live set is unchanged then
 */
export async function change(
  request: ChangeRequest,
  processes: HoldProcesses,
  signal: AbortSignal,
): Promise<ChangeOutcome> {
  const holds = request.files.map((file) => new FileHold(file, new HoldRecord(file.onStep)))
  const forward = new ApplyParts(request)
  return changeInHold(holds, forward, request, processes, signal)
}

/** One way of a change: from what the hold found to the mended files. */
class ApplyParts implements ChangeParts {
  readonly remedy: RemedyKind
  readonly method: ChangeMethod
  readonly states = { during: 'prepared', after: 'applied', back: 'rolled-back' } as const
  readonly folders: LiveFolder[] = []
  remade = false
  readonly #request: ChangeRequest
  readonly #original: ChangedOriginal
  readonly #opened = new AsyncDisposables()
  #files: ChangedFile[] = []
  #targets: ChangeTarget[] = []

  constructor(request: ChangeRequest) {
    this.#request = request
    this.#original = openOriginal(request.original)
    this.remedy = request.original.about.remedy
    this.method = request.method
  }

  get record(): RecordFile {
    return this.#original.record
  }

  claim(): void {
    this.#original.claim()
  }

  async prepare(signal: AbortSignal): Promise<readonly ChangedFile[]> {
    const { original, files, connection } = this.#request
    for (const [at, { path }] of original.files.entries()) {
      const file = files[at]
      invariant(file, 'there is an original of each file')
      this.folders.push(this.#opened.add(LiveFolder.open(path)))
      if (connection === null) await requireNoLease(path)
      using live = this.method === 'swap' ? openDescriptor(path, 'read-only') : null
      const kept = this.record.record.files[at]
      invariant(kept, 'the record has each file')
      await this.#add(at, kept, file, seenInProof(file.proof), live?.number ?? null, signal)
    }
    return this.#files
  }

  async plan(files: readonly ProvenFile[], over: AbortSignal, startedMs: number): Promise<readonly FilePlan[]> {
    const { settings, files: asked } = this.#request
    const untilMs = startedMs + settings.maxPauseMs / 2
    let stale: string | null = null
    for (const [at, file] of files.entries()) {
      const [one, target] = [asked[at], this.#targets[at]]
      invariant(one && target, 'there is a target for each file')
      if (await isStillRehearsed(file, one.proof, target.settled.number, untilMs, over)) continue
      stale = file.files.path
      break
    }
    if (stale !== null) await this.#remake(files, stale, over, startedMs)
    return Promise.all(
      files.map(async (file, at) => {
        const target = this.#targets[at]
        const original = this.#request.original.files[at]?.original
        invariant(target && original !== undefined, 'there is a target for each file')
        const before = this.#opened.add(openDescriptor(original, 'read-only'))
        return target.plan(file, this.method, before.number, over)
      }),
    )
  }

  changedFiles(after: readonly SeenFile[]): readonly ChangedFile[] {
    return this.#files.map((file, at) => ({ ...file, after: after[at] ?? null, beside: [] }))
  }

  /** @throws {Failure} REMEDY_STALE if it may not, or cannot, be mended anew inside the pause */
  async #remake(files: readonly ProvenFile[], stale: string, over: AbortSignal, startedMs: number): Promise<void> {
    const remade = await remakeInPause(files, stale, this.#request, this.#original, this.#opened, { over, startedMs })
    this.remade = true
    for (const target of this.#targets) target[Symbol.dispose]()
    for (const folder of this.folders)
      for (const name of folder.namesOf(this.#request.original.about.change)) folder.unlink(name)
    this.#targets = []
    this.#files = []
    for (const [at, { kept, rehearsed }] of remade.entries()) {
      const live = files[at]
      invariant(live, 'each file was mended anew')
      const like = this.method === 'swap' ? live.files.descriptor('') : null
      await this.#add(at, kept, rehearsed, seenInProof(live.proven.proof), like, over)
    }
    this.record.update({ files: this.#files })
  }

  /** @param like see `ChangeTarget.make` */
  async #add(
    at: number,
    kept: ChangedFile,
    rehearsed: RehearsedCopy,
    before: SeenFile,
    like: number | null,
    signal: AbortSignal,
  ): Promise<void> {
    const folder = this.folders[at]
    invariant(folder, 'the folder of each file is open')
    const covers = kept.original.some(({ part, bytes }) => part !== '' && bytes > 0)
    const place = { folder, change: this.#request.original.about.change, nth: at + 1 }
    const target = await ChangeTarget.make(place, rehearsed, covers, like, signal)
    this.#targets.push(target)
    this.#requireShort(target)
    this.#files.push({
      ...kept,
      before,
      settled: covers ? await this.#original.keepSettled(at + 1, folder.path, rehearsed.settled, signal) : null,
      mended: target.mendedContent,
      beside: target.besideFiles,
      samples: target.differences?.samples ?? [],
    })
  }

  /** @throws {Failure} TOO_LARGE_FOR_PAUSE if the overwriting would pause the tenant for too long */
  #requireShort({ differences, pageSize, place }: ChangeTarget): void {
    const differing = (differences?.pages.length ?? 0) * pageSize
    const { predictedPauseMs } = estimateChange([{ ...noBytes, differing }], this.method)
    requireShortPause(place.folder.path, predictedPauseMs, this.#request.settings.maxPauseMs, 'overwriting')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const target of this.#targets) target[Symbol.dispose]()
    await this.#opened[Symbol.asyncDispose]()
  }
}

const noBytes = { mainBytes: 0, companionBytes: 0, mendedBytes: 0 }

function seenInProof({ files }: Proof): SeenFile {
  const main = files.find(({ part }) => part === '')
  invariant(main, 'a proof has the main file')
  const { dev, ino, size, mtimeNs, ctimeNs } = main
  return { dev, ino, size, mtimeNs, ctimeNs }
}
