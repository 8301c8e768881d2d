/** Every message of SQLite's checker, 3.40 to 3.54: what it is taken for. */
import { expect, test } from 'vitest'
import { diagnose } from '../../../src/diagnosis/diagnose.ts'
import { context, message, messages, reading } from '../../support/diagnosis.ts'

type Row = readonly [
  text: string,
  rule: string,
  severity: string,
  kind: string,
  name: string,
  page: number | null,
  damage: string,
]

const events = ['index', 'events_kind'] as const
const rows: readonly Row[] = [
  [
    'Tree 2 page 40: unable to get the page. error code=11',
    'page-unreadable',
    'damage',
    'table',
    'events',
    40,
    'table',
  ],
  ['Tree 2 page 40: btreeInitPage() returns error code 11', 'page-malformed', 'damage', 'table', 'events', 40, 'table'],
  ['Tree 3 page 41: btreeInitPage() returns error code 11', 'page-malformed', 'damage', ...events, 41, 'index'],
  ['Tree 3 page 41: free space corruption', 'page-malformed', 'damage', ...events, 41, 'index'],
  ['Tree 3 page 41 cell 4: Offset 9 out of range 40..4092', 'page-malformed', 'damage', ...events, 41, 'index'],
  ['Tree 3 page 41 cell 4: Extends off end of page', 'page-malformed', 'damage', ...events, 41, 'index'],
  ['Tree 3 page 41 cell 4: Bad cell header size', 'page-malformed', 'damage', ...events, 41, 'index'],
  ['Tree 3 page 41: btree depth exceeds 20', 'wrong-depth', 'damage', ...events, 41, 'index'],
  ['Tree 3 page 41 cell 0: Child page depth differs', 'wrong-depth', 'damage', ...events, 41, 'index'],
  ['Tree 2 page 40 cell 0: Rowid 17 out of order', 'rowid-out-of-order', 'damage', 'table', 'events', 40, 'table'],
  [
    'Tree 3 page 41 cell 1: overflow list length is 1 but should be 3',
    'overflow-broken',
    'damage',
    ...events,
    41,
    'index',
  ],
  ['Tree 3 page 41 right child: invalid page number 9999', 'page-out-of-range', 'damage', ...events, 41, 'index'],
  ['Tree 3 page 41 cell 2: 2nd reference to page 77', 'page-used-twice', 'damage', ...events, 77, 'table'],
  ['Tree 7 page 7 cell 0: Extends off end of page', 'page-malformed', 'damage', 'table', 'keyed', 7, 'table'],
  ['Tree 1 page 1 cell 0: Extends off end of page', 'page-malformed', 'damage', 'schema', 'sqlite_schema', 1, 'schema'],
  ['Tree 8 page 44: free space corruption', 'page-malformed', 'damage', 'fts', 'ft', 44, 'fts'],
  ['Tree 10 page 10: free space corruption', 'page-malformed', 'damage', 'table', 'ft_content', 10, 'table'],
  ['Tree 13 page 13: free space corruption', 'page-malformed', 'damage', 'rtree', 'rt', 13, 'table'],
  ['Tree 99 page 99: free space corruption', 'page-malformed', 'damage', 'file', 'b-tree 99', 99, 'table'],
  ['invalid page number 3', 'page-out-of-range', 'damage', ...events, null, 'index'],
  ['2nd reference to page 3', 'page-used-twice', 'damage', ...events, 3, 'table'],
  ['Freelist: invalid page number 0', 'freelist-broken', 'damage', 'freelist', 'free list', null, 'structure'],
  ['Freelist: 2nd reference to page 43', 'page-used-twice', 'damage', 'freelist', 'free list', 43, 'structure'],
  ['Freelist: 2nd reference to page 40', 'page-used-twice', 'damage', 'freelist', 'free list', 40, 'table'],
  [
    'Freelist: freelist leaf count too big on page 43',
    'freelist-broken',
    'damage',
    'freelist',
    'free list',
    43,
    'structure',
  ],
  ['Freelist: size is 4 but should be 9', 'freelist-broken', 'damage', 'freelist', 'free list', null, 'structure'],
  [
    'Freelist: Bad ptr map entry key=43 expected=(2,0) got=(5,1)',
    'pointer-map-wrong',
    'damage',
    'pointer-map',
    'pointer map',
    43,
    'structure',
  ],
  [
    'Tree 2 page 2 right child: Bad ptr map entry key=40 expected=(5,2) got=(5,9)',
    'pointer-map-wrong',
    'damage',
    'pointer-map',
    'pointer map',
    40,
    'structure',
  ],
  ['Failed to read ptrmap key=40', 'pointer-map-wrong', 'damage', 'pointer-map', 'pointer map', 40, 'structure'],
  ['Page 2: pointer map referenced', 'pointer-map-wrong', 'damage', 'pointer-map', 'pointer map', 2, 'structure'],
  [
    'max rootpage (7) disagrees with header (9)',
    'pointer-map-wrong',
    'damage',
    'pointer-map',
    'pointer map',
    null,
    'structure',
  ],
  [
    'incremental_vacuum enabled with a max rootpage of zero',
    'pointer-map-wrong',
    'damage',
    'pointer-map',
    'pointer map',
    null,
    'structure',
  ],
  ['Multiple uses for byte 300 of page 41', 'page-malformed', 'damage', ...events, 41, 'index'],
  ['Fragmentation of 12 bytes reported as 0 on page 40', 'page-malformed', 'damage', 'table', 'events', 40, 'table'],
  ['Fragmentation of 12 bytes reported as 0 on page 55', 'page-malformed', 'damage', 'file', 'file', 55, 'table'],
  ['Page 55: never used', 'page-unowned', 'leak', 'file', 'file', 55, 'structure'],
  ['wrong # of entries in index events_kind', 'index-count-differs', 'damage', ...events, null, 'index'],
  ['row 3 missing from index events_kind', 'row-missing-from-index', 'damage', ...events, null, 'index'],
  ['row 3 values differ from index events_kind', 'entry-differs-from-row', 'damage', ...events, null, 'index'],
  [
    'rowid not at end-of-record for row 3 of index events_kind',
    'entry-differs-from-row',
    'damage',
    ...events,
    null,
    'index',
  ],
  [
    'index events_kind stores an imprecise floating-point value for row 3',
    'imprecise-real',
    'damage',
    ...events,
    null,
    'index',
  ],
  ['non-unique entry in index users_mail', 'unique-violated', 'damage', 'index', 'users_mail', null, 'table'],
  ['row not in PRIMARY KEY order for keyed', 'key-out-of-order', 'damage', 'table', 'keyed', null, 'table'],
  ['NULL value in users.mail', 'null-in-not-null', 'damage', 'table', 'users', null, 'table'],
  ['NULL value in a.b.c.d', 'null-in-not-null', 'damage', 'table', 'a.b', null, 'table'],
  ['non-INT value in users.age', 'type-mismatch', 'damage', 'table', 'users', null, 'table'],
  ['NUMERIC value in users.mail', 'type-mismatch', 'notice', 'table', 'users', null, 'none'],
  ['TEXT value in users.age', 'type-mismatch', 'notice', 'table', 'users', null, 'none'],
  ['CHECK constraint failed in users', 'check-failed', 'notice', 'table', 'users', null, 'none'],
  ['database disk image is malformed', 'record-malformed', 'damage', 'file', 'file', null, 'table'],
  ['malformed inverted index for FTS5 table main.ft', 'fts-broken', 'damage', 'fts', 'ft', null, 'fts'],
  [
    'unable to validate the inverted index for FTS4 table main.ft: database disk image is malformed',
    'fts-broken',
    'damage',
    'fts',
    'ft',
    null,
    'fts',
  ],
  [
    'unable to validate the inverted index for FTS5 table main.ft: disk I/O error',
    'fts-broken',
    'notice',
    'fts',
    'ft',
    null,
    'none',
  ],
  ['fts5: corruption found reading blob 1374 from table "ft"', 'fts-broken', 'damage', 'fts', 'ft', null, 'fts'],
  ['fts5: corruption on page 3, segment 7, table "ft"', 'fts-broken', 'damage', 'fts', 'ft', null, 'fts'],
  ['fts5: corruption in table "ft"', 'fts-broken', 'damage', 'fts', 'ft', null, 'fts'],
  ['fts5: corrupt structure record for table "ft"', 'fts-broken', 'damage', 'fts', 'ft', null, 'fts'],
  ['fts5: checksum mismatch for table "ft"', 'fts-broken', 'damage', 'fts', 'ft', null, 'fts'],
  ['In RTree main.rt:\nNode 1 missing from database', 'rtree-broken', 'damage', 'rtree', 'rt', null, 'table'],
  [
    'Wrong number of entries in %_rowid table - expected 3, actual 4',
    'rtree-broken',
    'damage',
    'rtree',
    'R-Tree',
    null,
    'table',
  ],
  ['something that no SQLite has said yet', 'engine-says', 'damage', 'file', 'file', null, 'table'],
  // Before 3.42: no root, the owner comes from the page accounting.
  ['Page 40: btreeInitPage() returns error code 11', 'page-malformed', 'damage', 'table', 'events', 40, 'table'],
  ['Page 41: free space corruption', 'page-malformed', 'damage', ...events, 41, 'index'],
  ['On tree page 41 cell 2: Extends off end of page', 'page-malformed', 'damage', ...events, 41, 'index'],
  ['On tree page 40 cell 2: Rowid 17 out of order', 'rowid-out-of-order', 'damage', 'table', 'events', 40, 'table'],
  ['On page 41 at right child: 2nd reference to page 43', 'page-used-twice', 'damage', ...events, 43, 'table'],
  ['Main freelist: size is 4 but should be 9', 'freelist-broken', 'damage', 'freelist', 'free list', null, 'structure'],
  [
    'Main freelist: 2 of 5 pages missing from overflow list starting at 43',
    'freelist-broken',
    'damage',
    'freelist',
    'free list',
    null,
    'structure',
  ],
  ['Page 55 is never used', 'page-unowned', 'leak', 'file', 'file', 55, 'structure'],
  ['Pointer map page 2 is referenced', 'pointer-map-wrong', 'damage', 'pointer-map', 'pointer map', 2, 'structure'],
]

