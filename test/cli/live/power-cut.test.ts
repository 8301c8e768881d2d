/**
 * A power cut leaves a wal-index that is older than its WAL. A lock that makes it look alive loses commits: the next
 * program trusts it (hold/pinned/README.md L5).
 */
import { closeSync, mkdtempSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { temporaryFolder } from '../../support/host/other-process.ts'
import { askAnother } from '../../support/live/ask.ts'
import { judgeBook, makeBook } from '../../support/live/book.ts'
import { checkLive } from '../../support/live/check-live.ts'
import { startCrowd } from '../../support/live/crowd.ts'
import { eventually } from '../../support/processes.ts'

/** A writer has committed, and the power was cut: its WAL is on the disk, with an older wal-index. */
async function cutPower(file: string, folder: string): Promise<number> {
  await using crowd = await startCrowd({ file, folder, members: ['node'], orderly: true })
  await eventually('some transactions', () => crowd.acknowledged() > 5)
  const old = readFileSync(`${file}-shm`)
  const then = crowd.acknowledged()
  await eventually('more transactions', () => crowd.acknowledged() > then + 20)
  await crowd.kill('node')
  const shm = openSync(`${file}-shm`, 'r+')
  writeSync(shm, old, 0, old.length, 0)
  closeSync(shm)
  return crowd.acknowledged()
}

it('after a power cut no commit is lost, and the snapshot has all of them', async () => {
  using folder = temporaryFolder()
  const file = folder.file('book.db')
  makeBook(file, 'wal')
  const committed = await cutPower(file, folder.file('crowd'))
  const before = ['', '-wal', '-shm'].map((part) => readFileSync(file + part))
  const { said, copy } = await checkLive(file, folder.file('kept'))
  expect(said).toBe('sound')
  const { wrong, seq } = judgeBook(copy ?? '')
  expect(wrong).toBeNull()
  expect(seq).toBeGreaterThanOrEqual(committed)
  expect(['', '-wal', '-shm'].map((part) => readFileSync(file + part))).toEqual(before)
  expect(askAnother(file, 'select max(seq) from hist')).toEqual([[seq]])
})

it('a program that starts at any moment of such a check sees every commit', async () => {
  using folder = temporaryFolder()
  const file = folder.file('book.db')
  for (let time = 0; time < 4; time++) {
    makeBook(file, 'wal')
    const committed = await cutPower(file, folder.file(`crowd-${time}`))
    const checking = checkLive(file, mkdtempSync(folder.file('kept-')))
    await sleep(200 + Math.random() * 800)
    const [seen] = askAnother(file, 'select max(seq) from hist')
    expect(Number(seen?.[0])).toBeGreaterThanOrEqual(committed)
    const { said, copy } = await checking
    expect(said).toMatch(/^(sound|inconclusive)/)
    if (copy !== null) expect(judgeBook(copy)).toMatchObject({ wrong: null, seq: expect.any(Number) as number })
    expect(judgeBook(file).wrong).toBeNull()
    writeFileSync(`${file}-shm`, '')
  }
})
