/**
 * The page accounting, which must come to the same whether the compiled core has glanced at the pages or JavaScript
 * reads each of them.
 */

import { isDeepStrictEqual } from 'node:util'
import { PrescannedPages } from '../../../src/census/fast/prescan.ts'
import { loadCore } from '../../../src/check/reader/pages/compiled-core.ts'
import { accountPages } from '../../../src/sqlite/accounting/account-pages.ts'
import type { PageAccount } from '../../../src/sqlite/accounting/account-pages.ts'
import { noPrescan } from '../../../src/sqlite/accounting/page-source.ts'
import type { PagePrescan, PageSource } from '../../../src/sqlite/accounting/page-source.ts'
import type { DatabaseHeader } from '../../../src/sqlite/header.ts'

const core = loadCore()
/** Slices that no small file can need. */
const stepsMax = 1000

/** @throws where the two differ, or one does not come to its end */
export function accountBothWays(header: DatabaseHeader, source: PageSource): PageAccount {
  const account = accountOnce(header, source, noPrescan)
  const glanced = accountOnce(header, source, prescanOf(header, source))
  const [alone, beside] = [account, glanced].map((one) => ({
    ...one,
    owners: Array.from({ length: one.pages }, (_, i) => one.ownerOf(i + 1)),
    ownerOf: null,
    groups: one.groups(),
  }))
  if (!isDeepStrictEqual(alone, beside))
    throw new Error(
      'the accounting is another where pages were glanced at: ' +
        `${JSON.stringify(beside)} instead of ${JSON.stringify(alone)}`,
    )
  return account
}

function accountOnce(header: DatabaseHeader, source: PageSource, glances: PagePrescan): PageAccount {
  const accounting = accountPages(header, source, glances)
  for (let steps = 0; !accounting.step(1000); steps++)
    if (steps > stepsMax) throw new Error('the accounting does not come to its end')
  return accounting.result()
}

export function prescanOf({ pageSize, reservedBytes }: DatabaseHeader, source: PageSource): PagePrescan {
  if (core === null) throw new Error('the compiled core cannot be loaded here')
  const pages = Math.floor(source.fileBytes / pageSize)
  const glanced = new PrescannedPages(core, pages, pageSize, pageSize - reservedBytes)
  const each = glanced.piece.length / pageSize
  for (let first = 1; first <= pages; first += each) {
    const count = Math.min(each, pages - first + 1)
    for (let i = 0; i < count; i++) source.read(first + i, glanced.piece.subarray(i * pageSize, (i + 1) * pageSize))
    glanced.take(first, count, [])
  }
  return glanced
}
