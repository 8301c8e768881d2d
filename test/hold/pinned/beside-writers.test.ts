/**
 * Dozens of pinned snapshots beside programs that write, checkpoint, open and close a file, and are killed: each is a
 * state that was, none is older than what was acknowledged before, and no program notices (`npm run soak -- live` takes
 * a thousand).
 */
import { expect, it } from 'vitest'
import { judgeBook, makeBook } from '../../support/live/book.ts'
import { killAgainAndAgain, startCrowd, type CrowdOptions } from '../../support/live/crowd.ts'
import { errorsOfOurs, interleave, moreErrors, type InterleavedPhases } from '../../support/live/interleaved-phases.ts'
import { restartAgainAndAgain } from '../../support/live/restarts.ts'
import { takeSnapshots, type TakenSnapshots } from '../../support/live/snapshots.ts'
import { beforeEachBook, type BookScene } from '../../support/pinned/book-scene.ts'

/** A round ends after this time, if it has some snapshots by then. */
const roundMs = 10_000
let fixture: BookScene['fixture']
let folder: BookScene['folder']
let file: string
beforeEachBook(null, (scene) => ({ fixture, folder, file } = scene))

type WriterCase = Pick<CrowdOptions, 'members' | 'orderly' | 'timeoutMs' | 'pauseMs'> & {
  readonly snapshots: number
  /** In each round, however long it takes. */
  readonly atLeast: number
  readonly killEveryMs?: number
}

/** In two rounds. The program's own file is sound at the end, and has all that was acknowledged. */
async function takeBeside({
  snapshots,
  atLeast,
  killEveryMs,
  ...options
}: WriterCase): Promise<{ readonly taken: readonly TakenSnapshots[]; readonly phases: InterleavedPhases }> {
  await using crowd = await startCrowd({ ...options, file, folder: folder.file('crowd') })
  const killing = killEveryMs === undefined ? null : killAgainAndAgain(crowd, killEveryMs)
  const taken: TakenSnapshots[] = []
  const phases = await interleave(crowd, 2, 2_000, async () => {
    const untilMs = performance.now() + roundMs
    taken.push(await takeSnapshots({ fixture, file, crowd, count: snapshots / 2, untilMs, atLeast }))
  })
  await killing?.end()
  const acknowledged = crowd.acknowledged()
  await crowd.end()
  const { seq, wrong } = judgeBook(file)
  expect(wrong).toBeNull()
  expect(seq).toBeGreaterThanOrEqual(acknowledged)
  return { taken, phases }
}

const wrongOf = (taken: readonly TakenSnapshots[]): readonly string[] => taken.flatMap(({ wrong }) => wrong)
const countOf = (taken: readonly TakenSnapshots[]): number => taken.reduce((sum, one) => sum + one.taken, 0)

it('L1: programs without a busy timeout that never meet another one meet nothing beside us either', async () => {
  makeBook(file, 'wal', 1_000_000)
  const members = ['node', 'python', 'opener', 'checkpointer', 'reader'] as const
  const { taken, phases } = await takeBeside({ members, orderly: true, snapshots: 24, atLeast: 2 })
  expect(wrongOf(taken)).toEqual([])
  expect(errorsOfOurs(phases)).toEqual([])
  expect(countOf(taken), JSON.stringify(taken)).toBeGreaterThanOrEqual(4)
})

it('L1: a snapshot has what only the WAL has', async () => {
  makeBook(file, 'wal', 1_000_000)
  const members = ['node', 'python', 'reader'] as const
  const { taken, phases } = await takeBeside({ members, orderly: true, snapshots: 12, atLeast: 2 })
  expect(wrongOf(taken)).toEqual([])
  expect(errorsOfOurs(phases)).toEqual([])
  expect(countOf(taken), JSON.stringify(taken)).toBeGreaterThanOrEqual(4)
})

it('L1: all programs against all others, while writers are killed', async () => {
  makeBook(file, 'wal', 1_000_000)
  const members = ['node', 'python', 'opener', 'checkpointer', 'reader'] as const
  const { taken, phases } = await takeBeside({ members, orderly: false, snapshots: 16, atLeast: 1, killEveryMs: 600 })
  expect(wrongOf(taken)).toEqual([])
  expect(moreErrors(phases)).toEqual([])
  expect(countOf(taken), JSON.stringify(taken)).toBeGreaterThanOrEqual(2)
})

it('L14: a program that opens and closes the file for each transaction notices nothing', async () => {
  makeBook(file, 'wal')
  const { taken, phases } = await takeBeside({
    members: ['opener'],
    orderly: true,
    snapshots: 6,
    atLeast: 0,
    pauseMs: 20,
  })
  expect(wrongOf(taken)).toEqual([])
  expect(errorsOfOurs(phases)).toEqual([])
})

it.each(['delete', 'truncate', 'persist', 'memory'] as const)(
  'L11: writers with a rollback journal (%s) that wait for a lock, as most do, meet no error',
  async (mode) => {
    makeBook(file, mode)
    const { taken, phases } = await takeBeside({
      members: ['node', 'python'],
      orderly: false,
      timeoutMs: 10_000,
      snapshots: 6,
      atLeast: 1,
    })
    expect(wrongOf(taken)).toEqual([])
    expect(errorsOfOurs(phases)).toEqual([])
    expect(countOf(taken), JSON.stringify(taken)).toBeGreaterThanOrEqual(2)
  },
)

it('a program that is started, closed and killed again and again under pins meets no error', async () => {
  makeBook(file, 'wal', 1_000_000)
  const restarts = restartAgainAndAgain(file, folder.path, 12)
  const wrong: string[] = []
  let taken = 0
  while (!restarts.isDone) {
    const once = await takeSnapshots({ fixture, file, crowd: restarts, count: 1, untilMs: Infinity })
    wrong.push(...once.wrong)
    taken += once.taken
  }
  await restarts.done
  expect(restarts.errors).toEqual([])
  expect(wrong).toEqual([])
  expect(taken).toBeGreaterThan(0)
  const { wrong: atEnd, seq } = judgeBook(file)
  expect(atEnd).toBeNull()
  expect(seq).toBeGreaterThanOrEqual(restarts.acknowledged())
})
