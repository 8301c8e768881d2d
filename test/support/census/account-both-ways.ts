/** The page accounting, with and without the prescan of the compiled core: both must give the same result. */

import { isDeepStrictEqual } from 'node:util'
import { PrescannedPages } from '../../../src/census/fast/prescan.ts'
import { loadCore } from '../../../src/check/reader/pages/compiled-core.ts'
import { accountPages } from '../../../src/sqlite/accounting/account-pages.ts'
import type { PageAccountingResult } from '../../../src/sqlite/accounting/account-pages.ts'
import { noPrescan } from '../../../src/sqlite/accounting/page-source.ts'
import type { PagePrescan, PageSource } from '../../../src/sqlite/accounting/page-source.ts'
import type { DatabaseHeader } from '../../../src/sqlite/header.ts'

const core = loadCore()
/** More slices than any small file needs. */
const stepsMax = 1000

/** @throws if the two differ, or if one does not end */
export function accountBothWays(header: DatabaseHeader, source: PageSource): PageAccountingResult {
  const account = accountOnce(header, source, noPrescan)
  const prescanned = accountOnce(header, source, prescanOf(header, source))
  const [plain, other] = [account, prescanned].map((one) => ({
    ...one,
    owners: Array.from({ length: one.pages }, (_, i) => one.ownerOf(i + 1)),
    ownerOf: null,
    groups: one.groups(),
  }))
  if (!isDeepStrictEqual(plain, other))
    throw new Error(`with a prescan: ${JSON.stringify(other)} instead of ${JSON.stringify(plain)}`)
  return account
}

function accountOnce(header: DatabaseHeader, source: PageSource, prescan: PagePrescan): PageAccountingResult {
  const accounting = accountPages(header, source, prescan)
  for (let steps = 0; !accounting.step(1000); steps++)
    if (steps > stepsMax) throw new Error('the accounting does not end')
  return accounting.result()
}

export function prescanOf({ pageSize, reservedBytes }: DatabaseHeader, source: PageSource): PagePrescan {
  if (core === null) throw new Error('the compiled core cannot be loaded here')
  const pages = Math.floor(source.fileBytes / pageSize)
  const prescan = new PrescannedPages(core, pages, pageSize, pageSize - reservedBytes)
  const each = prescan.piece.length / pageSize
  for (let first = 1; first <= pages; first += each) {
    const count = Math.min(each, pages - first + 1)
    for (let i = 0; i < count; i++) source.read(first + i, prescan.piece.subarray(i * pageSize, (i + 1) * pageSize))
    prescan.take(first, count, [])
  }
  return prescan
}
