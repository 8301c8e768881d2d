/**
 * Child side: digests of the pages of a recovered file, for the ledger (model/result/last-good.ts). They are made of
 * the bytes that the page accounting reads anyway.
 *
 * CRC-32 detects accidents, not attacks: it misses one changed page in four billion, and never a burst of up to 32
 * bits. It digests several GB a second. A cryptographic digest would take as long as the whole check.
 */
import { crc32 } from 'node:zlib'
import type { ChangedPages, PageDigests } from '../../../model/result/last-good.ts'
import type { PageSource } from '../../../sqlite/accounting/page-source.ts'

/** Raise it if the same pages get other digests than before. */
const format = 1
/** Digests of one file: 16 KB. Up to so many pages, each page has its own digest. */
const groupsMax = 4096
const runsListedMax = 20
const ownersListedMax = 20
/** As in `PageAccountingResult.ownerOf`. */
const freeListOwner = 0
const noTree = 0

/** Reads pages from another source, and digests each. Memory: 4 bytes a page. */
export class DigestedPages implements PageSource {
  readonly fileBytes: number
  readonly dataPages: number
  readonly #source: PageSource
  readonly #digests: Uint32Array

  /** @param pages of the database: what is behind its end is no content */
  constructor(source: PageSource, pages: number) {
    this.fileBytes = source.fileBytes
    this.dataPages = source.dataPages ?? Infinity
    this.#source = source
    this.#digests = new Uint32Array(pages + 1)
  }

  read(page: number, into: Uint8Array): number | 'unread' {
    const got = this.#source.read(page, into)
    if (got !== 'unread') this.take(page, got === into.length ? into : into.subarray(0, got))
    return got
  }

  /** Digests a page that was read elsewhere. */
  take(page: number, bytes: Uint8Array): void {
    this.#digests[page] = crc32(bytes)
  }

  /** @param holdsContent false for pages whose bytes mean nothing */
  digests(pageSize: number, holdsContent: (page: number) => boolean): PageDigests {
    const pages = this.#digests.length - 1
    const each = this.#digests.slice(1)
    for (let page = 1; page <= pages; page++) if (!holdsContent(page)) each[page - 1] = 0
    const groupPages = Math.max(1, Math.ceil(pages / groupsMax))
    if (groupPages === 1) return { format, pageSize, pages, groupPages, groups: each }
    const groups = new Uint32Array(Math.ceil(pages / groupPages))
    for (let group = 0; group < groups.length; group++) {
      const members = each.subarray(group * groupPages, (group + 1) * groupPages)
      groups[group] = crc32(new Uint8Array(members.buffer, members.byteOffset, members.byteLength))
    }
    return { format, pageSize, pages, groupPages, groups }
  }
}

/** Bytes of memory for digesting so many pages. */
export const digestBytes = (pages: number): number => 4 * (pages + 1)

/** null if nothing changed, or the two cannot be compared. @param ownerOf as in `PageAccountingResult.ownerOf` */
export function findChangedPages(
  earlier: PageDigests,
  now: PageDigests,
  ownerOf: (page: number) => number | null,
): ChangedPages | null {
  if (
    earlier.format !== now.format ||
    earlier.pageSize !== now.pageSize ||
    earlier.pages !== now.pages ||
    earlier.groupPages !== now.groupPages
  )
    return null
  const { groupPages } = now
  const runs: [number, number][] = []
  const owners = new Set<number>()
  let pages = 0
  for (let group = 0; group < now.groups.length; group++) {
    if (earlier.groups[group] === now.groups[group]) continue
    const first = group * groupPages + 1
    const last = Math.min(now.pages, first + groupPages - 1)
    pages += last - first + 1
    const before = runs.at(-1)
    if (before !== undefined && before[1] === first - 1) before[1] = last
    else runs.push([first, last])
    for (let page = first; page <= last && owners.size < ownersListedMax; page++) {
      const owner = ownerOf(page)
      if (owner !== freeListOwner) owners.add(owner ?? noTree)
    }
  }
  return pages === 0
    ? null
    : { runs: runs.slice(0, runsListedMax), pages, groupPages, owners: [...owners].toSorted((a, b) => a - b) }
}
