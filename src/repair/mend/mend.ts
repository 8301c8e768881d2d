/**
 * Carries out a remedy on a copy of a snapshot, in a confined child process of its own. There are two ways:
 *
 * `in-place`: the copy is changed where it must be. REINDEX clears an index before it fills it, so it must be able to
 * read it.
 * `rewritten`: the copy is written anew into a second file, without the trees that are to be rebuilt
 * (child/rewrite.ts). They are then filled there.
 *
 * What comes out is not trusted: the rehearsal checks it.
 */

import { unlinkSync } from 'node:fs'
import type { ChildLimits } from '../../check/confined-child.ts'
import type { User } from '../../check/confinement.ts'
import { fileBytesFor } from '../../check/file-size-limit.ts'
import { recoveredName } from '../../check/protocol.ts'
import { Sandbox } from '../../check/sandbox.ts'
import { otherDisk } from '../../hold/snapshot/draft.ts'
import { systemFailure } from '../../host/failures/system-failure.ts'
import { programBeside } from '../../host/process/program-beside.ts'
import type { SnapshotPath } from '../../model/brand.ts'
import { Failure } from '../../model/failure.ts'
import type { KeptFiles } from '../../model/kept-file.ts'
import type { FailedStep } from '../worker/steps.ts'
import { WorkingChild, type WorkingProgram } from '../worker/working-child.ts'
import type { MendOrder } from './mend-order.ts'
import { droppedName, rewrittenName } from './protocol.ts'
import type { MenderSteps } from './protocol.ts'

export type MendMethod = 'in-place' | 'rewritten'

export interface MendRequest {
  /** One plain file. It is only read. */
  readonly from: { readonly path: SnapshotPath; readonly kept: KeptFiles | null }
  readonly mending: MendOrder
  readonly way: MendMethod
  /** Indexes that have entries which their tables lack: these are listed first. */
  readonly doubtful: readonly string[]
  /** Paths of the files to make. */
  readonly to: { readonly mended: string; readonly dropped: string }
  readonly signal: AbortSignal
  /** Called before each step that may take long. */
  readonly onStep: (step: 'copy' | 'mend') => void
}

/** `texts`: the full-text tables that were rebuilt, and where their text came from. */
export type MendResult =
  | {
      readonly kind: 'mended'
      readonly droppedTotal: number
      readonly texts: readonly { readonly name: string; readonly source: string }[]
    }
  | { readonly kind: 'refused'; readonly corrupt: boolean; readonly why: string }

export class Mender {
  readonly #folder: string
  readonly #user: User | null
  readonly #limits: ChildLimits & { readonly timeoutMs: number }

  /** @param folder for sandboxes, on the file system of the copies @param user of the children; null for ours */
  constructor(folder: string, user: User | null, limits: ChildLimits & { readonly timeoutMs: number }) {
    this.#folder = folder
    this.#user = user
    this.#limits = limits
  }

  /**
   * @returns `refused` if SQLite could not do it to this file; the files of `to` are then not there
   * @throws {Failure} CANNOT_CONFINE, READ_FAILED, NO_SPACE: says nothing of the file @throws signal.reason
   */
  mend(request: MendRequest): Promise<MendResult> {
    return this.#mend(request).catch((error: unknown) => {
      throw systemFailure(error, {
        doing: 'let a process mend a copy in',
        path: this.#folder,
        elsewhere: otherDisk,
        concerns: 'machine',
      })
    })
  }

  async #mend(request: MendRequest): Promise<MendResult> {
    const { from, to, signal, onStep } = request
    signal.throwIfAborted()
    onStep('copy')
    await using sandbox = await Sandbox.open(this.#folder, this.#user)
    await sandbox.copyIn(from.path, from.kept, signal)
    onStep('mend')
    const mended = await this.#mendInside(sandbox, request)
    if (mended.kind === 'refused') return mended
    await sandbox.takeOut(
      request.way === 'rewritten' || request.mending.do === 'rewrite' ? rewrittenName : recoveredName,
      to.mended,
    )
    try {
      if (mended.droppedTotal > 0) await sandbox.takeOut(droppedName, to.dropped)
    } catch (error) {
      unlinkSync(to.mended)
      throw error
    }
    return mended
  }

  /** No process runs in the sandbox afterwards. */
  async #mendInside(sandbox: Sandbox, request: MendRequest): Promise<MendResult> {
    const process = await WorkingChild.start<MenderSteps>(
      program,
      sandbox.folder,
      this.#user,
      this.#limits,
      request.signal,
    )
    try {
      await process.ask({ step: 'limitFileSize', fileBytesMax: fileBytesFor(request.from.path) })
      return await runSteps(process, request, this.#limits.memoryBytesMax)
    } finally {
      await process[Symbol.asyncDispose]()
    }
  }
}

