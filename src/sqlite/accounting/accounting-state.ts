/** The state of an accounting: claims, findings, and how much of the file was read. */

import type { FoundObject, Rule, Severity } from '../../model/result/finding.ts'
import { read32 } from '../bytes.ts'
import type { DatabaseHeader } from '../header.ts'
import type { PageLayout } from '../page-layout.ts'
import { BadPageRanges } from './bad-page-ranges.ts'
import { Claims, freeListOwner, marks, uses } from './claims.ts'
import type { Use } from './claims.ts'
import { CollectedFindings } from './collected-findings.ts'
import type { PagePrescan, PageSource } from './page-source.ts'

export class AccountingState {
  readonly header: DatabaseHeader
  readonly layout: PageLayout
  readonly claims: Claims
  readonly found = new CollectedFindings()
  /** Pages with something wrong, for a map. */
  readonly places: BadPageRanges
  /** Objects by root page. */
  readonly objects = new Map<number, FoundObject>()
  /** Pages that were read, wholly or in part. */
  pagesRead = 0
  /** Pages that could not be read. */
  pagesUnread = 0
  /** True if a tree, chain or list could not be followed to its end: unowned pages may belong to it. */
  brokenOff = false
  readonly #source: PageSource
  readonly #prescan: PagePrescan
  readonly #page: Uint8Array

  constructor(header: DatabaseHeader, pageCount: number, source: PageSource, prescan: PagePrescan) {
    this.header = header
    this.layout = {
      pageSize: header.pageSize,
      usable: header.pageSize - header.reservedBytes,
      autoVacuum: header.largestRoot > 0,
    }
    this.claims = new Claims(pageCount, this.layout.autoVacuum)
    this.places = new BadPageRanges(Math.ceil(source.fileBytes / header.pageSize))
    this.#source = source
    this.#prescan = prescan
    this.#page = new Uint8Array(header.pageSize)
  }

  /**
   * Reads a page for the first time. The bytes are valid until the next read. null if the page cannot be read. Bytes
   * behind the end of the file are zeros.
   */
  read(page: number): Uint8Array | null {
    const got = this.#source.read(page, this.#page)
    if (got === 'unread') {
      this.pagesUnread++
      this.claims.mark(page, marks.unread)
      this.places.add('unread', page, null, null)
      this.brokenOff = true
      return null
    }
    this.#page.fill(0, got)
    this.pagesRead++
    return this.#page
  }

  /** The tree of a leaf with nothing to follow and nothing wrong, if the prescan knows it; null: read the page. */
  prescannedLeaf(page: number): 'table' | 'index' | null {
    return this.#prescan.leafOf(page)
  }

  /**
   * The first four bytes of a page whose other content is not needed. Reads the page if the prescan does not know them.
   * null if the page cannot be read.
   */
  firstWord(page: number): number | null {
    const known = this.#prescan.firstWordOf(page)
    if (known !== null) {
      this.pagesRead++
      return known
    }
    const bytes = this.read(page)
    return bytes === null ? null : read32(bytes, 0)
  }

  /** Reads a page again, into new bytes. */
  readAgain(page: number): Uint8Array | null {
    const bytes = new Uint8Array(this.layout.pageSize)
    return this.#source.read(page, bytes) === 'unread' ? null : bytes
  }

  report(
    rule: Rule,
    severity: Severity,
    object: FoundObject,
    page: number | null,
    trail: readonly number[],
    text: string,
    other: FoundObject | null = null,
  ): void {
    this.found.add({ rule, severity, object, page, trail, text, other })
    if (page === null || page > this.claims.pageCount || severity === 'notice') return
    if (severity === 'damage') this.claims.mark(page, marks.damaged)
    this.places.add(severity === 'damage' ? 'damaged' : 'unowned', page, rule, object)
  }

  /** Reports damage that ends the walk at this page. */
  breakOff(
    rule: Rule,
    object: FoundObject,
    page: number | null,
    trail: readonly number[],
    text: string,
    other: FoundObject | null = null,
  ): void {
    this.brokenOff = true
    this.report(rule, 'damage', object, page, trail, text, other)
  }

  nameOfOwner(owner: number, use: Use): string {
    if (use === uses.lockByte) return "SQLite's locks"
    if (use === uses.pointerMap) return 'the pointer map'
    if (owner === freeListOwner) return 'the free list'
    return nameOfObject(this.objectOf(owner) ?? { kind: 'table', name: `with root page ${owner}`, table: null })
  }

  /** The object or list of this owner; null if it is not in the schema. */
  objectOf(owner: number): FoundObject | null {
    return owner === freeListOwner ? freeList : (this.objects.get(owner) ?? null)
  }
}

export const freeList: FoundObject = { kind: 'freelist', name: 'free list', table: null }

export const nameOfObject = (object: FoundObject): string =>
  object.kind === 'schema' ? 'the schema' : `${object.kind} ${object.name}`
