/**
 * What became of a change that broke off: decided by what stands on the disk. It changes no live file. SQLite finds the
 * old or the new content whole whatever stands there. What is left to do is to say which, and to delete our own names.
 */
import { fstatSync, readSync, statSync, unlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { openDescriptor } from '../../../host/files/descriptor.ts'
import { digestOf } from '../../../host/files/digest.ts'
import { onDisk } from '../../../host/files/file-name.ts'
import { Failure } from '../../../model/failure.ts'
import { readHeader } from '../../../sqlite/header.ts'
import { readJournal } from '../../../sqlite/journal/journal.ts'
import { readAt } from '../../live/live-files.ts'
import { draftEnd } from '../original/kept-names.ts'
import type { ChangedFile, ChangeRecord, SeenFile } from '../record/change-record.ts'
import { countSides, pageDigest } from '../record/page-samples.ts'
import type { RecordFile } from '../record/record-file.ts'
import { seenFile } from '../set-change.ts'
import { LiveFolder } from '../steps/live-folder.ts'

export interface ChangeRecoveryResult {
  readonly how: 'applied' | 'rolled-back' | 'undone' | 'unclear'
  /** True if some files of the tenant are old and some new: an undo can still bring the new ones back. */
  readonly isMixed: boolean
  readonly sentence: string
}

/** The live file as it is now, if it holds what the change put there; null if it was written since. */
async function unwrittenSince({ path, mended }: ChangedFile): Promise<SeenFile | null> {
  using live = openDescriptor(path, 'read-only')
  const seen = (): SeenFile => seenFile(fstatSync(live.number, { bigint: true }))
  const before = seen()
  const { sha256 } = await digestOf(live.number, new AbortController().signal)
  return sha256 === mended?.sha256 && isDeepStrictEqual(before, seen()) ? before : null
}

type FileSide = 'old' | 'new' | 'unclear'

/** Ends the record, and deletes the names of the change that are left beside the live files. */
export async function endBrokenChange(record: RecordFile): Promise<ChangeRecoveryResult> {
  const { record: found } = record
  const sides: FileSide[] = []
  for (const file of found.files) sides.push(await sideOf(file, found))
  const result = judgeSides(sides, found)
  const left = await deleteNames(found)
  deleteDrafts(dirname(record.path), found)
  const files: ChangedFile[] = []
  for (const [at, file] of found.files.entries()) {
    const after = result.how === 'applied' ? await unwrittenSince(file) : file.after
    files.push({ ...file, after, beside: [], holdsOriginal: result.isMixed && sides[at] === 'old' })
  }
  record.update({ state: result.how, tidy: left.length === 0, files })
  return left.length === 0
    ? result
    : { ...result, sentence: `${result.sentence}; ${left.join(', ')} beside it could not be deleted` }
}

function judgeSides(sides: readonly FileSide[], { state, change, files }: ChangeRecord): ChangeRecoveryResult {
  const what = files.map(({ path }) => path).join(', ')
  const undoing = state === 'undoing'
  const subject = undoing ? 'the undo of' : 'the'
  if (sides.every((side) => side === 'new'))
    return {
      how: 'applied',
      isMixed: false,
      sentence: undoing
        ? `an undo of change ${change} broke off before it changed anything: ${what} is as the change left it`
        : `change ${change} of ${what} was finished when its run broke off: the mended content stands`,
    }
  if (sides.every((side) => side === 'old'))
    return {
      how: undoing ? 'undone' : 'rolled-back',
      isMixed: false,
      sentence: undoing
        ? `the undo of change ${change} was finished when its run broke off: ${what} holds its original`
        : `change ${change} broke off: ${what} holds what it held before; the kept original stays`,
    }
  const isMixed = !sides.includes('unclear')
  return {
    how: 'unclear',
    isMixed,
    sentence: isMixed
      ? `${subject} change ${change} broke off between the files of the tenant (${what}): some are old, some new`
      : `${subject} change ${change} broke off, and ${what} was replaced or rewritten since by something else: ` +
        'nothing was touched; the kept original stays',
  }
}

/** @returns which content a live file has, also if it was written since */
async function sideOf(file: ChangedFile, { method, state }: ChangeRecord): Promise<FileSide> {
  const found = statOf(file.path)
  if (found === null) return 'unclear'
  const is = (one: { readonly dev: string; readonly ino: string } | null): boolean =>
    one !== null && one.dev === String(found.dev) && one.ino === String(found.ino)
  const ours = (what: string): boolean => file.beside.some((one) => one.what === what && is(one))
  if (method === 'in-place') return is(file.before) ? sideInPlace(file) : 'unclear'
  if (state === 'undoing') return ours('settled') || ours('original') ? 'old' : is(file.after) ? 'new' : 'unclear'
  if (ours('mended')) return 'new'
  return ours('settled') || is(file.before) ? 'old' : 'unclear'
}

/** The file is the same one; its bytes tell. It is read by name and without a lock: that harms no program. */
async function sideInPlace(file: ChangedFile): Promise<FileSide> {
  using folder = LiveFolder.open(file.path)
  const side = sideOfJournal(folder, file) // SQLite rolls it back before it reads anything.
  if (side !== null) return side
  using live = openDescriptor(file.path, 'read-only')
  const header = readHeader(await readAt(live.number, 0, 100))
  if (header.kind === 'header' && file.samples.length > 0) {
    const sides = await countSides(live.number, file.samples, header.header.pageSize)
    if (sides.old !== sides.new) return sides.old > sides.new ? 'old' : 'new'
  }
  const { sha256 } = await digestOf(live.number, new AbortController().signal)
  if (sha256 === file.mended?.sha256) return 'new'
  const old = [file.settled?.sha256, ...file.original.map((one) => (one.part === '' ? one.sha256 : undefined))]
  return old.includes(sha256) ? 'old' : 'unclear'
}

/**
 * What SQLite rolls back to if a journal of ours still lies there. It has the content before of each page that tells;
 * the service's own journals have others.
 */
function sideOfJournal(folder: LiveFolder, { samples, path }: ChangedFile): FileSide | null {
  if (folder.find(`${folder.base}-journal`)?.isFile() !== true) return null
  using journal = openDescriptor(`${path}-journal`, 'read-only')
  const { size } = fstatSync(journal.number)
  const read = (offset: number, length: number): Uint8Array => {
    const bytes = new Uint8Array(length)
    return bytes.subarray(0, readSync(journal.number, bytes, 0, length, offset))
  }
  const found = readJournal(read, size)
  if (found === null) return null
  const images = new Map<number, string>()
  const telling = samples.filter(({ page }) => page <= found.pageCount)
  const pages = new Set(telling.map(({ page }) => page))
  for (const { page, offset } of found.records)
    if (pages.has(page)) images.set(page, pageDigest(read(offset, found.pageSize)))
  if (telling.length === 0) return null
  if (telling.every((sample) => images.get(sample.page) === sample.old)) return 'old'
  return telling.every((sample) => images.get(sample.page) === sample.new) ? 'new' : null
}

function statOf(path: string): { readonly dev: bigint; readonly ino: bigint } | null {
  return statSync(onDisk(path), { bigint: true, throwIfNoEntry: false }) ?? null
}

/** Deletes the half-made copies of an original that was being kept anew. The earlier one is whole. */
function deleteDrafts(folder: string, { files }: ChangeRecord): void {
  for (const { original } of files) {
    const [main] = original
    if (main === undefined) continue
    for (const part of companions)
      try {
        unlinkSync(onDisk(join(folder, main.name + part + draftEnd)))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      }
  }
}

const companions = ['', '-wal', '-journal']

/** Deletes the names of a change beside its live files. @returns those that could not be deleted */
export async function deleteNames(record: ChangeRecord): Promise<readonly string[]> {
  const left: string[] = []
  for (const { path } of record.files) left.push(...(await removeNames(path, record)))
  return left
}

async function removeNames(path: string, { change }: ChangeRecord): Promise<readonly string[]> {
  try {
    using folder = LiveFolder.open(path)
    return await folder.removeNamesOf(change)
  } catch (error) {
    if (error instanceof Failure) return [] // The folder is gone, or closed to us: nothing of ours can be in the way.
    throw error
  }
}
