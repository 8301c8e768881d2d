import { copyFileSync, existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { expect, it } from 'vitest'
import type { SnapshotPath } from '../../../src/model/brand.ts'
import type { Account, ConflictRule } from '../../../src/model/result/account.ts'
import { AccountDraft } from '../../../src/repair/account/account-draft.ts'
import { merge, type MergeResult, type MergeProgress } from '../../../src/repair/merge/merge.ts'
import { accountErrors } from '../../support/account-schema.ts'
import { MergeFixture } from '../../support/merge/merge-fixture.ts'
import { exactRows, checkOfResult } from '../../support/merge/merge-in-process.ts'

const limits = { memoryBytesMax: 500_000_000, niceness: 0, timeoutMs: 60_000 }

function run(
  files: MergeFixture,
  account: AccountDraft,
  prefer: ConflictRule = 'newer',
  signal = new AbortController().signal,
  onProgress: (progress: MergeProgress) => void = () => {},
): Promise<MergeResult> {
  const [backup, salvaged, facts] = [files.backup, files.salvaged, `${files.salvaged}-facts`] as SnapshotPath[]
  if (!backup || !salvaged || !facts) throw new Error('three files')
  return merge(
    { backup, salvaged, facts, schemaIsWhole: true },
    files.result,
    { prefer, account, folder: files.folder, ...limits, onProgress },
    signal,
  )
}

const table = 'CREATE TABLE t(id INTEGER PRIMARY KEY, a UNIQUE); INSERT INTO t SELECT value, value FROM series'
const filesIn = (folder: string): readonly string[] => readdirSync(folder).toSorted()

it('merges in a confined child, and accounts for every key', async () => {
  const after = `INSERT INTO t SELECT value + 20000, 'new ' || value FROM series; DELETE FROM t WHERE id IN (2, 3);
    UPDATE t SET a = 'changed' WHERE id = 700`
  using files = new MergeFixture(table, after, [
    {
      table: 't',
      rowids: [
        [500, 600],
        [20_991, 21_000],
      ],
      indexed: true,
      complete: true,
    },
  ])
  using account = new AccountDraft(files.folder)
  const steps = new Set<string>()
  const before = [statSync(files.backup), statSync(files.salvaged)].map(({ mtimeMs }) => mtimeMs)
  const merged = await run(files, account, 'newer', undefined, ({ step }) => steps.add(step))
  expect(merged.losses).toEqual([
    {
      table: 't',
      inBoth: 1887,
      lost: 10,
      changed: 0,
      recovered: 101,
      unreadable: 111,
      keysTotal: 10,
      keys: [20_991, 20_992, 20_993, 20_994, 20_995, 20_996, 20_997, 20_998, 20_999, 21_000],
    },
  ])
  expect([...steps]).toEqual(['copy', 'compare', 'write', 'verify', 'account'])
  const path = await account.publish('01J', { folder: files.folder, name: 'account.json' })
  const document = JSON.parse(readFileSync(path, 'utf8')) as Account
  expect(accountErrors(document)).toEqual([])
  expect(document.tables).toMatchObject([
    {
      table: 't',
      kept: 997,
      added: { total: 990 },
      conflicting: { keys: [700] },
      deleted: { keys: [2, 3] },
      unreadable: { total: 10 },
    },
  ])
  const expected = new Map([...exactRows(files.live, 't')].filter(([id]) => Number(id) < 20_991))
  expect(exactRows(files.result, 't')).toEqual(expected)
  expect(checkOfResult(files.result)).toBe('ok')
  expect([statSync(files.backup), statSync(files.salvaged)].map(({ mtimeMs }) => mtimeMs)).toEqual(before)
  expect(statSync(files.result).mode & 0o777).toBe(0o600)
  expect(filesIn(files.folder)).toEqual(['account.json', 'backup', 'live', 'result', 'salvaged', 'salvaged-facts'])
})

it('refuses with the reason, and leaves nothing behind', async () => {
  using files = new MergeFixture('CREATE TABLE t(a)', '')
  using other = new MergeFixture('CREATE TABLE t(a)', '', [], "PRAGMA encoding='UTF-16le'")
  copyFileSync(other.backup, files.backup)
  using account = new AccountDraft(files.folder)
  await expect(run(files, account)).rejects.toMatchObject({
    code: 'REMEDY_REFUSED',
    message:
      'the backup and the damaged file cannot be merged: ' +
      'the backup stores its texts as UTF-16le, the damaged file otherwise',
  })
  expect(filesIn(files.folder)).toEqual(['backup', 'live', 'salvaged', 'salvaged-facts'])
})

it.each(['copy', 'compare', 'write', 'account'])(
  'ends on an abort in the step %s, and leaves nothing behind',
  async (step) => {
    using files = new MergeFixture(table, 'UPDATE t SET a = -a')
    using account = new AccountDraft(files.folder)
    const abort = new AbortController()
    const reason = new Error('stop')
    const merging = run(files, account, 'newer', abort.signal, (progress) => {
      if (progress.step === step) abort.abort(reason)
    })
    await expect(merging).rejects.toBe(reason)
    expect(existsSync(files.result)).toBe(false)
    expect(filesIn(files.folder)).toEqual(['backup', 'live', 'salvaged', 'salvaged-facts'])
  },
)

it('needs no more memory for a large table than the caches of SQLite', async () => {
  const large = `CREATE TABLE t(id INTEGER PRIMARY KEY, a, b);
    INSERT INTO t SELECT x.value * 1000 + y.value, hex(randomblob(20)), 'b'
      FROM series x, series y WHERE x.value <= 300`
  using files = new MergeFixture(large, `UPDATE t SET b = 'c'; DELETE FROM t WHERE id % 7 = 0`)
  using account = new AccountDraft(files.folder)
  const [backup, salvaged, facts] = [files.backup, files.salvaged, `${files.salvaged}-facts`] as unknown as [
    SnapshotPath,
    SnapshotPath,
    SnapshotPath,
  ]
  const options = { prefer: 'newer', account, folder: files.folder, ...limits, memoryBytesMax: 260_000_000 } as const
  await merge({ backup, salvaged, facts, schemaIsWhole: true }, files.result, options, new AbortController().signal)
  expect(account.summary.tables[0]?.rows.conflicting.total).toBeGreaterThan(250_000)
  expect(exactRows(files.result, 't').size).toBe(exactRows(files.live, 't').size)
})
