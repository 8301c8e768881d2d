/** Writes the one sentence of a finding. */

import type { FoundObject, Rule } from '../model/result/finding.ts'
import { count } from '../text/count.ts'
import type { Bearing } from './messages/observation.ts'

export interface SentenceParts {
  readonly rule: Rule
  readonly bearing: Bearing
  readonly object: FoundObject
  readonly page: number | null
  /** Pages that wrong pointers lead to, or that are lost; ascending. */
  readonly pages: readonly number[]
  readonly total: number
  /** Clauses or names of columns; distinct, in order. */
  readonly details: readonly string[]
}

export function writeSentence(parts: SentenceParts): string {
  const { rule, object, page, pages, total, details, bearing } = parts
  const name = quotedName(object.name)
  const of = object.table === null ? 'its table' : quotedName(object.table)
  const what = nameObject(object)
  const where = page === null ? what : `page ${page} of ${what}`
  const because = details.length === 0 ? '' : `: ${few(details, '; ')}`
  const columns = details.length === 0 ? '' : ` (${few(details, ', ')})`
  switch (rule) {
    case 'row-missing-from-index':
      return `${count(total, 'row')} of ${of} ${total === 1 ? 'is' : 'are'} missing from index ${name}`
    case 'entry-differs-from-row':
      return (
        `${count(total, 'entry', 'entries')} of index ${name} ` +
        `${total === 1 ? 'differs from its row' : 'differ from their rows'} in ${of}`
      )
    case 'index-count-differs':
      return `index ${name} and table ${of} do not hold the same number of entries`
    case 'unique-violated':
      return (
        `${count(total, 'entry', 'entries')} of the unique index ${name} ${total === 1 ? 'is' : 'are'} not ` +
        `unique: ${of} holds the same key more than once`
      )
    case 'imprecise-real':
      return `index ${name} stores an imprecise floating-point value for ${count(total, 'row')} of ${of}`
    case 'rowid-out-of-order':
      return `${count(total, 'rowid')} out of order on ${where}`
    case 'key-out-of-order':
      return `${count(total, 'row')} of ${name} ${total === 1 ? 'is' : 'are'} not in the order of the primary key`
    case 'null-in-not-null':
      return `${count(total, 'NULL value')} in ${name} where the column forbids NULL${columns}`
    case 'type-mismatch':
      return (
        `${count(total, 'value')} in ${name} ${total === 1 ? 'has' : 'have'} another type than the column ` +
        `declares${columns}`
      )
    case 'check-failed':
      return `${count(total, 'row')} of ${name} ${total === 1 ? 'fails' : 'fail'} a CHECK constraint`
    case 'foreign-key-violated':
      return (
        `${count(total, 'row')} of ${name} ${total === 1 ? 'refers' : 'refer'} to rows that do not exist in ` +
        few(details, ', ')
      )
    case 'record-malformed':
      return `${count(total, 'record')} cannot be decoded; SQLite does not report in which table or index`
    case 'page-unowned':
      return (
        `${count(total, 'page')} ${total === 1 ? 'belongs' : 'belong'} to no object and ` +
        `${total === 1 ? 'is' : 'are'} not on the free list: ${pageList(pages)}`
      )
    case 'page-used-twice': {
      const other = details.length === 0 ? 'something else' : few(details, ', ')
      return (
        `${page === null ? `pages ${pageList(pages)}` : `page ${page}`} ${page === null ? 'are' : 'is'} used ` +
        `twice: by ${what} and by ${other}`
      )
    }
    case 'page-unreadable':
      return `${where} could not be read${because}`
    case 'freelist-broken':
      return `the free list is broken${because}`
    case 'pointer-map-wrong':
      return `the pointer map is wrong${because}`
    case 'fts-broken':
      return bearing === 'unread'
        ? `${what} was not checked${because}`
        : `${what} does not agree with its content${because}`
    case 'rtree-broken':
      return `${what} is broken in ${count(total, 'place')}${because}`
    case 'schema-unreadable':
      return `the schema cannot be read${because}`
    case 'not-a-database':
      return `SQLite does not accept the file as a database${because}`
    case 'checker-crashed':
    case 'check-timeout':
      return few(details, '; ')
    case 'engine-says':
      return object.kind === 'file'
        ? `SQLite reports something that holdfast does not know${because}`
        : `SQLite stopped in ${what}, although holdfast read every page and row there and found nothing wrong${because}`
    case 'wrong-depth':
    case 'page-malformed':
    case 'page-out-of-range':
    case 'overflow-broken':
    case 'index-out-of-order':
    case 'entry-without-row':
    case 'header-wrong':
    case 'missing-schema':
    case 'schema-incomplete':
    case 'tree-unowned':
    case 'truncated':
    case 'wal-cut':
    case 'journal-cut':
    case 'other-names':
    case 'content-changed-silently':
    case 'page-checksum-wrong':
      return `${where} is damaged${because}`
    case 'wal-large':
    case 'journal-old':
    case 'rows-gone':
    case 'schema-differs':
    case 'slower-than-usual':
    case 'invariant-violated':
    case 'invariant-unjudged':
    case 'reading-differs':
    case 'snapshots-differ':
      return `${what}${because}`
  }
}

/** The name, in quotes if it has several words, so that it reads as one. */
const quotedName = (name: string): string => (/\s/.test(name) ? `"${name}"` : name)

/** The name of an object in a sentence. */
export function nameObject(object: FoundObject): string {
  const name = quotedName(object.name)
  const table = object.table === null ? null : quotedName(object.table)
  switch (object.kind) {
    case 'index':
      return table === null ? `index ${name}` : `index ${name} of ${table}`
    case 'fts':
    case 'rtree': {
      const kind = object.kind === 'fts' ? 'full-text index' : 'R-Tree'
      return table === null || table === name ? `${kind} ${name}` : `${kind} ${name} (in ${table})`
    }
    case 'schema':
      return 'the schema'
    case 'freelist':
      return 'the free list'
    case 'pointer-map':
      return 'the pointer map'
    case 'file':
      return object.name === 'file' ? 'the file' : `${name} (not in the schema)`
    case 'table':
    case 'virtual-table':
    case 'view':
    case 'trigger':
      return `${object.kind.replace('-', ' ')} ${name}`
  }
}

const detailsMax = 3
const detailLengthMax = 300
const few = (details: readonly string[], separator: string): string =>
  [
    ...details
      .slice(0, detailsMax)
      .map((detail) => (detail.length > detailLengthMax ? `${detail.slice(0, detailLengthMax)}...` : detail)),
    ...(details.length > detailsMax ? [`${details.length - detailsMax} more`] : []),
  ].join(separator)

const rangesMax = 8
/** `7, 9-12, …`: at most eight ranges of pages. */
function pageList(pages: readonly number[]): string {
  const runs: [number, number][] = []
  for (const page of pages) {
    const last = runs.at(-1)
    if (last && last[1] === page - 1) last[1] = page
    else runs.push([page, page])
  }
  const texts = runs.slice(0, rangesMax).map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`))
  return runs.length > rangesMax ? `${texts.join(', ')}, ...` : texts.join(', ')
}
