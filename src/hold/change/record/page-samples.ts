/** The pages that an overwriting changes. Some of them still tell the side of a file that was written since. */
import { createHash } from 'node:crypto'
import { fstatSync } from 'node:fs'
import { readAt } from '../../live/live-files.ts'
import { forEachDifference } from '../steps/overwrite.ts'
import type { PageSample } from './change-record.ts'

const samplesMax = 64

/** `pages`: counted from 1, in their order. */
export interface PageDifferences {
  readonly pages: readonly number[]
  readonly samples: readonly PageSample[]
}

/** Compares two files of one page size. */
export async function findDifferences(old: number, fresh: number, pageSize: number): Promise<PageDifferences> {
  const pages: number[] = []
  const samples: PageSample[] = []
  const end = Math.max(fstatSync(old).size, fstatSync(fresh).size)
  await forEachDifference(old, fresh, pageSize, end, (offset, was, is) => {
    const page = offset / pageSize + 1
    pages.push(page)
    // The first page has the change counter, which each write moves.
    if (page > 1 && samples.length < samplesMax) samples.push({ page, old: pageDigest(was), new: pageDigest(is) })
  })
  return { pages, samples }
}

/** @returns how many pages are as before, and how many as after */
export async function countSides(
  file: number,
  samples: readonly PageSample[],
  pageSize: number,
): Promise<{ readonly old: number; readonly new: number }> {
  const sides = { old: 0, new: 0 }
  for (const sample of samples) {
    const found = pageDigest(await readAt(file, (sample.page - 1) * pageSize, pageSize))
    if (found === sample.old) sides.old += 1
    else if (found === sample.new) sides.new += 1
  }
  return sides
}

export const pageDigest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
