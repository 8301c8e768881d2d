/** What the patterns of `service.files` find, what they leave out and report, and their limits. */
import { execFileSync } from 'node:child_process'
import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { expect, test } from 'vitest'
import {
  findFiles,
  type FileSearch,
  type MatchedFiles,
  type SearchLimits,
} from '../../../src/service/files/find-files.ts'
import { pathPattern } from '../../../src/text/path-pattern.ts'
import { temporaryFolder } from '../../support/host/other-process.ts'

const generous: SearchLimits = { files: 1_000, entries: 10_000, depth: 64, ms: 60_000 }
const never = new AbortController().signal

interface Scene extends Disposable {
  readonly path: string
  readonly write: (...names: readonly string[]) => void
  readonly find: (patterns: readonly string[], more?: Partial<FileSearch & SearchLimits>) => Promise<MatchedFiles>
  /** Paths below the folder. */
  readonly names: (patterns: readonly string[], more?: Partial<FileSearch>) => Promise<readonly string[]>
}

function openScene(): Scene {
  const folder = temporaryFolder()
  const patternOf = (text: string): FileSearch['patterns'][number] => {
    const pattern = pathPattern(`${folder.path}/${text}`)
    if ('refused' in pattern) throw new Error(pattern.refused)
    return pattern
  }
  const find: Scene['find'] = (patterns, { roots = [folder.path], own = [], ...limits } = {}) =>
    findFiles({ patterns: patterns.map(patternOf), roots, own }, never, { ...generous, ...limits })
  return {
    path: folder.path,
    write: (...names) => {
      for (const name of names) {
        mkdirSync(dirname(folder.file(name)), { recursive: true })
        writeFileSync(folder.file(name), 'x')
      }
    },
    find,
    names: async (patterns, more) =>
      (await find(patterns, more)).files.map((path) => path.slice(folder.path.length + 1)),
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  }
}

test('each file that a pattern matches is found once, whatever other patterns match it', async () => {
  using scene = openScene()
  scene.write('app/a.db', 'app/b/c.db', 'app/b/.hidden/d.db', 'app/note.txt', 'app/.e.db', 'other/f.db')
  expect(await scene.names(['app/*.db'])).toEqual(['app/.e.db', 'app/a.db'])
  expect(await scene.names(['app/**/*.db'])).toEqual(['app/.e.db', 'app/a.db', 'app/b/.hidden/d.db', 'app/b/c.db'])
  expect(await scene.names(['app/*/*.db', 'app/**/c.db', 'app/b/c.db'])).toEqual(['app/b/c.db'])
  expect(await scene.names(['*/f.db'])).toEqual(['other/f.db'])
  expect(await scene.names(['app/**/**/d.db', 'app/**/b/**/d.db'])).toEqual(['app/b/.hidden/d.db'])
  expect(await scene.names(['app/b/**'])).toEqual(['app/b/.hidden/d.db', 'app/b/c.db'])
})

test('companions, kept originals, leftovers and folders of holdfast are no tenants', async () => {
  using scene = openScene()
  const original = 'a.db.original-01ARZ3NDEKTSV4RRFFQ69G5FAV'
  scene.write('a.db', 'a.db-wal', 'a.db-shm', 'b.db-journal', 'a.db-mj01A2B3C4D', original, `${original}-wal`)
  scene.write('.holdfast-1-x', '.holdfast-folder/x.db', 'state/ledger.db', 'original-wal/c.db', '-wal')
  const own = [`${scene.path}/state`]
  expect(await scene.names(['**'], { own })).toEqual(['-wal', 'a.db', 'original-wal/c.db'])
  expect(await scene.names(['**'])).toContain('state/ledger.db')
})

test('what is no regular file is none: a folder, a pipe', async () => {
  using scene = openScene()
  scene.write('folder.db/inner.txt', 'a.db')
  execFileSync('mkfifo', [`${scene.path}/pipe.db`])
  expect(await scene.names(['*.db'])).toEqual(['a.db'])
})

test('links to folders are not followed, and one that leads away is named', async () => {
  using scene = openScene()
  scene.write('app/a.db', 'elsewhere/b.db')
  symlinkSync(`${scene.path}/app`, `${scene.path}/app/loop`)
  symlinkSync(`${scene.path}/elsewhere`, `${scene.path}/app/away`)
  const found = await scene.find(['app/**/*.db'], { roots: [`${scene.path}/app`] })
  expect([found.files, found.links]).toEqual([[`${scene.path}/app/a.db`], [`${scene.path}/app/away`]])
  // A link that no pattern enters is of no interest.
  expect((await scene.find(['app/*.db'])).links).toEqual([])
})

