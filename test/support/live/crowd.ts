/** Programs that write, read and checkpoint one book at the same time, each a process of its own. */
import { spawnSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { repository, startNode, startProgram, type EndedProgram, type Program } from '../processes.ts'
import type { CheckpointerOrders, ReaderOrders, WriterOrders } from '../programs/live/orders.ts'

export type MemberKind = 'node' | 'python' | 'opener' | 'checkpointer' | 'reader'

/** Why there is no writer in Python, with another SQLite than ours; null if there is one. */
export const whyNoPython: string | null =
  spawnSync('python3', ['-c', 'import sqlite3']).status === 0 ? null : 'there is no python3 with sqlite3'

export interface CrowdOptions {
  readonly file: string
  /** For acknowledgements and the turn. */
  readonly folder: string
  /** Python is left out where there is none (`whyNoPython`). */
  readonly members: readonly MemberKind[]
  /**
   * True: writers and the checkpointers that need their lock take turns. Then none of them meets another one, and no
   * error is expected.
   */
  readonly orderly: boolean
  /** How long writers wait for a lock. */
  readonly timeoutMs?: number
  readonly pauseMs?: number
}

/** How often each error came, by statement and code: `begin SQLITE_BUSY`. */
export type ErrorCounts = Readonly<Record<string, number>>

interface CrowdFigures {
  readonly errors: ErrorCounts
  readonly committed: number
  readonly rolledBack: number
  readonly checkpoints: number
  readonly reads: number
}

export interface Crowd extends AsyncDisposable {
  /** The last transaction that a writer has acknowledged, also one that is dead. */
  acknowledged(): number
  /** How many transactions may be committed and not yet acknowledged. */
  readonly writers: number
  /** Errors of all programs since the start, also of dead ones. */
  errors(): ErrorCounts
  /** Kills one with SIGKILL, waits for its end, and starts it again; a member that was left out stays out. */
  killAndRestart(kind: MemberKind): Promise<void>
  /** Kills one with SIGKILL and waits for its end. */
  kill(kind: MemberKind): Promise<void>
  /** Stops one, wherever it is, and lets it go on. */
  freeze(kind: MemberKind): void
  thaw(kind: MemberKind): void
  /** Ends all with SIGTERM. @throws if one has not ended by itself */
  end(): Promise<CrowdFigures>
}

/** Ready when each has the file open. */
export async function startCrowd(options: CrowdOptions): Promise<Crowd> {
  const members = options.members.filter((kind) => kind !== 'python' || whyNoPython === null)
  mkdirSync(options.folder, { recursive: true })
  const turn = join(options.folder, 'turn')
  closeSync(openSync(turn, 'a'))
  const acks = members.filter(isWriter).map((kind) => ackOf(options.folder, kind))
  for (const ack of acks) writeFileSync(ack, Buffer.alloc(8))
  const startOne = (kind: MemberKind): Program => startMember(kind, options, options.orderly ? turn : null)
  const running = new Map(members.map((kind) => [kind, startOne(kind)]))
  const outputs: string[] = []
  await Promise.all([...running.values()].map(({ ready }) => ready))
  const errors = (): ErrorCounts => countErrors([...outputs, ...[...running.values()].map((one) => one.stdout())])
  const kill = async (kind: MemberKind): Promise<void> => {
    const victim = running.get(kind)
    victim?.kill('SIGKILL')
    running.delete(kind)
    if (victim) outputs.push((await victim.ended).stdout)
  }
  return {
    writers: acks.length,
    acknowledged: () => Math.max(1, ...acks.map((ack) => readFileSync(ack).readDoubleLE())),
    errors,
    kill,
    freeze: (kind) => running.get(kind)?.kill('SIGSTOP'),
    thaw: (kind) => running.get(kind)?.kill('SIGCONT'),
    async killAndRestart(kind) {
      if (!running.has(kind)) return
      await kill(kind)
      const next = startOne(kind)
      running.set(kind, next)
      await next.ready
    },
    async end() {
      for (const one of running.values()) one.kill('SIGTERM')
      const ended = await Promise.all([...running].map(([kind, one]) => endOf(kind, one)))
      return { ...totalsOf([...outputs, ...ended.map(({ stdout }) => stdout)]), errors: errors() }
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...running.values()].map((one) => one[Symbol.asyncDispose]()))
    },
  }
}

