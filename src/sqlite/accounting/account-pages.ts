/**
 * Page accounting: checks that every page of the file is used exactly once (sqlite.org/fileformat2.html, sections 1.4
 * to 1.8).
 *
 * SQLite's own check silently skips this if the first object of its schema has no root page (src/check/README.md). So
 * it is always done here, from the pages alone. It is exact: it reports nothing on any healthy file.
 */

import type { Finding, FoundObject } from '../../model/result/finding.ts'
import type { PageGroups } from '../../model/result/page-map.ts'
import { count, groupDigits } from '../../text/count.ts'
import { isZero } from '../bytes.ts'
import type { DatabaseHeader } from '../header.ts'
import { isPointerMapPage, lockBytePage } from '../page-layout.ts'
import { AccountingState } from './accounting-state.ts'
import { freeListOwner, noOwner, reservedOwner, uses } from './claims.ts'
import { walkFreeList } from './free-list-walk.ts'
import { groupPages } from './page-groups.ts'
import { noPrescan } from './page-source.ts'
import type { PagePrescan, PageSource } from './page-source.ts'
import { checkLargestRoot, checkPointerMap } from './pointer-map-check.ts'
import { objectOfRow, readSchemaPage, schemaObject } from './schema-rows.ts'
import type { SchemaPageRow } from './schema-rows.ts'
import { walkTree } from './tree-walk.ts'
import { UnownedTrees } from './unowned-trees.ts'

const file: FoundObject = { kind: 'file', name: 'file', table: null }

export interface PageAccountingResult {
  readonly findings: readonly Finding[]
  /** Pages of the file, an incomplete last page and pages behind the end of the database included. */
  readonly pages: number
  readonly pagesRead: number
  /** Pages that could not be read: nothing is known of them. */
  readonly pagesUnread: number
  /** All rows of the schema, as its pages have them. */
  readonly rows: readonly SchemaPageRow[]
  /** Root page of the tree that a page belongs to; 0 for the free list; null for an unowned or a reserved page. */
  ownerOf(page: number): number | null
  /** All pages in groups, for a map. */
  groups(): PageGroups
}

/** An accounting in slices: call `step` until it returns true. */
export interface PageAccounting {
  readonly pages: number
  readonly pagesRead: number
  /** Continues for about so many pages. @returns true at the end */
  step(pagesMax: number): boolean
  /** The result; complete once `step` has returned true. */
  result(): PageAccountingResult
}

/** Begins the accounting of a file with this header. @param prescan must be complete before the first step */
export function accountPages(
  header: DatabaseHeader,
  source: PageSource,
  prescan: PagePrescan = noPrescan,
): PageAccounting {
  const filePages = Math.ceil(source.fileBytes / header.pageSize)
  const account = new AccountingState(header, databasePages(header, filePages), source, prescan)
  const rows: SchemaPageRow[] = []
  const steps = walk(account, source, filePages, rows)
  return {
    pages: filePages,
    get pagesRead() {
      return account.pagesRead
    },
    step(pagesMax) {
      for (let i = 0; i < pagesMax; i++) if (steps.next().done === true) return true
      return false
    },
    result: () => ({
      findings: account.found.findings(),
      pages: filePages,
      pagesRead: account.pagesRead,
      pagesUnread: account.pagesUnread,
      rows,
      ownerOf: (page) => ownerOf(account, page),
      groups: () => groupPages(account, filePages),
    }),
  }
}

/** Pages of the database: the count in the header if it is valid, but never more than the file has. */
export const databasePages = (header: DatabaseHeader, filePages: number): number =>
  header.pageCountValid ? Math.min(header.pageCount, filePages) : filePages

function* walk(
  account: AccountingState,
  source: PageSource,
  filePages: number,
  rows: SchemaPageRow[],
): Generator<void> {
  checkSize(account, source, filePages)
  claimReserved(account)
  yield* readSchema(account, rows)
  const trees = rows.filter((row) => row.root > 0)
  for (const row of trees) if (!account.objects.has(row.root)) account.objects.set(row.root, objectOfRow(row))
  for (const row of trees)
    yield* walkTree(account, { root: row.root, object: objectOfRow(row), kind: row.type === 'index' ? 'index' : null })
  const treesWhole = !account.brokenOff
  yield* walkFreeList(account)
  if (account.layout.autoVacuum) {
    yield* checkPointerMap(account)
    checkLargestRoot(
      account,
      trees.map((row) => row.root),
    )
  }
  yield* reportUnowned(account, treesWhole)
  yield* readBehind(account, source, filePages)
}

