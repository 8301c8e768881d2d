import { existsSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { makeFolders, removeFolders, tryFolder } from '../../../src/host/folders/folder.ts'
import { temporaryFolder } from '../../support/host/other-process.ts'

test('the missing ones are made and named, the topmost first; what is there is fine', async () => {
  using folder = temporaryFolder()
  expect(await makeFolders(folder.file('a/b/c'), 0o700)).toEqual([
    folder.file('a'),
    folder.file('a/b'),
    folder.file('a/b/c'),
  ])
  expect(['a', 'a/b', 'a/b/c'].map((name) => statSync(folder.file(name)).mode & 0o777)).toEqual([0o700, 0o700, 0o700])
  expect(await makeFolders(folder.file('a/b/c'), 0o700)).toEqual([])
  expect(await makeFolders('/', 0o700)).toEqual([])
  expect(await makeFolders(`${folder.file('a')}//./x/../y/`, 0o700).then((made) => made.length)).toBeGreaterThan(0)
})

test('several calls in parallel make one folder', async () => {
  using folder = temporaryFolder()
  const made = await Promise.all(Array.from({ length: 8 }, () => makeFolders(folder.file('a/b'), 0o700)))
  expect(made.flat().sort()).toEqual([folder.file('a'), folder.file('a/b')])
})

test('where the kernel has no file below a folder, it is asked once', async () => {
  for (const place of ['/proc/holdfast', '/proc/holdfast/below', ''])
    await expect(makeFolders(place, 0o700)).rejects.toMatchObject({ code: 'ENOENT' })
})

test('a file, a file above and a link that leads nowhere are no folders', async () => {
  using folder = temporaryFolder()
  writeFileSync(folder.file('file'), '')
  symlinkSync('nowhere', folder.file('link'))
  await expect(makeFolders(folder.file('file'), 0o700)).rejects.toMatchObject({ code: 'EEXIST' })
  await expect(makeFolders(folder.file('file/below'), 0o700)).rejects.toMatchObject({ code: 'ENOTDIR' })
  await expect(makeFolders(folder.file('link'), 0o700)).rejects.toMatchObject({ code: 'EEXIST' })
  await expect(makeFolders(folder.file('link/below'), 0o700)).rejects.toMatchObject({ code: 'EEXIST' })
})

test('a trial leaves nothing that was not there', async () => {
  using folder = temporaryFolder()
  mkdirSync(folder.file('there'))
  await tryFolder(folder.file('there/a/b'), 0o700)
  expect([existsSync(folder.file('there')), existsSync(folder.file('there/a'))]).toEqual([true, false])
  const made = await makeFolders(folder.file('c/d'), 0o700)
  writeFileSync(folder.file('c/somebody'), '')
  await removeFolders(made)
  expect([existsSync(folder.file('c/somebody')), existsSync(folder.file('c/d'))]).toEqual([true, false])
})
