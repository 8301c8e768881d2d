/**
 * Takes many pinned snapshots beside programs that write, checkpoint, open and close one database, and are killed. Each
 * snapshot is judged by its content. Then holdfast itself is killed and frozen, and a program is restarted under pins.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { HoldFixture } from '../support/hold/hold-fixture.ts'
import { openHoldFixture } from '../support/hold/hold-fixture.ts'
import { judgeBook, makeBook, type JournalMode } from '../support/live/book.ts'
import { killAgainAndAgain, startCrowd, whyNoPython, type ErrorCounts, type MemberKind } from '../support/live/crowd.ts'
import { endAtMoments } from '../support/live/deaths.ts'
import {
  errorsOfOurs,
  interleave,
  moreErrors,
  type InterleavedPhases,
  type Phase,
} from '../support/live/interleaved-phases.ts'
import { restartAgainAndAgain } from '../support/live/restarts.ts'
import { takeSnapshots, type TakenSnapshots } from '../support/live/snapshots.ts'
import { randomFrom } from '../support/random.ts'

interface Scene {
  readonly name: string
  readonly mode: JournalMode
  readonly members: readonly MemberKind[]
  readonly orderly: boolean
  readonly timeoutMs: number
  readonly pauseMs?: number
  /** Kills a writer so often, beside us and without us; null: never. */
  readonly killEveryMs: number | null
  /** Its part of all snapshots. */
  readonly share: number
}

const everyKind = ['node', 'python', 'opener', 'checkpointer', 'reader'] as const
const rollback = (mode: JournalMode): Scene => ({
  name: `rollback journal (${mode}), writers wait up to 5 s`,
  mode,
  members: ['node', 'python'],
  orderly: false,
  timeoutMs: 5_000,
  killEveryMs: 800,
  share: 0.05,
})
const scenes: readonly Scene[] = [
  {
    name: 'WAL, without a busy timeout, no program meets another',
    mode: 'wal',
    members: everyKind,
    orderly: true,
    timeoutMs: 0,
    killEveryMs: null,
    share: 0.45,
  },
  {
    name: 'WAL, without a busy timeout, all against all, writers are killed',
    mode: 'wal',
    members: everyKind,
    orderly: false,
    timeoutMs: 0,
    killEveryMs: 800,
    share: 0.3,
  },
  {
    name: 'WAL, without a busy timeout, opened and closed for each transaction',
    mode: 'wal',
    members: ['opener'],
    orderly: true,
    timeoutMs: 0,
    pauseMs: 10,
    killEveryMs: null,
    share: 0.05,
  },
  ...(['delete', 'truncate', 'persist', 'memory'] as const).map(rollback),
]

const rounds = 4
const moments = 50
const fillerBytes = 2_000_000

export interface LiveSoak {
  readonly total: number
  /** Begins nothing new after this time. */
  readonly minutes: number
  readonly seed: number
  readonly say: (line: string) => void
}

