import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { oneQuestionBytesMax } from '../../src/check/read-snapshot.ts'
import type { Reading } from '../../src/model/result/reading.ts'
import { fillEvents, fillSlow } from '../support/databases/create-database.ts'
import { eventually } from '../support/processes.ts'
import { useSnapshotFolder } from '../support/snapshot-folder.ts'

const isRoot = process.getuid?.() === 0
const signal = new AbortController().signal
const place = useSnapshotFolder()
const { open, check, make, expectBackInPlace } = place

/** A snapshot that keeps SQLite busy for a very long time: a slow CHECK on many rows. */
const makeHanging = (): void => make(fillSlow)

describe('what a hostile file can do', () => {
  test('a check that does not end is ended, and what was read before is kept', async () => {
    makeHanging()
    const reading = await check('full', { timeoutMs: 5000 })
    expect(reading).toMatchObject({
      complete: false,
      facts: [{ kind: 'child-ended', how: 'timeout', during: 'integrity' }],
    })
    expect(reading.coverage.pagesRead).toBe(reading.coverage.pages)
    expect(reading.objects).toHaveLength(1)
    expectBackInPlace()
  })

  test('a check that takes too much memory is ended', async () => {
    make((db) => {
      db.exec(
        'CREATE TABLE fat(a CHECK(length(hex(zeroblob(200000000 + a))) > 0)); INSERT INTO fat(a) SELECT 1 WHERE 0',
      )
      db.pragma('ignore_check_constraints=ON')
      db.exec(
        'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) INSERT INTO fat SELECT i FROM n',
      ) // A minute of work, with no text that SQLite refuses as too long: so the parent sees the memory in time.
    })
    const reading = await check('full', { memoryBytesMax: 250e6 })
    expect(reading).toMatchObject({
      complete: false,
      facts: [{ kind: 'child-ended', how: 'memory', during: 'integrity' }],
    })
    expectBackInPlace()
  })

  test('a child that is killed is a fact, and the next snapshot is read by another', async () => {
    makeHanging()
    await using checker = await open()
    let counted = false
    const reading = checker.check(place.snapshot, {
      depth: 'full',
      signal,
      onProgress: ({ pagesDone, pages }) => {
        counted = pages > 0 && pagesDone === pages
      },
    })
    // The first child was asked for all steps in one question, and dies without an answer. The second is asked step by
    // step, and hangs on SQLite's check.
    const first = await childAtWork()
    process.kill(first, 'SIGSEGV')
    await eventually('the pages are counted', () => counted)
    const pid = await childAtWork(first, 50 + Math.max(...readingChildren().map(ticksOf)))
    if (isRoot) {
      // Seen from outside: it has no rights left, and its root is the sandbox (hold/README.md, Security).
      const status = readFileSync(`/proc/${pid}/status`, 'utf8')
      expect(status).toMatch(/^Uid:\t65534\t65534\t65534\t65534$/m)
      expect(status).toMatch(/^CapEff:\t0+$/m)
      expect(status).toMatch(/^NoNewPrivs:\t1$/m)
      expect(readlinkSync(`/proc/${pid}/root`)).toContain(join(place.folder, `sandbox-${process.pid}-`))
    }
    process.kill(pid, 'SIGSEGV')
    expect(await reading).toMatchObject({
      complete: false,
      facts: [{ kind: 'child-ended', how: 'crashed', during: 'integrity', detail: 'signal SIGSEGV' }],
    })
    rmSync(place.snapshot)
    make(fillEvents(10))
    expect(await checker.check(place.snapshot, { depth: 'full', signal })).toMatchObject({ facts: [], complete: true })
  })

  test('a child that is killed from outside says nothing about the file, which is read once more', async () => {
    make(fillEvents(60_000))
    // Otherwise one question would answer all steps.
    expect(statSync(place.snapshot).size).toBeGreaterThan(oneQuestionBytesMax)
    const killed: number[] = []
    const killAt = (times: number) => (): void => {
      const [reader] = readingChildren()
      if (killed.length === times || reader === undefined) return
      killed.push(reader)
      process.kill(reader, 'SIGKILL')
    }
    const readWhile = async (onProgress: () => void): Promise<Reading> => {
      await using checker = await open()
      return await checker.check(place.snapshot, { depth: 'full', signal, onProgress })
    }
    expect(await readWhile(killAt(1))).toMatchObject({ facts: [], complete: true })
    expect(killed.splice(0)).toHaveLength(1)
    expect(await readWhile(killAt(2))).toMatchObject({
      complete: false,
      facts: expect.arrayContaining([expect.objectContaining({ kind: 'child-ended', how: 'killed' })]) as unknown,
    })
    expect(killed).toHaveLength(2)
    expectBackInPlace()
  })

  test('an abort ends the child immediately and puts the snapshot back', async () => {
    makeHanging()
    await using checker = await open()
    const aborting = new AbortController()
    const reading = checker.check(place.snapshot, { depth: 'full', signal: aborting.signal })
    const pid = await childAtWork()
    aborting.abort(new Error('enough'))
    await expect(reading).rejects.toThrow('enough')
    expect(existsSync(`/proc/${pid}`)).toBe(false)
    expect(lstatSync(place.snapshot).nlink).toBe(1)
    expect(statSync(place.snapshot).uid).toBe(process.getuid?.())
  })
})

/**
 * Waits for a reading child that has used half a second of the processor. A start takes less, so the child is at work
 * on the snapshot.
 * @param before a child to ignore
 * @param ticks hundredths of a second
 */
async function childAtWork(before = 0, ticks = 50): Promise<number> {
  const deadline = Date.now() + 20_000
  while (Date.now() < deadline) {
    for (const pid of readingChildren().filter((pid) => pid !== before)) if (ticksOf(pid) > ticks) return pid
    await new Promise((resolve) => {
      setTimeout(resolve, 20)
    })
  }
  throw new Error('no reading child came to work')
}

const ticksOf = (pid: number): number => Number(/^(?:\S+ ){11}(\d+) /.exec(statOf(pid))?.[1] ?? 0)

const statOf = (pid: number): string => {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return text.slice(text.lastIndexOf(')') + 2)
  } catch {
    return ''
  }
}

function readingChildren(): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => statOf(pid).split(' ')[1] === String(process.pid))
}

test('children end with the checker, and their sandboxes are deleted', async () => {
  make(fillEvents(10))
  {
    await using checker = await open()
    await checker.check(place.snapshot, { depth: 'full', signal })
    expect(readingChildren().length).toBeGreaterThan(0)
  }
  expect(readingChildren()).toEqual([])
  expectBackInPlace()
})
