/** Copies the damaged pages of a snapshot before it is deleted, for a person who studies the damage later (I5.3). */
import { closeSync, constants, openSync, readSync } from 'node:fs'
import { isSystemError } from '../../host/failures/system-failure.ts'
import { onDisk } from '../../host/files/file-name.ts'
import type { SnapshotPath } from '../../model/brand.ts'
import type { DamagedPage } from '../../model/result/page-map.ts'
import type { Result } from '../../model/result/report.ts'
import { readHeader } from '../../sqlite/header.ts'

/** Of one file. */
const pagesMax = 64
const usualPageSize = 4096

/**
 * The pages that the findings of a result name, those that lead to them, and the first page, which has the header.
 * @param settled after its check, which has left one plain file
 * @returns none if the copy cannot be read any more
 */
export function damagedPagesOf({ tenant, path, findings, map }: Result, settled: SnapshotPath): readonly DamagedPage[] {
  try {
    const file = openSync(onDisk(settled), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    try {
      const first = readAt(file, 0, 100)
      const header = readHeader(first)
      const pageSize = 'header' in header && header.header !== null ? header.header.pageSize : usualPageSize
      return [...pagesToCopy(findings, map)].slice(0, pagesMax).flatMap(([page, why]) => {
        const bytes = readAt(file, (page - 1) * pageSize, pageSize)
        return bytes.length === 0
          ? []
          : [{ tenant, path, page, pageSize, why: [...why], bytes: bytes.toString('base64') }]
      })
    } finally {
      closeSync(file)
    }
  } catch (error) {
    if (isSystemError(error)) return [] // The pages are for a later study: a check does not fail for them.
    throw error
  }
}

/** Pages with the reasons for them; the most telling first. */
function pagesToCopy(findings: Result['findings'], map: Result['map']): ReadonlyMap<number, ReadonlySet<string>> {
  const pages = new Map<number, Set<string>>([[1, new Set(['header'])]])
  const add = (page: number, why: string): void => {
    if (page >= 1 && Number.isSafeInteger(page)) pages.set(page, (pages.get(page) ?? new Set()).add(why))
  }
  const damage = findings.filter(({ severity }) => severity !== 'notice')
  for (const { page, rule } of damage) if (page !== undefined) add(page, rule)
  for (const { page, trail = [] } of damage.slice(0, pagesMax))
    for (const before of trail) if (before !== page) add(before, `leads to page ${page}`)
  const places = map?.kind === 'drawn' ? map.places : []
  for (const { first, last, rule, state } of places)
    for (let page = first; page <= last && pages.size < 2 * pagesMax; page++) add(page, rule ?? state)
  return pages
}

function readAt(file: number, position: number, length: number): Buffer {
  const bytes = Buffer.alloc(length)
  let done = 0
  while (done < length) {
    const more = readSync(file, bytes, done, length - done, position + done)
    if (more === 0) break
    done += more
  }
  return bytes.subarray(0, done)
}
