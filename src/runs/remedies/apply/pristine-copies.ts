/**
 * A check lets SQLite write a WAL or a journal back into the snapshot. The original must be kept as it was before, so
 * such a snapshot is copied before its check. A snapshot of one plain file is not changed by a check.
 */

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Snapshot } from '../../../hold/snapshot/draft.ts'
import { draftName, outOfSpace, removeFolder, snapshotName } from '../../../hold/snapshot/draft.ts'
import { copyRegularFile } from '../../../host/files/copy-file.ts'
import type { SnapshotPath } from '../../../model/brand.ts'
import type { Target } from '../../begin/target.ts'
import type { HeldTarget } from '../../hold-targets.ts'

type PristineSnapshot = Pick<Snapshot, 'path' | 'files'>

let copies = 0

/** Disposing of it deletes the copies. */
export class PristineCopies implements AsyncDisposable {
  readonly #parent: string
  readonly #folders: string[] = []
  readonly #copies = new Map<Target, PristineSnapshot>()

  /** @param parent private folder of this run */
  constructor(parent: string) {
    this.#parent = parent
  }

  /** Call it before the check. @throws {Failure} NO_SPACE */
  readonly keep = async (held: readonly HeldTarget[]): Promise<void> => {
    for (const one of held)
      if (one.held.kind === 'snapshot') this.#copies.set(one.target, await this.#pristine(one.held.snapshot))
  }

  /** The snapshot as it was before its check; null if the file was not held. */
  of(target: Target): PristineSnapshot | null {
    return this.#copies.get(target) ?? null
  }

  async #pristine({ path, files }: Snapshot): Promise<PristineSnapshot> {
    if (files.length === 1) return { path, files } // A check deletes an empty companion too.
    const folder = join(this.#parent, draftName(`pristine-${++copies}`))
    mkdirSync(folder, { mode: 0o700 })
    this.#folders.push(folder)
    const copy = join(folder, snapshotName) as SnapshotPath // A copy of what came out of a hold.
    try {
      for (const { part } of files) await copyRegularFile(path + part, copy + part, 'refuse')
    } catch (error) {
      throw outOfSpace(copy, error)
    }
    return { path: copy, files }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const folder of this.#folders.splice(0)) await removeFolder(folder)
  }
}