test.each(rows)('%s', (text, rule, severity, kind, name, page, damage) => {
  const diagnosis = diagnose(reading([message(text)]), context)
  expect(diagnosis.findings).toHaveLength(1)
  const [finding] = diagnosis.findings
  expect({
    rule: finding?.rule,
    severity: finding?.severity,
    kind: finding?.object.kind,
    name: finding?.object.name,
    page: finding?.page ?? null,
    damage: diagnosis.damage,
  }).toEqual({ rule, severity, kind, name, page, damage })
})

test.each([
  'Tree 2 page 40: unable to get the page. error code=10',
  'Tree 2 page 40: unable to get the page. error code=266',
  'Tree 2 page 40: unable to get the page. error code=522',
  'Tree 2 page 40 cell 1: failed to get page 41',
  'Freelist: failed to get page 41',
])('an error of input and output says nothing of the data: %s', (text) => {
  const { verdict, findings, damage } = diagnose(reading([message(text)]), context)
  expect(verdict.kind).toBe('inconclusive')
  expect(damage).toBe('none')
  expect(findings).toMatchObject([{ rule: 'page-unreadable', severity: 'notice' }])
})

test.each([
  [
    'of an index that was not wholly read',
    ['Tree 3 page 3: unable to get the page. error code=8458', 'wrong # of entries in index events_kind'],
  ],
  [
    'of all indexes of a table that was not wholly read',
    [
      'Tree 2 page 40: unable to get the page. error code=266',
      'wrong # of entries in index events_kind',
      'wrong # of entries in index events_at',
    ],
  ],
  [
    'of pages below one that was not read',
    ['Tree 2 page 40: unable to get the page. error code=266', 'Page 9: never used', 'Page 10: never used'],
  ],
  ['of a free list that was not followed', ['Freelist: failed to get page 41', 'Freelist: size is 3 but should be 7']],
  [
    'of a chain that was not followed',
    [
      'Tree 2 page 40 cell 1: failed to get page 41',
      'Tree 2 page 40 cell 1: 3 of 4 pages missing from overflow list starting at 41',
    ],
  ],
])('nor does what SQLite then says %s', (_, texts) => {
  const { verdict, findings, damage } = diagnose(reading(messages(...texts)), context)
  expect([verdict.kind, damage, findings.map(({ rule, severity }) => [rule, severity])]).toEqual([
    'inconclusive',
    'none',
    [['page-unreadable', 'notice']],
  ])
})

