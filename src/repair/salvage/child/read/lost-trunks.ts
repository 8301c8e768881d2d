/**
 * Child side: free pages that the free list of the header does not reach. If the header is an old one, or was zeroed,
 * its list looks whole and is not. Leaves of deleted rows then look like leaves that nothing names.
 */
import { readTrunk } from '../../../../sqlite/freelist.ts'
import type { DamagedFile } from './damaged-file.ts'

/** True if a page that nothing uses looks like a trunk of a free list. Yields after each page. */
export function* hasLostTrunk(file: DamagedFile): Generator<void, boolean> {
  const bytes = new Uint8Array(file.layout.pageSize)
  for (let page = 2; page <= file.pages; page++) {
    if (!file.isUnowned(page)) continue
    if (file.read(page, bytes) !== null && pagesOfTrunk(bytes, page, file) !== null) return true
    yield
  }
  return false
}

/**
 * The pages that a page names, if it looks like a trunk: free pages, or another trunk. Some of them may lie behind the
 * end of a file that was cut off. Null if it is no trunk.
 */
export function pagesOfTrunk(bytes: Uint8Array, page: number, file: DamagedFile): readonly number[] | null {
  const trunk = readTrunk(bytes, file.layout.usable)
  if (trunk.kind === 'wrong') return null
  const named = trunk.next === 0 ? trunk.leaves : [trunk.next, ...trunk.leaves]
  const isTrunk =
    named.length > 0 &&
    new Set([page, ...named]).size === named.length + 1 &&
    named.every((one) => one > 1 && !file.isReserved(one)) &&
    named.some((one) => file.isUnowned(one))
  return isTrunk ? named : null
}
