/** An original that is kept anew: at each moment the old copies or the new ones have the names. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { draftEnd, KeptNames } from '../../../../src/hold/change/original/kept-names.ts'
import { makeFolder, type Folder } from '../../../support/cli/folder.ts'

const contentsOf = (folder: Folder): Readonly<Record<string, string>> =>
  Object.fromEntries(
    readdirSync(folder.in('.'))
      .toSorted()
      .map((name) => [name, readFileSync(join(folder.in('.'), name), 'utf8')]),
  )

function keep(folder: Folder, names: KeptNames, files: Readonly<Record<string, string>>, end = ''): void {
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(folder.in(name + end), text)
    names.add(folder.in(name + end))
  }
}

test('the earlier original stays whole until all drafts are there, then the drafts have its names', () => {
  using folder = makeFolder()
  const [names, drafts] = [new KeptNames(), new KeptNames()]
  const [first, second] = [
    { 'app.db': 'one', 'app.db-wal': 'one', 'app.db.settled': 'one' },
    { 'app.db': 'two', 'app.db-journal': 'two' },
  ]
  keep(folder, names, first)
  keep(folder, drafts, second, draftEnd)
  expect(contentsOf(folder)).toMatchObject(first)
  names.replaceBy(drafts)
  drafts[Symbol.dispose]()
  expect(contentsOf(folder)).toEqual(second)
  names[Symbol.dispose]()
  expect(contentsOf(folder)).toEqual({})
})

test('drafts that do not come to their end leave the earlier original', () => {
  using folder = makeFolder()
  const [names, drafts] = [new KeptNames(), new KeptNames()]
  keep(folder, names, { 'app.db': 'one' })
  keep(folder, drafts, { 'app.db': 'half' }, draftEnd)
  drafts[Symbol.dispose]()
  expect(contentsOf(folder)).toEqual({ 'app.db': 'one' })
})