test('a link to a file is followed within the roots, and is no second tenant', async () => {
  using scene = openScene()
  scene.write('app/a.db', 'app/data/real', 'elsewhere/b.db')
  symlinkSync('a.db', `${scene.path}/app/again.db`)
  symlinkSync('data/real', `${scene.path}/app/current.db`)
  symlinkSync('data/real', `${scene.path}/app/current2.db`)
  symlinkSync('../elsewhere/b.db', `${scene.path}/app/out.db`)
  symlinkSync('nothing', `${scene.path}/app/broken.db`)
  const { files, links } = await scene.find(['app/*.db'], { roots: [`${scene.path}/app`] })
  expect(files).toEqual([`${scene.path}/app/a.db`, `${scene.path}/app/current.db`])
  expect(links).toEqual([`${scene.path}/app/broken.db`, `${scene.path}/app/out.db`])
})

test('the fixed part itself may be a link', async () => {
  using scene = openScene()
  scene.write('real/a.db')
  symlinkSync('real', `${scene.path}/app`)
  expect(await scene.names(['app/*.db'])).toEqual(['app/a.db'])
})

test('a folder that two patterns name, one of them by a link, holds no file twice', async () => {
  using scene = openScene()
  scene.write('x/a.db', 'x/b/c.db')
  symlinkSync('x', `${scene.path}/s`)
  symlinkSync('x', `${scene.path}/t`)
  expect(await scene.names(['s/*.db', 'x/**/*.db'])).toEqual(['x/a.db', 'x/b/c.db'])
  expect(await scene.names(['x/*.db', 's/**/*.db'])).toEqual(['s/b/c.db', 'x/a.db'])
  expect(await scene.names(['t/*.db', 's/*.db'])).toEqual(['s/a.db'])
})

test('hard links are two files here: the hold refuses both', async () => {
  using scene = openScene()
  scene.write('a.db')
  linkSync(`${scene.path}/a.db`, `${scene.path}/b.db`)
  expect(await scene.names(['*.db'])).toEqual(['a.db', 'b.db'])
})

test('names of any bytes are found', async () => {
  using scene = openScene()
  execFileSync('sh', ['-c', String.raw`touch "$0/$(printf 'caf\351.db')" "$0/$(printf 'a\nb.db')"`, scene.path])
  expect(await scene.names(['*.db'])).toEqual(['a\nb.db', 'caf\udce9.db'])
})

test('a folder that is not there is reported; one that no pattern enters is not searched', async () => {
  using scene = openScene()
  scene.write('app/a.db', 'app/deep/b.db')
  const { files, unsearched } = await scene.find(['app/*.db', 'gone/*.db'])
  expect(files).toEqual([`${scene.path}/app/a.db`])
  expect(unsearched.map(({ path, failure }) => [path, failure.code])).toEqual([[`${scene.path}/gone`, 'NOT_FOUND']])
})

test('each limit ends the search, or leaves out what lies beyond it', async () => {
  using scene = openScene()
  scene.write('a/b/c/d.db', 'a/x.db', 'a/y.db')
  await expect(scene.find(['a/*.db'], { files: 1 })).rejects.toThrow('service.files: it finds more than 1 files')
  await expect(scene.find(['a/*.db'], { entries: 2 })).rejects.toThrow('there are more than 2 names')
  const { files, unsearched } = await scene.find(['a/**/*.db'], { depth: 1 })
  expect(files).toEqual([`${scene.path}/a/x.db`, `${scene.path}/a/y.db`])
  expect(unsearched.map(({ failure: { message } }) => message)).toEqual([
    `${scene.path}/a/b/c was not searched: it lies more than 1 folders below ${scene.path}/a`,
  ])
  expect((await scene.find(['a/**/*.db'], { depth: 2 })).unsearched).toEqual([])
})

test('the time is limited, and a search can be interrupted', async () => {
  using scene = openScene()
  for (let at = 0; at < 150; at++) scene.write(`a/${at}/b/x.db`)
  await expect(scene.find(['a/**/*.db'], { ms: 0 })).rejects.toMatchObject({ code: 'REGISTRY_STALE' })
  const controller = new AbortController()
  controller.abort(new Error('by the person'))
  const search = { patterns: [], roots: [], own: [scene.path] }
  await expect(findFiles(search, controller.signal)).rejects.toThrow('by the person')
})
