import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { holdsNothing } from '../../../src/service/files/empty-file.ts'
import { makeFolder } from '../../support/cli/folder.ts'

test.each<[string, (main: string) => void, boolean]>([
  ['an empty file alone', () => undefined, true],
  ['beside an empty WAL', (main) => writeFileSync(`${main}-wal`, ''), true],
  ['beside a WAL with bytes', (main) => writeFileSync(`${main}-wal`, 'x'), false],
  ['beside a journal with bytes', (main) => writeFileSync(`${main}-journal`, 'x'), false],
  ['beside a WAL that cannot be asked', (main) => symlinkSync(`${main}-wal`, `${main}-wal`), false],
  ['beside a folder in the place of a journal', (main) => mkdirSync(`${main}-journal`), false],
])('%s: it holds nothing only if that is sure', async (_, add, nothing) => {
  const main = makeFolder().in('app.db')
  writeFileSync(main, '')
  add(main)
  expect(await holdsNothing(main)).toBe(nothing)
})
