/** Every wound of the tests, and the remedy that the design gives it: diagnosis has no say in this table. */
import type { RemedyKind } from '../../../src/model/result/remedy.ts'
import { EditableDatabase } from '../databases/surgeon.ts'
import { wounds } from '../databases/wounds.ts'
import {
  bySql,
  changeValue,
  dropFrom,
  swapIn,
  violateUnique,
  zeroLeaf,
  zeroRoot,
  type WoundFile,
} from './object-wounds.ts'
import { boxes, contentless, externalText, fullText, rich, varied, type Subject } from './subjects.ts'

export interface RemedyCase {
  readonly name: string
  readonly subject: Subject
  readonly wound: WoundFile
  /**
   * `lost`: only a backup helps: `ask` without one, `restore` with one. `whole`: the same, but every row is readable,
   * so a rewrite that was rehearsed is right too.
   */
  readonly remedy: Extract<RemedyKind, 'rebuild' | 'rewrite'> | 'lost' | 'whole'
  /** What is rebuilt, sorted. */
  readonly objects: readonly string[]
  /** The wound needs the file as one part, because it changes its length or what recovery would write. */
  readonly aloneOnly: boolean
}

type ExpectedRemedy = Pick<RemedyCase, 'remedy' | 'objects'>

const lost: ExpectedRemedy = { remedy: 'lost', objects: [] }
const whole: ExpectedRemedy = { remedy: 'whole', objects: [] }
const rewrite: ExpectedRemedy = { remedy: 'rewrite', objects: [] }
const rebuild = (...objects: readonly string[]): ExpectedRemedy => ({ remedy: 'rebuild', objects: objects.toSorted() })

/** By name of the surgeon's wound; all others lose rows, or something that no rebuild can bring back. */
const ofSurgeon: Readonly<Record<string, ExpectedRemedy>> = {
  'index entry removed': rebuild('events_kind'),
  'value of an index entry changed': rebuild('events_kind'),
  'index entries out of order': rebuild('events_note'),
  'index page zeroed': rebuild('events_at'),
  'unused page': rewrite,
  'pointer map with a wrong parent': rewrite,
  'pointer map with a wrong type': rewrite,
  'wrong largest root in the header': rewrite,
  'free list count too high': rewrite,
  'free list count too low': rewrite,
  'free page listed twice': rewrite,
  'free page out of range': rewrite,
  'trunk with more leaves than a page has room for': rewrite,
  'free list in a circle': rewrite,
  'free page is in use': whole,
  'wrong count of fragmented bytes': whole,
  'overflow chain that goes on': whole,
  'page count of the header too low': whole,
  'last page torn': whole,
  'stray bytes at the end': whole,
}

const changesLength = new Set([
  'unused page',
  'page count of the header too high',
  'page count of the header too low',
  'file truncated',
  'last page torn',
  'stray bytes at the end',
])

/** The surgeon's wounds of one database. */
export function surgeonCases(subject: Subject, isAutoVacuum: boolean): readonly RemedyCase[] {
  return (
    wounds
      .filter(({ only }) => only === undefined || isAutoVacuum)
      // On such pages the schema has several, and the first holds no rows.
      .filter(({ name }) => name !== 'schema row garbled' || subject.pageSize > 512)
      .map(({ name, make }) => ({
        name,
        subject,
        wound: (path) => {
          using opened = new EditableDatabase(path)
          make(opened)
        },
        ...(ofSurgeon[name] ?? lost),
        aloneOnly: changesLength.has(name),
      }))
  )
}

const one = (name: string, subject: Subject, expected: ExpectedRemedy, wound: WoundFile): RemedyCase => ({
  name,
  subject,
  wound,
  ...expected,
  aloneOnly: false,
})

/** Indexes of every kind, and tables with every feature. */
export function richCases(pageSize: number): readonly RemedyCase[] {
  const subject = rich(pageSize)
  const indexes = [
    'items_owner',
    'items_total',
    'items_half',
    'items_cheap',
    'items_lower',
    'pairs_c',
    'heap_anything',
    'sqlite_autoindex_exact_1',
  ] as const
  return [
    ...indexes.flatMap((index) => [
      one(`entry dropped from ${index}`, subject, rebuild(index), dropFrom(index)),
      one(`leaf of ${index} zeroed`, subject, rebuild(index), zeroLeaf(index)),
    ]),
    one(
      'entries of a UNIQUE index changed places',
      subject,
      rebuild('sqlite_autoindex_exact_1'),
      swapIn('sqlite_autoindex_exact_1'),
    ),
    one('entry of an index of a table WITHOUT ROWID changed', subject, rebuild('pairs_c'), changeValue('pairs_c', 2)),
    one('three indexes at once', subject, rebuild('items_owner', 'items_total', 'pairs_c'), (path) => {
      for (const index of ['items_owner', 'items_total', 'pairs_c']) zeroLeaf(index)(path)
    }),
    ...['items', 'pairs', 'exact', 'heap'].flatMap((table) => [
      one(`leaf of ${table} zeroed`, subject, lost, zeroLeaf(table)),
      one(`root of ${table} zeroed`, subject, lost, zeroRoot(table)),
    ]),
    one('index and table damaged together', subject, lost, (path) => {
      zeroLeaf('items_total')(path)
      zeroLeaf('items')(path)
    }),
  ]
}

/** Full-text tables and R-Trees. */
export function moduleCases(pageSize: number): readonly RemedyCase[] {
  const [text, external, empty, tree] = [fullText, externalText, contentless, boxes].map((make) => make(pageSize)) as [
    Subject,
    Subject,
    Subject,
    Subject,
  ]
  const lastLeaf = 'DELETE FROM five_data WHERE id = (SELECT max(id) FROM five_data WHERE id > 1000)'
  return [
    one('a leaf of an fts5 index is gone', text, rebuild('five'), bySql(lastLeaf)),
    one('a segment of an fts4 index is gone', text, rebuild('four'), bySql('DELETE FROM four_segdir WHERE idx = 0')),
    one('a segment of an fts3 index is gone', text, rebuild('three'), bySql('DELETE FROM three_segdir WHERE idx = 0')),
    one('a leaf of an fts5 index over another table is gone', external, rebuild('five'), bySql(lastLeaf)),
    one('text that a full-text table stores is zeroed', text, lost, zeroLeaf('five_content')),
    one('a leaf of a contentless fts5 index is gone', empty, lost, bySql(lastLeaf)),
    one(
      'a node of an R-Tree is zeroed',
      tree,
      lost,
      bySql('UPDATE boxes_node SET data = zeroblob(length(data)) WHERE nodeno = 2'),
    ),
    one('a row of an R-Tree is lost', tree, lost, bySql('DELETE FROM boxes_rowid WHERE rowid = 7')),
    one(
      'the ids of a leaf of an R-Tree are lost',
      tree,
      lost,
      bySql('DELETE FROM boxes_rowid WHERE nodeno = (SELECT max(nodeno) FROM boxes_rowid)'),
    ),
  ]
}

/** Two rows with one key: no rebuild of the index can be right. */
export const uniqueViolated = (pageSize: number): RemedyCase =>
  one('two rows violate UNIQUE', varied(pageSize), lost, violateUnique('events', 'events_note', 'note'))
