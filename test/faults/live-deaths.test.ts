/**
 * holdfast is killed or frozen while it takes pinned snapshots: its locks end with it, or with its guardian's patience,
 * and programs without a busy timeout meet no error (hold/pinned/README.md L13). `npm run soak -- live` tries fifty
 * moments.
 */
import { expect, it } from 'vitest'
import { temporaryFolder } from '../support/host/other-process.ts'
import { judgeBook, makeBook } from '../support/live/book.ts'
import { startCrowd } from '../support/live/crowd.ts'
import { endAtMoments } from '../support/live/deaths.ts'

it.each([
  ['killed', 'SIGKILL', 5_000],
  ['frozen', 'SIGSTOP', 1_000],
] as const)('%s under its pin: programs go on, and the next checkpoint goes through', async (_, signal, maxPinMs) => {
  using folder = temporaryFolder()
  const file = folder.file('book.db')
  makeBook(file, 'wal', 10_000_000)
  await using crowd = await startCrowd({
    file,
    folder: folder.file('crowd'),
    members: ['node', 'python', 'reader'],
    orderly: true,
  })
  const { whilePinned } = await endAtMoments({
    file,
    folder: folder.path,
    signal,
    times: 8,
    pinnedTimes: 1,
    random: Math.random,
    maxPinMs,
    untilMs: performance.now() + 30_000,
  })
  const { errors } = await crowd.end()
  expect(errors).toEqual({})
  expect(judgeBook(file).wrong).toBeNull()
  expect(whilePinned).toBeGreaterThan(0)
})
