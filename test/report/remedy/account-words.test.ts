import { expect, it } from 'vitest'
import { accountedKinds } from '../../../src/model/result/account.ts'
import type { AccountedKind, LostRange, TableSummary } from '../../../src/model/result/account.ts'
import type { RowKey } from '../../../src/model/result/finding.ts'
import { describeAccount } from '../../../src/report/remedy/account-words.ts'

function table(
  name: string,
  kept: number,
  keys: Partial<Record<AccountedKind, readonly RowKey[]>> = {},
  pages = 0,
  lostRanges: readonly LostRange[] = [],
): TableSummary {
  const rows = Object.fromEntries(
    accountedKinds.map((kind) => [kind, { total: keys[kind]?.length ?? 0, keys: keys[kind] ?? [] }]),
  ) as Record<AccountedKind, { readonly total: number; readonly keys: readonly RowKey[] }>
  return { table: name, kept, rows, pages, lostRanges: { total: lostRanges.length, first: lostRanges.slice(0, 20) } }
}

it('gives each table one line with its sums, and the first keys of what is not in the result', () => {
  const keys = { added: [1], conflicting: [2, 3, 4], ofBackup: [3], leftOut: [4], deleted: [5], fromIndex: [1] }
  const unreadable = ['9007199254740993', 7, 8, 9, 10, 11, 12]
  expect(
    describeAccount({
      tables: [
        table('notes', 2_999_993, { ...keys, unreadable }, 2),
        table('odd\u001bname', 1, { orphaned: [['a\u0007', { blob: 'ff' }]] }),
        table('quiet', 40),
        table('calm', 2),
      ],
      dropped: 1,
    }),
  ).toEqual([
    'notes: 2,999,993 rows kept, 1 added, 3 conflicting (1 newer, 1 of the backup, 1 LEFT OUT), 1 deleted, ' +
      '7 UNREADABLE, 1 rebuilt from indexes, 2 pages unreadable',
    '  unreadable: 9007199254740993, 7, 8, 9, 10 and 2 more',
    '  left out: 4',
    'odd\\ename: 1 row kept, 1 orphaned',
    '  orphaned: ["a\\u0007",{"blob":"ff"}]',
    'the other 2 tables: 42 rows kept, nothing else',
    '1 index entry is dropped; the account holds the values',
  ])
})

it('says it in one line if every row was kept', () => {
  expect(describeAccount({ tables: [table('notes', 7)], dropped: 0 })).toEqual(['notes: 7 rows kept, nothing else'])
  expect(describeAccount({ tables: [table('a', 7), table('b', 0)], dropped: 0 })).toEqual([
    'all 2 tables: 7 rows kept, nothing else',
  ])
})

it('says between which keys rows cannot be known, for the first five ranges', () => {
  const bounds = [
    [null, 30],
    [90, '9007199254740993'],
    [
      ['a', 1],
      ['b\u0007', 2],
    ],
    [null, null],
    [400, null],
    [500, 510],
    [600, 610],
  ] as const
  const ranges = bounds.map(([after, before]): LostRange => ({ after, before, pages: [7] }))
  expect(describeAccount({ tables: [table('notes', 7, {}, 0, ranges)], dropped: 0 })).toEqual([
    'notes: 7 rows kept',
    '  rows with keys before 30 cannot be known: their pages are lost',
    '  rows with keys between 90 and 9007199254740993 cannot be known: their pages are lost',
    '  rows with keys between ["a",1] and ["b\\u0007",2] cannot be known: their pages are lost',
    '  rows with any key cannot be known: their pages are lost',
    '  rows with keys after 400 cannot be known: their pages are lost',
    '  2 more such ranges are in the account',
  ])
})
