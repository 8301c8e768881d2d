/**
 * A program that dies between its two writes to the wal-index leaves it torn. Another one can mend it only when nobody
 * keeps the checkpoint lock, or gets SQLITE_PROTOCOL after ten seconds (hold/pinned/README.md L6).
 */
import { closeSync, mkdtempSync, openSync, readSync, writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { temporaryFolder } from '../../support/host/other-process.ts'
import { askAnother } from '../../support/live/ask.ts'
import { judgeBook, makeBook } from '../../support/live/book.ts'
import { checkLive } from '../../support/live/check-live.ts'
import { startCrowd } from '../../support/live/crowd.ts'
import { isLocked } from '../../support/live/deaths.ts'
import { eventually } from '../../support/processes.ts'

/** Changes the second copy of its header, as if the writer had not come to it. */
function tearIndex(file: string): void {
  const shm = openSync(`${file}-shm`, 'r+')
  const byte = Buffer.alloc(1)
  readSync(shm, byte, 0, 1, 64)
  byte[0] = (byte[0] ?? 0) ^ 1
  writeSync(shm, byte, 0, 1, 64)
  closeSync(shm)
}

it('a wal-index is torn under the pin: no program is refused or waits for long, nothing wrong is sound', async () => {
  using folder = temporaryFolder()
  const file = folder.file('book.db')
  makeBook(file, 'wal', 20_000_000)
  await using crowd = await startCrowd({ file, folder: folder.file('crowd'), members: ['reader'], orderly: true })
  let tornUnderPin = 0
  for (let time = 0; time < 40 && tornUnderPin < 3; time++) {
    let isOver = false
    const checking = checkLive(file, mkdtempSync(folder.file('kept-'))).finally(() => (isOver = true))
    // A busy machine may not look while the pin stands.
    await eventually('the file is pinned, or was', () => isLocked(file) || isOver)
    await sleep(Math.random() * 10)
    tearIndex(file)
    if (isLocked(file)) tornUnderPin++
    const sinceMs = performance.now()
    expect(askAnother(file, 'select count(*) from acct')).toEqual([[1000]])
    expect(performance.now() - sinceMs).toBeLessThan(5_000)
    const { said, copy } = await checking
    expect(said).toMatch(/^(sound|inconclusive)/)
    if (copy !== null) expect(judgeBook(copy).wrong).toBeNull()
  }
  expect(tornUnderPin).toBe(3)
  expect((await crowd.end()).errors).toEqual({})
})

it('a wal-index was torn before: the file is not pinned for long, and the next program mends it', async () => {
  using folder = temporaryFolder()
  const file = folder.file('book.db')
  makeBook(file, 'wal')
  await using crowd = await startCrowd({ file, folder: folder.file('crowd'), members: ['node'], orderly: true })
  await eventually('some transactions', () => crowd.acknowledged() > 5)
  crowd.freeze('node')
  tearIndex(file)
  const { said } = await checkLive(file, folder.file('kept'))
  expect(said).toMatch(/^(inconclusive|failed)/)
  expect(askAnother(file, 'select count(*) from acct')).toEqual([[1000]])
  crowd.thaw('node')
  const then = crowd.acknowledged()
  await eventually('the writer goes on', () => crowd.acknowledged() > then)
  expect((await crowd.end()).errors).toEqual({})
  expect(judgeBook(file).wrong).toBeNull()
})
