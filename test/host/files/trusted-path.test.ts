/** Who could change what a path leads to. The tests that need a second user are skipped unless root. */
import { chmodSync, chownSync, lchownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { findUntrusted, type PathUse } from '../../../src/host/files/trusted-path.ts'

const asRoot = process.getuid?.() === 0
const otherUser = 65_533

let top = ''
beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'trusted-path-'))
})
afterEach(() => rmSync(top, { recursive: true }))

const folder = (name: string, mode = 0o755, owner: number | null = null): string => {
  const path = join(top, name)
  mkdirSync(path)
  chmodSync(path, mode)
  if (owner !== null) chownSync(path, owner, owner)
  return path
}
const file = (name: string, mode = 0o600): string => {
  const path = join(top, name)
  writeFileSync(path, '')
  chmodSync(path, mode)
  return path
}
/** What is found, as `path: why`, with the folder of the test left out. */
const found = (path: string, use: PathUse): string | null => {
  const untrusted = findUntrusted(path, use)
  return untrusted && `${untrusted.path.replace(`${top}/`, '')}: ${untrusted.why.replace(/ \(.*/, '')}`
}

test('a file of ours in folders of ours is trusted; one that group or everybody may write is not', () => {
  folder('a')
  expect(found(file('a/file'), 'file')).toBeNull()
  expect(found(file('a/group', 0o620), 'file')).toBe('a/group: its group')
  expect(found(file('a/all', 0o602), 'file')).toBe('a/all: everybody may write it')
  const all = findUntrusted(join(top, 'a/all'), 'file')
  expect(all).toMatchObject({ why: 'everybody may write it (mode 0602)', remedy: `chmod go-w ${top}/a/all` })
})

test('every folder on the way counts; a sticky one may lead to it, and may be shared, but is no folder of ours', () => {
  folder('group', 0o770)
  folder('group/sub')
  folder('sticky', 0o1777)
  folder('sticky/sub')
  expect(found(file('group/sub/file'), 'file')).toBe('group: its group')
  expect(found(file('sticky/sub/file'), 'file')).toBeNull()
  expect(found(join(top, 'sticky'), 'shared-folder')).toBeNull()
  expect(found(join(top, 'sticky'), 'folder')).toBe('sticky: everybody may write it')
  expect(found(join(top, 'sticky/sub'), 'folder')).toBeNull()
  expect(found(join(top, 'group'), 'shared-folder')).toBe('group: its group')
  expect(findUntrusted(join(top, 'group'), 'shared-folder')?.remedy).toBe(`chmod +t ${top}/group`)
  // Root is not told to change a folder that others may work in.
  expect(findUntrusted(join(top, 'group/sub/file'), 'file')?.remedy).toBe(asRoot ? null : `chmod g-w ${top}/group`)
})

test('a link is followed as the kernel does, and judged where it leads and where it lies', () => {
  folder('safe')
  folder('open', 0o777)
  symlinkSync('../safe', join(top, 'open/link'))
  symlinkSync(join(top, 'open/link/file'), join(top, 'safe/link'))
  symlinkSync('file', join(top, 'safe/plain'))
  symlinkSync('loop', join(top, 'safe/loop'))
  file('safe/file')
  expect(found(join(top, 'safe/plain'), 'file')).toBeNull()
  expect(found(join(top, 'safe/link'), 'file')).toBe('open: everybody may write it')
  expect(found(join(top, 'open/link/file'), 'file')).toBe('open: everybody may write it')
  expect(found(join(top, 'safe/loop'), 'file')).toBeNull() // Opening it says so.
})

test('a name that is not UTF-8 is judged as any other', () => {
  const path = Buffer.concat([Buffer.from(`${top}/odd-`), Buffer.from([0xe9])])
  mkdirSync(path)
  chmodSync(path, 0o777)
  expect(findUntrusted(join(top, 'odd-\udce9', 'below'), 'folder')?.why).toMatch(/^everybody may write it/)
})

test('what is not there is not judged, but what leads to it is', () => {
  folder('group', 0o770)
  expect(found(join(top, 'none/at/all'), 'folder')).toBeNull()
  expect(found(join(top, 'group/none'), 'folder')).toBe('group: its group')
})

describe.skipIf(!asRoot)('beside another user (skipped unless root)', () => {
  test('their file, their folder anywhere on the way, and their link in a sticky folder', () => {
    folder('theirs', 0o755, otherUser)
    folder('theirs/ours')
    folder('sticky', 0o1777)
    chownSync(file('strange'), otherUser, otherUser)
    file('theirs/ours/file')
    file('target')
    symlinkSync(join(top, 'target'), join(top, 'sticky/link'))
    expect(found(join(top, 'sticky/link'), 'file')).toBeNull()
    lchownSync(join(top, 'sticky/link'), otherUser, otherUser)
    expect(found(join(top, 'strange'), 'file')).toBe('strange: it belongs to another user')
    expect(found(join(top, 'theirs/ours/file'), 'file')).toBe('theirs: it belongs to another user')
    expect(found(join(top, 'theirs'), 'shared-folder')).toBe('theirs: it belongs to another user')
    expect(found(join(top, 'sticky/link'), 'file')).toBe('sticky/link: it belongs to another user')
    const why = `it belongs to another user (uid ${otherUser}, mode 0600)`
    expect(findUntrusted(join(top, 'strange'), 'file')).toMatchObject({ why, remedy: `chown root ${top}/strange` })
  })

  test('a sticky folder of theirs: its owner may rename everything in it', () => {
    folder('sticky', 0o1777, otherUser)
    expect(found(file('sticky/file'), 'file')).toBe('sticky: it belongs to another user')
  })
})
