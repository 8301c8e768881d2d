/** Steps that only change names. They run without a turn of the event loop. */
import { Failure } from '../../../model/failure.ts'
import type { LiveFolder } from './live-folder.ts'
import type { StagedFile } from './staged-file.ts'
import type { Step } from './step.ts'

/**
 * A file beside the live one takes its name, and the live file takes that of the other. No program that opened it
 * meanwhile is left with a file without a name. If the names cannot be exchanged here, the live file loses its name.
 *
 * It is not reversed once another program has asked for the new file under the live name: that program will use it.
 */
export function takeName(folder: LiveFolder, next: StagedFile): Step {
  const { name: beside, identity: expected } = next
  let state: 'before' | 'exchanged' | 'replaced' = 'before'
  const swap = (): void => {
    if (folder.exchange(beside, folder.base)) state = state === 'exchanged' ? 'before' : 'exchanged'
    else {
      folder.rename(beside, folder.base)
      state = 'replaced'
    }
  }
  return {
    run: () => {
      if (!folder.leadsTo(beside, expected)) throw notOurs(folder, beside)
      swap()
      folder.sync()
      if (!folder.leadsTo(folder.base, expected)) throw notOurs(folder, folder.base)
    },
    takeBack: () => {
      if (state === 'before') return
      if (state === 'replaced' || !next.isUnbroken) throw takenFailure(folder)
      swap()
      folder.sync()
    },
  }
}

/** Gives a file another name in the folder. */
export function move(folder: LiveFolder, from: string, to: string): Step {
  let moved = false
  return {
    run: () => {
      folder.rename(from, to)
      moved = true
      folder.sync()
    },
    takeBack: () => {
      if (!moved) return
      folder.rename(to, from)
      folder.sync()
    },
  }
}

const takenFailure = (folder: LiveFolder): Failure =>
  new Failure('IN_USE', `${folder.path}: the file that took its place cannot be taken back`)

/** Another user may rename in the folder. */
const notOurs = (folder: LiveFolder, name: string): Failure =>
  new Failure('WRITER_SEEN', `${folder.pathOf(name)} is not the file that holdfast put there`, {
    hint: 'another program renames files in this folder while the tenant is paused: find out which one',
  })
