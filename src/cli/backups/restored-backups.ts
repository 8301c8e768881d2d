/** The backups that a comparison restores: they lie in a scratch folder, and reports name what they are backups of. */
import type { BackedUpFile } from '../../backup/layout.ts'
import { openSnapshotFolder, type TemporaryFolder } from '../../hold/snapshot/temporary-folder.ts'
import type { FileComparison } from '../../model/result/comparison.ts'
import { findNamedBackup, restoreNamedBackup } from './named-backup.ts'
import type { StoreOptions } from './open-store.ts'

export class RestoredBackups implements AsyncDisposable {
  readonly #options: StoreOptions & { readonly snapshots?: string }
  readonly #signal: AbortSignal
  /** By the path of the restored file. */
  readonly #originals = new Map<string, BackedUpFile>()
  #scratch: TemporaryFolder | null = null

  constructor(options: StoreOptions & { readonly snapshots?: string }, signal: AbortSignal) {
    this.#options = options
    this.#signal = signal
  }

  /**
   * @returns the restored file; null if the word means no backup
   * @throws {Failure} BACKUP_UNKNOWN, BACKUP_BROKEN, NO_SPACE
   */
  async restore(word: string): Promise<string | null> {
    const named = await findNamedBackup(word, this.#options)
    if (named === null) return null
    this.#scratch ??= await openSnapshotFolder(this.#options.snapshots ?? null, null)
    const restored = await restoreNamedBackup(named, this.#scratch.path, this.#signal)
    this.#originals.set(restored, named.manifest)
    return restored
  }

  /** The comparison with the live files in the place of the scratch files. */
  withOriginals(file: FileComparison): FileComparison {
    const sideOf = (side: 'a' | 'b') => {
      const original = this.#originals.get(file.paths[side] ?? '')
      const result = file.results[side]
      if (original === undefined) return { path: file.paths[side], result }
      const { tenant, path } = original
      return { path, result: result && { ...result, tenant, path } }
    }
    const { a, b } = { a: sideOf('a'), b: sideOf('b') }
    return { ...file, paths: { a: a.path, b: b.path }, results: { a: a.result, b: b.result } }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scratch?.[Symbol.asyncDispose]()
  }
}
