import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Account } from '../../../src/model/result/account.ts'
import { AccountDraft } from '../../../src/repair/account/account-draft.ts'
import { accountErrors } from '../../support/account-schema.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-account-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const readAccount = (path: string): Account => JSON.parse(readFileSync(path, 'utf8')) as Account
const noneLeftOut = { leftOutByUnique: 0, leftOutByForeignKey: 0 }

function fill(draft: AccountDraft): void {
  draft.beginTable('a "quoted" table')
  draft.addKeys('added', [1, '9007199254740993'])
  draft.addKeys('conflicting', [3, 4, 5])
  draft.addKeys('ofBackup', [4])
  draft.addKeys('leftOut', [5])
  draft.addKeys('unreadable', [[null, 'x', { blob: '00ff' }, 1.5]])
  draft.addPages([7, 8])
  draft.addLostRanges([
    { after: [1, 'x'], before: null, pages: [7] },
    { after: 7, before: '9007199254740993', pages: [] },
  ])
  draft.endTable({ kept: 10, union: 16, leftOutByUnique: 1, leftOutByForeignKey: 0 })
  draft.beginTable('empty')
  draft.endTable({ kept: 0, union: 0, ...noneLeftOut })
}

it('publishes an account that fits its schema, for its owner alone, in a folder that it makes', async () => {
  using draft = new AccountDraft(folder)
  fill(draft)
  draft.addDropped({ index: 'i', key: 3, columns: ['c'], values: [{ integer: '9007199254740993' }] })
  draft.addDropped({ index: 'i', key: null, columns: ['c'], values: [null] })
  const place = { folder: join(folder, 'deep', 'accounts'), name: '01J.json' }
  const path = await draft.publish('01J', place)
  const account = readAccount(path)
  expect(accountErrors(account)).toEqual([])
  expect(account).toMatchObject({
    schema: 'holdfast.account/1',
    change: '01J',
    tables: [
      {
        table: 'a "quoted" table',
        kept: 10,
        added: { total: 2, keys: [1, '9007199254740993'] },
        conflicting: {
          total: 3,
          keys: [3, 4, 5],
          stayed: { newer: 1, backup: 1 },
          keysOfBackup: [4],
          leftOut: { total: 1, keys: [5], byUnique: 1, byForeignKey: 0 },
        },
        unreadable: { total: 1, keys: [[null, 'x', { blob: '00ff' }, 1.5]] },
        pages: [7, 8],
        lostRanges: [
          { after: [1, 'x'], before: null, pages: [7] },
          { after: 7, before: '9007199254740993', pages: [] },
        ],
      },
      { table: 'empty', kept: 0, deleted: { total: 0, keys: [] }, lostRanges: [] },
    ],
  })
  expect(account.dropped).toHaveLength(2)
  expect([statSync(path).mode & 0o777, statSync(place.folder).mode & 0o777]).toEqual([0o600, 0o700])
  expect(readdirSync(place.folder)).toEqual(['01J.json'])
  expect(draft.summary).toMatchObject({
    dropped: 2,
    tables: [
      {
        kept: 10,
        rows: { added: { total: 2 } },
        pages: 2,
        lostRanges: { total: 2, first: [{ pages: [7] }, { after: 7 }] },
      },
      {},
    ],
  })
})

it('can be published again elsewhere, and never over a file', async () => {
  using draft = new AccountDraft(folder)
  fill(draft)
  const first = await draft.publish('01A', { folder, name: 'a.json' })
  const second = await draft.publish('01B', { folder, name: 'b.json' })
  expect({ ...readAccount(second), change: '01A' }).toEqual(readAccount(first))
  expect(readAccount(first).dropped).toBeUndefined()
  writeFileSync(join(folder, 'c.json'), 'mine')
  await expect(draft.publish('01C', { folder, name: 'c.json' })).rejects.toMatchObject({ code: 'NOT_A_FILE' })
  expect(readFileSync(join(folder, 'c.json'), 'utf8')).toBe('mine')
})

it('refuses an account whose numbers do not add up', () => {
  using draft = new AccountDraft(folder)
  draft.beginTable('t')
  draft.addKeys('deleted', [1])
  expect(() => draft.endTable({ kept: 4, union: 6, ...noneLeftOut })).toThrow(
    'the account has 5 keys of a table that has 6',
  )
  using parts = new AccountDraft(folder)
  parts.beginTable('t')
  parts.addKeys('conflicting', [1])
  parts.addKeys('leftOut', [1])
  expect(() => parts.endTable({ kept: 0, union: 1, ...noneLeftOut })).toThrow(
    '0 of 1 rows that were left out have a reason',
  )
})

it('reports a folder that cannot be written, and leaves nothing behind', async () => {
  using draft = new AccountDraft(folder)
  fill(draft)
  writeFileSync(join(folder, 'file'), '')
  await expect(draft.publish('01J', { folder: join(folder, 'file'), name: 'a.json' })).rejects.toMatchObject({
    name: 'Failure',
  })
  mkdirSync(join(folder, 'taken.json'))
  await expect(draft.publish('01J', { folder, name: 'taken.json' })).rejects.toMatchObject({ code: 'NOT_A_FILE' })
  expect(readdirSync(folder).toSorted()).toEqual(['file', 'taken.json'])
})

it('keeps the keys of a million rows out of memory', async () => {
  using draft = new AccountDraft(folder)
  draft.beginTable('t')
  const before = process.memoryUsage().heapUsed + process.memoryUsage().external
  for (let from = 0; from < 1_000_000; from += 5000)
    draft.addKeys(
      'added',
      Array.from({ length: 5000 }, (_, i) => `${10n ** 18n + BigInt(from + i)}`),
    )
  const grown = process.memoryUsage().heapUsed + process.memoryUsage().external - before
  draft.endTable({ kept: 0, union: 1_000_000, ...noneLeftOut })
  const path = await draft.publish('01J', { folder, name: 'a.json' })
  expect(readAccount(path).tables[0]?.added).toMatchObject({ total: 1_000_000 })
  expect(statSync(path).size).toBeGreaterThan(22_000_000)
  expect(grown).toBeLessThan(60_000_000)
})
