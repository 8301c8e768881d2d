/** Checks the files of a real program again and again with `check --live`, while the program works. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect } from 'vitest'
import { checkLive } from '../live/check-live.ts'
import type { RealFile, RealProgram } from './real-program.ts'

interface BesideWork {
  /** What each check came to (`shortVerdict`), with how often. */
  readonly verdicts: Readonly<Record<string, number>>
  /** Branches of the snapshots, with how often. */
  readonly branches: Readonly<Record<string, number>>
  /** Pieces of work that the program did meanwhile, and what it refused. */
  readonly done: number
  readonly refused: readonly string[]
  /** Snapshots that lack work which was done before they were taken, or hold work that was not asked for. */
  readonly wrong: readonly string[]
}

/**
 * The program works as if nothing was there: it refuses nothing, loses nothing, and is healthy. Each snapshot is a
 * state that was.
 */
export async function expectUnharmed(program: RealProgram, soundChecks: number): Promise<BesideWork> {
  const beside = await checkBesideWork(program, soundChecks)
  const { verdicts, done, refused, wrong } = beside
  expect({ refused, wrong }).toEqual({ refused: [], wrong: [] })
  expect(verdicts['sound'], JSON.stringify(beside)).toBe(soundChecks * program.files.length)
  expect(Object.keys(verdicts).filter((verdict) => verdict.startsWith('damaged'))).toEqual([])
  expect(done).toBeGreaterThan(soundChecks)
  expect(await program.problems(done)).toEqual([])
  expect(await program.end()).toEqual([])
  return beside
}

/** Until each file has had so many sound checks, at most three times as many. */
async function checkBesideWork(program: RealProgram, soundChecks: number): Promise<BesideWork> {
  const verdicts: Record<string, number> = {}
  const branches: Record<string, number> = {}
  const wrong: string[] = []
  const work = startWork(program)
  try {
    for (const file of program.files)
      for (let sound = 0, tries = 0; sound < soundChecks && tries < 3 * soundChecks; tries++) {
        const { said, branch, deviation } = await checkOnce(program, file, work)
        verdicts[said] = (verdicts[said] ?? 0) + 1
        if (branch !== null) branches[branch] = (branches[branch] ?? 0) + 1
        if (deviation !== null) wrong.push(deviation)
        if (said === 'sound') sound++
      }
  } finally {
    await work.end()
  }
  return { verdicts, branches, done: work.done, refused: work.refused, wrong }
}

interface Work {
  readonly asked: number
  readonly done: number
  readonly refused: readonly string[]
  end(): Promise<void>
}

/** One piece of work after the other, without a pause. */
function startWork(program: RealProgram): Work {
  const state = { asked: 0, done: 0, goOn: true }
  const refused: string[] = []
  const working = (async () => {
    while (state.goOn) {
      state.asked++
      await program.work(state.asked).catch((error: unknown) => refused.push(String(error)))
      state.done = state.asked
    }
  })()
  return {
    get asked() {
      return state.asked
    },
    get done() {
      return state.done
    },
    refused,
    end: () => {
      state.goOn = false
      return working
    },
  }
}

async function checkOnce(
  { behind }: RealProgram,
  { path, workIn }: RealFile,
  work: Work,
): Promise<{ readonly said: string; readonly branch: string | null; readonly deviation: string | null }> {
  const kept = mkdtempSync(join(tmpdir(), 'kept-'))
  try {
    const atLeast = work.done - behind
    const { said, evidence, copy } = await checkLive(path, kept)
    const atMost = work.asked
    if (copy === null) return { said: `${said} (no snapshot)`, branch: null, deviation: null }
    const database = new Database(copy)
    const found = workIn(database)
    database.close()
    const fits = found >= atLeast && found <= atMost && evidence.level === 'pinned'
    const deviation = `${path} (${evidence.level}): ${found} pieces of work, between ${atLeast} and ${atMost} expected`
    return { said, branch: evidence.pin?.branch ?? null, deviation: fits ? null : deviation }
  } finally {
    rmSync(kept, { recursive: true, force: true })
  }
}