type MenderProcess = WorkingChild<MenderSteps>

const program: WorkingProgram = {
  path: programBeside(import.meta.url, 'child/mender-child'),
  name: 'mender-child',
  process: 'the process that mends a copy',
  file: 'the copy that is mended',
  spaceHint: 'name a folder on another disk in snapshots.dir (for files: `--snapshots DIR`, or TMPDIR)',
  crashCode: 'REMEDY_REFUSED',
  refusal: (why) => new Failure('REMEDY_REFUSED', `SQLite could not mend a copy: ${why}`),
}

async function runSteps(process: MenderProcess, request: MendRequest, memoryBytesMax: number): Promise<MendResult> {
  const { mending, way, doubtful } = request
  const { indexes, fts } = mending.do === 'rebuild' ? mending : { indexes: [], fts: [] }
  const listed = await listDropped(process, doubtful, memoryBytesMax)
  if (listed.kind === 'not-done') return refused('the entries that a rebuild would drop could not be listed', listed)
  const { opened } = await process.ask({ step: 'open' })
  if (opened.kind === 'not-done') return refused('SQLite cannot open it', opened)
  if (way === 'rewritten' || mending.do === 'rewrite') {
    const { rewritten } = await process.ask({ step: 'rewrite', emptied: indexes, emptiedTexts: fts })
    if (rewritten.kind === 'not-done') return refused('its tables cannot be copied into a new file', rewritten)
  }
  for (const index of indexes) {
    const { rebuilt } = await process.ask({ step: 'reindex', index })
    if (rebuilt.kind === 'not-done') return refusedIndex(index, rebuilt)
  }
  const texts: { readonly name: string; readonly source: string }[] = []
  for (const table of fts) {
    const { rebuilt } = await process.ask({ step: 'rebuildText', table })
    if (rebuilt.kind === 'not-done') return refused(`the full-text index ${table} cannot be rebuilt`, rebuilt)
    texts.push({ name: table, source: rebuilt.source })
  }
  const { closed } = await process.ask({ step: 'close' })
  return closed.kind === 'not-done'
    ? refused('SQLite cannot complete it', closed)
    : { kind: 'mended', droppedTotal: listed.total, texts }
}

async function listDropped(
  process: MenderProcess,
  indexes: readonly string[],
  memoryBytesMax: number,
): Promise<{ readonly kind: 'listed'; readonly total: number } | FailedStep> {
  if (indexes.length === 0) return { kind: 'listed', total: 0 }
  return (await process.ask({ step: 'listDropped', indexes, memoryBytesMax })).listed
}

function refusedIndex(index: string, rebuilt: FailedStep): MendResult {
  return rebuilt.reason === 'not-unique'
    ? {
        kind: 'refused',
        corrupt: false,
        why: `rows have the same key of the unique index ${index}: a person must choose between them (${rebuilt.why})`,
      }
    : refused(`index ${index} cannot be rebuilt`, rebuilt)
}

const refused = (what: string, { reason, why }: FailedStep): MendResult => ({
  kind: 'refused',
  corrupt: reason === 'corrupt',
  why: `${what}: ${why}`,
})
