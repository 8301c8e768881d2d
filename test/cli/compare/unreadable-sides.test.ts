/** `holdfast compare` of files that are damaged, in use, or no database. */
import { copyFileSync, writeFileSync } from 'node:fs'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { comparisonOf, shortComparison, tableIn } from '../../support/cli/comparison.ts'
import { changeIn, makePair } from '../../support/cli/comparison.ts'
import { damageIndex, makeDatabase, makeFolder, type Folder } from '../../support/cli/folder.ts'
import { holdfast } from '../../support/cli/program.ts'
import { EditableDatabase } from '../../support/databases/surgeon.ts'

/** `whole.db`, and `table.db` with a page of one of its tables overwritten. */
function makeWounded(folder: Folder): readonly [string, string] {
  const whole = makeDatabase(folder.in('whole.db'), { rows: 3000 })
  changeIn(whole, 'CREATE TABLE fine(x); INSERT INTO fine VALUES(1)')
  copyFileSync(whole, folder.in('table.db'))
  using database = new EditableDatabase(folder.in('table.db'))
  database.write(database.leaf('notes'), new Uint8Array(database.layout.pageSize))
  return [whole, folder.in('table.db')]
}

test('damage to an index is no difference, and is 2 all the same', async () => {
  using folder = makeFolder()
  const [a, b] = makePair(folder)
  damageIndex(a)
  changeIn(a, 'DROP TABLE hidden')
  const report = await comparisonOf([a, b])
  expect([shortComparison(report), tableIn(report, 'notes').comparison]).toEqual(['equal damaged / sound 2', 'equal'])
})

test('a damaged table: the verdict and the next command are shown, and which rows the other side has: 2', async () => {
  using folder = makeFolder()
  const [whole, wounded] = makeWounded(folder)
  const report = await comparisonOf([wounded, whole])
  const notes = tableIn(report, 'notes')
  expect([shortComparison(report), tableIn(report, 'fine').comparison, notes.comparison]).toEqual([
    'differ damaged / sound 2',
    'equal',
    'differs',
  ])
  expect(notes.why).toMatch(/not wholly read in A: \w/)
  expect(notes.differing?.onlyInB.total).toBeGreaterThan(2)
  expect([notes.differing?.onlyInA.total, notes.differing?.different.total]).toEqual([0, 0])
  const text = await holdfast(['compare', wounded, whole])
  expect(text.stdout).toMatch(/A {2}file .*: DAMAGED[^]*remedy[^]*next\n {4}holdfast [^]*only in B/)
})

test('the same page is gone on both sides: what is left is equal, and no more is known', async () => {
  using folder = makeFolder()
  const [, wounded] = makeWounded(folder)
  copyFileSync(wounded, folder.in('twin.db'))
  const twins = await comparisonOf([wounded, folder.in('twin.db')])
  expect([shortComparison(twins), tableIn(twins, 'notes').comparison, tableIn(twins, 'fine').comparison]).toEqual([
    'inconclusive damaged / damaged 2',
    'not-compared',
    'equal',
  ])
})

test('a side that is no database, missing, or in use is reported, and nothing is compared', async () => {
  using folder = makeFolder()
  const [a] = makePair(folder)
  writeFileSync(folder.in('empty.db'), '')
  writeFileSync(folder.in('text.db'), 'no database at all '.repeat(300))
  const used = makeDatabase(folder.in('used.db'))
  const holder = new Database(used)
  holder.pragma('user_version')
  try {
    const verdicts = []
    for (const other of ['empty.db', 'text.db', 'missing.db', 'used.db'])
      verdicts.push(shortComparison(await comparisonOf([a, folder.in(other)])))
    expect(verdicts).toEqual([
      'inconclusive sound / inconclusive EMPTY_FILE 3',
      'inconclusive sound / inconclusive NOT_SQLITE 3',
      'inconclusive sound / failed NOT_FOUND 1',
      'inconclusive sound / failed IN_USE 75',
    ])
    expect(shortComparison(await comparisonOf([folder.in('missing.db'), a]))).toBe(
      'inconclusive failed NOT_FOUND / none 1',
    )
    const text = await holdfast(['compare', a, used])
    expect([text.code, text.stdout]).toEqual([
      75,
      expect.stringMatching(/IN_USE[^]*holdfast holders [^]*Nothing was compared: B could not be read\. Exit code\s75/),
    ])
    // As a private copy it can be compared, although a program has it open.
    expect(shortComparison(await comparisonOf(['--snapshot', a, used]))).toBe('differ sound / sound 5')
  } finally {
    holder.close()
  }
})
