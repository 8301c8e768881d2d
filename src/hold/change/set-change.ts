/** The task of a change: while its files are sealed, names or bytes of them change. All of them, or none. */
import { fstatSync, readSync } from 'node:fs'
import { invariant } from '../../model/bug.ts'
import { Failure } from '../../model/failure.ts'
import { reportStep } from '../file-hold.ts'
import type { ProvenFile } from '../file-steps.ts'
import type { HoldTask } from '../in-pause.ts'
import type { Pause } from '../pause/pause.ts'
import type { SeenFile } from './record/change-record.ts'
import type { LiveFolder } from './steps/live-folder.ts'
import type { StagedFile } from './steps/staged-file.ts'
import { takeSteps, type Step } from './steps/step.ts'

/** What becomes of one file. */
export interface FilePlan {
  readonly folder: LiveFolder
  readonly steps: readonly Step[]
  /** The file that then has the name; null if the live one keeps it. */
  readonly next: StagedFile | null
  /** Files beside the live one that take its name, even for a moment. */
  readonly beside: readonly StagedFile[]
  /** Open descriptor of a private file with the content that must stand there afterwards. */
  readonly content: number
}

export interface ChangeTerms {
  /** How many files the tenant has: the change needs all of them sealed. */
  readonly files: number
  /** Judges the sealed files. @throws {Failure} if nothing may be changed */
  plan(files: readonly ProvenFile[], over: AbortSignal): Promise<readonly FilePlan[]>
  /** Called right before the first name or byte changes. */
  begin(): void
}

export class SetChange implements HoldTask<ProvenFile> {
  readonly #terms: ChangeTerms
  #begun = false
  #after: readonly SeenFile[] | null = null

  constructor(terms: ChangeTerms) {
    this.#terms = terms
  }

  /** Whether a name or a byte may have changed. */
  get begun(): boolean {
    return this.#begun
  }

  /** The main files after the change, in their order; null if it was not made, or was reversed. */
  get after(): readonly SeenFile[] | null {
    return this.#after
  }

  async underSeal(
    files: readonly ProvenFile[],
    pause: Pause | null,
    over: AbortSignal,
  ): Promise<readonly ProvenFile[]> {
    if (files.length < this.#terms.files) return [] // A file that could not be sealed has its failure.
    requireFit(files)
    const plans = await this.#terms.plan(files, over)
    await pause?.confirm()
    try {
      for (const { beside } of plans) for (const one of beside) one.seal()
      const requireAll = (): void => requireUnbroken(files, plans)
      over.throwIfAborted()
      pause?.assertStanding()
      requireAll()
      // From here to the end of a swap there is no turn of the event loop: no signal and no timer comes between.
      this.#terms.begin()
      this.#begun = true
      const after: SeenFile[] = []
      const look: Step = { run: () => void after.push(...lookAt(files, plans)), takeBack: () => undefined }
      await takeSteps([...plans.flatMap(({ steps }) => steps), look], requireAll)
      this.#after = after
      reportStep(files, 'changed')
    } finally {
      for (const { beside } of plans) for (const one of beside) one[Symbol.dispose]()
    }
    return files
  }

  underLocks(files: readonly ProvenFile[]): Promise<readonly ProvenFile[]> {
    return Promise.resolve(files)
  }
}

/** A quick look at what stands there now. The whole is checked after the pause. @throws {Failure} WRITER_SEEN */
function lookAt(files: readonly ProvenFile[], plans: readonly FilePlan[]): readonly SeenFile[] {
  return plans.map(({ folder, next, content }, at) => {
    const live = files[at]
    invariant(live, 'there is a plan for each file')
    const descriptor = next?.descriptor ?? live.files.descriptor('')
    const found = fstatSync(descriptor, { bigint: true })
    if (!folder.leadsTo(folder.base, found) || !isAlike(descriptor, content))
      throw new Failure('WRITER_SEEN', `${folder.path} is not what holdfast put there`)
    return seenFile(found)
  })
}

export const seenFile = (found: {
  readonly dev: bigint
  readonly ino: bigint
  readonly size: bigint
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
}): SeenFile => ({
  dev: String(found.dev),
  ino: String(found.ino),
  size: Number(found.size),
  mtimeNs: String(found.mtimeNs),
  ctimeNs: String(found.ctimeNs),
})

/** @throws {Failure} LEASE_UNAVAILABLE, REMEDY_REFUSED */
function requireFit(files: readonly ProvenFile[]): void {
  for (const { files: live, sealed, superJournal } of files) {
    if (sealed.level !== 'sealed')
      throw new Failure(
        'LEASE_UNAVAILABLE',
        `${live.path} is not changed without kernel leases: a program that has it open would go on with the old file`,
      )
    if (superJournal !== 'none')
      throw new Failure(
        'REMEDY_REFUSED',
        `the journal of ${live.path} belongs to a transaction over several files, which SQLite must end first`,
        { hint: 'let the service open all files of the tenant once, and run the command again' },
      )
  }
}

/**
 * Releases nothing, so that a program which asks for a file waits until the steps were reversed.
 * @throws {Failure} IN_USE if a program has asked for a file that has lost the live name, or is to lose it
 */
function requireUnbroken(files: readonly ProvenFile[], plans: readonly FilePlan[]): void {
  const inUseFailure = (path: string): Failure =>
    new Failure('IN_USE', `another program opened ${path} while holdfast changed it: holdfast took the change back`)
  for (const { sealed, files: live } of files) if (!sealed.isUnbroken) throw inUseFailure(live.path)
  for (const { folder, beside } of plans)
    for (const one of beside)
      if (!one.isUnbroken && !folder.leadsTo(folder.base, one.identity)) throw inUseFailure(folder.pathOf(one.name))
}

/** Whether size, first and last piece are the same. */
function isAlike(one: number, other: number): boolean {
  const { size } = fstatSync(other)
  if (fstatSync(one).size !== size) return false
  return [0, Math.max(0, size - edgeBytes)].every((at) => edgeOf(one, at).equals(edgeOf(other, at)))
}

const edgeBytes = 65_536
function edgeOf(file: number, at: number): Buffer {
  const bytes = Buffer.alloc(edgeBytes)
  return bytes.subarray(0, readSync(file, bytes, 0, edgeBytes, at))
}
