/** Child side: the page accounting of the recovered database file (sqlite/accounting/account-pages.ts). */
import type { CompiledCore } from '../../../census/fast/compiled-core.ts'
import { prescanBytes } from '../../../census/fast/prescan.ts'
import type { PageDigestResult } from '../../../model/result/last-good.ts'
import { accountPages, databasePages } from '../../../sqlite/accounting/account-pages.ts'
import type { PageAccountingResult, PageAccounting } from '../../../sqlite/accounting/account-pages.ts'
import { claimsBytes } from '../../../sqlite/accounting/claims.ts'
import type { SchemaPageRow } from '../../../sqlite/accounting/schema-rows.ts'
import type { DatabaseHeader } from '../../../sqlite/header.ts'
import { lockBytePage } from '../../../sqlite/page-layout.ts'
import type { DigestRequest } from '../../protocol.ts'
import type { AccountingAnswer } from '../../step-answers.ts'
import { findChangedPages, DigestedPages, digestBytes } from './page-digests.ts'
import { readLayout } from './page-file.ts'
import type { PageFile } from './page-file.ts'
import { Prescan } from './prescan.ts'

export class PageReader {
  readonly #database: string
  readonly #open: (pageSize: number) => PageFile
  readonly #core: CompiledCore | null
  /** null if there is no core, or too little memory for it. */
  #prescan: Prescan | null = null
  #accounting: PageAccounting | null = null
  #account: PageAccountingResult | null = null
  #header: DatabaseHeader | null = null
  /** null if no digests were asked for. */
  #digests: DigestedPages | null = null

  /** @param core null to read all pages with JavaScript */
  constructor(database: string, open: (pageSize: number) => PageFile, core: CompiledCore | null) {
    this.#database = database
    this.#open = open
    this.#core = core
  }

  /**
   * Accounts for about `pagesMax` more pages. It takes 5 to 9 bytes a page, so it has a limit: a sparse file of
   * terabytes must not take the machine's memory.
   */
  step(pagesMax: number, map: boolean, digest: boolean, memoryBytesMax: number): AccountingAnswer {
    if (this.#accounting === null) {
      const begun = this.#begin(memoryBytesMax, digest)
      if (typeof begun === 'string') return { kind: 'not-possible', why: begun }
      this.#accounting = begun
    }
    const accounting = this.#accounting
    const prescanned = this.#prescan === null || this.#prescan.step(pagesMax)
    // The prescan has read pages that the accounting has not reached yet.
    if (!prescanned || !accounting.step(pagesMax))
      return {
        kind: 'going-on',
        pages: accounting.pages,
        pagesRead: Math.max(this.#prescan?.pagesRead ?? 0, accounting.pagesRead),
      }
    const { pages, pagesRead, pagesUnread, findings } = (this.#account = accounting.result())
    return { kind: 'ended', pages, pagesRead, pagesUnread, findings, groups: map ? this.#account.groups() : null }
  }

  ownersOf(pages: readonly number[]): ReadonlyMap<number, number> {
    const owners = new Map<number, number>()
    for (const page of pages) {
      const owner = this.#account?.ownerOf(page) ?? null
      if (owner !== null) owners.set(page, owner)
    }
    return owners
  }

  /** The digests of the pages; none if the accounting could not read them all. */
  pageDigests(digesting: DigestRequest): PageDigestResult {
    const [account, header, digests] = [this.#account, this.#header, this.#digests]
    if (digesting.kind === 'none' || account === null || header === null || digests === null || account.pagesUnread > 0)
      return { kind: 'not-digested' }
    const { pageSize, changeCounter, versionValidFor, pageCount, schemaCookie } = header
    const lockPage = lockBytePage({
      pageSize,
      usable: pageSize - header.reservedBytes,
      autoVacuum: header.largestRoot > 0,
    })
    // The bytes of a free page mean nothing, nor do those of the page with SQLite's locks.
    const now = digests.digests(pageSize, (page) => account.ownerOf(page) !== 0 && page !== lockPage)
    return {
      kind: 'digested',
      digests: now,
      header: { walMode: header.writeVersion === 2, changeCounter, versionValidFor, pageCount, schemaCookie },
      changed:
        digesting.earlier === null ? null : findChangedPages(digesting.earlier, now, (page) => account.ownerOf(page)),
    }
  }

  /** The rows on the pages of the schema; empty until the accounting has ended. */
  get rows(): readonly SchemaPageRow[] {
    return this.#account?.rows ?? []
  }

  #begin(memoryBytesMax: number, digest: boolean): PageAccounting | string {
    const layout = readLayout(this.#database)
    if (typeof layout === 'string') return layout
    const { header, filePages } = layout
    const pages = databasePages(header, filePages)
    const needed = claimsBytes(pages, header.largestRoot > 0) + (digest ? digestBytes(pages) : 0)
    if (needed > memoryBytesMax) return `the owner map of this file needs ${Math.ceil(needed / 1e6)} MB`
    this.#header = header
    const file = this.#open(header.pageSize)
    this.#digests = digest ? new DigestedPages(file, pages) : null
    const fits = this.#core !== null && needed + prescanBytes(pages) <= memoryBytesMax
    this.#prescan = fits ? new Prescan(this.#core, file, header, pages, this.#digests) : null
    return accountPages(header, this.#digests ?? file, this.#prescan?.prescanned)
  }
}
