/** Messages of the b-tree part of the check (btree.c), without their prefix. */

import type { FoundObject, Rule } from '../../model/result/finding.ts'
import { observe, rowKey } from './observation.ts'
import type { Observation } from './observation.ts'
import { theFile, theFreelist, thePointerMap } from './schema-view.ts'
import type { SchemaView } from './schema-view.ts'

/** The b-tree or list of a message, and its page; null if the prefix does not name it. */
export interface TreeLocation {
  readonly object: FoundObject | null
  readonly page: number | null
}

type MessageReader = (match: RegExpExecArray, place: TreeLocation, schema: SchemaView, text: string) => Observation

/** @returns null for a text that is not from btree.c */
export function readTreeMessage(text: string, place: TreeLocation, schema: SchemaView): Observation | null {
  for (const [pattern, read] of messages) {
    const match = pattern.exec(text)
    if (match) return read(match, place, schema, text)
  }
  return null
}

const onFreelist = (place: TreeLocation): boolean => place.object?.kind === 'freelist'
const pageIn = (match: RegExpExecArray): number => Number(match[1])

/** Damage to the tree of the message; on the free list every fault is one of the list. */
const ofPlace =
  (rule: Rule): MessageReader =>
  (_match, place, _schema, text) =>
    observe(onFreelist(place) ? 'freelist-broken' : rule, place.object ?? theFile, { page: place.page, detail: text })

/** A message without prefix names the page itself, and the page accounting names its owner. */
const ofPageNamed =
  (rule: Rule, group: number): MessageReader =>
  (match, place, schema, text) => {
    const page = Number(match[group])
    return observe(rule, place.object ?? schema.ownerOf(page) ?? theFile, { page, detail: text })
  }

const ofPointerMap: MessageReader = (match, _place, _schema, text) =>
  observe('pointer-map-wrong', thePointerMap, { page: match[1] === undefined ? null : pageIn(match), detail: text })

/**
 * Primary result codes about the reading, not about the data: NOMEM, BUSY, LOCKED, INTERRUPT, IOERR, FULL, CANTOPEN.
 */
const codesOfReading = new Set([5, 6, 7, 9, 10, 13, 14])
const bearingOfCode = (code: number): 'damage' | 'unread' => (codesOfReading.has(code & 0xff) ? 'unread' : 'damage')

const messages: readonly (readonly [RegExp, MessageReader])[] = [
  [
    /^unable to get the page\. error code=(\d+)$/,
    (match, place) =>
      observe('page-unreadable', place.object ?? theFile, {
        page: place.page,
        bearing: bearingOfCode(Number(match[1])),
        detail: `SQLite error code ${match[1]}`,
      }),
  ],
  // The pager refuses a page only for reasons of reading: numbers out of range and the lock-byte page are found before.
  [
    /^failed to get page (\d+)$/,
    (match, place) =>
      observe('page-unreadable', place.object ?? theFile, {
        page: pageIn(match),
        bearing: 'unread',
        detail: 'the page could not be read',
      }),
  ],
  [
    /^btreeInitPage\(\) returns error code (\d+)$/,
    (match, place) =>
      observe('page-malformed', place.object ?? theFile, {
        page: place.page,
        bearing: bearingOfCode(Number(match[1])),
        detail: 'its header is not valid',
      }),
  ],
  [/^free space corruption$/, ofPlace('page-malformed')],
  [/^Offset \d+ out of range \d+\.\.\d+$/, ofPlace('page-malformed')],
  [/^Extends off end of page$/, ofPlace('page-malformed')],
  [/^Bad cell header size$/, ofPlace('page-malformed')],
  [/^Corruption detected in cell \d+ on page (\d+)$/, ofPageNamed('page-malformed', 1)],
  [/^Corruption detected in header on page (\d+)$/, ofPageNamed('page-malformed', 1)],
  [/^btree depth exceeds \d+$/, ofPlace('wrong-depth')],
  [/^Child page depth differs$/, ofPlace('wrong-depth')],
  [
    /^Rowid (-?\d+) out of order/,
    (match, place, _schema, text) =>
      observe('rowid-out-of-order', place.object ?? theFile, {
        page: place.page,
        rows: [rowKey(match[1] ?? '')],
        detail: text,
      }),
  ],
  [/^overflow list length is \d+ but should be \d+$/, ofPlace('overflow-broken')],
  [/^\d+ of \d+ pages missing from overflow list starting at (\d+)$/, ofPlace('overflow-broken')],
  [
    /^invalid page number (\d+)$/,
    (match, place, schema) => {
      const target = pageIn(match)
      if (onFreelist(place))
        return observe('freelist-broken', theFreelist, {
          target,
          detail: `it names page ${target}, which does not exist`,
        })
      // Without a prefix it is the root page of a tree that does not exist.
      return observe('page-out-of-range', place.object ?? schema.atRoot(target), {
        page: place.page,
        target,
        detail: `it points to page ${target}, which does not exist`,
      })
    },
  ],
  [
    /^2nd reference to page (\d+)$/,
    (match, place, schema) => {
      const target = pageIn(match)
      const other = schema.ownerOf(target)
      const object = place.object ?? schema.atRoot(target)
      return observe('page-used-twice', object, {
        page: target,
        target: place.page,
        detail: other && other.name !== object.name ? other.name : '',
      })
    },
  ],
  [
    /^freelist leaf count too big on page (\d+)$/,
    (match, _place, _schema, text) => observe('freelist-broken', theFreelist, { page: pageIn(match), detail: text }),
  ],
  [/^size is \d+ but should be \d+$/, ofPlace('freelist-broken')],
  [
    /^free-page count in header is too small$/,
    (_match, _place, _schema, text) => observe('freelist-broken', theFreelist, { detail: text }),
  ],
  [/^Failed to read ptrmap key=(\d+)$/, ofPointerMap],
  [/^Bad ptr map entry key=(\d+) expected=\(\d+,\d+\) got=\(\d+,\d+\)$/, ofPointerMap],
  [/^Page (\d+): pointer map referenced$/, ofPointerMap],
  [/^Pointer map page (\d+) is referenced$/, ofPointerMap],
  [/^max rootpage \(\d+\) disagrees with header \(\d+\)$/, ofPointerMap],
  [/^incremental_vacuum enabled with a max rootpage of zero$/, ofPointerMap],
  [/^Multiple uses for byte \d+ of page (\d+)$/, ofPageNamed('page-malformed', 1)],
  [/^Fragmentation of \d+ bytes reported as \d+ on page (\d+)$/, ofPageNamed('page-malformed', 1)],
  [/^Page (\d+): never used$/, (match) => observe('page-unowned', theFile, { page: pageIn(match), bearing: 'leak' })],
  [/^Page (\d+) is never used$/, (match) => observe('page-unowned', theFile, { page: pageIn(match), bearing: 'leak' })],
]
