/** What a change prepares for one file before the pause: contents, and the files that will take the live name. */
import { fstatSync } from 'node:fs'
import { Disposables } from '../../host/disposal.ts'
import { openDescriptor, type Descriptor } from '../../host/files/descriptor.ts'
import { digestOf } from '../../host/files/digest.ts'
import { Failure } from '../../model/failure.ts'
import type { ChangeMethod } from '../../model/result/remedy.ts'
import { readHeader } from '../../sqlite/header.ts'
import type { ProvenFile } from '../file-steps.ts'
import { readAt } from '../live/live-files.ts'
import type { RehearsedCopy } from './change-types.ts'
import type { CopiedContent } from './original/kept-copy.ts'
import type { StagedFileRecord } from './record/change-record.ts'
import { findDifferences, type PageDifferences } from './record/page-samples.ts'
import type { FilePlan } from './set-change.ts'
import { nameBeside } from './steps/live-folder.ts'
import { forwardSteps, type FileInChange, type Replacement } from './steps/plan-steps.ts'
import { StagedFile } from './steps/staged-file.ts'

export class ChangeTarget implements Disposable {
  readonly place: FileInChange
  readonly settled: Descriptor
  readonly mended: Descriptor
  readonly pageSize: number
  readonly mendedContent: CopiedContent
  /** Between settled and mended file; null for a swap. */
  readonly differences: PageDifferences | null
  readonly #beside: Readonly<Record<'settled' | 'mended', StagedFile | null>>
  readonly #opened: Disposables

  private constructor(
    place: FileInChange,
    contents: { readonly settled: Descriptor; readonly mended: Descriptor },
    pageSize: number,
    mendedContent: CopiedContent,
    differences: PageDifferences | null,
    beside: Readonly<Record<'settled' | 'mended', StagedFile | null>>,
    opened: Disposables,
  ) {
    this.place = place
    this.settled = contents.settled
    this.mended = contents.mended
    this.pageSize = pageSize
    this.mendedContent = mendedContent
    this.differences = differences
    this.#beside = beside
    this.#opened = opened
  }

  /**
   * @param covers whether the original has a WAL or a journal with bytes: then the settled file goes beside too
   * @param like open descriptor of the live file; null in place, where no file takes its name
   * @throws {Failure} NO_SPACE, NO_PERMISSION; REMEDY_REFUSED if the file cannot be overwritten in place
   */
  static async make(
    place: FileInChange,
    rehearsed: RehearsedCopy,
    covers: boolean,
    like: number | null,
    signal: AbortSignal,
  ): Promise<ChangeTarget> {
    using opened = new Disposables()
    const settled = opened.add(openDescriptor(rehearsed.settled, 'read-only'))
    const mended = opened.add(openDescriptor(rehearsed.mended, 'read-only'))
    const pageSize = await pageSizeOf(place.folder.path, settled, mended, like === null)
    const make = async (what: 'settled' | 'mended', from: string): Promise<StagedFile | null> =>
      like === null
        ? null
        : opened.add(await StagedFile.make(place.folder, nameBeside(place.change, place.nth, what), from, like, signal))
    const beside = {
      settled: covers ? await make('settled', rehearsed.settled) : null,
      mended: await make('mended', rehearsed.mended),
    }
    const content = beside.mended?.content ?? (await digestOf(mended.number, signal))
    const differences = like === null ? await findDifferences(settled.number, mended.number, pageSize) : null
    return new ChangeTarget(place, { settled, mended }, pageSize, content, differences, beside, opened.move())
  }

  get besideFiles(): readonly StagedFileRecord[] {
    return (['settled', 'mended'] as const).flatMap((what) => this.#beside[what]?.recordOf(what) ?? [])
  }

  /**
   * @param before open descriptor of a private file with what the main file holds now
   * @throws {Failure} REMEDY_STALE if a WAL or a journal has appeared that was not there when the files were prepared
   */
  plan({ files, sealed }: ProvenFile, method: ChangeMethod, before: number, over: AbortSignal): FilePlan {
    const { folder } = this.place
    const { mended, settled } = this.#beside
    const present = files.parts.filter((part) => part !== '')
    const covers = present.some((part) => part !== '-shm' && files.stat(part).size > 0n)
    if (covers && method === 'swap' && settled === null)
      throw new Failure('REMEDY_STALE', `${folder.path} has a WAL or a journal now that it had not before`)
    const main = files.descriptor('')
    const pages = this.differences?.pages ?? null
    mended?.resemble(main)
    settled?.resemble(main)
    const replacing: Replacement =
      method === 'swap'
        ? { method }
        : {
            method,
            overwriting: {
              folder,
              main,
              pageSize: this.pageSize,
              requireSeal: () => sealed.assertUnbroken(),
              pages,
              over,
            },
          }
    const contents = {
      before: { descriptor: before, beside: null },
      settled: { descriptor: this.settled.number, beside: settled },
      mended: { descriptor: this.mended.number, beside: mended },
    }
    return {
      folder,
      steps: forwardSteps(this.place, replacing, { present, covers }, contents),
      next: mended,
      beside: [mended, covers ? settled : null].filter((one) => one !== null),
      content: this.mended.number,
    }
  }

  [Symbol.dispose](): void {
    this.#opened[Symbol.dispose]()
  }
}

/** @throws {Failure} REMEDY_REFUSED */
async function pageSizeOf(path: string, settled: Descriptor, mended: Descriptor, inPlace: boolean): Promise<number> {
  const sizes: (number | null)[] = []
  for (const { number } of [settled, mended]) {
    const header = readHeader(await readAt(number, 0, 100))
    sizes.push(header.kind === 'header' || header.kind === 'wrong' ? (header.header?.pageSize ?? null) : null)
  }
  const [now, then] = sizes
  const inPlaceFits = now !== null && now === then && fstatSync(settled.number).size % (now ?? 1) === 0
  if (inPlace && !inPlaceFits) {
    const why = now !== then ? 'its page size would change' : 'it does not end with a whole page'
    throw new Failure('REMEDY_REFUSED', `${path} cannot be overwritten in place: ${why}`, {
      hint: 'use `--method swap`; for a file that is mounted by itself, mount its folder instead',
    })
  }
  return then ?? 512
}
