/** Messages that say nothing of the data, messages of several lines, and messages that come twice. */

import { expect, test } from 'vitest'
import { diagnose } from '../../../src/diagnosis/diagnose.ts'
import { context, message, messages, reading } from '../../support/diagnosis.ts'

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
    'our own accounting found the map wrong, or did not check it',
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

test('the same fault reported by the whole check and again table by table counts once', () => {
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
