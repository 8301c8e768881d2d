/** Keeps the original of a change: the live set as the hold found it, byte for byte, before anything touches it. */
import { unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { AsyncDisposables } from '../../../host/disposal.ts'
import { onDisk } from '../../../host/files/file-name.ts'
import type { LivePath } from '../../../model/brand.ts'
import { invariant } from '../../../model/bug.ts'
import type { NonEmpty } from '../../../model/result/verdict.ts'
import { resolveLivePath } from '../../live/live-path.ts'
import type { ChangeDescription, KeptOriginal, OriginalFile, OriginalsLocation } from '../change-types.ts'
import type { ChangedFile, KeptPart } from '../record/change-record.ts'
import { RecordFile } from '../record/record-file.ts'
import { syncNames } from '../steps/sync-names.ts'
import { changedBytesOf, requireSpaceForChange } from './disk-space.ts'
import { disposableDescriptor, copyDurably, makeFile, requireContent } from './kept-copy.ts'
import { draftEnd, KeptNames } from './kept-names.ts'
import { makePlace, type OriginalFolder } from './original-folder.ts'

/** The originals that this process keeps, with their open records. Only a change of the live set claims one. */
const kept = new WeakMap<KeptOriginal, OpenOriginal>()

interface OpenOriginal {
  readonly record: RecordFile
  readonly place: OriginalFolder
  readonly names: KeptNames
  claimed: boolean
}

/**
 * Copies the originals of a change durably, and compares each copy with the digest of its snapshot. Checks first
 * whether there is room for all that the change will write.
 * @param files see `OriginalFile`
 * @throws {Failure} NO_SPACE, SNAPSHOT_UNSAFE, NO_PERMISSION; READ_FAILED if a copy differs; the reason of the signal
 */
export async function keepOriginal(
  files: NonEmpty<OriginalFile>,
  place: OriginalsLocation,
  about: ChangeDescription,
  signal: AbortSignal,
): Promise<KeptOriginal> {
  const live: LiveOriginal[] = []
  for (const { named, snapshot } of files) live.push({ path: await resolveLivePath(named, null, true), snapshot })
  const keptPlace = await makePlace(place, about.change)
  await using written = new AsyncDisposables()
  written.add({ [Symbol.dispose]: () => keptPlace.remove() })
  requireSpaceForChange(keptPlace.folder, live.map(changedBytesOf))
  // First: by the record, the next run finds what this one leaves if it is killed.
  const record = written.add(
    RecordFile.create(keptPlace.record, {
      schema: 'holdfast.change/1',
      change: about.change,
      run: about.run,
      tool: { version: about.version },
      tenant: about.tenant,
      remedy: about.remedy,
      method: null,
      state: 'kept',
      tidy: true,
      at: new Date().toISOString(),
      files: live.map(({ path }) => noneKept(path)),
    }),
  )
  written.add({ [Symbol.dispose]: () => unlinkSync(onDisk(keptPlace.record)) })
  const names = written.add(new KeptNames())
  record.update({ files: await keepAll(live, keptPlace, names, '', signal) })
  const all = written.move()
  const open: OpenOriginal = { record, place: keptPlace, names, claimed: false }
  const original: KeptOriginal = {
    about,
    place,
    record: keptPlace.record,
    files: namesOf(live, keptPlace),
    [Symbol.asyncDispose]: async () => {
      if (open.claimed) return record[Symbol.dispose]()
      open.claimed = true
      await all[Symbol.asyncDispose]()
    },
  }
  kept.set(original, open)
  return original
}

/** The open record of an original, and what a change does with it. */
export interface ChangedOriginal {
  readonly record: RecordFile
  /** Called before the live set changes: from then on the original is never deleted by us. */
  claim(): void
  /** Keeps what SQLite makes of the original too: an undo needs it. */
  keepSettled(nth: number, path: string, settled: string, signal: AbortSignal): Promise<ChangedFile['settled']>
  /** Keeps the live set as it is now instead. */
  keepAgain(files: NonEmpty<LiveOriginal>, signal: AbortSignal): Promise<readonly ChangedFile[]>
}

export function openOriginal(original: KeptOriginal): ChangedOriginal {
  const open = kept.get(original)
  invariant(open, 'an original is changed only by the process that kept it')
  const { record, place } = open
  return {
    record,
    claim: () => {
      open.claimed = true
    },
    keepSettled: async (nth, path, settled, signal) => {
      const name = `${place.nameOf(nth, path)}.settled`
      const to = join(place.folder, name)
      using file = disposableDescriptor(makeFile(to))
      open.names.add(to)
      return { name, ...(await copyDurably(settled, file.number, to, signal)) }
    },
    keepAgain: async (files, signal) => {
      using drafts = new KeptNames()
      const changed = await keepAll(files, place, drafts, draftEnd, signal)
      open.names.replaceBy(drafts)
      syncNames(place.record)
      return changed
    },
  }
}

interface LiveOriginal {
  readonly path: LivePath
  readonly snapshot: OriginalFile['snapshot']
}

function namesOf([first, ...more]: readonly LiveOriginal[], place: OriginalFolder): KeptOriginal['files'] {
  invariant(first, 'a change has a file')
  const named = ({ path }: LiveOriginal, nth: number): KeptOriginal['files'][number] => ({
    path,
    original: join(place.folder, place.nameOf(nth, path)),
  })
  return [named(first, 1), ...more.map((file, at) => named(file, at + 2))]
}

async function keepAll(
  files: readonly LiveOriginal[],
  place: OriginalFolder,
  names: KeptNames,
  end: string,
  signal: AbortSignal,
): Promise<readonly ChangedFile[]> {
  const changed: ChangedFile[] = []
  for (const [at, { path, snapshot }] of files.entries()) {
    const stem = place.nameOf(at + 1, path)
    changed.push({ ...noneKept(path), original: await keepFile(snapshot, place.folder, stem, names, end, signal) })
  }
  syncNames(place.record)
  return changed
}

const noneKept = (path: LivePath): ChangedFile => ({
  path,
  original: [],
  settled: null,
  before: null,
  after: null,
  mended: null,
  beside: [],
  samples: [],
})

/** @param end of the names for now: of drafts, or none */
async function keepFile(
  snapshot: OriginalFile['snapshot'],
  folder: string,
  stem: string,
  names: KeptNames,
  end: string,
  signal: AbortSignal,
): Promise<readonly KeptPart[]> {
  const original: KeptPart[] = []
  for (const { part, bytes, sha256 } of snapshot.files) {
    if (part === '-shm') continue
    const name = stem + part
    const to = join(folder, name + end)
    using file = disposableDescriptor(makeFile(to))
    names.add(to)
    requireContent(to, await copyDurably(snapshot.path + part, file.number, to, signal), { bytes, sha256 })
    original.push({ part, name, bytes, sha256 })
  }
  return original
}