/** Kills one writer after the other, of Node and of Python in turn, and starts it again, until it is told to end. */
export function killAgainAndAgain(crowd: Crowd, everyMs: number): { readonly end: () => Promise<void> } {
  const ending = new AbortController()
  const killing = (async () => {
    for (let time = 0; ; time++) {
      await sleep(everyMs * (0.5 + Math.random()), undefined, { signal: ending.signal })
      await crowd.killAndRestart(time % 2 === 0 ? 'python' : 'node')
    }
  })().catch((error: unknown) => {
    if (!ending.signal.aborted) throw error
  })
  return {
    end: () => {
      ending.abort()
      return killing
    },
  }
}

const isWriter = (kind: MemberKind): boolean => kind === 'node' || kind === 'python' || kind === 'opener'
const ackOf = (folder: string, kind: MemberKind): string => join(folder, `acknowledged.${kind}`)

function startMember(kind: MemberKind, options: CrowdOptions, turn: string | null): Program {
  const { file, folder, timeoutMs = 0, pauseMs = 3 } = options
  const folderOfPrograms = 'test/support/programs/live'
  if (kind === 'checkpointer') {
    const kinds = ['PASSIVE', 'FULL', 'RESTART', 'TRUNCATE'] as const
    return startNode(`${folderOfPrograms}/checkpointer.ts`, [
      JSON.stringify({ file, turn, kinds, pauseMs: pauseMs + 1 } satisfies CheckpointerOrders),
    ])
  }
  if (kind === 'reader') {
    const reader: ReaderOrders = { file, openMs: 40 }
    return startNode(`${folderOfPrograms}/reader.ts`, [JSON.stringify(reader)])
  }
  const orders: WriterOrders = {
    file,
    acknowledged: ackOf(folder, kind),
    turn,
    manner: kind === 'opener' ? 'reopens' : 'keeps',
    timeoutMs,
    pauseMs,
    transactions: null,
  }
  return kind === 'python'
    ? startProgram('python3', [`${repository}${folderOfPrograms}/writer.py`, JSON.stringify(orders)])
    : startNode(`${folderOfPrograms}/node-writer.ts`, [JSON.stringify(orders)])
}

async function endOf(kind: MemberKind, program: Program): Promise<EndedProgram> {
  const ended = await Promise.race([
    program.ended,
    new Promise<never>((_, reject) => {
      setTimeout(() => reject(new Error(`${kind} did not end within 20 s`)), 20_000).unref()
    }),
  ])
  if (ended.code !== 0) throw new Error(`${kind} ended with ${ended.code ?? ended.signal}: ${ended.stderr}`)
  return ended
}

type MemberLine = { readonly error?: string; readonly totals?: Readonly<Record<string, number>> }

function* linesOf(outputs: readonly string[]): Generator<MemberLine> {
  for (const output of outputs)
    for (const line of output.split('\n').slice(0, -1)) if (line.endsWith('}')) yield JSON.parse(line) as MemberLine
}

function countErrors(outputs: readonly string[]): ErrorCounts {
  const counts: Record<string, number> = {}
  for (const { error } of linesOf(outputs)) if (error !== undefined) counts[error] = (counts[error] ?? 0) + 1
  return counts
}

function totalsOf(outputs: readonly string[]): Omit<CrowdFigures, 'errors'> {
  const sums: Record<string, number> = {}
  for (const { totals = {} } of linesOf(outputs))
    for (const [name, value] of Object.entries(totals)) sums[name] = (sums[name] ?? 0) + value
  const { committed = 0, rolledBack = 0, checkpoints = 0, reads = 0 } = sums
  return { committed, rolledBack, checkpoints, reads }
}
