/** Puts a kept original back, as long as nothing was written since the change. */
import { fstatSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { monotonicMs } from '../../host/clock.ts'
import { AsyncDisposables } from '../../host/disposal.ts'
import { openDescriptor } from '../../host/files/descriptor.ts'
import { digestOf } from '../../host/files/digest.ts'
import { invariant } from '../../model/bug.ts'
import { Failure } from '../../model/failure.ts'
import type { ChangeMethod } from '../../model/result/remedy.ts'
import { readHeader } from '../../sqlite/header.ts'
import { humanMs } from '../../text/units.ts'
import { FileHold } from '../file-hold.ts'
import type { ProvenFile } from '../file-steps.ts'
import type { HoldProcesses } from '../hold-processes.ts'
import { readAt } from '../live/live-files.ts'
import { HoldRecord } from '../record.ts'
import { requireNoLease } from '../seal/require-unused.ts'
import { changeInHold, type ChangeParts } from './change-in-hold.ts'
import type { ChangeOutcome, UndoRequest } from './change-types.ts'
import type { ChangedFile, ChangeState, KeptPart, SeenFile } from './record/change-record.ts'
import { findDifferences } from './record/page-samples.ts'
import { RecordFile } from './record/record-file.ts'
import { seenFile, type FilePlan } from './set-change.ts'
import { LiveFolder, nameBeside } from './steps/live-folder.ts'
import { backwardSteps, type Content, type Replacement } from './steps/plan-steps.ts'
import { StagedFile } from './steps/staged-file.ts'

/**
 * Brings the whole original set back: main file, WAL and journal, byte for byte.
 * @throws {Failure} INTERRUPTED; REMEDY_REFUSED if there is nothing to undo, or another run works on it
 */
export async function undo(
  request: UndoRequest,
  processes: HoldProcesses,
  signal: AbortSignal,
): Promise<ChangeOutcome> {
  const { change, onStep } = request
  using record = takeRecord(change.file)
  const holds = record.record.files.map(
    ({ path }, at) =>
      new FileHold(
        { named: path, expected: true, abandonedPauseMs: null, name: `undo-${change.record.change}-${at}`, onStep },
        new HoldRecord(onStep),
      ),
  )
  return await changeInHold(holds, new UndoParts(record, request), request, processes, signal)
}

/** @throws {Failure} REMEDY_REFUSED */
function takeRecord(path: string): RecordFile {
  const record = RecordFile.takeOver(path)
  if (record === 'owned')
    throw new Failure('REMEDY_REFUSED', `another run works on the change of ${path}`, {
      hint: 'wait until it has ended, and run the command again',
    })
  const state = record?.record.state
  if (record !== null && (state === 'applied' || state === 'unclear')) return record
  record?.[Symbol.dispose]()
  throw new Failure('REMEDY_REFUSED', `${path} records no change that stands${state === undefined ? '' : `: ${state}`}`)
}

/** The kept set of one file, and what goes beside the live file. */
interface KeptSet {
  readonly folder: LiveFolder
  readonly main: Content & { readonly descriptor: number }
  readonly settled: Content & { readonly descriptor: number }
  readonly companions: ReadonlyMap<'-wal' | '-journal', StagedFile>
  /** In place: the pages in which the live file differs from the settled one, and which file that was. */
  readonly differing: { readonly pages: readonly number[]; readonly of: SeenFile } | null
}

class UndoParts implements ChangeParts {
  readonly remedy = 'undo'
  readonly method: ChangeMethod
  readonly record: RecordFile
  readonly folders: LiveFolder[] = []
  readonly remade = false
  readonly states
  readonly #request: UndoRequest
  readonly #opened = new AsyncDisposables()
  readonly #kept: KeptSet[] = []
  #files: readonly ChangedFile[]

  constructor(record: RecordFile, request: UndoRequest) {
    const back: ChangeState = record.record.state
    this.states = { during: 'undoing', after: 'undone', back } as const
    this.record = record
    this.method = record.record.method ?? 'swap'
    this.#request = request
    this.#files = record.record.files
  }

  async prepare(signal: AbortSignal): Promise<readonly ChangedFile[]> {
    const files: ChangedFile[] = []
    for (const { path } of this.#files) this.folders.push(this.#opened.add(LiveFolder.open(path)))
    // All before the first is made: files of one folder share the id in their names.
    for (const folder of this.folders) await folder.removeNamesOf(this.record.record.change)
    for (const [at, file] of this.#files.entries()) {
      const folder = this.folders[at]
      invariant(folder, 'the folder of each file is open')
      if (this.#request.connection === null) await requireNoLease(file.path as Parameters<typeof requireNoLease>[0])
      const kept = await this.#bring(file, folder, at + 1, signal)
      this.#kept.push(kept)
      const beside = [
        kept.main.beside?.recordOf('original') ?? [],
        kept.settled.beside?.recordOf('settled') ?? [],
      ].flat()
      files.push({ ...file, beside })
    }
    this.#files = files
    return files
  }

  /** Copies the kept set beside the live file. @throws {Failure} NO_SPACE, NOT_FOUND; READ_FAILED if it is not whole */
  async #bring(file: ChangedFile, folder: LiveFolder, nth: number, signal: AbortSignal): Promise<KeptSet> {
    const { change } = this.record.record
    const from = (name: string): string => join(dirname(this.record.path), name)
    using live = openDescriptor(file.path, 'read-only')
    const make = async (what: string, kept: Omit<KeptPart, 'part'>): Promise<StagedFile> => {
      const name = nameBeside(change, nth, what)
      const beside = this.#opened.add(await StagedFile.make(folder, name, from(kept.name), live.number, signal))
      requireKept(from(kept.name), beside.content, kept)
      return beside
    }
    const content = async (what: string, kept: Omit<KeptPart, 'part'>): Promise<KeptSet['main']> => {
      const descriptor = this.#opened.add(openDescriptor(from(kept.name), 'read-only')).number
      if (this.method === 'swap') return { descriptor, beside: await make(what, kept) }
      requireKept(from(kept.name), await digestOf(descriptor, signal), kept)
      return { descriptor, beside: null }
    }
    const original = file.original.find(({ part }) => part === '')
    invariant(original, 'a kept set has a main file')
    const companions = new Map<'-wal' | '-journal', StagedFile>()
    for (const kept of file.original)
      if (kept.part !== '') companions.set(kept.part, await make(`kept${kept.part.slice(1)}`, kept))
    const main = await content('original', original)
    const settled = file.settled === null ? main : await content('settled', file.settled)
    const differing = this.method === 'in-place' ? await differencesOf(live.number, settled.descriptor) : null
    return { folder, main, settled, companions, differing }
  }

  async plan(files: readonly ProvenFile[], over: AbortSignal, startedMs: number): Promise<readonly FilePlan[]> {
    const plans: FilePlan[] = []
    for (const [at, file] of files.entries()) {
      const [kept, changed] = [this.#kept[at], this.#files[at]]
      invariant(kept && changed, 'there is a kept set of each file')
      const untilMs = startedMs + this.#request.settings.maxPauseMs / 2
      plans.push(await this.#planOne(file, kept, changed, at + 1, untilMs, over))
    }
    return plans
  }

  async #planOne(
    file: ProvenFile,
    { folder, main, settled, companions, differing }: KeptSet,
    changed: ChangedFile,
    nth: number,
    untilMs: number,
    over: AbortSignal,
  ): Promise<FilePlan> {
    const live = file.files.descriptor('')
    // Of several files, those that a broken change had not reached hold their original.
    const isBefore = changed.after === null && isSame(changed.before, seenFile(fstatSync(live, { bigint: true })))
    if (changed.holdsOriginal === true || isBefore) return { folder, steps: [], next: null, beside: [], content: live }
    await requireUnwritten(file, changed, untilMs, over)
    const present = file.files.parts.filter((part) => part !== '')
    const beside = [main.beside, settled.beside].filter((one) => one !== null)
    for (const one of [...beside, ...companions.values()]) one.resemble(live)
    const { record } = this.record
    const header = readHeader(await readAt(live, 0, 100))
    const pageSize = header.kind === 'header' ? header.header.pageSize : 512
    const requireSeal = (): void => file.sealed.assertUnbroken()
    const isSameFile = differing !== null && isSame(differing.of, seenFile(file.files.stat('')))
    const pages = isSameFile ? differing.pages : null
    const replacing: Replacement =
      this.method === 'swap'
        ? { method: 'swap' }
        : { method: 'in-place', overwriting: { folder, main: live, pageSize, requireSeal, pages, over } }
    const mended: Content = { descriptor: null, beside: null }
    return {
      folder,
      steps: backwardSteps({ folder, change: record.change, nth }, replacing, present, companions, {
        mended,
        settled,
        original: main,
      }),
      next: main.beside,
      beside: [...new Set(beside)],
      content: main.descriptor,
    }
  }

  claim(): void {
    // The original stays where it is kept.
  }

  changedFiles(): readonly ChangedFile[] {
    return this.#files.map((file) => ({ ...file, beside: [] }))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened[Symbol.asyncDispose]()
  }
}

/** A kept file may have been damaged, or opened by a program, since. @throws {Failure} READ_FAILED */
function requireKept(path: string, found: { readonly sha256: string }, kept: { readonly sha256: string }): void {
  if (found.sha256 === kept.sha256) return
  throw new Failure('READ_FAILED', `${path} is no longer what was kept: its digest differs`)
}

async function differencesOf(live: number, settled: number): Promise<KeptSet['differing']> {
  const of = seenFile(fstatSync(live, { bigint: true }))
  const header = readHeader(await readAt(live, 0, 100))
  if (header.kind !== 'header') return null
  const { pages } = await findDifferences(live, settled, header.header.pageSize)
  return { pages, of }
}

const isSame = (one: SeenFile | null, other: SeenFile): boolean =>
  one !== null && (['dev', 'ino', 'size', 'mtimeNs', 'ctimeNs'] as const).every((field) => one[field] === other[field])

/** Bytes a second of a digest. */
const digestRateFloor = 250e6

/** @throws {Failure} REMEDY_STALE if anything was written since the change */
async function requireUnwritten(
  { files }: ProvenFile,
  { after, mended }: ChangedFile,
  untilMs: number,
  over: AbortSignal,
): Promise<void> {
  const stale = (why: string): Failure =>
    new Failure('REMEDY_STALE', `${files.path} ${why}, so the original is not put back in its place`, {
      hint:
        'what was written since must not be lost: keep the file as it is, or compare it with the kept original ' +
        '(`holdfast compare`) and copy by hand what you want back',
    })
  for (const part of ['-wal', '-journal'] as const)
    if (files.has(part) && files.stat(part).size > 0n) throw stale(`has a ${part} with bytes: it was written since`)
  const live = files.descriptor('')
  if (isSame(after, seenFile(files.stat('')))) return
  const { size } = fstatSync(live)
  if (size !== mended?.bytes) throw stale('was written since the change')
  const needsMs = (size / digestRateFloor) * 1000
  if (monotonicMs() + needsMs > untilMs)
    throw stale(`has other times than after the change, and to read it would pause the tenant for ${humanMs(needsMs)}`)
  if ((await digestOf(live, over)).sha256 !== mended.sha256) throw stale('was written since the change')
}