/** @returns 0: all was done, nothing was wrong; 1: something was wrong; 3: nothing was wrong in what time allowed */
export async function soakLive({ total, minutes, seed, say }: LiveSoak): Promise<0 | 1 | 3> {
  const home = mkdtempSync(join(tmpdir(), 'soak-live-'))
  const sinceMs = performance.now()
  /** The parts come one after the other, and none may use the time of those after it. */
  const untilMs = (share: number): number => sinceMs + share * minutes * 60_000
  const result = { asked: 0, taken: 0, wrong: [] as string[], complete: true }
  if (whyNoPython !== null) say(`without a writer of another SQLite: ${whyNoPython}`)
  try {
    await using fixture = await openHoldFixture()
    let shares = 0
    for (const scene of scenes) {
      const count = Math.round(total * scene.share)
      shares += scene.share
      const taken = await soakScene(scene, { fixture, home, count, untilMs: untilMs(0.7 * shares), say })
      result.asked += count
      result.taken += taken.taken
      result.wrong.push(...taken.wrong.map((line) => `${scene.name}: ${line}`))
    }
    const { wrong } = result
    const parts = [
      await soakDeaths('SIGKILL', { home, untilMs: untilMs(0.83), seed, say, wrong }),
      await soakDeaths('SIGSTOP', { home, untilMs: untilMs(0.97), seed, say, wrong }),
      await soakRestarts({ fixture, home, untilMs: untilMs(1), say, wrong }),
    ]
    result.complete = parts.every(Boolean)
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
  const { asked, taken, wrong, complete } = result
  for (const line of wrong) say(`WRONG: ${line}`)
  say(`${taken} of ${asked} snapshots taken; ${wrong.length === 0 ? 'nothing was wrong' : `${wrong.length} WRONG`}`)
  if (!complete) say(`not all was done in ${minutes} minutes`)
  return wrong.length > 0 ? 1 : complete && taken >= asked * 0.9 ? 0 : 3
}

interface SceneRun {
  readonly fixture: HoldFixture
  readonly home: string
  readonly count: number
  readonly untilMs: number
  readonly say: (line: string) => void
}

async function soakScene(
  scene: Scene,
  { fixture, home, count, untilMs, say }: SceneRun,
): Promise<{ readonly taken: number; readonly wrong: readonly string[] }> {
  const folder = mkdtempSync(join(home, 'scene-'))
  const file = join(folder, 'book.db')
  makeBook(file, scene.mode, fillerBytes)
  await using crowd = await startCrowd({ ...scene, file, folder: join(folder, 'crowd') })
  const wrong: string[] = []
  const all: TakenSnapshots[] = []
  const killing = scene.killEveryMs === null ? null : killAgainAndAgain(crowd, scene.killEveryMs)
  const phases = await interleave(crowd, rounds, 8_000, async (round) => {
    const [from, to] = [round, round + 1].map((at) => Math.round((count * at) / rounds)) as [number, number]
    all.push(await takeSnapshots({ fixture, file, crowd, count: to - from, untilMs }))
    say(`  ${scene.name}: ${all.reduce((sum, { taken }) => sum + taken, 0)} of ${count}`)
  })
  await killing?.end()
  const acknowledged = crowd.acknowledged()
  const figures = await crowd.end()
  const { seq, wrong: atEnd } = judgeBook(file)
  if (atEnd !== null) wrong.push(`the program's own file at the end: ${atEnd}`)
  if (seq < acknowledged) wrong.push(`${acknowledged} was acknowledged, and the file has ${seq}`)
  wrong.push(...all.flatMap((one) => one.wrong), ...(scene.orderly ? errorsOfOurs(phases) : moreErrors(phases)))
  const taken = all.reduce((sum, one) => sum + one.taken, 0)
  say(describeScene(scene, all, phases, seq - 1, figures.checkpoints))
  rmSync(folder, { recursive: true })
  return { taken, wrong }
}

function describeScene(
  { name }: Scene,
  all: readonly TakenSnapshots[],
  { alone, beside }: InterleavedPhases,
  transactions: number,
  checkpoints: number,
): string {
  const held = all.flatMap(({ heldMs }) => heldMs).toSorted((one, other) => one - other)
  const at = (share: number): string =>
    (held[Math.min(held.length - 1, Math.floor(held.length * share))] ?? 0).toFixed(1)
  const sum = (counts: readonly ErrorCounts[]): string => {
    const total: Record<string, number> = {}
    for (const one of counts) for (const [key, count] of Object.entries(one)) total[key] = (total[key] ?? 0) + count
    return Object.entries(total)
      .map(([key, count]) => `${count} ${key}`)
      .join(', ')
  }
  const rate = ({ errors, seconds }: Phase): string =>
    Object.entries(errors)
      .map(([error, count]) => `${error} ${(count / seconds).toFixed(1)}/s`)
      .join(', ') || 'no error'
  const without = sum(all.map(({ withoutSnapshot }) => withoutSnapshot))
  return [
    `${name}: ${held.length} snapshots (${sum(all.map(({ branches }) => branches))};`,
    `${all.reduce((total, { emptyWal }) => total + emptyWal, 0)} with an empty WAL), held p50 ${at(0.5)} ms,`,
    `p99 ${at(0.99)} ms${without === '' ? '' : `; without a snapshot: ${without}`}; ${transactions} transactions,`,
    `${checkpoints} checkpoints;`,
    `errors in ${Math.round(beside.seconds)} s beside us: ${rate(beside)};`,
    `in ${Math.round(alone.seconds)} s without us: ${rate(alone)}`,
  ].join(' ')
}

interface SceneContext extends Pick<SceneRun, 'home' | 'untilMs' | 'say'> {
  readonly wrong: string[]
}

async function soakDeaths(
  signal: 'SIGKILL' | 'SIGSTOP',
  rest: SceneContext & { readonly seed: number },
): Promise<boolean> {
  const { home, untilMs, seed, say, wrong } = rest
  const folder = mkdtempSync(join(home, 'deaths-'))
  const file = join(folder, 'book.db')
  makeBook(file, 'wal', 5 * fillerBytes)
  await using crowd = await startCrowd({
    file,
    folder: join(folder, 'crowd'),
    members: ['node', 'python', 'reader'],
    orderly: true,
  })
  const options = { file, folder, signal, times: moments, random: randomFrom(seed), maxPinMs: 1_000, untilMs }
  const { times, whilePinned, longestMs } = await endAtMoments(options)
  const { errors, committed } = await crowd.end()
  const { wrong: atEnd } = judgeBook(file)
  if (atEnd !== null) wrong.push(`${signal}: the program's own file at the end: ${atEnd}`)
  for (const [error, count] of Object.entries(errors)) wrong.push(`${signal}: ${error} ${count} times`)
  say(
    `${signal} at ${times} moments, ${whilePinned} of them while a pin stood; its locks ended within ` +
      `${Math.round(longestMs)} ms; each time a checkpoint went through; ${committed} transactions, ` +
      (Object.keys(errors).length === 0 ? 'no error' : JSON.stringify(errors)),
  )
  return times === moments
}

async function soakRestarts({
  fixture,
  home,
  untilMs,
  say,
  wrong,
}: SceneContext & { readonly fixture: HoldFixture }): Promise<boolean> {
  if (performance.now() > untilMs) return false
  const folder = join(home, 'restarts')
  mkdirSync(folder)
  const file = join(folder, 'book.db')
  makeBook(file, 'wal', fillerBytes)
  const restarts = restartAgainAndAgain(file, folder, moments)
  let [taken, tried] = [0, 0]
  while (!restarts.isDone && tried < 10_000) {
    const once = await takeSnapshots({ fixture, file, crowd: restarts, count: 1, untilMs: Number.POSITIVE_INFINITY })
    tried++
    taken += once.taken
    wrong.push(...once.wrong.map((line) => `restarts: ${line}`))
  }
  await restarts.done
  wrong.push(...restarts.errors.map((line) => `restarts: ${line}`))
  const { wrong: atEnd, seq } = judgeBook(file)
  if (atEnd !== null || seq < restarts.acknowledged()) wrong.push(`restarts: at the end ${seq}: ${atEnd}`)
  say(`${moments} restarts beside ${taken} snapshots (of ${tried} tries): ${restarts.errors.length} with an error`)
  return true
}