test('damage of another object stays damage beside an error of input and output', () => {
  const { verdict, findings } = diagnose(
    reading(
      messages(
        'Tree 3 page 3: unable to get the page. error code=8458',
        'wrong # of entries in index events_at',
        'Tree 4 page 50: free space corruption',
      ),
    ),
    context,
  )
  expect([verdict.kind, findings.map(({ rule }) => rule)]).toEqual([
    'damaged',
    ['index-count-differs', 'page-malformed', 'page-unreadable'],
  ])
})

test(
  'an entry of the pointer map that SQLite could not read is damage only where ' +
    'our own accounting found the map wrong, or did not look',
  () => {
    const said = [message('Tree 2 page 40 cell 0: Failed to read ptrmap key=41')]
    expect(diagnose(reading(said, { engine: 'census' }), context).verdict.kind).toBe('inconclusive')
    expect(diagnose(reading(said, { engine: 'sqlite' }), context).verdict.kind).toBe('damaged')
  },
)

test('the heading of the b-tree part says nothing of its own, and its lines are taken apart', () => {
  const { findings } = diagnose(
    reading([
      message(
        '*** in database main ***\nTree 3 page 41: free space corruption\nTree ' +
          '4 page 50: free space corruption\nPage 9: never used',
      ),
    ]),
    context,
  )
  expect(findings.map(({ rule, page }) => [rule, page])).toEqual([
    ['page-malformed', 50],
    ['page-malformed', 41],
    ['page-unowned', 9],
  ])
})

test('an index whose name holds a newline keeps its name', () => {
  const { findings } = diagnose(reading([message('row 1 missing from index odd\nname')]), context)
  expect(findings).toMatchObject([{ rule: 'row-missing-from-index', object: { kind: 'index', name: 'odd\nname' } }])
})

test('the same fault told by the whole check and again table by table counts once', () => {
  const twice = [
    ...messages('Tree 2 page 40 cell 0: Rowid 17 out of order', 'row 3 missing from index events_kind'),
    ...messages('Tree 2 page 40 cell 0: Rowid 17 out of order', 'row 3 missing from index events_kind'),
  ]
  expect(diagnose(reading(twice), context).findings.map(({ total }) => total)).toEqual([1, 1])
})

test('rows beyond 2^53 are named exactly', () => {
  const { findings } = diagnose(
    reading([message('Tree 2 page 40 cell 0: Rowid 9223372036854775807 out of order')]),
    context,
  )
  expect(findings[0]?.rows).toEqual(['9223372036854775807'])
})
