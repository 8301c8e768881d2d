/** Walks the free list: claims and counts its pages (sqlite.org/fileformat2.html, section 1.5). */

import { count } from '../../text/count.ts'
import { readTrunk } from '../freelist.ts'
import { freeList } from './accounting-state.ts'
import type { AccountingState } from './accounting-state.ts'
import { freeListOwner, uses } from './claims.ts'
import type { Use } from './claims.ts'

/** Yields after each trunk and each leaf. Reads free pages too: a file with an unreadable page is not sound. */
export function* walkFreeList(account: AccountingState): Generator<void> {
  const { header, layout } = account
  let trunk = header.freelistTrunk
  let before = 0
  let counted = 0
  let whole = true
  while (trunk !== 0) {
    if (!claimFree(account, trunk, uses.trunk, before)) {
      whole = false
      break
    }
    const bytes = account.read(trunk)
    if (bytes === null) {
      whole = false
      break
    }
    counted++
    const reading = readTrunk(bytes, layout.usable)
    if (reading.kind === 'wrong') {
      account.breakOff('freelist-broken', freeList, trunk, [], `page ${trunk} of the free list ${reading.why}`)
      whole = false
    } else {
      for (const leaf of reading.leaves) {
        counted++
        if (claimFree(account, leaf, uses.freeLeaf, trunk)) account.firstWord(leaf)
        else whole = false
        yield
      }
    }
    before = trunk
    trunk = reading.next
    yield
  }
  if (whole && counted !== header.freelistCount) {
    account.report(
      'freelist-broken',
      'damage',
      freeList,
      null,
      [],
      `the free list has ${count(counted, 'page')}, but the header says ${header.freelistCount}`,
    )
  }
}

function claimFree(account: AccountingState, page: number, use: Use, from: number): boolean {
  const claim = account.claims.claim(page, freeListOwner, use, 0)
  const by = from === 0 ? 'the header' : `page ${from}`
  switch (claim.kind) {
    case 'granted':
      return true
    case 'out-of-range':
      account.breakOff(
        'freelist-broken',
        freeList,
        page,
        [],
        `${by} says that page ${page} is free, but the database has ${count(account.claims.pageCount, 'page')}`,
      )
      return false
    case 'used': {
      // The damage concerns the owner: the next write may overwrite what the owner has on the page.
      const owner = account.objectOf(claim.owner)
      const user = account.nameOfOwner(claim.owner, claim.use)
      const text = `${by} says that page ${page} is free, but it is used by ${user}`
      account.breakOff(
        'page-used-twice',
        owner ?? freeList,
        page,
        [],
        text,
        owner === null || owner === freeList ? null : freeList,
      )
      return false
    }
  }
}