/** Checks that the file has the size that its header says. */
function checkSize(account: AccountingState, source: PageSource, filePages: number): void {
  const { header } = account
  const whole = Math.floor(source.fileBytes / header.pageSize)
  if (header.pageCountValid && header.pageCount > whole) {
    account.brokenOff = true
    const torn =
      filePages > whole ? `, the last of them cut after ${count(source.fileBytes % header.pageSize, 'byte')}` : ''
    account.report(
      'truncated',
      'damage',
      file,
      null,
      [],
      `the file has ${groupDigits(filePages)} of the ${count(header.pageCount, 'page')} that its header names${torn}`,
    )
  } else if (filePages > whole) {
    // Without a valid count the incomplete page may belong to the database.
    const severity = header.pageCountValid ? 'leak' : 'damage'
    account.report(
      'truncated',
      severity,
      file,
      filePages,
      [],
      `the file ends with ${count(source.fileBytes % header.pageSize, 'byte that is', 'bytes that are')} no whole page`,
    )
  }
}

function claimReserved(account: AccountingState): void {
  const { claims, layout } = account
  const lockPage = lockBytePage(layout)
  if (lockPage <= claims.pageCount) {
    claims.claim(lockPage, reservedOwner, uses.lockByte, 0)
    account.read(lockPage)
  }
  if (!layout.autoVacuum) return
  for (let page = 2; page <= claims.pageCount; page++)
    if (isPointerMapPage(layout, page)) claims.claim(page, reservedOwner, uses.pointerMap, 0)
}

/** Walks the tree of sqlite_schema at page 1, then reads its rows. */
function* readSchema(account: AccountingState, rows: SchemaPageRow[]): Generator<void> {
  account.objects.set(1, schemaObject)
  const leaves: number[] = []
  yield* walkTree(account, { root: 1, object: schemaObject, kind: 'table' }, (page) => leaves.push(page))
  for (const page of leaves) {
    const bytes = account.readAgain(page)
    if (bytes === null) continue
    const read = readSchemaPage(bytes, page, account.layout, account.header.textEncoding, (next) =>
      account.readAgain(next),
    )
    rows.push(...read.rows)
    for (const why of read.malformed)
      account.breakOff('record-malformed', schemaObject, page, [1, page], `the schema cannot be read: ${why}`)
    yield
  }
}

/**
 * Reports pages that nothing has claimed. Reads them too: a file with an unreadable page is not sound.
 *
 * @param treesWhole false if a tree could not be followed to its end: unowned pages may be the rest of it
 */
function* reportUnowned(account: AccountingState, treesWhole: boolean): Generator<void> {
  const { claims, header } = account
  const perhaps = account.brokenOff ? '; it may belong to what could not be followed' : ''
  const trees = new UnownedTrees(account)
  let unowned = 0
  let free = 0
  for (let page = 1; page <= claims.pageCount; page++) {
    const use = claims.useOf(page)
    if (use === uses.trunk || use === uses.freeLeaf) free++
    if (use !== uses.none) continue
    unowned++
    const bytes = account.read(page)
    if (bytes !== null) trees.look(page, bytes)
    account.report('page-unowned', 'leak', file, page, [], `page ${page} belongs to nothing${perhaps}`)
    yield
  }
  // Pages that the free list has lost hold what was deleted, and may look like a tree too.
  if (unowned === 0 || !treesWhole || unowned <= header.freelistCount - free) return
  const lost = yield* trees.describe()
  if (lost !== null) account.report('tree-unowned', 'damage', file, null, [], lost)
}

/**
 * Reads whole pages behind the end of the database. Zeros are space that SQLite has reserved
 * (SQLITE_FCNTL_CHUNK_SIZE). Anything else was written once.
 */
function* readBehind(account: AccountingState, source: PageSource, filePages: number): Generator<void> {
  let written = 0
  const from = account.claims.pageCount + 1
  const last = Math.max(from - 1, Math.min(filePages, source.dataPages ?? filePages))
  for (let page = from; page <= last; page++) {
    const bytes = account.read(page)
    // An incomplete page is reported with the size of the file.
    if (page * account.layout.pageSize <= source.fileBytes && bytes !== null && !isZero(bytes)) written++
    yield
  }
  account.pagesRead += filePages - last // The other pages are a hole of the file.
  if (written > 0)
    account.report(
      'page-unowned',
      'leak',
      file,
      from,
      [],
      `${count(written, 'page with content lies', 'pages with content lie')} behind ` +
        `the end of the database, which has ${count(from - 1, 'page')}`,
    )
}

function ownerOf(account: AccountingState, page: number): number | null {
  const owner = account.claims.ownerOf(page)
  if (owner === freeListOwner) return 0
  return owner === noOwner || owner === reservedOwner ? null : owner
}
