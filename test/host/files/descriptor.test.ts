import { execFileSync } from 'node:child_process'
import {
  fstatSync,
  mkdirSync,
  openSync,
  closeSync,
  readFileSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { expect, test } from 'vitest'
import { monotonicMs, sleep } from '../../../src/host/clock.ts'
import { openDescriptor, pathOf } from '../../../src/host/files/descriptor.ts'
import { syncFolder } from '../../../src/host/files/durable.ts'
import { temporaryFolder } from '../../support/host/other-process.ts'

test('a file is opened for what was asked, and is closed in every program that we start', async () => {
  using folder = temporaryFolder()
  writeFileSync(folder.file('a'), 'bytes')
  using writable = openDescriptor(folder.file('a'), 'read-write')
  using readable = openDescriptor(folder.file('a'), 'read-only')
  const flags = (descriptor: number): number =>
    Number.parseInt(/flags:\s*(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8'))?.[1] ?? '', 8)
  const closeOnExec = 0o2000000
  expect(flags(writable.number) & (3 | closeOnExec)).toBe(2 | closeOnExec)
  expect(flags(readable.number) & (3 | closeOnExec)).toBe(0 | closeOnExec)
})

test('closing twice closes once: another file that got the number stays open', async () => {
  using folder = temporaryFolder()
  writeFileSync(folder.file('a'), '')
  const descriptor = openDescriptor(folder.file('a'), 'read-write')
  descriptor.close()
  descriptor.close()
  const reused = openSync(folder.file('a'), 'r')
  expect(reused).toBe(descriptor.number)
  descriptor.close()
  descriptor[Symbol.dispose]()
  expect(fstatSync(reused).isFile()).toBe(true)
  closeSync(reused)
})

test('links, pipes, devices and folders are refused without opening them, and nothing waits', async () => {
  using folder = temporaryFolder()
  writeFileSync(folder.file('a'), '')
  symlinkSync(folder.file('a'), folder.file('link'))
  mkdirSync(folder.file('folder'))
  execFileSync('mkfifo', [folder.file('pipe')])
  expect(() => openDescriptor(folder.file('link'), 'read-write')).toThrow(expect.objectContaining({ code: 'ELOOP' }))
  expect(() => openDescriptor(folder.file('missing'), 'read-write')).toThrow(
    expect.objectContaining({ code: 'ENOENT' }),
  )
  for (const path of [folder.file('folder'), folder.file('pipe'), '/dev/null']) {
    expect(() => openDescriptor(path, 'read-only')).toThrow(
      expect.objectContaining({ name: 'Failure', code: 'NOT_A_FILE' }),
    )
  }
})

test('the path of a descriptor follows its file, not its name', async () => {
  using folder = temporaryFolder()
  const odd = folder.file('a\n"b" ü')
  writeFileSync(odd, '')
  using descriptor = openDescriptor(odd, 'read-only')
  expect(pathOf(descriptor.number)).toBe(odd)
  renameSync(odd, folder.file('moved'))
  expect(pathOf(descriptor.number)).toBe(folder.file('moved'))
  unlinkSync(folder.file('moved'))
  expect(pathOf(descriptor.number)).toBe(`${folder.file('moved')} (deleted)`)
})

test('folders are made durable; what cannot be is told', async () => {
  using folder = temporaryFolder()
  writeFileSync(folder.file('a'), 'bytes')
  await syncFolder(folder.path)
  await expect(syncFolder(folder.file('a'))).rejects.toMatchObject({ code: 'ENOTDIR' })
})

test('sleeping takes its time, and ends immediately with the reason of an abort', async () => {
  const began = monotonicMs()
  await sleep(30)
  expect(monotonicMs() - began).toBeGreaterThanOrEqual(29)
  const reason = new Error('enough')
  await expect(sleep(60_000, AbortSignal.abort(reason))).rejects.toBe(reason)
  const controller = new AbortController()
  const sleeping = sleep(60_000, controller.signal)
  controller.abort(reason)
  await expect(sleeping).rejects.toBe(reason)
  expect(monotonicMs() - began).toBeLessThan(5000)
})
