/** The files in which the original of a change is kept. Disposing deletes them, unless the original is claimed. */
import { renameSync, unlinkSync } from 'node:fs'
import { onDisk } from '../../../host/files/file-name.ts'

/** While an original is kept anew, its copies have names with this end: the earlier original stays whole meanwhile. */
export const draftEnd = '.again'

export class KeptNames implements Disposable {
  #paths: string[] = []

  /** @param path of a file that was made */
  add(path: string): void {
    this.#paths.push(path)
  }

  /** Gives drafts the names of what they replace, one right after the other, and deletes what they do not replace. */
  replaceBy(drafts: KeptNames): void {
    const names = drafts.#paths.map((path) => path.slice(0, -draftEnd.length))
    for (const path of this.#paths) if (!names.includes(path)) unlinkSync(onDisk(path))
    this.#paths = []
    for (const [at, path] of drafts.#paths.entries()) {
      renameSync(onDisk(path), onDisk(names[at] ?? path))
      this.#paths.push(names[at] ?? path)
    }
    drafts.#paths = []
  }

  [Symbol.dispose](): void {
    for (const path of this.#paths.splice(0).toReversed()) unlinkSync(onDisk(path))
  }
}
