/** Files of programs that were closed or removed between the list and the look at them. */
import { closeSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { isStillOpen } from '../../../src/host/programs/open-files.ts'
import { temporaryFolder } from '../../support/host/other-process.ts'

test('a file that was closed, removed or replaced by another one is no longer open', () => {
  using folder = temporaryFolder()
  const path = folder.file('app.db-journal')
  writeFileSync(path, '')
  const number = openSync(path, 'r')
  const file = { pid: process.pid, path, link: `/proc/self/fd/${number}`, mayWrite: true }
  expect(isStillOpen(file)).toBe(true)
  expect(isStillOpen({ ...file, path: folder.file('other.db') })).toBe(false)
  rmSync(path)
  expect(isStillOpen(file)).toBe(false)
  closeSync(number)
  expect(isStillOpen(file)).toBe(false)
})
